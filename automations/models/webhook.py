"""Where a business wants to be told of what happens."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business
from accounts.statements import Blank, Prepared
from accounts.verbs import refusal, refuse_unknown, verb
from automations.models.arrangement import Arrangement
from automations.outbound import Refused, read_url
from automations.payloads import CARD_SLUGS, as_card_webhook, as_phasewise, told_events
from automations.signing import secret_for, token

OVERLAP = timedelta(hours=24)  # for which an old secret signs beside the new one
PATIENCE = timedelta(days=5)  # of nothing but failures
MOST = 20  # of one business


class WebhookQuerySet(models.QuerySet):
    """Reads webhooks."""

    def live(self):
        """Return those that are switched on."""
        return self.filter(disabled_at=None)

    def for_page(self):
        """Return webhooks with when they were last told something, and how many deliveries were given up."""
        given_up = models.Q(deliveries__state="given_up")
        return self.annotate(
            last_sent_at=models.Max("deliveries__finished_at", filter=models.Q(deliveries__state="sent")),
            given_up=models.Count("deliveries", filter=given_up),
        )

    def listening(self, event) -> list["Webhook"]:
        """Return those that chose an event, in one query."""
        return [webhook for webhook in LIVE.all(business=event.business_id) if webhook.is_told(event.name)]


class Webhook(Arrangement):
    """An address of another program that is called when one of its chosen events happens."""

    PHASEWISE, CARDS = "phasewise", "cards"
    FORMATS = [
        (PHASEWISE, "JSON: the card, before and after"),
        (CARDS, "Card webhooks: a signed token"),
    ]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="webhooks")
    name = models.CharField(max_length=80)
    url = models.CharField("address", max_length=2000)
    events = models.JSONField(default=list)
    format = models.CharField(max_length=10, choices=FORMATS, default=PHASEWISE)
    secret_at = models.DateTimeField(default=timezone.now, editable=False)
    old_secret_at = models.DateTimeField(null=True, blank=True, editable=False)
    old_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    disabled_why = models.CharField(max_length=200, blank=True, editable=False)

    objects = WebhookQuerySet.as_manager()

    FIELDS = ("name", "url", "events", "format")

    class Meta:
        ordering = ["name", "created_at"]

    def __str__(self):
        return self.name

    @classmethod
    @verb("webhook.create")
    def create(cls, business, *, by: Actor, **fields):
        """Make a webhook; raises ValidationError for an address we do not call, or no event."""
        refuse_unknown(fields, cls.FIELDS)
        Business.objects.select_for_update(no_key=True).get(pk=business.pk)
        if business.webhooks.count() >= MOST:
            raise ValidationError(f"A business has at most {MOST} webhooks.", code="too_many")
        webhook = cls(business=business, **fields)
        webhook._check()
        webhook.save(force_insert=True)
        record("webhook.created", webhook, by, webhook=webhook.name, events=webhook.events)
        return webhook

    @verb("webhook.update")
    def update(self, *, by: Actor, **changes):
        """Change what is given of FIELDS; raises ValidationError for an address we do not call, or no event."""
        changed = self._change(changes)
        return record("webhook.updated", self, by, webhook=self.name, changed=changed) if changed else None

    @verb("webhook.rotate")
    def rotate(self, *, by: Actor):
        """Give it a new secret; the old one signs beside it for a day, so that the receiver can change over."""
        self._lock()
        now = timezone.now()
        self.old_secret_at, self.old_secret_until, self.secret_at = self.secret_at, now + OVERLAP, now
        self.save(update_fields=["old_secret_at", "old_secret_until", "secret_at"])
        return record("webhook.rotated", self, by, webhook=self.name)

    @verb("webhook.disable")
    def disable(self, why: str = "", *, by: Actor):
        """Tell it nothing any more; what waits is stopped when its turn comes. Doing it again is no news."""
        self._lock()
        if self.disabled_at:
            return None
        self.disabled_at, self.disabled_by_id, self.disabled_why = timezone.now(), by.user_id, why
        self.save(update_fields=["disabled_at", "disabled_by", "disabled_why"])
        return record("webhook.disabled", self, by, webhook=self.name, why=why or "by hand")

    @verb("webhook.enable")
    def enable(self, *, by: Actor):
        """Tell it of events again, from now on. Doing it again is no news."""
        self._lock()
        if not self.disabled_at:
            return None
        self.disabled_at = self.disabled_by = self.failing_since = None
        self.disabled_why = ""
        self.save(update_fields=["disabled_at", "disabled_by", "disabled_why", "failing_since"])
        return record("webhook.enabled", self, by, webhook=self.name)

    @verb("webhook.delete")
    def delete_for_good(self, *, by: Actor):
        """Delete it; what waits for it is stopped, its log stays with the other deliveries."""
        self._lock()
        why = f"The webhook {self.name} was deleted."
        self.deliveries.filter(state__in=["waiting", "failed"]).update(
            state="stopped", finished_at=timezone.now(), error=why
        )
        record("webhook.deleted", self, by, webhook=self.name)
        self.delete()

    @property
    def secrets(self) -> list[str]:
        """Return what signs now, the newest first."""
        times = [self.secret_at]
        if self.old_secret_until and self.old_secret_until > timezone.now():
            times.append(self.old_secret_at)
        return [secret_for("webhook", self.pk, at.isoformat()) for at in times]

    def is_told(self, name: str) -> bool:
        """Answer whether it chose an event; the card webhooks call every change of a card an update."""
        if self.format == self.CARDS:
            return name.startswith("card.") and f"card.{CARD_SLUGS.get(name, 'updated')}" in self.events
        return name in self.events

    def write(self, event) -> dict:
        """Return what it is told of an event: subject, body and headers of a delivery."""
        if self.format == self.CARDS:
            body, mime = token(as_card_webhook(event), self.secrets[0]), "text/plain"
        else:
            body, mime = as_phasewise(event), "application/json"
        return {"subject": event.name, "body": body, "headers": {"Content-Type": mime}}

    def note(self, outcome) -> None:
        """Keep how it goes; a receiver that is gone, or that fails for days, is called no more, and the ledger says so."""
        if outcome.is_sent:
            if self.failing_since:
                Webhook.objects.filter(pk=self.pk).update(failing_since=None)
            return
        now = timezone.now()
        Webhook.objects.filter(pk=self.pk, failing_since=None).update(failing_since=now)
        if outcome.is_gone:
            self.disable("it answered that it is gone (410)", by=Actor.system(self.business))
        elif self.failing_since and now - self.failing_since > PATIENCE:
            self.disable(f"every call failed for {PATIENCE.days} days", by=Actor.system(self.business))

    def _check(self):
        self.name, self.url = self.name.strip(), self.url.strip()
        try:
            read_url(self.url)
        except Refused as error:
            raise refusal("url", str(error), "url") from None
        known = {kind.name for kind in told_events()}
        if not self.events or set(self.events) - known:
            raise refusal("events", "Choose at least one event from the list.", "events")
        self.events = sorted(set(self.events))
        self.clean_fields(exclude=["business"])


LIVE = Prepared(lambda: Webhook.objects.live().filter(business=Blank("business")))  # every event asks it
