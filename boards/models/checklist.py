"""What has to be done before a card is done."""

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Max
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Business
from accounts.verbs import Stale, refusal, verb
from boards.models.card import Card

MOST_ITEMS = 200


class Item(models.Model):
    """One line of a card's checklist: done at a time, by somebody, or not."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="+")
    card = models.ForeignKey(Card, models.CASCADE, related_name="items")
    text = models.CharField(max_length=300)
    position = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["position", "id"]

    def __str__(self):
        return self.text

    @classmethod
    @verb("card.add_item")
    def add(cls, card, text: str, *, position: int | None = None, by: Actor):
        """Add a line to a card's checklist: at the end, or where one that was removed stood."""
        card.lock_row()
        if card.item_count >= MOST_ITEMS:
            raise ValidationError(f"A checklist holds at most {MOST_ITEMS} lines.", code="too_many")
        if position is None:
            last = card.items.aggregate(last=Max("position"))["last"]
            position = 0 if last is None else last + 1
        item = cls(business_id=card.business_id, card=card, text=text.strip(), position=position)
        item.clean_fields(exclude=["business", "card", "done_by"])
        item.save(force_insert=True)
        item._count(1, 0)
        card.record("card.item_added", by, item=str(item.pk), text=item.text)
        return item

    @classmethod
    @verb("card.add_item")
    def add_many(cls, card, lines, *, by: Actor):
        """Add each line to the end of a card's checklist, all or none; blank lines are skipped."""
        lines = [line.strip() for line in lines if line.strip()]
        if not lines:
            raise refusal("text", "Write what has to be done.", "required")
        return [cls.add(card, line, by=by) for line in lines]

    @verb("card.change_item")
    def tick(self, done: bool, *, by: Actor):
        """Tick or untick; doing it again is no news. Returns the event, or None."""
        self._lock()
        if bool(self.done_at) == done:
            return
        self.done_at, self.done_by_id = (timezone.now(), by.user_id) if done else (None, None)
        self.save(update_fields=["done_at", "done_by"])
        self._count(0, 1 if done else -1)
        if done:
            left = self.card.item_count - self.card.done_count
            return self.card.record("card.item_checked", by, item=str(self.pk), text=self.text, left=left)
        return self.card.record("card.item_unchecked", by, item=str(self.pk), text=self.text)

    @verb("card.change_item")
    def rename(self, text: str, *, by: Actor):
        """Change the words of the line. Returns the event, or None when there was no news."""
        self._lock()
        before, self.text = self.text, text.strip()
        if before == self.text:
            return
        self.clean_fields(exclude=["business", "card", "done_by"])
        self.save(update_fields=["text"])
        return self.card.record("card.item_changed", by, item=str(self.pk), before=before, after=self.text)

    @verb("card.remove_item")
    def remove(self, *, by: Actor):
        """Take the line off the checklist. Returns the event."""
        self._lock()
        self._count(-1, -1 if self.done_at else 0)
        stood = {"position": self.position, "done": bool(self.done_at)}
        event = self.card.record("card.item_removed", by, item=str(self.pk), text=self.text, **stood)
        self.delete()
        return event

    def _lock(self) -> None:
        self.card.lock_row()
        try:
            self.refresh_from_db(fields=["text", "position", "done_at", "done_by"])
        except Item.DoesNotExist:
            raise Stale("This line was removed a moment ago.") from None

    def _count(self, lines: int, done: int) -> None:
        Card.objects.filter(pk=self.card_id).update(
            item_count=F("item_count") + lines, done_count=F("done_count") + done
        )
        self.card.item_count += lines
        self.card.done_count += done
