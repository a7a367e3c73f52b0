"""Webhooks that come in, over the API: secret addresses to which other programs post what happened."""

from typing import Annotated, Literal
from uuid import UUID

from ninja import Query, Router
from pydantic import Field, StringConstraints

from accounts.rest import (
    Id,
    Moment,
    Nothing,
    Offset,
    Pagination,
    ReadOnly,
    Shape,
    find,
    given,
    in_millis,
    operation,
    text,
)
from automations.api.reports import Key
from automations.api.shapes import Page, part_of
from automations.models import Inlet
from automations.models.inlet import FINDS, NUMBER, Received

router = Router(tags=["Webhooks in"])

CODES = {"too_many": (403, "MAX_INLETS_REACHED")}
Find = Literal[tuple(key for key, _ in FINDS)]
Path = Annotated[str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")]
PathOrNone = Annotated[str, StringConstraints(max_length=200, pattern=r"^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)?$")]


class InletFields(Shape):
    """An address for another program: what a call reports, and where in its JSON the card is named."""

    id: ReadOnly = None
    name: text(Inlet, "name", 1) = Field(examples=["Bank"])
    trigger_key: Key = Field(description="A key of the library of triggers.", examples=["payment_received"])
    path: Path = Field(description="Names with dots between them.", examples=["data.order.number"])
    find: Find = Field(NUMBER, description="What stands there: number, external_id, or email of the card's contact.")
    only_path: PathOrNone = Field(None, description="With onlyValue: a call is meant only when this stands there.")
    only_value: text(Inlet, "only_value") = None
    created_date: ReadOnly = None


class InletPatch(InletFields):
    """What changes of an address: what is left out stays as it is."""

    name: text(Inlet, "name", 1) = Field(None, examples=["Bank"])
    trigger_key: Key = None
    path: Path = None
    find: Find = None


class NewInlet(Shape):
    """An address to make."""

    inlet: InletFields


class ChangedInlet(Shape):
    """What changes of an address."""

    inlet: InletPatch


class InletShape(Shape):
    """An address for another program, which is told when it is made and when it is renewed, and never again."""

    id: Id
    name: str
    trigger_key: str
    path: str
    find: Find
    only_path: str
    only_value: str
    created_date: Moment


class InletAnswer(Shape):
    """An address for another program."""

    inlet: InletShape


class InletAddress(Shape):
    """Where the other program posts its JSON; whoever knows it may report."""

    id: Id
    address: str = Field(
        None,
        description="Left out of a repeated answer when it has changed since.",
        examples=["https://phasewise.example/in/c2VjcmV0/"],
    )
    address_date: Moment


class WantedInlets(Shape):
    """Which addresses to list, by name."""

    limit: Page = 50
    offset: Offset = 0


class Inlets(Shape):
    """A part of the list of addresses."""

    inlets: list[InletShape]
    pagination: Pagination


class ReceivedShape(Shape):
    """A call that came, and what became of it in words; failed: it was not understood."""

    date: Moment
    card_id: Id = None
    failed: bool
    said: str
    body: str


class WantedReceived(Shape):
    """Which of the last calls to list, newest first."""

    limit: Page = 50
    offset: Offset = 0


class ReceivedCalls(Shape):
    """A part of what came."""

    calls: list[ReceivedShape]
    pagination: Pagination


def find_inlet(request, inlet) -> Inlet:
    """Return the business's address, or refuse with 404."""
    return find(request.business.inlets.select_related("trigger", "business"), "INLET_NOT_FOUND", pk=inlet)


def _address(request, told: dict) -> dict:
    """Return the address of what was made or renewed just now."""
    known = request.business.inlets.filter(pk=told["id"]).first()
    is_fresh = known and in_millis(known.secret_at) == told["addressDate"]
    return {"address": known.address(request.build_absolute_uri("/"))} if is_fresh else {}


@operation(router, "GET", "/inlets", verb="inlet.view", answers=Inlets)
def list_inlets(request, wanted: Query[WantedInlets]):
    """List the addresses for other programs."""
    rows = request.business.inlets.select_related("trigger").order_by("name", "pk")
    shown, pagination = part_of(rows, wanted, _shape)
    return {"inlets": shown, "pagination": pagination}


@operation(
    router,
    "POST",
    "/inlets",
    verb="inlet.create",
    answers=InletAddress,
    inside="inlet",
    adds=_address,
    codes=CODES,
)
def create_inlet(request, body: NewInlet):
    """Create an address. Keep it: it is told only here, and when it is renewed."""
    return _renewed(Inlet.create(request.business, **_fields(request, body.inlet), by=request.actor))


@operation(router, "GET", "/inlets/{inlet}", verb="inlet.view", answers=InletAnswer)
def get_inlet(request, inlet: UUID):
    """Get what an address reports and where it looks."""
    return {"inlet": _shape(find_inlet(request, inlet))}


@operation(router, "PATCH", "/inlets/{inlet}", verb="inlet.update", answers=Nothing, inside="inlet")
def update_inlet(request, inlet: UUID, body: ChangedInlet):
    """Change what an address reports and where it looks."""
    find_inlet(request, inlet).update(**_fields(request, body.inlet), by=request.actor)
    return {}


@operation(router, "DELETE", "/inlets/{inlet}", verb="inlet.delete", answers=Nothing)
def delete_inlet(request, inlet: UUID):
    """Delete an address with the log of what came."""
    find_inlet(request, inlet).delete_for_good(by=request.actor)
    return {}


@operation(router, "POST", "/inlets/{inlet}/rotate", verb="inlet.rotate", answers=InletAddress, adds=_address)
def rotate_inlet_address(request, inlet: UUID):
    """Give it a new address; the old one leads nowhere from now on."""
    known = find_inlet(request, inlet)
    known.rotate(by=request.actor)
    return _renewed(known)


@operation(router, "GET", "/inlets/{inlet}/calls", verb="inlet.view", answers=ReceivedCalls)
def list_inlet_calls(request, inlet: UUID, wanted: Query[WantedReceived]):
    """List the last calls that came, as they came, and what became of each."""
    shown, pagination = part_of(find_inlet(request, inlet).calls.order_by("-at", "-pk"), wanted, _call)
    return {"calls": shown, "pagination": pagination}


def _fields(request, sent: InletFields) -> dict:
    fields = given(sent, "name", "path", "find", "only_path", "only_value")
    if "trigger_key" in sent.model_fields_set:
        fields["trigger"] = find(request.business.trigger_library, "TRIGGER_NOT_FOUND", key=sent.trigger_key)
    return fields


def _renewed(inlet: Inlet) -> dict:
    return {"id": str(inlet.pk), "addressDate": in_millis(inlet.secret_at)}


def _shape(inlet: Inlet) -> dict:
    return {
        "id": str(inlet.pk),
        "name": inlet.name,
        "triggerKey": inlet.trigger.key,
        "path": inlet.path,
        "find": inlet.find,
        "onlyPath": inlet.only_path,
        "onlyValue": inlet.only_value,
        "createdDate": in_millis(inlet.created_at),
    }


def _call(call: Received) -> dict:
    card = {"cardId": str(call.card_id)} if call.card_id else {}
    return {"date": in_millis(call.at), **card, "failed": call.failed, "said": call.said, "body": call.body}
