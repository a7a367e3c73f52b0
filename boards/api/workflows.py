"""Workflows over the API."""

from uuid import UUID

from ninja import Query, Router

from accounts.rest import (
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
from accounts.verbs import in_one
from boards.api.shapes import (
    CardsPerPhase,
    WorkflowFields,
    WorkflowInfo,
    WorkflowPatch,
    WorkflowShape,
    plain_fields,
    workflow_info,
    workflow_shape,
)
from boards.models import Workflow

router = Router(tags=["Workflows"])

TEXTS = ("name", "description", "external_id")
SORTED_BY = {"id": "id", "name": "name", "description": "description", "createdDate": "created_at"}


class NewWorkflow(Shape):
    """A workflow to make."""

    workflow: WorkflowFields


class ChangedWorkflow(Shape):
    """What changes of a workflow."""

    workflow: WorkflowPatch
    revision: Revision = None


class WantedWorkflows(Shape):
    """Which workflows to list; without a limit all of them, by name unless told otherwise."""

    limit: Limit = None
    offset: Offset = 0
    sort: sort_by(SORTED_BY) = []
    external_id: str = ""


class WorkflowAnswer(Shape):
    """A workflow."""

    workflow: WorkflowShape


class Workflows(Shape):
    """A part of the list of workflows."""

    workflows: list[WorkflowInfo]
    pagination: Pagination


class Wanted(Shape):
    """How much of a workflow to get."""

    cards_per_phase: CardsPerPhase = 10


def find_workflow(request, workflow) -> Workflow:
    """Return the business's workflow, or refuse with 404."""
    return find(request.business.workflows, "WORKFLOW_NOT_FOUND", pk=workflow)


def show_workflow(request, workflow, **elsewhere) -> dict:
    """Return a workflow as it is now."""
    return {"workflow": {"info": workflow_info(find_workflow(request, workflow))}}


@operation(router, "POST", "/workflows", verb="workflow.create", answers=Made, inside="workflow")
def create_workflow(request, body: NewWorkflow):
    """Create a workflow: it holds its win phase and nothing else."""
    fields = plain_fields(body.workflow, *TEXTS)
    return {"id": str(Workflow.create(request.business, **fields, by=request.actor).pk)}


@operation(router, "GET", "/workflows", verb="workflow.view", answers=Workflows, refuses="UNSUPPORTED_SORT")
def list_workflows(request, wanted: Query[WantedWorkflows]):
    """List the workflows that are not archived."""
    rows = request.business.workflows.live()
    rows = under(rows, wanted.external_id) if wanted.external_id else rows
    total = rows.count()
    limit = total if wanted.limit is None else wanted.limit
    page = in_order(rows, wanted.sort or ["name"], SORTED_BY)[wanted.offset : wanted.offset + limit]
    shown = [workflow_info(workflow) for workflow in page]
    return {"workflows": shown, "pagination": paged(limit, wanted.offset, total, len(shown))}


@operation(router, "GET", "/workflows/{workflow}", verb="workflow.view", answers=WorkflowAnswer, shows=show_workflow)
def get_workflow(request, workflow: UUID, wanted: Query[Wanted]):
    """Get a workflow: its phases from left to right, each with its first cards, the win phase, and the labels."""
    found = find_workflow(request, workflow)
    mark(request, found.revision)
    return {"workflow": workflow_shape(found, wanted.cards_per_phase)}


@operation(
    router,
    "PATCH",
    "/workflows/{workflow}",
    verb="workflow.update",
    answers=Nothing,
    inside="workflow",
    shows=show_workflow,
)
def update_workflow(request, workflow: UUID, body: ChangedWorkflow):
    """Change name, description or external id; what is left out stays."""
    found = find_workflow(request, workflow)
    changes = plain_fields(body.workflow, *TEXTS)
    found.update(**changes, revision=expected(request, body.revision), by=request.actor)
    return {}


@operation(router, "DELETE", "/workflows/{workflow}", verb="workflow.delete", answers=Nothing, shows=show_workflow)
def delete_workflow(request, workflow: UUID):
    """Delete a workflow for good, with its phases and cards."""
    found = find_workflow(request, workflow)

    def delete():
        found.archive(revision=expected(request), by=request.actor)
        found.delete_for_good(by=request.actor)

    in_one(delete)
    return {}


@operation(
    router,
    "PUT",
    "/workflows/by-external-id/{path:external_id}",
    verb="workflow.update",
    answers=Put,
    refuses="MAX_WORKFLOWS_REACHED",
    inside="workflow",
)
def put_workflow(request, external_id: ExternalId, body: NewWorkflow):
    """Create the workflow that has this external id, or change it: whichever, the same request may be sent again."""
    fields = plain_fields(body.workflow, "name", "description")
    return put(
        request.business.workflows,
        external_id,
        make=lambda: Workflow.create(request.business, external_id=external_id, **fields, by=request.actor),
        change=lambda found: found.update(**fields, by=request.actor),
    )
