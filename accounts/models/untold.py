"""What could not be told at the first go: tried again with growing pauses, and set aside where people see it."""

import logging
import uuid
from datetime import timedelta

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import catalogue, record, tell
from accounts.models.business import Business
from accounts.models.event import Event
from accounts.verbs import Stale, verb, writing

log = logging.getLogger(__name__)

TRIES = 6
FIRST_PAUSE = timedelta(minutes=1)  # and twice as long after each attempt: half an hour in all
BATCH = 500


class UntoldQuerySet(models.QuerySet):
    """Reads events that could not be told."""

    def open(self):
        """Return those that are tried again."""
        return self.filter(set_aside_at=None)

    def set_aside(self):
        """Return those that are not tried any more, newest first."""
        return self.filter(set_aside_at__isnull=False).select_related("event").order_by("-set_aside_at")


class Untold(models.Model):
    """An event that somebody's death or a listener's failure left untold; it goes when the event is told.

    attempts: counted when it is taken, so that one that ends every worker is set aside too. due_at: not before, by
    the database's clock, which also keeps two workers from telling it at once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="untold")
    event = models.OneToOneField(Event, models.CASCADE, related_name="untold")
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    error = models.CharField(max_length=300, blank=True)
    set_aside_at = models.DateTimeField(null=True, blank=True)

    objects = UntoldQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "untold events"
        ordering = ["-event"]
        indexes = [
            models.Index(
                fields=["business", "set_aside_at"],
                condition=models.Q(set_aside_at__isnull=False),
                name="untold_set_aside",
            ),
        ]

    def __str__(self):
        return f"{self.what}, number {self.event.sequence}"

    @property
    def what(self) -> str:
        """Return what happened, as menus call it."""
        return catalogue[self.event.name].label if self.event.name in catalogue else self.event.name

    @classmethod
    def tell_again(cls, older_than: timedelta = timedelta(seconds=30)) -> int:
        """Tell what a crash or a failure left untold, oldest first; return how many events were tried."""
        cls.objects.filter(event__told_at__isnull=False).delete()  # its teller died between the tick and this
        lost = Event.objects.filter(told_at=None, name__in=catalogue, at__lt=timezone.now() - older_than)
        due = models.Q(untold=None) | models.Q(untold__set_aside_at=None, untold__due_at__lte=Now())
        count = 0
        for event in lost.filter(due).order_by("pk")[:BATCH]:
            try:
                count += cls._tell(event)
            except Exception:  # one that fails does not hold up the others
                log.exception("Event %s could not be told again", event.pk)
        return count

    @classmethod
    def _tell(cls, event: Event) -> bool:
        """Take an event and tell it; return whether it was ours to tell."""
        row = cls._take(event)
        if row:
            row._attempt()
        return row is not None

    @classmethod
    def _take(cls, event: Event) -> "Untold | None":
        """Take an event for this worker alone; None when another one was quicker."""
        with writing():
            row, _ = cls.objects.get_or_create(event=event, defaults={"business_id": event.business_id})
            mine = cls.objects.open().filter(pk=row.pk, attempts=row.attempts, due_at__lte=Now())
            pause = FIRST_PAUSE * 2 ** min(row.attempts, TRIES)
            taken = mine.update(attempts=row.attempts + 1, due_at=Now() + pause)
        row.attempts += 1
        return row if taken else None

    def _attempt(self) -> None:
        """Tell it, once it is taken; note why not, and set it aside after so many attempts."""
        if self.attempts > TRIES:
            self._set_aside("Each attempt ended with the worker's own end.")
            return
        failed = tell(self.event)
        if not failed:
            with writing():
                self.delete()
        elif self.attempts >= TRIES:
            self._set_aside(failed)
        else:
            with writing():
                Untold.objects.filter(pk=self.pk).update(error=failed[:300])

    def _set_aside(self, why: str) -> None:
        """Try it no more by itself, and say so, unless that is the very thing which could not be said."""
        with writing(), transaction.atomic():
            self.error, self.set_aside_at = why[:300], timezone.now()
            if not Untold.objects.open().filter(pk=self.pk).update(error=self.error, set_aside_at=self.set_aside_at):
                return
            if self.event.name != "event.set_aside":
                by = Actor.system(self.business)
                record("event.set_aside", self.business, by, what=self.what, number=self.event.sequence, why=self.error)

    @verb("event.retell")
    def retell(self, *, by: Actor):
        """Tell one that was set aside once more, at once and then with attempts of its own; Stale when it was told."""
        self.refresh_from_db(from_queryset=Untold.objects.select_for_update(of=("self",)))
        if self.set_aside_at is None:
            raise Stale("It is being told again already.")
        self.set_aside_at, self.attempts, self.due_at = None, 0, Now()
        self.save(update_fields=["set_aside_at", "attempts", "due_at"])
        transaction.on_commit(lambda: Untold._tell(self.event), robust=True)
        return record("event.retold", self.business, by, what=self.what, number=self.event.sequence)
