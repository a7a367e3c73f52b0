"""What people say on a card."""

import re
import uuid
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Business, Membership
from accounts.policy import MANAGER, RANK
from accounts.verbs import verb
from boards.models.card import Card

AGAIN = timedelta(seconds=5)


class Comment(models.Model):
    """A comment in Markdown; only its author, or a manager, changes or deletes it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="+")
    card = models.ForeignKey(Card, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    author_name = models.CharField(max_length=200)
    text = models.TextField(max_length=10_000, validators=[MaxLengthValidator(10_000)])
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self):
        return self.text[:80]

    @classmethod
    @verb("card.comment")
    def write(cls, card, text: str, *, by: Actor):
        """Say something on a card; raises ValidationError for nothing or too much.

        The same words by the same person within a few seconds are a double click: no news.
        """
        card.lock_row()
        said = card.comments.filter(
            author_id=by.user_id, text=text.strip(), created_at__gt=timezone.now() - AGAIN
        ).last()
        if said and by.kind == "member":
            return said
        comment = cls(
            business_id=card.business_id, card=card, author_id=by.user_id, author_name=by.name, text=text.strip()
        )
        comment.clean_fields(exclude=["business", "card", "author"])
        comment.save(force_insert=True)
        Card.objects.filter(pk=card.pk).update(comment_count=F("comment_count") + 1)
        card.comment_count += 1
        mentions = [str(member.user_id) for member in mentioned(card.business_id, comment.text)]
        card.record("card.commented", by, comment=str(comment.pk), text=comment.text[:200], mentions=mentions)
        return comment

    @verb("comment.update")
    def update(self, text: str, *, by: Actor):
        """Change the words; the ledger keeps the old ones."""
        self._refuse_others(by)
        self.card.lock_row()
        now = Comment.objects.select_for_update(of=("self",)).get(pk=self.pk)
        self.text = text.strip()
        if self.text == now.text:
            return
        self.changed_at = timezone.now()
        self.clean_fields(exclude=["business", "card", "author"])
        self.save(update_fields=["text", "changed_at"])
        self.card.record("card.comment_changed", by, comment=str(self.pk), before=now.text[:200], after=self.text[:200])

    @verb("comment.delete")
    def remove(self, *, by: Actor):
        """Take the comment away; the ledger keeps its beginning."""
        self._refuse_others(by)
        self.card.lock_row()
        self.refresh_from_db(fields=["text"])
        Card.objects.filter(pk=self.card_id).update(comment_count=F("comment_count") - 1)
        self.card.record("card.comment_deleted", by, comment=str(self.pk), text=self.text[:200])
        self.delete()

    def is_changeable_by(self, by: Actor) -> bool:
        """Answer whether this actor wrote it or stands above."""
        own = by.user_id is not None and by.user_id == self.author_id
        return own or by.kind != "member" or RANK.get(by.role, 0) >= RANK[MANAGER]

    def _refuse_others(self, by: Actor) -> None:
        if not self.is_changeable_by(by):
            raise ValidationError("Only the author or a manager may change a comment.", code="not_author")


def mentioned(business_id, text: str) -> list[Membership]:
    """Return the members named with @ in a text, by whole name or by first name, in one query."""
    if "@" not in text:
        return []
    found = []
    for member in Membership.objects.filter(business_id=business_id).select_related("user"):
        names = {str(member.user), member.user.get_short_name()}
        if any(re.search(rf"@{re.escape(name)}(?!\w)", text, re.IGNORECASE) for name in names if name):
            found.append(member)
    return found
