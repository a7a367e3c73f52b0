"""What the resources of this floor share on the wire."""

from typing import Annotated

from pydantic import Field

from accounts.policy import require
from accounts.rest import paged

Page = Annotated[int, Field(ge=1, le=1000)]


def part_of(rows, wanted, shape) -> tuple[list[dict], dict]:
    """Return the wanted part of a list in its shape, and its pagination."""
    shown = [shape(row) for row in rows[wanted.offset : wanted.offset + wanted.limit]]
    return shown, paged(wanted.limit, wanted.offset, rows.count(), len(shown))


def require_to_see_cards(request) -> None:
    """Raise PermissionDenied unless the token may see cards and contacts, of which the answer tells."""
    for seen in ("card.view", "contact.view"):
        require(request.actor, seen)
