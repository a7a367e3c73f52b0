"""What was reported for a later time."""

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import Business
from boards.models import Card


class Timer(models.Model):
    """A report that waits for its time; it fires once, or is cancelled."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="timers")
    card = models.ForeignKey(Card, models.CASCADE, related_name="timers")
    trigger = models.CharField("trigger's key", max_length=60)
    external_id = models.CharField(max_length=200, blank=True, help_text="Of what it was reported about.")
    at = models.DateTimeField()
    reported_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    fired_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField("why it was cancelled", max_length=300, blank=True)

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["at"], condition=models.Q(fired_at=None, cancelled_at=None), name="timer_pending"),
            models.Index(fields=["business", "trigger", "external_id"], name="timer_of_entity"),
        ]

    def __str__(self):
        return f"{self.trigger} at {self.at:%Y-%m-%d %H:%M}"
