"""What is to be reported of cards, or sent to them, at a later time or as soon as the worker comes to it."""

import logging
import uuid
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import OperationalError, models, transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Business, Event
from accounts.verbs import Stale, in_one, verb, writing
from automations.carrying import send_event
from boards.models import Card, Trigger
from boards.user_actions import LONGEST_EVENT

log = logging.getLogger(__name__)

MOST_PENDING = 50  # of one card
PLANNED = ("card.report_planned", "card.signal_taken")
TRIES = 5  # times it is attempted before it is set aside


class TimerQuerySet(models.QuerySet):
    """Reads timers."""

    def pending(self):
        """Return those whose time is to come, soonest first."""
        return self.filter(fired_at=None, cancelled_at=None, set_aside_at=None).order_by("at", "pk")

    def due(self):
        """Return those whose time has come."""
        return self.pending().filter(at__lte=timezone.now())

    def set_aside(self):
        """Return those that could not be reported, newest first."""
        rows = self.filter(set_aside_at__isnull=False, fired_at=None, cancelled_at=None)
        return rows.select_related("card").order_by("-set_aside_at")


class Timer(models.Model):
    """A report that waits for its time, or an event that waits for the worker; it fires once, or is cancelled.

    trigger or event: what it reports or sends, by key or name; attributes: what the event tells.
    attempts: counted when it is taken. set_aside_at: since when it is not tried any more; reason says why.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="timers")
    card = models.ForeignKey(Card, models.CASCADE, related_name="timers")
    trigger = models.CharField("trigger's key", max_length=60, blank=True)
    event = models.CharField(max_length=LONGEST_EVENT, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    external_id = models.CharField(max_length=200, blank=True, help_text="Of what it was reported about.")
    at = models.DateTimeField()
    reported_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    fired_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    set_aside_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField("why it was cancelled or set aside", max_length=300, blank=True)

    objects = TimerQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(
                fields=["at"],
                condition=models.Q(fired_at=None, cancelled_at=None, set_aside_at=None),
                name="timer_pending",
            ),
            models.Index(fields=["business", "trigger", "external_id"], name="timer_of_entity"),
        ]

    def __str__(self):
        return f"{self.what} at {self.at:%Y-%m-%d %H:%M}"

    @property
    def what(self) -> str:
        """Return what it reports or sends."""
        return self.event or self.trigger

    @classmethod
    @verb("card.plan_report")
    def plan(cls, card: Card, trigger: Trigger, at: datetime, *, external_id: str = "", by: Actor):
        """Report something of a card at a later time; the same again, planned twice, is no news.

        Raises ValidationError for an archived card, and for one of which MOST_PENDING reports are planned.
        """
        card.lock_row()
        pending = card.timers.pending()
        same = pending.filter(trigger=trigger.key, external_id=external_id, at=at).first()
        if same:
            return same
        timer = cls._add(card, by, trigger=trigger.key, external_id=external_id, at=at)
        card.record("card.report_planned", by, label=trigger.name, at=at.isoformat(), timer=str(timer.pk))
        return timer

    @classmethod
    @verb("card.plan_report")
    def take_in(cls, card: Card, name: str, attributes: dict | None = None, *, by: Actor):
        """Take in an event for a card, which the worker sends as soon as it comes to it; refuses what `signal` refuses.

        Raises ValidationError where the worker has MOST_PENDING things to do for the card already.
        """
        card.lock_row()
        event = card.read_signal(name, attributes, by=by)
        timer = cls._add(card, by, event=event.name, attributes=event.attributes, at=timezone.now())
        card.record("card.signal_taken", by, event=event.name, timer=str(timer.pk))
        send_event.enqueue(str(timer.pk))
        return timer

    @classmethod
    def _add(cls, card: Card, by: Actor, **what) -> "Timer":
        if card.timers.pending().count() >= MOST_PENDING:
            raise ValidationError(f"At most {MOST_PENDING} reports of a card can wait.", code="too_many")
        timer = cls(business_id=card.business_id, card=card, reported_by=by.name[:200], **what)
        timer.save(force_insert=True)
        return timer

    @verb("card.cancel_report")
    def cancel(self, *, by: Actor):
        """Report it no more; one that was reported already stays so."""
        self._lock()
        if self.fired_at or self.cancelled_at:
            return
        self._cancel(f"{by.name} cancelled it.")
        self.card.record("card.report_cancelled", by, label=self.what, timer=str(self.pk))

    @verb("card.retry_report")
    def retry(self, *, by: Actor):
        """Report at once what was set aside, and else with attempts of its own; Stale when it was not."""
        self._lock()
        if self.set_aside_at is None or self.fired_at or self.cancelled_at:
            raise Stale("It is not set aside any more.")
        self.set_aside_at, self.attempts, self.reason = None, 0, ""
        self.save(update_fields=["set_aside_at", "attempts", "reason"])
        transaction.on_commit(self.fire, robust=True)
        return self.card.record("card.report_retried", by, label=self.what, timer=str(self.pk))

    def fire(self) -> None:
        """Report it now that its time has come, because it was planned; what refuses it cancels it, in words.

        The attempt counts from now on, whatever becomes of the worker; after so many it is set aside.
        """
        with writing():
            taken = Timer.objects.due().filter(pk=self.pk).update(attempts=models.F("attempts") + 1)
        if not taken:
            return
        try:
            in_one(self._fire)
        except OperationalError:
            raise  # the database is busy or away
        except Exception as error:
            log.exception("Timer %s could not be reported", self.pk)
            why = f"Something went wrong inside Phasewise ({type(error).__name__})."
            in_one(lambda: self._stumble(why))

    def _fire(self) -> None:
        self._lock()
        if self.fired_at or self.cancelled_at or self.at > timezone.now():
            return
        if self.attempts > TRIES:
            self._set_aside("Each attempt ended with the worker's own end.")
            return
        planned = Event.objects.about(self.card).filter(name__in=PLANNED, details__timer=str(self.pk)).first()
        by = Actor.system(self.business, self.reported_by)
        self.fired_at = timezone.now()
        try:
            with transaction.atomic():
                self._do(by.because_of(planned) if planned else by)
        except ValidationError as refusal:
            self.fired_at = None
            self._cancel(" ".join(refusal.messages))
            if self.event:  # somebody was told that it would be sent
                self.card.record("card.report_failed", by, label=self.what, timer=str(self.pk), why=self.reason)
            return
        self.save(update_fields=["fired_at"])

    def _do(self, by: Actor) -> None:
        if self.event:
            self.card.signal(self.event, self.attributes, by=by)
        else:
            self.card.report(Trigger.objects.get(business=self.business_id, key=self.trigger), by=by)

    def _lock(self) -> None:
        self.refresh_from_db(from_queryset=Timer.objects.select_for_update(of=("self",)))

    def _stumble(self, why: str) -> None:
        self._lock()
        if self.attempts >= TRIES:
            self._set_aside(why)

    def _set_aside(self, why: str) -> None:
        self.set_aside_at, self.reason = timezone.now(), why[:300]
        self.save(update_fields=["set_aside_at", "reason"])
        by = Actor.system(self.business)
        self.card.record("card.report_failed", by, label=self.what, timer=str(self.pk), why=self.reason)

    def _cancel(self, reason: str) -> None:
        self.cancelled_at, self.reason = timezone.now(), reason[:300]
        self.save(update_fields=["cancelled_at", "reason"])
