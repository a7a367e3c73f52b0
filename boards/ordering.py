"""A place before or after another card: an intent, turned into a rank under the lock of the phase."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from fractional_indexing import generate_key_between, generate_n_keys_between

# Dropping into the same gap again and again makes keys longer; past this a column's keys are written anew.
LONGEST_RANK = 100


class RankField(models.CharField):
    """A text key compared byte by byte, whatever language the database cluster was made for."""

    def db_parameters(self, connection):
        """Return the column's type, with the C collation on PostgreSQL."""
        parameters = super().db_parameters(connection)
        parameters["collation"] = "C" if connection.vendor == "postgresql" else None
        return parameters


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card should stand in a phase.

    after, before: ids of the neighbours as the person saw them; `after` counts, `before` is used when `after` has
    gone. index: a place counted from the top, for programs. rank: the very place a card had, for undo.
    """

    after: UUID | None = None
    before: UUID | None = None
    index: int | None = None
    rank: str | None = None
    end: str = "bottom"

    def rank_among(self, standing: models.QuerySet) -> str:
        """Return a free rank for this place.

        standing: the phase's other cards. Archived ones hold their rank too, so that restoring puts them back, but
        nobody sees them, so they are no neighbours and are not counted.
        """
        if self.rank is not None:
            return self._same_again(standing)
        on_board = standing.filter(archived_at=None)
        if self.index is not None:
            return self._by_index(standing, on_board)
        for neighbour, side in ((self.after, "after"), (self.before, "before")):
            if neighbour is None:
                continue
            rank = on_board.filter(pk=neighbour).values_list("rank", flat=True).first()
            if rank is not None:
                return _next_to(rank, side, standing)
        if self.end == "top":
            return generate_key_between(None, _first(standing.order_by("rank")))
        return generate_key_between(_first(standing.order_by("-rank")), None)

    def _same_again(self, standing):
        if standing.filter(rank=self.rank).exists():
            return _next_to(self.rank, "before", standing)
        return self.rank

    def _by_index(self, standing, on_board):
        if self.index < 0:
            raise ValidationError({"position": "A position is counted from 0."}, code="position")
        there = on_board.order_by("rank").values_list("rank", flat=True)[self.index : self.index + 1]
        if there:
            return _next_to(there[0], "before", standing)
        return generate_key_between(_first(standing.order_by("-rank")), None)


TOP = Place(end="top")
BOTTOM = Place(end="bottom")


def _first(ranks):
    return ranks.values_list("rank", flat=True).first()


def _next_to(rank: str, side: str, standing) -> str:
    if side == "after":
        return generate_key_between(rank, _first(standing.filter(rank__gt=rank).order_by("rank")))
    return generate_key_between(_first(standing.filter(rank__lt=rank).order_by("-rank")), rank)


def write_anew(standing: models.QuerySet) -> None:
    """Give every card of a phase a short rank again, in the same order.

    The new keys all lie behind the present last one, so no card ever shares a place on the way.
    """
    cards = list(standing.order_by("rank").only("id", "rank"))
    for card, rank in zip(cards, generate_n_keys_between(cards[-1].rank, None, len(cards)), strict=True):
        card.rank = rank
    standing.model.objects.bulk_update(cards, ["rank"], batch_size=500)
