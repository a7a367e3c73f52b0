"""Why a card ended badly, and what was given back."""

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from accounts.models import Business
from accounts.verbs import refusal
from boards.models.library import CAUSES, Reason

REFUNDS = [("none", "No refund"), ("part", "Refund in part"), ("full", "Refund in full")]


class Closing(models.Model):
    """One cancellation of a card: who caused it, why, what was refunded; reopening ends it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="closings")
    card = models.ForeignKey("boards.Card", models.CASCADE, related_name="closings")
    caused_by = models.CharField(max_length=10, choices=CAUSES)
    reason = models.ForeignKey(Reason, models.SET_NULL, null=True, related_name="closings")
    reason_name = models.CharField(max_length=120)
    refund = models.CharField(max_length=4, choices=REFUNDS, default="none")
    refund_amount = models.BigIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="In minor units of the currency."
    )
    note = models.TextField(max_length=2000, blank=True, validators=[MaxLengthValidator(2000)])
    closed_at = models.DateTimeField(default=timezone.now, editable=False)
    closed_by_name = models.CharField(max_length=200, blank=True)
    reopened_at = models.DateTimeField(null=True, blank=True, editable=False)
    reopened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-closed_at"]
        constraints = [
            models.UniqueConstraint(fields=["card"], condition=models.Q(reopened_at=None), name="one_open_closing")
        ]

    def __str__(self):
        return f"{self.card}: {self.reason_name}"

    def as_told(self) -> dict:
        """Return what the ledger keeps of a closing."""
        kept = ("caused_by", "refund", "refund_amount", "note")
        return {"reason": self.reason_name} | {key: getattr(self, key) for key in kept}

    @classmethod
    def read(cls, card, *, reason: Reason, caused_by: str = "", refund="none", refund_amount=None, note="", by):
        """Return a checked, unsaved closing; raises ValidationError at the field that is wrong."""
        if reason is None or reason.business_id != card.business_id:
            raise ValidationError("Say why it ends: choose a reason.", code="closing")
        closing = cls(
            business_id=card.business_id,
            card=card,
            reason=reason,
            reason_name=reason.name,
            caused_by=caused_by or reason.caused_by,
            refund=refund,
            refund_amount=refund_amount if refund == "part" else (card.value if refund == "full" else None),
            note=note.strip(),
            closed_by_name=by.name[:200],
        )
        if refund == "part" and not refund_amount:
            raise refusal("refund_amount", "How much was given back?", "closing")
        if refund == "part" and card.value is not None and refund_amount > card.value:
            raise refusal("refund_amount", "That is more than the card's value.", "closing")
        closing.clean_fields(exclude=["business", "card", "reason", "reopened_by"])
        return closing
