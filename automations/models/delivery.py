"""What leaves the building: mails and calls, as rows that the worker carries."""

import json
import logging
import random
import re
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import ceil

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business, Event, Membership
from accounts.policy import may
from accounts.statements import Blank, Prepared
from accounts.verbs import Stale, verb, writing
from automations.carrying import Outcome, call, deliver, mail
from automations.models.webhook import Webhook
from automations.outbound import host_of
from automations.signing import secret_for
from automations.triggers import has_left, triggers
from boards.models import Card

log = logging.getLogger(__name__)

# After the first attempt, the second follows in five seconds, and so on: a day's work of patience.
PAUSES = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
]
ATTEMPTS = len(PAUSES) + 1
LEASE = timedelta(seconds=90)  # longer than an attempt may take
AT_LEAST = timedelta(seconds=60)  # to whoever is slow or asks us to slow down
LOGGED = 10  # attempts that are kept in the log
BATCH = 500
PUT_OFF = timedelta(hours=1)
BEHIND = -10  # the priority of what is sent again: thousands of them must not hold up what is fresh
# What takes back what: the opposite event, and which of its details must be the same as which of ours.
TAKES_BACK = {
    "card.moved": ("card.moved", {"before": "after", "after": "before"}),
    "card.label_removed": ("card.label_added", {"label": "label"}),
    "card.restored": ("card.archived", {"phase": "phase"}),
}
TEST = "webhook.test"  # the type of a call by which somebody tries a webhook
TESTS = 10  # an hour and webhook


class DeliveryQuerySet(models.QuerySet):
    """Reads deliveries."""

    def open(self):
        """Return those that have still to leave."""
        return self.filter(state__in=Delivery.OPEN)

    def unleased(self):
        """Return those that no worker holds, by the database's clock."""
        return self.filter(models.Q(leased_until=None) | models.Q(leased_until__lt=Now()))

    def mails(self):
        """Return the mails to customers and whoever else rules write to, not what members are told; newest first."""
        return self.filter(kind=Delivery.MAIL, member=None).select_related("card")

    def calls(self):
        """Return the calls of webhooks, and those that rules make by themselves; newest first."""
        return self.filter(kind=Delivery.CALL).select_related("webhook", "card")

    def seen_by(self, actor: Actor):
        """Return those that somebody may read: not what members are told, and calls where they may see webhooks."""
        rows = self.filter(member=None)
        return rows if may(actor, "webhook.view") else rows.filter(kind=Delivery.MAIL)

    def taken_back_by(self, event) -> list[tuple["Delivery", str]]:
        """Return the mails that may not leave any more after an event, each with why."""
        mails = self.waiting(card=event.subject_id).exclude(event=None).select_related("event", "run__rule")
        return [(mail, why) for mail in mails if (why := mail.why_taken_back(event))]

    def waiting(self, card):
        """Return the mails about a card of which nobody knows anything yet."""
        return self.filter(card=card, kind=Delivery.MAIL, state=Delivery.WAITING, attempts=0)

    def without_texts(self):
        """Return them as lists show them, without what was sent and answered."""
        return self.defer("body", "html", "log", "headers")


class Delivery(models.Model):
    """A mail or a call that has to leave, or has left: at least once, each time under the same id.

    key: what it is for, so that being told twice queues once. due_at: not before. headers: what belongs to the
    letterhead (sender, reply_to, list) or the call (Content-Type). by_*: who caused it, as the ledger keeps actors.
    """

    MAIL, CALL = "mail", "webhook"
    KINDS = [(MAIL, "Mail"), (CALL, "Webhook")]
    WAITING, FAILED, SENT, STOPPED, GIVEN_UP = "waiting", "failed", "sent", "stopped", "given_up"
    STATES = [
        (WAITING, "Waiting"),
        (FAILED, "Failed, tried again"),
        (SENT, "Sent"),
        (STOPPED, "Stopped"),
        (GIVEN_UP, "Given up"),
    ]
    OPEN = (WAITING, FAILED)
    SHOWN = {"waiting": OPEN, "sent": (SENT,), "failed": (GIVEN_UP,)}  # what lists can be narrowed to

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="deliveries")
    kind = models.CharField(max_length=10, choices=KINDS)
    key = models.CharField(max_length=200)
    webhook = models.ForeignKey(Webhook, models.SET_NULL, null=True, blank=True, related_name="deliveries")
    member = models.ForeignKey(  # whom it tells something; it goes with the membership
        Membership, models.CASCADE, null=True, blank=True, related_name="+"
    )
    card = models.ForeignKey(Card, models.SET_NULL, null=True, blank=True, related_name="+")
    event = models.ForeignKey(Event, models.SET_NULL, null=True, blank=True, related_name="+")
    run = models.ForeignKey(  # of a rule that sends it by itself
        "automations.Run", models.SET_NULL, null=True, blank=True, related_name="deliveries"
    )
    by_kind = models.CharField(max_length=10)
    by_id = models.CharField(max_length=40, blank=True)
    by_name = models.CharField(max_length=200, blank=True)
    to = models.CharField(max_length=2000)
    subject = models.CharField(max_length=300)
    body = models.TextField()
    html = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=STATES, default=WAITING)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    most_attempts = models.PositiveSmallIntegerField(default=ATTEMPTS)
    leased_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    log = models.JSONField(default=list)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["business", "key"], name="delivered_for_one_reason_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state__in=["waiting", "failed"]), name="delivery_due"),
            models.Index(fields=["business", "kind", "-created_at"], name="delivery_list"),
            models.Index(fields=["webhook", "-created_at"], name="delivery_of_webhook"),
            models.Index(
                fields=["leased_until"], condition=models.Q(leased_until__isnull=False), name="delivery_leased"
            ),
            models.Index(fields=["card"], condition=models.Q(state="waiting"), name="delivery_waiting"),
            models.Index(
                fields=["business", "kind", "finished_at"],
                condition=models.Q(state="sent"),
                name="delivery_sent",
            ),
            models.Index(
                fields=["business", "kind", "finished_at"],
                condition=models.Q(state="given_up"),
                name="delivery_given_up",
            ),
            models.Index(fields=["to", "finished_at"], condition=models.Q(state="sent"), name="delivery_budget"),
        ]

    def __str__(self):
        return f"{self.subject} to {self.to}"

    # Queueing -----------------------------------------------------------------------------------------

    @classmethod
    def queue(cls, business, kind: str, key: str, *, delay: timedelta = timedelta(0), by: Actor, **what) -> "Delivery":
        """Write a delivery in the transaction of its cause and let the worker know; under the same key, only once."""
        due_at = timezone.now() + delay
        who = {"by_kind": by.kind, "by_id": by.id, "by_name": by.name[:200]}
        what["subject"] = " ".join(what["subject"].split())[:300]  # one line, or a mail could get headers of its own
        delivery, is_new = cls.objects.get_or_create(
            business=business, key=key, defaults={"kind": kind, "due_at": due_at, **who, **what}
        )
        if is_new:
            delivery.enqueue()
        return delivery

    @classmethod
    @verb("webhook.test")
    def queue_test(cls, webhook, *, by: Actor) -> "Delivery":
        """Call a webhook once to try it, switched off or not; raises ValidationError after TESTS in an hour."""
        tests = webhook.deliveries.filter(subject=TEST, created_at__gt=timezone.now() - timedelta(hours=1))
        if tests.count() >= TESTS:
            raise ValidationError(f"{TESTS} tests an hour are enough. Try again later.", code="too_many")
        said = {"type": TEST, "timestamp": timezone.now().isoformat(), "data": {"webhook": webhook.name, "by": by.name}}
        about = {"subject": TEST, "body": json.dumps(said), "headers": {"Content-Type": "application/json"}}
        key = f"test {uuid.uuid4()}"
        return cls.queue(
            webhook.business, cls.CALL, key, webhook=webhook, to=webhook.url, most_attempts=1, by=by, **about
        )

    def why_taken_back(self, event) -> str:
        """Return why an event takes back what this mail tells of; "" when it does not."""
        if self._is_undone_by(event):
            return f"{event.actor_name} took back what it tells of."
        is_its_own = (event.root_id or event.pk) == (self.event.root_id or self.event_id)
        if self.event.name != "card.came_due" or is_its_own:
            return ""
        rule = self.run and self.run.rule
        is_over = triggers[rule.trigger].is_over if rule and rule.trigger in triggers else has_left
        return "What it tells of is over." if is_over(event) else ""

    def _is_undone_by(self, event) -> bool:
        """Answer whether an event is the opposite of the one behind it, or of what its rule had done before it wrote."""
        if event.name not in TAKES_BACK:
            return False
        opposite, same = TAKES_BACK[event.name]
        told = {f"details__{theirs}__id": event.details[ours]["id"] for theirs, ours in same.items()}
        by_rule = models.Q(cause=self.event_id, actor_kind=self.by_kind, actor_id=self.by_id, at__lte=self.created_at)
        before = Event.objects.filter(models.Q(pk=self.event_id) | by_rule)
        return before.filter(name=opposite, subject_id=event.subject_id, **told).exists()

    def enqueue(self, *, behind: bool = False) -> None:
        """Let the worker know when this is due; behind: after what is fresh."""
        is_later = self.due_at > timezone.now()
        task = deliver.using(run_after=self.due_at if is_later else None, priority=BEHIND if behind else 0)
        task.enqueue(str(self.pk))

    # Carrying -----------------------------------------------------------------------------------------

    @classmethod
    def carry(cls, pk) -> None:
        """Attempt a delivery that is due; nothing happens to one that is not, or that another worker holds."""
        delivery = cls._claim(pk)
        if delivery is None:
            return
        try:
            outcome = delivery._stands_in_the_way() or delivery._attempt()
        except Exception as error:
            log.exception("Delivery %s could not be attempted", delivery.pk)
            outcome = Outcome(False, f"Something went wrong inside Phasewise ({type(error).__name__}).")
        delivery._settle(outcome)

    def _attempt(self) -> Outcome:
        return mail(self) if self.kind == self.MAIL else call(self, self.secrets)

    @classmethod
    def carry_on(cls) -> int:
        """Enqueue again what a crash left behind; return how many."""
        late = timezone.now() - timedelta(seconds=30)
        left = cls.objects.open().unleased().filter(due_at__lt=late).order_by("due_at")[:BATCH]
        for delivery in left:
            delivery.enqueue()
        return len(left)

    @property
    def step(self) -> int | None:
        """Return which action of its run sends it."""
        found = re.match(r"run [^ ]+:(\d+)", self.key)
        return int(found[1]) if found else None

    @property
    def message_id(self) -> str:
        """Return the id under which a receiver tells repeats apart."""
        return f"msg_{self.pk.hex}"

    @property
    def secrets(self) -> list[str]:
        """Return what signs a call: the webhook's secrets, or the business's own for a URL that a rule calls."""
        return self.webhook.secrets if self.webhook else [secret_for("business", self.business_id)]

    @classmethod
    def _claim(cls, pk) -> "Delivery | None":
        """Take a due delivery for this worker alone; the attempt counts from now on, whatever becomes of the worker.

        A webhook that fails is called one by one, so that a tarpit never holds every worker; the sweep comes back to it.
        """
        due = cls.objects.open().unleased().filter(pk=pk, due_at__lte=timezone.now())
        stuck = cls.objects.filter(leased_until__gt=Now(), webhook__failing_since__isnull=False)
        due = due.exclude(webhook__in=stuck.values("webhook"))
        with writing():
            taken = due.update(attempts=models.F("attempts") + 1, leased_until=Now() + LEASE)
        return cls.objects.select_related("business", "webhook").get(pk=pk) if taken else None

    def _stands_in_the_way(self) -> Outcome | None:
        """Return why this attempt is not made, if it is not."""
        if self.attempts > self.most_attempts:
            return Outcome(False, "Each attempt ended with the worker's own end.", is_final=True)
        if self.webhook and self.webhook.disabled_at and self.subject != TEST:
            return Outcome(False, "The webhook was switched off.", is_final=True)
        return self._budget() if self.kind == self.MAIL else None

    def _budget(self) -> Outcome | None:
        """Return why a mail is one too many for its receiver, or for its business today; None when it is not."""
        day = timezone.now() - timedelta(days=1)
        # Of this business alone: what others write to an address neither silences it here nor is told.
        sent = Delivery.objects.filter(business=self.business_id, kind=self.MAIL, state=self.SENT, finished_at__gt=day)
        if sent.filter(to=self.to).count() >= settings.MAILS_A_DAY_EACH:
            return Outcome(False, f"{settings.MAILS_A_DAY_EACH} mails a day are enough for {self.to}.", is_final=True)
        if sent.count() >= settings.MAILS_A_DAY:
            return Outcome(False, f"{settings.MAILS_A_DAY} mails have left within a day. It waits.", is_put_off=True)
        return None

    def _settle(self, outcome: Outcome) -> None:
        """Write down what came of an attempt, unless another worker has taken over meanwhile."""
        now, lease = timezone.now(), self.leased_until  # no other attempt has this very lease
        attempt = {"at": now.isoformat(timespec="seconds"), "sent": outcome.is_sent, "said": outcome.said}
        self.log = [*self.log, attempt | outcome.shown][-LOGGED:]
        self.error, self.leased_until = outcome.said[:500], None
        if outcome.is_sent:
            self.state, self.finished_at = self.SENT, now
        elif outcome.is_put_off:
            self.state, self.due_at, self.attempts = self.WAITING, now + PUT_OFF, self.attempts - 1
        elif outcome.is_final or outcome.is_gone or self.attempts >= self.most_attempts:
            self.state, self.finished_at = self.GIVEN_UP, now
        else:
            self.state, self.due_at = self.FAILED, now + _pause(self.attempts, outcome)
        kept = ("log", "error", "leased_until", "state", "finished_at", "due_at", "attempts")
        with writing(), transaction.atomic():
            mine = Delivery.objects.open().filter(pk=self.pk, leased_until=lease)
            if not mine.update(**{name: getattr(self, name) for name in kept}):
                return
            if self.is_open:
                self.enqueue()
            if self.webhook and self.subject != TEST:
                self.webhook.note(outcome)
            if self.state == self.GIVEN_UP:
                self.record("delivery.given_up", Actor.system(self.business), why=self.error)

    # What people do about it --------------------------------------------------------------------------

    @verb("delivery.send_now")
    def send_now(self, *, by: Actor):
        """Let one that waits leave at once; Stale when it has left or was stopped."""
        self._lock()
        if self.state not in self.OPEN:
            raise Stale(f"It is not waiting any more: {self.get_state_display().lower()}.")
        self.due_at = timezone.now()
        self.save(update_fields=["due_at"])
        self.enqueue()
        return self.record("delivery.hurried", by)

    @verb("delivery.stop")
    def stop(self, why: str = "", *, by: Actor):
        """Keep one that waits from leaving; Stale when it has left, or is leaving. Doing it again is no news."""
        self._lock()
        if self.state == self.STOPPED:
            return None
        if self.state not in self.OPEN:
            raise Stale(f"It cannot be stopped any more: {self.get_state_display().lower()}.")
        if self.is_leaving:
            raise Stale("It is leaving at this very moment.")
        self.state, self.finished_at, self.error = self.STOPPED, timezone.now(), why or f"Stopped by {by.name}"
        self.save(update_fields=["state", "finished_at", "error"])
        return self.record("delivery.stopped", by, why=self.error)

    @verb("delivery.resend")
    def resend(self, *, by: Actor):
        """Send one that has ended once more, under the same id, with attempts of its own."""
        self._lock()
        if self.state in self.OPEN:
            raise Stale("It has still to leave.")
        if self.webhook and self.webhook.disabled_at:
            raise ValidationError("The webhook is switched off. Switch it on first.", code="disabled")
        self.state, self.due_at, self.attempts, self.finished_at = self.WAITING, timezone.now(), 0, None
        self.save(update_fields=["state", "due_at", "attempts", "finished_at"])
        self.enqueue(behind=True)
        return self.record("delivery.resent", by)

    @property
    def is_leaving(self) -> bool:
        """Answer whether a worker holds it now."""
        return self.leased_until is not None and self.leased_until > timezone.now()

    @property
    def readable(self) -> str:
        """Return the body as people read it: JSON with its lines, a mail as it is."""
        try:
            return json.dumps(json.loads(self.body), indent=2, ensure_ascii=False)
        except ValueError:
            return self.body

    @property
    def wait(self) -> str:
        """Return in how long it leaves, in words: "now", "in 8 min", "in 3 h"."""
        minutes = ceil((self.due_at - timezone.now()).total_seconds() / 60)
        if minutes <= 0:
            return "now"
        return f"in {minutes} min" if minutes < 120 else f"in {round(minutes / 60)} h"

    @property
    def is_open(self) -> bool:
        """Answer whether it has still to leave."""
        return self.state in self.OPEN

    def _lock(self):
        self.refresh_from_db(from_queryset=Delivery.objects.select_for_update())

    def record(self, name: str, by: Actor, /, **details):
        """Record an event about this delivery, with what all of them carry."""
        return record(
            name, self, by, what=self.get_kind_display().lower(), subject=self.subject, to=self.place, **details
        )

    @property
    def place(self) -> str:
        """Return where it goes, without what an address of a webhook may hold in secret."""
        return self.to if self.kind == self.MAIL else host_of(self.to)


def _pause(attempts: int, outcome: Outcome) -> timedelta:
    """Return how long to wait: the plan, give or take a fifth; up to twice that when the receiver asks for it."""
    planned = PAUSES[min(attempts, len(PAUSES)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311
    asked = _asked_for(outcome.retry_after)
    pause = min(max(planned, asked), 2 * planned)
    return max(pause, AT_LEAST) if outcome.is_slow else pause


def _asked_for(retry_after: str) -> timedelta:
    """Return the pause that a Retry-After header asks for, in either of its ways; nothing for rubbish."""
    try:
        if retry_after.strip().isdecimal():
            return timedelta(seconds=min(int(retry_after[:20]), 10**6))
        at = parsedate_to_datetime(retry_after)
        return max((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC), timedelta(0))
    except (TypeError, ValueError, OverflowError):
        return timedelta(0)


WAITING = Prepared(lambda: Delivery.objects.waiting(card=Blank("card")).only("pk"))  # every move asks it
