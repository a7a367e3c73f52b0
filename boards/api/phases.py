"""Phases over the API."""

from typing import Annotated
from uuid import UUID

from ninja import Query, Router
from pydantic import Field

from accounts.rest import (
    WHOLE,
    ExternalId,
    Limit,
    Made,
    Nothing,
    Offset,
    Pagination,
    Put,
    Revision,
    Shape,
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
from boards.api.shapes import CardsPerPhase, PhaseFields, PhasePatch, PhaseShape, phase_info, phases_shape, plain_fields
from boards.api.workflows import find_workflow
from boards.models import Phase

router = Router(tags=["Phases"])

TEXTS = ("name", "description", "external_id")
SORTED_BY = {"id": "id", "name": "name"}
PHASE = Prepared(lambda: Phase.objects.select_related("workflow").filter(business=Blank("business"), pk=Blank("pk")))
Position = Annotated[int, Field(ge=0, le=10**9, description="Counted from 0; beyond the end means the end."), WHOLE]


class NewPhase(Shape):
    """A phase to make; without a position it becomes the last one before the win phase."""

    phase: PhaseFields
    position: Position | None = None


class ChangedPhase(Shape):
    """What changes of a phase."""

    phase: PhasePatch
    revision: Revision = None


class MovedPhase(Shape):
    """Where the phase goes: its place in the list after it has been taken out."""

    new_position: Position
    revision: Revision = None


class WantedPhases(Shape):
    """Which phases to list, in their order unless told otherwise, and how many cards each comes with."""

    limit: Limit = 50
    offset: Offset = 0
    sort: sort_by(SORTED_BY) = []
    external_id: str = ""
    cards_per_phase: CardsPerPhase = 10


class WantedPhase(Shape):
    """How many of its cards to get."""

    cards_per_phase: CardsPerPhase = 50


class PhaseAnswer(Shape):
    """A phase."""

    phase: PhaseShape


class Phases(Shape):
    """A part of the list of phases."""

    phases: list[PhaseShape]
    pagination: Pagination


def find_phase(request, phase) -> Phase:
    """Return the business's phase with its workflow, or refuse with 404."""
    return find(PHASE, "PHASE_NOT_FOUND", business=request.business.pk, pk=phase)


def show_phase(request, phase, **elsewhere) -> dict:
    """Return a phase as it is now."""
    return {"phase": {"info": phase_info(find_phase(request, phase))}}


@operation(
    router,
    "POST",
    "/workflows/{workflow}/phases",
    verb="phase.create",
    answers=Made,
    inside="phase",
    paths={"position": "position"},
)
def create_phase(request, workflow: UUID, body: NewPhase):
    """Create a phase on the path to the win phase; those from its place on move one place on."""
    found = find_workflow(request, workflow)
    fields = plain_fields(body.phase, *TEXTS)
    return {"id": str(Phase.create(found, position=body.position, **fields, by=request.actor).pk)}


@operation(
    router, "GET", "/workflows/{workflow}/phases", verb="workflow.view", answers=Phases, refuses="UNSUPPORTED_SORT"
)
def list_phases(request, workflow: UUID, wanted: Query[WantedPhases]):
    """List the active phases from left to right; neither the win phase nor cancelled ones."""
    rows = find_workflow(request, workflow).phases.filter(section=Phase.PATH)
    rows = under(rows, wanted.external_id) if wanted.external_id else rows
    total = rows.count()
    page = in_order(rows, wanted.sort, SORTED_BY)[wanted.offset : wanted.offset + wanted.limit]
    shown = phases_shape(list(page), wanted.cards_per_phase)
    return {"phases": shown, "pagination": paged(wanted.limit, wanted.offset, total, len(shown))}


@operation(router, "GET", "/phases/{phase}", verb="workflow.view", answers=PhaseAnswer, shows=show_phase)
def get_phase(request, phase: UUID, wanted: Query[WantedPhase]):
    """Get a phase with the first of its cards."""
    found = find_phase(request, phase)
    mark(request, found.revision)
    return {"phase": phases_shape([found], wanted.cards_per_phase)[0]}


@operation(router, "PATCH", "/phases/{phase}", verb="phase.update", answers=Nothing, inside="phase", shows=show_phase)
def update_phase(request, phase: UUID, body: ChangedPhase):
    """Change name, description or external id; what is left out stays."""
    found = find_phase(request, phase)
    changes = plain_fields(body.phase, *TEXTS)
    found.update(**changes, revision=expected(request, body.revision), by=request.actor)
    return {}


@operation(router, "DELETE", "/phases/{phase}", verb="phase.delete", answers=Nothing, shows=show_phase)
def delete_phase(request, phase: UUID):
    """Delete a phase and all its cards for good; the win phase stays."""
    find_phase(request, phase).delete_to(None, with_cards=True, revision=expected(request), by=request.actor)
    return {}


@operation(
    router,
    "POST",
    "/workflows/{workflow}/phases/{phase}/move",
    verb="phase.move",
    answers=Nothing,
    paths={"position": "newPosition"},
    shows=show_phase,
)
def move_phase(request, workflow: UUID, phase: UUID, body: MovedPhase):
    """Move an active phase to any active place; the win phase stays last."""
    rows = find_workflow(request, workflow).phases.select_related("workflow")
    found = find(rows, "PHASE_NOT_FOUND", pk=phase)
    found.move(body.new_position, revision=expected(request, body.revision), by=request.actor)
    return {}


@operation(
    router,
    "PUT",
    "/workflows/{workflow}/phases/by-external-id/{path:external_id}",
    verb="phase.update",
    answers=Put,
    refuses="MAX_PHASES_REACHED WORKFLOW_ARCHIVED",
    inside="phase",
    paths={"position": "position"},
)
def put_phase(request, workflow: UUID, external_id: ExternalId, body: NewPhase):
    """Create the phase that has this external id, or change it; an existing one keeps its place."""
    found = find_workflow(request, workflow)
    fields = plain_fields(body.phase, "name", "description")
    return put(
        found.phases.select_related("workflow"),
        external_id,
        make=lambda: Phase.create(found, position=body.position, external_id=external_id, **fields, by=request.actor),
        change=lambda phase: phase.update(**fields, by=request.actor),
    )
