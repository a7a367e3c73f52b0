"""The ledger: what happened, by whom, because of what. Written by verbs, never edited."""

from django.db import models
from django.utils import timezone

from accounts.events import catalogue, sentence
from accounts.models.business import Business


class EventQuerySet(models.QuerySet):
    """Reads the ledger."""

    def about(self, subject):
        """Return what happened to one row, newest first."""
        return self.filter(
            business_id=subject.business_id, subject_kind=subject._meta.model_name, subject_id=subject.pk
        ).order_by("-sequence")


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
