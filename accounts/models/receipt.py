"""What a program was answered under an Idempotency-Key: the same request again gets the same answer, and changes nothing."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts.models.token import Token
from accounts.verbs import in_one, writing

KEPT = timedelta(hours=48)
AT_ONCE = 5000  # that are forgotten in one go
LONGEST_KEY = 200


class Receipt(models.Model):
    """One write that a token asked for under a key, or one part of a bulk; written in the transaction of its effect."""

    token = models.ForeignKey(Token, models.CASCADE, related_name="receipts")
    key = models.CharField(max_length=LONGEST_KEY)
    part = models.PositiveSmallIntegerField(default=0)
    fingerprint = models.CharField(max_length=64)
    answer = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["token", "key", "part"], name="receipt_once")]
        indexes = [models.Index(fields=["created_at"], name="receipt_age")]

    def __str__(self):
        return f"{self.key} of {self.token}"

    @classmethod
    def once(cls, token: Token, key: str, fingerprint: str, work, *, part: int = 0) -> tuple[str, bool]:
        """Run work and keep the text it returns, in one transaction; return the text, and whether it was kept before.

        A refusal keeps nothing, for it changed nothing. Raises ValidationError (key_reused) for another request under
        the same key.
        """
        try:
            return in_one(lambda: cls._first(token, key, fingerprint, part, work))
        except IntegrityError:
            found = cls._kept(token, key, fingerprint, part)  # the same request, at the same moment, was quicker
            if found is None:
                raise
            return found, True

    @classmethod
    def refuse_reuse(cls, token: Token, key: str, fingerprint: str) -> None:
        """Raise ValidationError (key_reused) when the key stood over another request."""
        if cls.objects.filter(token=token, key=key).exclude(fingerprint=fingerprint).exists():
            raise ValidationError("This Idempotency-Key was used for another request.", code="key_reused")

    @classmethod
    def forget_old(cls) -> int:
        """Delete receipts that nobody can rely on any more, the oldest first; return how many."""
        old = cls.objects.filter(created_at__lt=timezone.now() - KEPT).order_by("created_at")
        with writing():
            return cls.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:AT_ONCE])).delete()[0]

    @classmethod
    def _first(cls, token, key, fingerprint, part, work):
        kept = cls._kept(token, key, fingerprint, part)
        if kept is not None:
            return kept, True
        # The row comes first: whoever asks the same meanwhile waits for it, then finds the answer.
        receipt = cls.objects.create(token=token, key=key, part=part, fingerprint=fingerprint)
        with transaction.atomic():
            receipt.answer = work()
        receipt.save(update_fields=["answer"])
        return receipt.answer, False

    @classmethod
    def _kept(cls, token, key, fingerprint, part) -> str | None:
        cls.refuse_reuse(token, key, fingerprint)
        return cls.objects.filter(token=token, key=key, part=part).values_list("answer", flat=True).first()
