"""The ledger: what happened, by whom, because of what. Written by verbs, never edited."""

from uuid import UUID

from django.apps import apps
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import escape, format_html

from accounts.events import catalogue, sentence
from accounts.models.business import Business


class EventQuerySet(models.QuerySet):
    """Reads the ledger."""

    def about(self, subject):
        """Return what happened to one row, newest first."""
        return self.filter(
            business_id=subject.business_id, subject_kind=subject._meta.model_name, subject_id=subject.pk
        ).order_by("-sequence")

    def for_feed(self, business, *, kind: str = "", who: str = "", before: int | None = None):
        """Return what happened in a business, newest first.

        kind: the first word of the events' names; who: a member's user id or a kind of actor; before: a sequence number.
        """
        events = self.filter(business=business).order_by("-sequence")
        if kind:
            events = events.filter(name__startswith=f"{kind}.")
        if who.isdecimal():
            events = events.filter(actor_kind="member", actor_id=who)
        elif who:
            events = events.filter(actor_kind=who)
        return events if before is None else events.filter(sequence__lt=before)


class Event(models.Model):
    """One thing that happened: the history, the feed, the live board, rules, webhooks and reports all read it."""

    business = models.ForeignKey(Business, models.CASCADE, related_name="events")
    sequence = models.BigIntegerField()
    name = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    subject_name = models.CharField(max_length=300, blank=True)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=40, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    cause = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    root = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    details = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True, blank=True)

    objects = EventQuerySet.as_manager()

    to = ""  # where its subject lives; find_places fills it in
    rule_to = ""  # where the rule that did it lives; find_rules fills it in

    class Meta:
        ordering = ["-sequence"]
        constraints = [models.UniqueConstraint(fields=["business", "sequence"], name="event_in_sequence")]
        indexes = [
            models.Index(fields=["business", "subject_kind", "subject_id", "sequence"], name="event_history"),
            models.Index(fields=["id"], condition=models.Q(told_at=None), name="event_untold"),
        ]

    def __str__(self):
        return f"{self.sequence} {self.name} {self.subject_name}"

    @property
    def sentence(self):
        """Return what happened in words, to be said after the actor's name."""
        return sentence(self)

    @property
    def icon(self) -> str:
        """Return the icon of this kind of event."""
        return catalogue[self.name].icon if self.name in catalogue else "dots"

    @property
    def linked_sentence(self):
        """Return the sentence with its subject's name as a link, if it names it and find_places found it."""
        return sentence(self, to=self.to)

    @property
    def because(self):
        """Return what made a rule do it, in words; nothing for what people and programs do of themselves."""
        cause = self.cause if self.actor_kind == "rule" else None
        if cause is None or cause.name.endswith(".came_due"):
            return cause.details["why"] if cause else ""
        return format_html("{} {}", cause.actor_name, sentence(cause))

    @property
    def is_about_more(self) -> bool:
        """Answer whether the subject's name says more than the sentence and the actor already do."""
        return self.subject_name != self.actor_name and escape(self.subject_name) not in self.sentence

    @property
    def person(self) -> dict:
        """Return the person who did it as they were called then, for their avatar."""
        return {"id": self.actor_id, "name": self.actor_name}

    @classmethod
    def find_places(cls, events: list["Event"], business) -> list["Event"]:
        """Give each event the address of its subject, where that is still there and has a page; a query for each kind."""
        subjects = {}
        for event in events:
            named = [event.details.get("number"), event.subject_id]  # cards and orders are called by their number
            event.to = next((to for key in named if (to := _place(business, event.subject_kind, key))), "")
            if event.to:
                subjects.setdefault(event.subject_kind, set()).add(event.subject_id)
        alive = {kind: _alive(business, kind, keys) for kind, keys in subjects.items()}
        for event in events:
            if event.to and event.subject_id not in alive[event.subject_kind]:
                event.to = ""
        return events

    @classmethod
    def find_rules(cls, events: list["Event"], business) -> list["Event"]:
        """Give each event that a rule wrote the address of that rule, where it is still there."""
        written = [event for event in events if event.actor_kind == "rule" and event.actor_id]
        alive = _alive(business, "rule", {event.actor_id for event in written}) if written else set()
        for event in written:
            if UUID(event.actor_id) in alive:
                event.rule_to = _place(business, "rule", event.actor_id)
        return events


def _place(business, kind: str, key) -> str:
    """Return the address of a thing, if things of its kind have a page that is called by their name."""
    try:
        return reverse(kind, args=[business.slug, key])
    except NoReverseMatch:
        return ""


def _alive(business, kind: str, keys) -> set:
    """Return which of the keys are still rows of the business; the kind is the model's name on whichever floor it lives."""
    named = [model for model in apps.get_models() if model._meta.model_name == kind]
    model = next((model for model in named if any(field.name == "business" for field in model._meta.fields)), None)
    return set(model.objects.filter(business=business, pk__in=keys).values_list("pk", flat=True)) if model else set()
