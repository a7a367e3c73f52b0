"""The change feed: the ledger in order, so that a program that was away can catch up."""

from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Query, Router
from pydantic import Field

from accounts.events import catalogue
from accounts.models import Event
from accounts.policy import TABLE, may
from accounts.rest import Id, Moment, Shape, in_millis, operation

router = Router(tags=["Events"])

MOST = 500

# Whose events need which verb, where the first word of their name is not the noun of a `.view` of the policy table.
SEEN_WITH = {
    "phase": "workflow.view",
    "label": "workflow.view",
    "field": "workflow.view",
    "contact_label": "contact.view",
    "status": "library.view",
    "trigger": "library.view",
    "reason": "library.view",
    "library": "library.view",
    "order_type": "workflow.view",
}


class WantedEvents(Shape):
    """Which events to read: those after a sequence number, oldest first."""

    after: Annotated[int, Field(ge=0, le=2**62)] = Field(0, description="The last sequence number you have dealt with.")
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100
    name: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=50)] = Field(
        [], description="Only events of these names, as in card.moved; card. names all that begin so."
    )
    subject_id: UUID = Field(None, description="Only what happened to the thing with this id.")


class Subject(Shape):
    """What it happened to."""

    kind: str = Field(examples=["card"])
    id: Id
    name: str = Field(examples=["Ines Brunet"])


class Who(Shape):
    """Who did it: a member, a token, a rule, a form, an administrator or Phasewise itself."""

    kind: Literal["member", "token", "rule", "form", "admin", "system"]
    id: str
    name: str


class EventShape(Shape):
    """One thing that happened."""

    sequence: int = Field(description="Rises by every event of the business; what your token may not see is left out.")
    name: str = Field(examples=["card.moved"])
    at: Moment
    subject: Subject
    actor: Who
    cause: int | None = Field(description="The sequence number of the event that made a rule act.")
    details: dict[str, Any] = Field(description="What the event tells, before and after included.")


class Events(Shape):
    """A part of the ledger."""

    events: list[EventShape]
    next: int = Field(description="Ask for what comes after this number next time.")
    has_more: bool


@operation(router, "GET", "/events", verb="event.view", answers=Events)
def list_events(request, wanted: Query[WantedEvents]):
    """Read the ledger from a point on, oldest first.

    A number is only given to an event once everything before it is there, so nothing turns up late: keep `next`, and
    ask for what comes after it. A token sees the events of those things that its scopes let it see.
    """
    rows = Event.objects.filter(business=request.business, sequence__gt=wanted.after)
    rows = rows.filter(name__in=_names(request.actor, wanted.name)).order_by("sequence")
    if wanted.subject_id:
        rows = rows.filter(subject_id=wanted.subject_id)
    found = list(rows.select_related("cause")[: wanted.limit + 1])
    shown = found[: wanted.limit]
    last = request.business.last_event  # read with the token, before the events: what came since is for next time
    has_more = len(found) > wanted.limit
    following = shown[-1].sequence if has_more else max(wanted.after, last, *(event.sequence for event in shown), 0)
    return {"events": [_told(event) for event in shown], "next": following, "hasMore": has_more}


def _told(event: Event) -> dict:
    return {
        "sequence": event.sequence,
        "name": event.name,
        "at": in_millis(event.at),
        "subject": {"kind": event.subject_kind, "id": str(event.subject_id), "name": event.subject_name},
        "actor": {"kind": event.actor_kind, "id": event.actor_id, "name": event.actor_name},
        "cause": event.cause.sequence if event.cause else None,
        "details": event.details,
    }


def _names(actor, wanted: list[str]) -> list[str]:
    """Return the names of the events that the actor may see, and of those the wanted ones."""
    names = [name for name in catalogue if may(actor, _verb(name))]
    if wanted:
        whole, starts = set(wanted), tuple(name for name in wanted if name.endswith("."))
        names = [name for name in names if name in whole or (starts and name.startswith(starts))]
    return names


@cache
def _verb(name: str) -> str:
    """Return the verb with which an event is seen."""
    noun = name.partition(".")[0]
    return SEEN_WITH.get(noun) or (f"{noun}.view" if f"{noun}.view" in TABLE else "business.update")
