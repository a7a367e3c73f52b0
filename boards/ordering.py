"""A place before or after another card: an intent, turned into a rank under the lock of the phase."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, models
from fractional_indexing import generate_key_between, generate_n_keys_between

from accounts.statements import stored
from accounts.verbs import refusal

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

    def rank_in(self, column: Column) -> str:
        """Return a free rank for this place."""
        if self.rank is not None:
            return column.next_to(self.rank, "before") if column.holds(self.rank) else self.rank
        if self.index is not None:
            return self._counted(column)
        for neighbour, side in ((self.after, "after"), (self.before, "before")):
            rank = column.rank_of(neighbour) if neighbour else None
            if rank is not None:
                return column.next_to(rank, side)
        return column.top() if self.end == "top" else column.bottom()

    def _counted(self, column):
        if self.index < 0:
            raise refusal("position", "A position is counted from 0.", "position")
        there = column.rank_at(self.index)
        return column.bottom() if there is None else column.next_to(there, "before")


TOP = Place(end="top")
BOTTOM = Place(end="bottom")


class Column:
    """The ranks of a phase, but for those of one card; in plain SQL, for a move asks some of this under its locks.

    Archived cards hold their rank too, so that restoring puts them back, but nobody sees them: they are no neighbours
    and are not counted.
    """

    def __init__(self, phase_id: UUID, but: UUID):
        self.phase_id, self.but = stored(phase_id), stored(but)

    def rank_of(self, card: UUID) -> str | None:
        """Return the rank of a card that is on the board, None if it is not in here."""
        return self._find("AND id = %s AND archived_at IS NULL", stored(card))

    def rank_at(self, index: int) -> str | None:
        """Return the rank of the card that stands there, counted from 0, None beyond the end."""
        return self._find("AND archived_at IS NULL ORDER BY rank LIMIT 1 OFFSET %s", index)

    def number_above(self, rank: str) -> int | None:
        """Return the number of the card that stands right above a rank, None at the top."""
        return self._find("AND archived_at IS NULL AND rank < %s ORDER BY rank DESC LIMIT 1", rank, what="number")

    def holds(self, rank: str) -> bool:
        """Answer whether a card has this rank."""
        return self._find("AND rank = %s", rank) is not None

    def stands_between(self, low: str, high: str) -> bool:
        """Answer whether a card on the board has a rank between these."""
        which = "AND archived_at IS NULL AND rank > %s AND rank < %s LIMIT 1"
        return self._find(which, low, high) is not None

    def next_to(self, rank: str, side: str) -> str:
        """Return a free rank right after or before one."""
        if side == "after":
            return generate_key_between(rank, self._find("AND rank > %s ORDER BY rank LIMIT 1", rank))
        return generate_key_between(self._find("AND rank < %s ORDER BY rank DESC LIMIT 1", rank), rank)

    def top(self) -> str:
        """Return a free rank before all others."""
        return generate_key_between(None, self._find("ORDER BY rank LIMIT 1"))

    def bottom(self) -> str:
        """Return a free rank after all others."""
        return generate_key_between(self._find("ORDER BY rank DESC LIMIT 1"), None)

    def _find(self, which: str, *values, what: str = "rank"):
        query = f"SELECT {what} FROM boards_card WHERE phase_id = %s AND id <> %s {which}"  # noqa: S608 (words of ours)
        with connection.cursor() as cursor:
            cursor.execute(query, [self.phase_id, self.but, *values])
            row = cursor.fetchone()
        return row[0] if row else None


def write_anew(standing: models.QuerySet) -> None:
    """Give every card of a phase a short rank again, in the same order.

    The new keys all lie behind the present last one, so no card ever shares a place on the way.
    """
    cards = list(standing.order_by("rank").only("id", "rank"))
    for card, rank in zip(cards, generate_n_keys_between(cards[-1].rank, None, len(cards)), strict=True):
        card.rank = rank
    standing.model.objects.bulk_update(cards, ["rank"], batch_size=500)
