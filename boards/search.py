"""Which cards of a board a person asked to see."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from boards.models import Assignment, CardLabel


@dataclass(frozen=True)
class Wanted:
    """The filters of a board, as they stand in its address."""

    text: str = ""
    mine: bool = False
    due: bool = False
    labels: tuple[UUID, ...] = ()
    people: tuple[UUID, ...] = ()
    source: str = ""
    member_id: UUID | None = field(default=None, compare=False)

    @classmethod
    def from_query(cls, query, member) -> Wanted:
        """Read the filters from a query string; what makes no sense there is not asked for."""
        return cls(
            text=query.get("q", "").replace("\x00", "").strip()[:200],
            mine=query.get("mine") == "1",
            due=query.get("due") == "1",
            labels=_ids(query.getlist("label")),
            people=_ids(query.getlist("who")),
            source=query.get("source", "").replace("\x00", "")[:100],
            member_id=member.pk,
        )

    def __bool__(self):
        return bool(self.text or self.mine or self.due or self.labels or self.people or self.source)

    @property
    def query(self) -> str:
        """Return the filters as a query string."""
        pairs = [("q", self.text)] if self.text else []
        pairs += [("mine", "1")] if self.mine else []
        pairs += [("due", "1")] if self.due else []
        pairs += [("label", str(pk)) for pk in self.labels] + [("who", str(pk)) for pk in self.people]
        pairs += [("source", self.source)] if self.source else []
        return urlencode(pairs)

    def narrow(self, cards):
        """Return those of the cards that are wanted: any of the labels, any of the people, every word."""
        for word in self.text.casefold().split()[:10]:
            number = Q(number=int(word.lstrip("#"))) if word.lstrip("#").isdecimal() and len(word) < 10 else Q()
            cards = cards.filter(Q(search__contains=word) | Q(contact__search__contains=word) | number)
        people = [*self.people, self.member_id] if self.mine else list(self.people)
        if people:
            cards = cards.filter(Exists(Assignment.objects.filter(card=OuterRef("pk"), member__in=people)))
        if self.labels:
            cards = cards.filter(Exists(CardLabel.objects.filter(card=OuterRef("pk"), label__in=self.labels)))
        if self.due:
            cards = cards.filter(due_date__lte=timezone.localdate(), phase__section=0)
        if self.source:
            cards = cards.filter(source=self.source)
        return cards


def as_uuid(text) -> UUID | None:
    """Return what was sent as an id, or None when it is none."""
    try:
        return UUID(str(text))
    except ValueError:
        return None


def _ids(texts) -> tuple[UUID, ...]:
    return tuple(filter(None, map(as_uuid, texts[:50])))
