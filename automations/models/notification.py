"""What people are told: in the app at once, by mail as they like it."""

import logging
import uuid
from datetime import datetime, time, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Business, Event, Membership
from accounts.policy import RANK, STAFF
from accounts.verbs import refusal, refuse_unknown, verb, writing
from automations.clock import moment_of
from automations.models.delivery import Delivery
from boards.models import Card

log = logging.getLogger(__name__)

RULE, MENTION, COMMENT, ASSIGNED, TROUBLE = "rule", "mention", "comment", "assigned", "trouble"
KINDS = [
    (RULE, "A rule tells me something"),
    (MENTION, "Somebody mentions me"),
    (COMMENT, "Somebody comments on a card of mine"),
    (ASSIGNED, "A card becomes mine"),
    (TROUBLE, "A rule, a webhook, a mail or a form fails"),
]
NOW, DIGEST, NEVER, NOWHERE = "now", "digest", "never", "nowhere"
WAYS = [
    (NOW, "By mail, at once"),
    (DIGEST, "By mail, once a day"),
    (NEVER, "Only in the inbox"),
    (NOWHERE, "Not at all"),
]
USUAL = {RULE: NOW, MENTION: NOW, COMMENT: DIGEST, ASSIGNED: DIGEST, TROUBLE: DIGEST}
MOST_IN_A_DIGEST = 100


def ways_of(kind: str) -> list[tuple[str, str]]:
    """Return in which ways a kind can be told: that something fails cannot be kept from whoever can mend it."""
    return [way for way in WAYS if kind != TROUBLE or way[0] != NOWHERE]


class Preference(models.Model):
    """How a member wants to be told: which way for each kind, when not, and when the day's mail comes."""

    member = models.OneToOneField(Membership, models.CASCADE, primary_key=True, related_name="preference")
    ways = models.JSONField(default=dict)
    quiet_from = models.TimeField("no mails from", null=True, blank=True)
    quiet_until = models.TimeField("until", null=True, blank=True)
    digest_at = models.TimeField("the day's mail comes at", default=time(8))

    FIELDS = ("ways", "quiet_from", "quiet_until", "digest_at")

    def __str__(self):
        return f"Preference of {self.member}"

    @property
    def business_id(self):
        """Return the business that verbs compare with the actor's."""
        return self.member.business_id

    @classmethod
    def of(cls, member) -> "Preference":
        """Return a member's preference, the usual one when they have said nothing."""
        return cls.objects.filter(member=member).first() or cls(member=member)

    @verb("notification.choose")
    def update(self, *, by: Actor, **changes):
        """Choose for oneself; raises ValidationError for half a quiet time, or somebody else's."""
        refuse_unknown(changes, self.FIELDS)
        _refuse_others(self.member, by)
        for key, value in changes.items():
            setattr(self, key, value)
        if any(kind not in dict(KINDS) or way not in dict(ways_of(kind)) for kind, way in self.ways.items()):
            raise ValidationError("Choose from the list.", code="way")
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise refusal("quiet_until", "Say both when it begins and when it ends.", "quiet")
        self.save()

    def way(self, kind: str) -> str:
        """Return how to tell of a kind."""
        return self.ways.get(kind, USUAL[kind])

    def quiet(self, now: datetime) -> timedelta:
        """Return how long a mail has to wait for the quiet time to end."""
        if self.quiet_from is None or self.quiet_from == self.quiet_until:
            return timedelta(0)
        zone = self.member.business.zone
        here = now.astimezone(zone)
        begins, ends, clock = self.quiet_from, self.quiet_until, here.time()
        is_quiet = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
        if not is_quiet:
            return timedelta(0)
        day = here.date() + timedelta(days=clock >= ends)
        return moment_of(day, ends, zone) - now


class NotificationQuerySet(models.QuerySet):
    """Reads notifications."""

    def unread(self):
        """Return those that were not looked at."""
        return self.filter(read_at=None)

    def for_page(self):
        """Return them newest first, with their cards."""
        return self.select_related("card", "event", "business").order_by("-created_at")


class Notification(models.Model):
    """Something a member should know. key: what it is about, so that being told twice tells once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="notifications")
    member = models.ForeignKey(Membership, models.CASCADE, related_name="notifications")
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=KINDS)
    text = models.CharField(max_length=500)
    card = models.ForeignKey(Card, models.SET_NULL, null=True, blank=True, related_name="+")
    event = models.ForeignKey(Event, models.SET_NULL, null=True, blank=True, related_name="+")
    way = models.CharField(max_length=10, choices=WAYS)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["member", "key"], name="notified_once")]
        indexes = [
            models.Index(fields=["member", "-created_at"], name="notification_list"),
            models.Index(fields=["member"], condition=models.Q(read_at=None), name="notification_unread"),
            models.Index(
                fields=["member"],
                condition=models.Q(read_at=None, mailed_at=None, way="digest"),
                name="notification_for_digest",
            ),
        ]

    def __str__(self):
        return self.text

    @classmethod
    def tell(cls, members, kind: str, key: str, text: str, *, by: Actor, card=None, event=None) -> list["Notification"]:
        """Tell members, each in their way; not whoever did it, nor those who only look. Call it in a transaction."""
        told = []
        for member in members:
            if RANK[member.role] < RANK[STAFF] or (by.user_id and by.user_id == member.user_id):
                continue
            preference = Preference.of(member)
            if preference.way(kind) == NOWHERE:
                continue
            about = {"business_id": member.business_id, "kind": kind, "text": text[:500], "card": card, "event": event}
            note, is_new = cls.objects.get_or_create(
                member=member, key=key, defaults={**about, "way": preference.way(kind)}
            )
            if is_new and note.way == NOW:
                note._mail(preference, by)
            told += [note] if is_new else []
        return told

    @classmethod
    @verb("notification.read")
    def tick_off(cls, member, only: "Notification | None" = None, *, by: Actor):
        """Note that a member has looked at everything there is now, or at one thing. Doing it again is no news.

        A mail that still waits for the end of a quiet time need not leave any more.
        """
        _refuse_others(member, by)
        unread, now = cls.objects.unread().filter(member=member), timezone.now()
        mails = Delivery.objects.filter(member=member, state=Delivery.WAITING, attempts=0, leased_until=None)
        if only is not None:
            unread, mails = unread.filter(pk=only.pk), mails.filter(key=f"note {only.pk}")
        mails = mails.filter(key__startswith="note ")
        mails.update(state=Delivery.STOPPED, finished_at=now, error="It was read in the inbox before.")
        return unread.update(read_at=now)

    @classmethod
    def mail_digests(cls) -> int:
        """Write the day's mail of each member whose hour has come; return how many."""
        waiting = cls.objects.unread().filter(way=DIGEST, mailed_at=None)
        members = Membership.objects.filter(pk__in=waiting.values("member")).select_related("business", "user")
        count = 0
        for member in members:
            try:
                count += cls._digest(member, waiting.filter(member=member))
            except Exception:  # one that fails does not hold up the others
                log.exception("The day's mail of member %s could not be written", member.pk)
        return count

    @classmethod
    def _digest(cls, member, waiting) -> int:
        now, preference = timezone.now().astimezone(member.business.zone), Preference.of(member)
        key = f"digest {member.pk} {now.date()}"
        if now.time() < preference.digest_at or member.business.deliveries.filter(key=key).exists():
            return 0
        notes = list(waiting.select_related("card").order_by("created_at")[:MOST_IN_A_DIGEST])
        lines = [f"- {note.text}{note.link and f' {note.link}'}" for note in notes]
        with writing(), transaction.atomic():
            cls.objects.filter(pk__in=[note.pk for note in notes]).update(mailed_at=timezone.now())
            subject = f"{len(notes)} new in {member.business}"
            about = {"by": Actor.system(member.business), "delay": preference.quiet(timezone.now())}
            _write(member, key, subject, "\n".join(lines), **about)
        return 1

    def _mail(self, preference: Preference, by: Actor) -> None:
        self.mailed_at = timezone.now()
        self.save(update_fields=["mailed_at"])
        body = f"{self.text}\n\n{self.link}".strip()
        about = {"card": self.card, "event": self.event, "by": by, "delay": preference.quiet(self.mailed_at)}
        _write(self.member, f"note {self.pk}", self.text[:120], body, **about)

    @property
    def place(self) -> str:
        """Return the path of the page on which it can be looked at: its card, or what failed; "" where there is none."""
        slug = self.business.slug
        if self.card:
            return reverse("card", args=[slug, self.card.number])
        event = self.event
        if event is None:
            return ""
        if event.name in ("rule.failed", "rule.stopped"):
            return reverse("run", args=[slug, event.details["run"]])
        if event.name == "delivery.given_up":
            return reverse("mail" if event.details["what"] == "mail" else "call", args=[slug, event.subject_id])
        if event.name == "card.report_failed":
            return reverse("card", args=[slug, event.details["number"]])
        return reverse("webhook", args=[slug, event.subject_id]) if event.name == "webhook.disabled" else ""

    @property
    def link(self) -> str:
        """Return the whole address of that page, for a mail."""
        return _site() + self.place if self.place else ""


def _site() -> str:
    return (settings.BASE_URL or "http://localhost:8000").rstrip("/")


def _write(member, key: str, subject: str, body: str, **about) -> None:
    inbox = _site() + reverse("inbox", args=[member.business.slug])
    body = f"{body}\n\n-- \nHow you are told is chosen in your inbox: {inbox}"
    headers = {"sender": f"{member.business.name}, Phasewise", "list": f"notifications.{member.business.slug}"}
    what = {"to": member.user.email, "member": member, "subject": subject, "body": f"{body}\n", "headers": headers}
    Delivery.queue(member.business, Delivery.MAIL, key, **what, **about)


def _refuse_others(member, by: Actor) -> None:
    if by.user_id != member.user_id:
        raise ValidationError("Everybody reads and chooses for themselves.", code="not_self")
