"""What workflows, phases, cards and labels look like on the wire (the shapes of Wix Workflows v1), and how they get there."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from pydantic import AfterValidator, Field, WithJsonSchema

from accounts.openapi import code, refuses
from accounts.rest import EXAMPLE_ID, REFUSALS, WHOLE, Id, Moment, ReadOnly, Shape, find, in_millis, in_seconds, text
from boards.models import Card, Label, Phase, Workflow
from boards.models.card import LARGEST_VALUE
from boards.models.label import CardLabel

REFUSALS |= {
    "contact_attached": (409, "CONTACT_ALREADY_ATTACHED"),
    "max_active_cards": (403, "MAX_ACTIVE_CARDS_REACHED"),
    "max_phases": (403, "MAX_PHASES_REACHED"),
    "max_workflows": (403, "MAX_WORKFLOWS_REACHED"),
    "external_id": (409, "EXTERNAL_ID_TAKEN"),
    "label_exists": (409, "LABEL_EXISTS"),
    "archived": (409, "CARD_ARCHIVED"),
    "workflow_archived": (409, "WORKFLOW_ARCHIVED"),
    "wip_limit": (403, "WIP_LIMIT_REACHED"),
    "missing_facts": (400, "MISSING_FACTS"),
    "closing": (400, "CLOSING_NEEDED"),
    "other_workflow": (400, "OTHER_WORKFLOW"),
    "win_phase": (400, "WIN_PHASE_STAYS"),
    "phase_retired": (403, "PHASE_RETIRED"),
}

for _what in ("workflow", "phase", "card", "label"):
    code(f"{_what.upper()}_NOT_FOUND", 404, why=f"there is no such {_what} in this business")
code("CONTACT_ALREADY_ATTACHED", 409, why="the workflow allows a contact one active card, and there is one")
code("MAX_ACTIVE_CARDS_REACHED", 403, why="the workflow holds as many active cards as it may")
code("MAX_PHASES_REACHED", 403, why="the workflow has as many phases as the business allows")
code("MAX_WORKFLOWS_REACHED", 403, why="the business has as many workflows as it may")
code("EXTERNAL_ID_TAKEN", 409, why="another one has this external id")
code("LABEL_EXISTS", 409, why="there is a label of this name")
code("CARD_ARCHIVED", 409, why="what is archived does not change; restore it first")
code("WORKFLOW_ARCHIVED", 409, why="what is archived does not change; restore it first")
code("WIP_LIMIT_REACHED", 403, why="the phase is full and takes no more")
code("PHASE_RETIRED", 403, why="only cards of an older design finish in the phase")
code("MISSING_FACTS", 400, why="the phase asks for facts that the card lacks; `data` names them")
code("CLOSING_NEEDED", 400, why="a cancelled phase wants to know why")
code("OTHER_WORKFLOW", 400, why="a card stays in its workflow")
code("WIN_PHASE_STAYS", 400, why="the win phase is neither moved nor deleted")

LIMITS = "MAX_ACTIVE_CARDS_REACHED CONTACT_ALREADY_ATTACHED WIP_LIMIT_REACHED PHASE_RETIRED MISSING_FACTS"
refuses("card.create", f"CONTACT_NOT_FOUND LABEL_NOT_FOUND EXTERNAL_ID_TAKEN WORKFLOW_ARCHIVED CLOSING_NEEDED {LIMITS}")
refuses("card.update", "CONTACT_NOT_FOUND EXTERNAL_ID_TAKEN CONTACT_ALREADY_ATTACHED CARD_ARCHIVED WORKFLOW_ARCHIVED")
refuses("card.move", f"PHASE_NOT_FOUND OTHER_WORKFLOW CLOSING_NEEDED CARD_ARCHIVED WORKFLOW_ARCHIVED {LIMITS}")
refuses("card.restore", f"PHASE_NOT_FOUND OTHER_WORKFLOW CLOSING_NEEDED WORKFLOW_ARCHIVED {LIMITS}")
refuses("card.add_label card.remove_label", "LABEL_NOT_FOUND CARD_ARCHIVED WORKFLOW_ARCHIVED")
refuses("label.create label.update", "LABEL_EXISTS")
refuses("phase.create", "MAX_PHASES_REACHED WORKFLOW_ARCHIVED EXTERNAL_ID_TAKEN")
refuses("phase.update", "EXTERNAL_ID_TAKEN")
refuses("phase.move phase.delete", "WIN_PHASE_STAYS")
refuses("workflow.create", "MAX_WORKFLOWS_REACHED EXTERNAL_ID_TAKEN")
refuses("workflow.update", "EXTERNAL_ID_TAKEN WORKFLOW_ARCHIVED")

# Labels -----------------------------------------------------------------------------------------------

COLORS = ["RED", "ORANGE", "YELLOW", "GREEN", "TEAL", "BLUE", "VIOLET", "PINK"]  # by tint, from 1
Color = Annotated[str, Field(json_schema_extra={"enum": COLORS}, pattern=f"^({'|'.join(COLORS)})$")]


class LabelShape(Shape):
    """A label of a workflow, worn by its cards (ours: the wire never published its own)."""

    id: Id
    name: str = Field(examples=["Urgent"])
    color: Color
    workflow_id: Id
    created_date: Moment


def label_shape(label: Label) -> dict:
    """Return a label."""
    return {
        "id": str(label.pk),
        "name": label.name,
        "color": COLORS[label.tint - 1],
        "workflowId": str(label.workflow_id),
        "createdDate": in_seconds(label.created_at),
    }


# Cards ------------------------------------------------------------------------------------------------


def _is_due(value: str | None) -> str | None:
    if value is not None and not (_date(value) or _moment(value)):
        raise ValueError("a day (2026-11-20), or a time with its zone (2026-11-20T09:30:00Z)")
    return value


def _date(value: str) -> dt.date | None:
    try:
        return parse_date(value) if len(value) == 10 else None
    except ValueError:
        return None


def _moment(value: str) -> dt.datetime | None:
    try:
        moment = parse_datetime(value)
    except ValueError:
        return None
    return moment if moment and moment.tzinfo and 1 < moment.year < 9999 else None


Due = Annotated[
    str,
    AfterValidator(_is_due),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
            "description": "A day, or a time with its zone.",
            "examples": ["2026-12-01"],
        }
    ),
]
MinorUnits = Annotated[
    int, Field(ge=0, le=LARGEST_VALUE, description="In minor units of the business's currency."), WHOLE
]


class Attachment(Shape):
    """What a card is about: a contact."""

    contact_id: Id
    attachment_id: Id
    value: Id = Field(description="Deprecated twin of contactId.", deprecated=True)
    attachment_type: Literal["ContactType"] = Field(deprecated=True)


class CardInfo(Shape):
    """A card, flat; what is not set is left out."""

    id: Id
    name: str = Field(examples=["Ines Brunet"])
    description: str = None
    primary_attachment: Attachment = None
    due_date: Due = None
    source: str = Field(examples=["My CRM"])
    external_id: str = Field(None, examples=["crm-7"])
    value: MinorUnits = Field(None, examples=[195000])
    number: int = Field(description="The number that people know it by.", examples=[42])
    workflow_id: Id
    phase_id: Id
    revision: int = Field(examples=[3])
    created_date: Moment
    updated_date: Moment
    created_at: Moment = Field(description="Deprecated twin of createdDate.", deprecated=True)
    updated_at: Moment = Field(description="Deprecated twin of updatedDate.", deprecated=True)
    archived_date: Moment = None


class CardShape(Shape):
    """A card with its labels."""

    info: CardInfo
    labels: list[LabelShape]


class CardsList(Shape):
    """The first cards of a phase, from top to bottom, and how many there are."""

    total: int
    cards: list[CardShape]


class NewAttachment(Shape):
    """What a card shall be about: a contact."""

    contact_id: UUID | None = None
    value: UUID | None = Field(None, description="Deprecated twin of contactId.", deprecated=True)
    attachment_id: ReadOnly = None
    attachment_type: ReadOnly = None


class CardFields(Shape):
    """What a program says of a card. Only `name` is needed to make one."""

    name: text(Card, "name", 1) = Field(examples=["Ines Brunet"])
    description: text(Card, "description") | None = Field(None, examples=["Wants an oak table."])
    primary_attachment: NewAttachment | None = Field(None, examples=[{"contactId": EXAMPLE_ID}])
    due_date: Due | None = None
    source: text(Card, "source") | None = Field(None, examples=["My CRM"])
    external_id: text(Card, "external_id") | None = Field(
        None, description="Its id in your system.", examples=["crm-7"]
    )
    value: MinorUnits | None = Field(None, examples=[195000])
    id: ReadOnly = None
    number: ReadOnly = None
    workflow_id: ReadOnly = None
    phase_id: ReadOnly = None
    revision: ReadOnly = None
    created_date: ReadOnly = None
    updated_date: ReadOnly = None
    created_at: ReadOnly = None
    updated_at: ReadOnly = None
    archived_date: ReadOnly = None


class CardPatch(CardFields):
    """What changes of a card: what is left out stays as it is, null empties."""

    name: text(Card, "name", 1) = Field(None, examples=["Ines B."])


CARD_PATHS = {"contact": "primaryAttachment.contactId", "due_time": "dueDate"}
CARD_COLUMNS = (
    "id name description contact_id due_date due_time source external_id value number workflow_id phase_id revision "
    "created_at updated_at archived_at"
).split()


def card_fields(business, info: CardFields) -> dict:
    """Return what was sent of a card as fields of the model; refuses a contact that is not the business's with 404."""
    sent = info.model_fields_set
    fields = {key: getattr(info, key) or "" for key in ("name", "description", "source", "external_id") if key in sent}
    if "value" in sent:
        fields["value"] = info.value
    if "due_date" in sent:
        fields["due_date"], fields["due_time"] = _due(info.due_date, business.zone)
    if "primary_attachment" in sent:
        fields["contact"] = _contact(business, info.primary_attachment)
    return fields


def cards_shape(*lists) -> list[dict]:
    """Return the cards of some querysets with their labels, as plain values: a list is the API's hottest answer."""
    rows = [row for cards in lists for row in cards.values_list(*CARD_COLUMNS)]
    worn = {row[0]: [] for row in rows}
    labels = CardLabel.objects.filter(card__in=worn).order_by(Lower("label__name"), "label")
    columns = ("card_id", "label_id", "label__name", "label__tint", "label__workflow_id", "label__created_at")
    for card, *label in labels.values_list(*columns) if rows else ():
        worn[card].append(_label(*label))
    return [{"info": _info(*row), "labels": worn[row[0]]} for row in rows]


def _contact(business, about: NewAttachment | None):
    wanted = about and (about.contact_id or about.value)
    if not wanted:
        return None
    return find(business.contacts, "CONTACT_NOT_FOUND", pk=wanted)


def _label(pk, name, tint, workflow, created) -> dict:
    return {
        "id": str(pk),
        "name": name,
        "color": COLORS[tint - 1],
        "workflowId": str(workflow),
        "createdDate": in_seconds(created),
    }


def _info(
    pk,
    name,
    description,
    contact,
    day,
    time,
    source,
    external,
    value,
    number,
    workflow,
    phase,
    revision,
    made,
    changed,
    put_away,
) -> dict:
    created, updated = in_seconds(made), in_seconds(changed)
    info = {"id": str(pk), "name": name}
    if description:
        info["description"] = description
    if contact:
        about = str(contact)
        info["primaryAttachment"] = {
            "attachmentId": about,
            "value": about,
            "attachmentType": "ContactType",
            "contactId": about,
        }
    if day:
        info["dueDate"] = _told_due(day, time)
    if external:
        info["externalId"] = external
    if value is not None:
        info["value"] = value
    info |= {
        "source": source,
        "number": number,
        "workflowId": str(workflow),
        "phaseId": str(phase),
        "revision": revision,
        "createdAt": created,
        "updatedAt": updated,
        "createdDate": created,
        "updatedDate": updated,
    }
    if put_away:
        info["archivedDate"] = in_seconds(put_away)
    return info


def _told_due(day: dt.date, time: dt.time | None) -> str:
    """Return a day, or with a time the moment it is on the clock of the business, which the door has set."""
    if time is None:
        return day.isoformat()
    return in_seconds(dt.datetime.combine(day, time, timezone.get_current_timezone()))


def _due(value: str | None, zone) -> tuple[dt.date | None, dt.time | None]:
    if value is None:
        return None, None
    if day := _date(value):
        return day, None
    moment = _moment(value).astimezone(zone)
    return moment.date(), moment.time().replace(microsecond=0)


CardsPerPhase = Annotated[int, Field(ge=0, le=100, description="How many cards each phase comes with.")]

# Phases and workflows ---------------------------------------------------------------------------------


class PhaseInfo(Shape):
    """A phase, flat; what is not set is left out."""

    id: Id
    name: str = Field(examples=["Contacted"])
    description: str = None
    external_id: str = None
    workflow_id: Id
    revision: int = Field(examples=[3])


class PhaseShape(Shape):
    """A phase with the first of its cards."""

    info: PhaseInfo
    cards_list: CardsList


class PhaseFields(Shape):
    """What a program says of a phase."""

    name: text(Phase, "name", 1) = Field(examples=["Contacted"])
    description: text(Phase, "description") | None = Field(None, examples=["We have spoken."])
    external_id: text(Phase, "external_id") | None = Field(None, description="Its id in your system.")
    id: ReadOnly = None
    workflow_id: ReadOnly = None
    revision: ReadOnly = None


class PhasePatch(PhaseFields):
    """What changes of a phase: what is left out stays as it is, null empties."""

    name: text(Phase, "name", 1) = Field(None, examples=["First call"])


class PhasesList(Shape):
    """The phases from left to right; total counts neither the win phase nor cancelled ones."""

    total: int
    phases: list[PhaseShape]


class WorkflowInfo(Shape):
    """A workflow, flat."""

    id: Id
    name: str = Field(examples=["Lead funnel"])
    description: str = Field(examples=["From the first hello to the win."])
    external_id: str = None
    revision: int = Field(examples=[3])
    created_date: Moment
    created_at: Moment = Field(description="Deprecated twin of createdDate.", deprecated=True)
    last_access: Moment = Field(None, description="When somebody last looked at its board.")
    is_deletable: bool = Field(deprecated=True)
    archived_date: Moment = None


class WorkflowFields(Shape):
    """What a program says of a workflow."""

    name: text(Workflow, "name", 1) = Field(examples=["Lead funnel"])
    description: text(Workflow, "description") | None = Field(None, examples=["From the first hello to the win."])
    external_id: text(Workflow, "external_id") | None = Field(None, description="Its id in your system.")
    id: ReadOnly = None
    revision: ReadOnly = None
    created_date: ReadOnly = None
    created_at: ReadOnly = None
    last_access: ReadOnly = None
    is_deletable: ReadOnly = None
    archived_date: ReadOnly = None


class WorkflowPatch(WorkflowFields):
    """What changes of a workflow: what is left out stays as it is, null empties."""

    name: text(Workflow, "name", 1) = Field(None, examples=["Lead funnel 2027"])


class WorkflowShape(Shape):
    """A workflow with its phases, their first cards, and its labels."""

    info: WorkflowInfo
    win_phase: PhaseShape
    phases_list: PhasesList
    cancelled_phases_list: PhasesList = Field(description="Where work ends badly: behind the win phase (ours).")
    labels: list[LabelShape]


def plain_fields(info: Shape, *names: str) -> dict:
    """Return the texts that were sent, null as an empty one."""
    return {name: getattr(info, name) or "" for name in names if name in info.model_fields_set}


def workflow_info(workflow: Workflow) -> dict:
    """Return a workflow, flat."""
    created = in_millis(workflow.created_at)
    info = {"id": str(workflow.pk), "name": workflow.name, "description": workflow.description}
    if workflow.external_id:
        info["externalId"] = workflow.external_id
    info |= {"revision": workflow.revision, "createdDate": created, "createdAt": created, "isDeletable": True}
    if workflow.last_access:
        info["lastAccess"] = in_millis(workflow.last_access)
    if workflow.archived_at:
        info["archivedDate"] = in_millis(workflow.archived_at)
    return info


def workflow_shape(workflow: Workflow, cards_per_phase: int) -> dict:
    """Return the whole tree, each phase with its first cards: five queries, however much there is."""
    phases = list(workflow.phases.all())
    shapes = dict(zip(phases, phases_shape(phases, cards_per_phase), strict=True))
    path = [shapes[phase] for phase in phases if phase.section == Phase.PATH]
    cancelled = [shapes[phase] for phase in phases if phase.is_cancelled]
    return {
        "info": workflow_info(workflow),
        "winPhase": next(shapes[phase] for phase in phases if phase.is_win),
        "phasesList": {"total": len(path), "phases": path},
        "cancelledPhasesList": {"total": len(cancelled), "phases": cancelled},
        "labels": [label_shape(label) for label in workflow.labels.all()],
    }


def phases_shape(phases: list[Phase], cards_per_phase: int) -> list[dict]:
    """Return phases of one workflow, each with its first cards and how many it holds."""
    columns = {str(phase.pk): [] for phase in phases}
    first = Card.objects.on_board().first_of_each(phases if cards_per_phase else [], cards_per_phase)
    for card in cards_shape(first.order_by("rank")):
        column = columns[card["info"]["phaseId"]]
        if len(column) < cards_per_phase:
            column.append(card)
    return [
        {
            "info": phase_info(phase),
            "cardsList": {"total": phase.card_count, "cards": columns[str(phase.pk)]},
        }
        for phase in phases
    ]


def phase_info(phase: Phase) -> dict:
    """Return a phase, flat."""
    info = {"id": str(phase.pk), "name": phase.name}
    if phase.description:
        info["description"] = phase.description
    if phase.external_id:
        info["externalId"] = phase.external_id
    return info | {"workflowId": str(phase.workflow_id), "revision": phase.revision}
