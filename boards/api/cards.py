"""Cards over the API, their labels, and many at once."""

from typing import Annotated
from uuid import UUID

from django.db.models import Exists, OuterRef, Sum
from ninja import Query, Router
from pydantic import Field

from accounts.rest import (
    EXAMPLE_ID,
    MOST_AT_ONCE,
    BulkResult,
    ExternalId,
    Made,
    Nothing,
    Offset,
    Pagination,
    Put,
    Refused,
    Revision,
    Shape,
    each,
    expected,
    find,
    in_order,
    mark,
    operation,
    paged,
    put,
    sort_by,
    under,
)
from accounts.statements import Blank, Prepared
from accounts.verbs import in_one
from boards.api.phases import Position, find_phase
from boards.api.shapes import CARD_PATHS, LIMITS, CardFields, CardPatch, CardShape, card_fields, cards_shape
from boards.api.workflows import find_workflow
from boards.models import Card, CardLabel, Phase
from boards.ordering import BOTTOM, TOP, Place

router = Router(tags=["Cards"])

SORTED_BY = {
    "id": "id",
    "name": "name",
    "createdDate": "created_at",
    "updatedDate": "updated_at",
    "phaseId": "phase_id",
    "source": "source",
}
CARD = Prepared(
    lambda: Card.objects.select_related("phase", "workflow").filter(business=Blank("business"), pk=Blank("pk"))
)
BOARD_ORDER = ("phase__section", "phase__position", "rank")
INSIDE_CARD = {field: f"card.{path}" for field, path in CARD_PATHS.items()} | {"position": "position"}
INSIDE_INFO = {field: f"cardInfo.{path}" for field, path in CARD_PATHS.items()}


class NewCard(Shape):
    """A card to make; without a position it goes to the bottom."""

    card: CardFields
    position: Position | None = None


class ChangedCard(Shape):
    """What changes of a card."""

    card_info: CardPatch
    revision: Revision = None


class MovedCard(Shape):
    """Where the card goes: no phase means its own, no position the top; counted without the card itself."""

    new_phase_id: UUID | None = Field(None, examples=[EXAMPLE_ID])
    new_position: Position | None = Field(None, examples=[0])
    revision: Revision = None


class RestoredCard(Shape):
    """Where an archived card goes; no position means the top."""

    new_phase_id: UUID
    new_position: Position | None = Field(None, examples=[0])
    revision: Revision = None


class WantedCards(Shape):
    """Which cards to list: from top to bottom of each phase, phase by phase, unless told otherwise."""

    phase_id: UUID = None
    attachment_value: UUID = Field(None, description="The id of the contact that the cards are about.")
    label_id: Annotated[list[UUID], Field(max_length=50)] = Field([], description="Cards that wear any of these.")
    external_id: str = ""
    fetch_archived: bool = Field(False, description="True: the archived cards and no others.")
    limit: Annotated[int, Field(ge=0, le=1000)] = 50
    offset: Offset = 0
    sort: sort_by(SORTED_BY) = []


class CardAnswer(Shape):
    """A card; an archived one is an empty object."""

    card: CardShape = None


class Cards(Shape):
    """A part of the list of cards."""

    cards: list[CardShape]
    pagination: Pagination


class LabelIds(Shape):
    """Labels of the card's workflow."""

    label_ids: Annotated[list[UUID], Field(max_length=50)]


class BulkNewCard(NewCard):
    """A card to make in a phase."""

    phase_id: UUID


class BulkNewCards(Shape):
    """Cards to make, up to 500, in this order."""

    cards: Annotated[list[BulkNewCard], Field(min_length=1, max_length=MOST_AT_ONCE)]


class BulkMovedCard(MovedCard):
    """A card to move."""

    id: UUID


class BulkMovedCards(Shape):
    """Cards to move, up to 500, in this order."""

    cards: Annotated[list[BulkMovedCard], Field(min_length=1, max_length=MOST_AT_ONCE)]


def find_card(request, card) -> Card:
    """Return the business's card with its phase and workflow, or refuse with 404."""
    return find(CARD, "CARD_NOT_FOUND", business=request.business.pk, pk=card)


def show_card(request, card, **elsewhere) -> dict:
    """Return a card as it is now, archived or not."""
    found = cards_shape(request.business.cards.filter(pk=card))
    return {"card": found[0]} if found else {}


@operation(
    router,
    "POST",
    "/workflows/{workflow}/phases/{phase}/cards",
    verb="card.create",
    answers=Made,
    inside="card",
    paths=INSIDE_CARD,
)
def create_card(request, workflow: UUID, phase: UUID, body: NewCard):
    """Create a card in a phase, the win phase included; those from its place on move one place down."""
    into = _phase_in(request, workflow, phase)
    return {"id": str(_create(request, into, body).pk)}


@operation(router, "GET", "/workflows/{workflow}/cards", verb="card.view", answers=Cards, refuses="UNSUPPORTED_SORT")
def list_cards(request, workflow: UUID, wanted: Query[WantedCards]):
    """List the cards of a workflow."""
    shown, total = _page(request, find_workflow(request, workflow), wanted)
    return {"cards": shown, "pagination": paged(wanted.limit, wanted.offset, total, len(shown))}


@operation(router, "GET", "/cards/{card}", verb="card.view", answers=CardAnswer, shows=show_card)
def get_card(request, card: UUID):
    """Get a card; an archived one is answered with an empty object (list it with fetchArchived)."""
    found = show_card(request, card)
    if not found:
        raise Refused(404, "CARD_NOT_FOUND", "There is no such card.")
    info = found["card"]["info"]
    mark(request, info["revision"])
    return {} if "archivedDate" in info else found


@operation(
    router,
    "PATCH",
    "/cards/{card}",
    verb="card.update",
    answers=Nothing,
    inside="cardInfo",
    paths=INSIDE_INFO,
    shows=show_card,
)
def update_card(request, card: UUID, body: ChangedCard):
    """Change a card; what is left out stays, null empties."""
    found = find_card(request, card)
    changes = card_fields(request.business, body.card_info)
    found.update(**changes, revision=expected(request, body.revision), by=request.actor)
    return {}


@operation(router, "DELETE", "/cards/{card}", verb="card.delete", answers=Nothing, shows=show_card)
def delete_card(request, card: UUID):
    """Delete a card for good: it cannot be restored. To keep it, archive it."""
    found = find_card(request, card)

    def delete():
        found.refuse_unless_at(expected(request))
        found.archive(by=request.actor)
        found.delete_for_good(by=request.actor)

    in_one(delete)
    return {}


@operation(
    router,
    "POST",
    "/cards/{card}/move",
    verb="card.move",
    answers=Nothing,
    paths={"position": "newPosition"},
    shows=show_card,
)
def move_card(request, card: UUID, body: MovedCard):
    """Move a card within its phase or into another one of its workflow, the win phase included.

    What the phase asks for must be there already: missing facts, a full phase and a cancelled phase that wants to know
    why are refused with MISSING_FACTS, WIP_LIMIT_REACHED and CLOSING_NEEDED.
    """
    _move(request, card, body, expected(request, body.revision))
    return {}


@operation(router, "POST", "/cards/{card}/archive", verb="card.archive", answers=Nothing, shows=show_card)
def archive_card(request, card: UUID):
    """Take a card off the board; doing it again is no news."""
    found = find_card(request, card)

    def archive():
        found.refuse_unless_at(expected(request))
        found.archive(by=request.actor)

    in_one(archive)
    return {}


@operation(
    router,
    "POST",
    "/cards/{card}/restore",
    verb="card.restore",
    answers=Nothing,
    paths={"position": "newPosition"},
    shows=show_card,
)
def restore_card(request, card: UUID, body: RestoredCard):
    """Put an archived card into any phase of its workflow, the win phase included."""
    found = find_card(request, card)
    to = find_phase(request, body.new_phase_id)

    def restore():
        found.refuse_unless_at(expected(request, body.revision), to)
        found.restore(to, _place(body.new_position, TOP), by=request.actor)

    in_one(restore)
    return {}


@operation(
    router,
    "PUT",
    "/workflows/{workflow}/phases/{phase}/cards/by-external-id/{path:external_id}",
    verb="card.update",
    answers=Put,
    refuses=f"LABEL_NOT_FOUND CLOSING_NEEDED {LIMITS}",
    inside="card",
    paths=INSIDE_CARD,
)
def put_card(request, workflow: UUID, phase: UUID, external_id: ExternalId, body: NewCard):
    """Create the card that has this external id, or change it; an existing one stays in the phase it has reached."""
    into = _phase_in(request, workflow, phase)
    body.card.external_id = external_id
    fields = card_fields(request.business, body.card)
    return put(
        request.business.cards.filter(workflow=workflow).select_related("phase", "workflow"),
        external_id,
        make=lambda: _create(request, into, body),
        change=lambda card: card.update(**fields, by=request.actor),
    )


# Labels of a card -------------------------------------------------------------------------------------


@operation(router, "PUT", "/cards/{card}/labels", verb="card.add_label", answers=CardAnswer, shows=show_card)
def set_labels(request, card: UUID, body: LabelIds):
    """Give a card these labels and no others."""
    return _label(request, card, body, add=True, remove_others=True)


@operation(router, "POST", "/cards/{card}/labels", verb="card.add_label", answers=CardAnswer, shows=show_card)
def add_labels(request, card: UUID, body: LabelIds):
    """Put labels on a card; those it wears already are no news."""
    return _label(request, card, body, add=True)


@operation(router, "DELETE", "/cards/{card}/labels", verb="card.remove_label", answers=CardAnswer, shows=show_card)
def remove_labels(request, card: UUID, body: LabelIds):
    """Take labels off a card; those it does not wear are no news."""
    return _label(request, card, body, add=False)


def _label(request, card, body: LabelIds, *, add: bool, remove_others: bool = False) -> dict:
    found = find_card(request, card)
    known = {label.pk: label for label in found.workflow.labels.all()}
    named = [known.get(pk) for pk in body.label_ids]
    if None in named:
        raise Refused(404, "LABEL_NOT_FOUND", "The card's workflow has no such label.")

    def change():
        found.refuse_unless_at(expected(request))
        if remove_others:
            for label in found.labels.exclude(pk__in=[label.pk for label in named]):
                found.remove_label(label, by=request.actor)
        for label in named:
            (found.add_label if add else found.remove_label)(label, by=request.actor)

    in_one(change)
    return show_card(request, card)


# Many at once -----------------------------------------------------------------------------------------


@operation(router, "POST", "/bulk/cards/create", verb="card.create", answers=BulkResult, bulk=True)
def bulk_create_cards(request, body: BulkNewCards):
    """Create up to 500 cards; each by itself, so that one that is refused harms no other."""

    def create(item):
        return {"id": str(_create(request, find_phase(request, item.phase_id), item).pk)}

    return each(request, body.cards, create, lambda item: {}, inside="card", paths=INSIDE_CARD)


@operation(router, "POST", "/bulk/cards/move", verb="card.move", answers=BulkResult, bulk=True)
def bulk_move_cards(request, body: BulkMovedCards):
    """Move up to 500 cards, in this order; each by itself, so that one that is refused harms no other."""

    def move(item):
        _move(request, item.id, item, item.revision)
        return {"id": str(item.id)}

    return each(request, body.cards, move, lambda item: {"id": str(item.id)}, paths={"position": "newPosition"})


# How it is done ---------------------------------------------------------------------------------------


def _create(request, phase: Phase, body: NewCard) -> Card:
    fields = card_fields(request.business, body.card)
    return Card.create(phase, place=_place(body.position, BOTTOM), **fields, by=request.actor)


def _move(request, card, body: MovedCard, revision: int | None) -> None:
    found = find_card(request, card)
    to = find_phase(request, body.new_phase_id) if body.new_phase_id else found.phase
    place = _place(body.new_position, TOP)
    if revision is None:
        found.move(to, place, by=request.actor)
        return

    def move():
        found.refuse_unless_at(revision, to)
        found.move(to, place, by=request.actor)

    in_one(move)


def _place(position: int | None, otherwise: Place) -> Place:
    return otherwise if position is None else Place(index=position)


def _phase_in(request, workflow: UUID, phase: UUID) -> Phase:
    """Return the phase if it is one of the workflow, or refuse with 404."""
    found = find_phase(request, phase)
    if found.workflow_id != workflow:
        raise Refused(404, "PHASE_NOT_FOUND", "There is no such phase in this workflow.")
    return found


def _page(request, workflow, wanted: WantedCards) -> tuple[list[dict], int]:
    """Return the wanted part of the cards, and how many match."""
    narrowed = {"phase": wanted.phase_id, "contact": wanted.attachment_value}
    rows = request.business.cards.filter(workflow=workflow, **{key: value for key, value in narrowed.items() if value})
    rows = rows.exclude(archived_at=None) if wanted.fetch_archived else rows.on_board()
    rows = under(rows, wanted.external_id) if wanted.external_id else rows
    if wanted.label_id:
        rows = rows.filter(Exists(CardLabel.objects.filter(card=OuterRef("pk"), label__in=wanted.label_id)))
    is_plain = not (wanted.fetch_archived or wanted.external_id or wanted.label_id or wanted.attachment_value)
    if is_plain and not wanted.sort:
        return _in_board_order(workflow, wanted)
    total = _standing(workflow, wanted) if is_plain else rows.count()
    order = in_order(rows, wanted.sort, SORTED_BY) if wanted.sort else rows.order_by(*BOARD_ORDER)
    return cards_shape(order[wanted.offset : wanted.offset + wanted.limit]), total


def _in_board_order(workflow, wanted: WantedCards) -> tuple[list[dict], int]:
    """Return a part of the cards from top to bottom, phase by phase.

    Phases know how many cards they hold, so what lies before that part and behind it is never read: a list of a hundred
    thousand cards costs what a list of fifty costs.
    """
    phases = workflow.phases.filter(pk=wanted.phase_id) if wanted.phase_id else workflow.phases.all()
    phases, skip, total = list(phases), wanted.offset, 0
    later = []
    for phase in phases:
        total += phase.card_count
        if later or skip < phase.card_count:
            later.append(phase)
        else:
            skip -= phase.card_count
    if not later or not wanted.limit:
        return [], total
    first, *later = later
    rows = Card.objects.on_board()  # a phase says whose they are; asked for that too, PostgreSQL may take another index
    shown = rows.filter(phase=first).order_by("rank")[skip : skip + wanted.limit]
    missing = wanted.limit - (first.card_count - skip)
    if not later or missing <= 0:
        return cards_shape(shown), total
    return cards_shape(shown, rows.first_of_each(later, missing).order_by(*BOARD_ORDER)[:missing]), total


def _standing(workflow, wanted: WantedCards) -> int:
    phases = workflow.phases.filter(pk=wanted.phase_id) if wanted.phase_id else workflow.phases
    return phases.aggregate(cards=Sum("card_count"))["cards"] or 0
