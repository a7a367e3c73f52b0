"""Events in, as the Event API v4.1 has it: a program sends a card an event of its design, and rulesets act."""

from typing import Annotated, Literal

from django.db.models import Q
from ninja import Router
from pydantic import Field

from accounts.rest import EXAMPLE_ID, WHOLE, Id, Refused, Shape, operation, under, words
from automations.api.dialect import READING, refuse_another_retailer
from automations.models import Timer
from boards.models import Card
from boards.models.workflow import OWN_ENTITY
from boards.search import as_uuid
from boards.user_actions import LARGEST, LONGEST_EVENT, LONGEST_TEXT, MOST_ATTRIBUTES, MOST_IN_A_LIST

router = Router(tags=["Events in"])

CODES = {"too_many": (403, "MAX_REPORTS_REACHED")}
Number = Annotated[str, Field(pattern="^[0-9]{1,20}$")] | Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]
WHICH_CARD = "Say which card the event is for, by entityId or entityRef."
_bounds = {"gt": -LARGEST, "lt": LARGEST}
Plain = bool | Annotated[int, Field(**_bounds)] | Annotated[float, Field(**_bounds)] | words(LONGEST_TEXT) | None
Value = Plain | Annotated[list[Plain], Field(max_length=MOST_IN_A_LIST)]
Named = words(200, 1) | Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]


class Attribute(Shape):
    """One thing that an event tells."""

    name: words(LONGEST_EVENT, 1)
    type: words(40) = Field("", description="Left alone: what a button of the design asks is read as the design says.")
    value: Value


class EventIn(Shape):
    """An event, and the card it is for: by entityId or entityRef."""

    account_id: words(60) = Field("", description="The address of the business, if it is said at all.")
    retailer_id: Number = Field(description="The number of the business.", examples=["1"])
    name: words(LONGEST_EVENT, 1) = Field(description="The name of a ruleset.", examples=["PaymentReceived"])
    entity_type: words(40, 1) = Field(examples=["ORDER"])
    entity_subtype: words(40) = ""
    entity_id: Named = Field(None, description="The card's id, its number, or its external id.", examples=[EXAMPLE_ID])
    entity_ref: Named = Field(None, description="The card's external id, its number, or its id.")
    attributes: (
        Annotated[dict[words(LONGEST_EVENT, 1), Value], Field(max_length=MOST_ATTRIBUTES)]
        | Annotated[list[Attribute], Field(max_length=MOST_ATTRIBUTES)]
    ) = Field(
        {},
        description="What it tells: texts, numbers, yes or no, or lists of them. One that is called like a custom field of the "
        "workflow fills that in, for which the token needs the scope CARD_MANAGE as well.",
        examples=[{"amount": 20}],
    )


class Sent(Shape):
    """The event was sent, and the rules have acted."""

    event_id: str
    entity_id: Id
    event_status: Literal["COMPLETE"]


class TakenIn(Shape):
    """The event was taken in; the rules act as soon as can be."""

    event_id: Id
    entity_id: Id
    event_status: Literal["PENDING"]


@operation(router, "POST", "/event/sync", verb="card.signal", answers=Sent, dialect=READING)
def send_event(request, body: EventIn):
    """Send a card an event and wait until the rules have acted on it.

    An event that no ruleset waits for is COMPLETE as well: the run log says that nothing did.
    """
    card = _find_card(request, body)
    event = card.signal(body.name, _told(body), by=request.actor)
    return {"eventId": str(event.pk), "entityId": str(card.pk), "eventStatus": "COMPLETE"}


@operation(router, "POST", "/event/async", verb="card.plan_report", answers=TakenIn, codes=CODES, dialect=READING)
def take_event_in(request, body: EventIn):
    """Hand in an event for a card: it is kept, whatever happens to us, and sent once, as soon as can be."""
    card = _find_card(request, body)
    timer = Timer.take_in(card, body.name, _told(body), by=request.actor)
    return {"eventId": str(timer.pk), "entityId": str(card.pk), "eventStatus": "PENDING"}


def _find_card(request, body: EventIn) -> Card:
    """Return the card that is meant, or refuse with 404."""
    refuse_another_retailer(request, str(body.retailer_id), body.account_id)
    entity = Q(workflow__entity_type=body.entity_type)
    if body.entity_subtype:
        entity &= Q(workflow__entity_subtype=body.entity_subtype)
    elif body.entity_type == OWN_ENTITY:
        entity |= Q(workflow__entity_type="")  # whose design was not published yet
    rows = request.business.cards.filter(entity).select_related("workflow", "phase", "business")
    if body.entity_id is None and body.entity_ref is None:
        raise Refused(400, "ENTITY_MISSING", WHICH_CARD)
    ways = [_by_id, _by_number, under] if body.entity_id is not None else [under, _by_number, _by_id]
    said = str(body.entity_id if body.entity_id is not None else body.entity_ref)
    card = next((card for way in ways if (card := way(rows, said).first())), None)
    if card is None:
        raise Refused(404, "CARD_NOT_FOUND", f"There is no {body.entity_type} “{said}”.")
    return card


def _by_id(rows, said: str):
    pk = as_uuid(said)
    return rows.filter(pk=pk) if pk else rows.none()


def _by_number(rows, said: str):
    is_number = said.isascii() and said.isdecimal() and len(said) < 10
    return rows.filter(number=int(said)) if is_number else rows.none()


def _told(body: EventIn) -> dict:
    """Return the attributes by their names, in whichever of the two ways they came."""
    told = body.attributes
    return told if isinstance(told, dict) else {one.name: one.value for one in told}
