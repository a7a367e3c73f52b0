"""Labels of a workflow and of its cards: the part of the wire that was never published, ours in the same style."""

from uuid import UUID

from ninja import Router
from pydantic import Field

from accounts.rest import Made, Nothing, ReadOnly, Shape, find, operation, text
from boards.api.shapes import COLORS, Color, LabelShape, label_shape
from boards.api.workflows import find_workflow
from boards.models import Label

router = Router(tags=["Labels"])


class LabelFields(Shape):
    """What a program says of a label; without a color it takes the next one."""

    name: text(Label, "name", 1) = Field(examples=["Urgent"])
    color: Color = None
    id: ReadOnly = None
    workflow_id: ReadOnly = None
    created_date: ReadOnly = None


class LabelPatch(LabelFields):
    """What changes of a label: what is left out stays as it is."""

    name: text(Label, "name", 1) = Field(None, examples=["Very urgent"])


class NewLabel(Shape):
    """A label to make."""

    label: LabelFields


class ChangedLabel(Shape):
    """What changes of a label."""

    label: LabelPatch


class LabelAnswer(Shape):
    """A label."""

    label: LabelShape


class Labels(Shape):
    """The labels of a workflow, by name."""

    labels: list[LabelShape]


def find_label(request, label) -> Label:
    """Return the business's label, or refuse with 404."""
    return find(request.business.labels, "LABEL_NOT_FOUND", pk=label)


@operation(router, "GET", "/workflows/{workflow}/labels", verb="workflow.view", answers=Labels)
def list_labels(request, workflow: UUID):
    """List the labels that the cards of a workflow may wear."""
    return {"labels": [label_shape(label) for label in find_workflow(request, workflow).labels.all()]}


@operation(router, "POST", "/workflows/{workflow}/labels", verb="label.create", answers=Made, inside="label")
def create_label(request, workflow: UUID, body: NewLabel):
    """Create a label; a name that is taken, whatever its capitals, is refused with 409 LABEL_EXISTS."""
    found = find_workflow(request, workflow)
    label = Label.create(found, name=body.label.name, tint=_tint(body.label.color), by=request.actor)
    return {"id": str(label.pk)}


@operation(router, "GET", "/labels/{label}", verb="workflow.view", answers=LabelAnswer)
def get_label(request, label: UUID):
    """Get a label."""
    return {"label": label_shape(find_label(request, label))}


@operation(router, "PATCH", "/labels/{label}", verb="label.update", answers=Nothing, inside="label")
def update_label(request, label: UUID, body: ChangedLabel):
    """Rename or recolour a label; every card that wears it shows the change."""
    find_label(request, label).update(name=body.label.name, tint=_tint(body.label.color), by=request.actor)
    return {}


@operation(router, "DELETE", "/labels/{label}", verb="label.delete", answers=Nothing)
def delete_label(request, label: UUID):
    """Delete a label and take it off every card."""
    find_label(request, label).delete_everywhere(by=request.actor)
    return {}


def _tint(color: str | None) -> int | None:
    return None if color is None else COLORS.index(color) + 1
