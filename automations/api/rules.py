"""Rules over the API: as documents, one by one or all at once, tried on a card; and the runs they leave."""

from contextlib import contextmanager
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from ninja import Query, Router
from pydantic import Field

from accounts.policy import require
from accounts.rest import (
    WHOLE,
    Id,
    Made,
    Moment,
    Nothing,
    Offset,
    Pagination,
    ReadOnly,
    Refused,
    Shape,
    find,
    in_millis,
    operation,
    paged,
    text,
)
from accounts.verbs import Stale, in_one
from automations import exchange
from automations.models import Rule, Run
from automations.models.run import STATES as RUN_STATES
from automations.trying import try_on

router = Router(tags=["Rules"])

State = Literal["on", "watch", "off"]
RunState = Literal[tuple(state for state, _ in RUN_STATES)]
Page = Annotated[int, Field(ge=1, le=1000)]
EXAMPLE = {
    "trigger": "state_changed",
    "conditions": {"new_state": "delayed"},
    "actions": [{"type": "add_comment", "text": "Sorry"}],
}
Document = Annotated[
    dict[str, Any],
    Field(description="trigger, conditions and actions, kept as they come: see the example.", examples=[EXAMPLE]),
]
# What no schema of a document can say is refused with one code, at its part.
CODES = {"state": (409, "RUN_NOT_FAILED"), "many": (403, "MAX_RULES_REACHED")}


class RuleFields(Shape):
    """A rule; without a name it is called by its trigger, without a workflow it is for all of them."""

    id: ReadOnly = None
    name: text(Rule, "name") | None = None
    workflow_id: UUID | None = None
    state: State | None = Field(None, description="on, off, or watch: it only says what it would have done.")
    document: Document
    version: ReadOnly = None
    problems: ReadOnly = None
    created_date: ReadOnly = None
    updated_date: ReadOnly = None


class RulePatch(RuleFields):
    """What changes of a rule: what is left out stays as it is."""

    document: Document | None = None


class NewRule(Shape):
    """A rule to make."""

    rule: RuleFields


class ChangedRule(Shape):
    """What changes of a rule."""

    rule: RulePatch
    version: Annotated[int | None, Field(ge=1, le=2**31 - 1, description="The version that was read last."), WHOLE] = (
        None
    )


class RuleShape(Shape):
    """A rule; problems, where one is asked for: what its document names that is not there."""

    id: Id
    name: str
    workflow_id: Id | None = None
    state: State
    document: dict[str, Any]
    version: int
    problems: list[str] | None = None
    created_date: Moment
    updated_date: Moment


class RuleAnswer(Shape):
    """A rule."""

    rule: RuleShape


class WantedRules(Shape):
    """Which rules to list, by name."""

    workflow_id: UUID | None = None
    state: State | None = None
    limit: Page = 50
    offset: Offset = 0


class Rules(Shape):
    """A part of the list of rules."""

    rules: list[RuleShape]
    pagination: Pagination


class OnCard(Shape):
    """The card on which a rule is tried."""

    card_id: UUID


class TrialShape(Shape):
    """What a rule would do: nothing for a reason, or its steps, what would leave, and what it would stumble over."""

    reason: str
    steps: list[str]
    shown: list[dict[str, Any]]
    error: str


class Rulebook(Shape):
    """All rules of a business, as one document."""

    rules: Annotated[list[dict[str, Any]], Field(max_length=1000, examples=[[{"name": "Say sorry", "rule": EXAMPLE}]])]


class Imported(Shape):
    """The ids of the rules that were made, all of them switched off."""

    ids: list[Id]


class RunShape(Shape):
    """One evaluation of a rule, or of a phase by itself: what was done, or why nothing was."""

    id: Id
    rule_id: Id | None = None
    name: str
    card_id: Id | None = None
    card_name: str
    state: RunState
    reason: str
    steps: list[str]
    began_date: Moment
    wakes_date: Moment | None = None


class WantedRuns(Shape):
    """Which runs to list, newest first."""

    rule_id: UUID | None = None
    card_id: UUID | None = None
    state: RunState | None = None
    limit: Page = 50
    offset: Offset = 0


class Runs(Shape):
    """A part of the log."""

    runs: list[RunShape]
    pagination: Pagination


def find_rule(request, rule) -> Rule:
    """Return the business's rule, or refuse with 404."""
    return find(request.business.rules.select_related("workflow", "business"), "RULE_NOT_FOUND", pk=rule)


@operation(router, "GET", "/rules", verb="rule.view", answers=Rules)
def list_rules(request, wanted: Query[WantedRules]):
    """List the rules of the business."""
    asked = {"workflow": wanted.workflow_id, "state": wanted.state}
    rows = request.business.rules.filter(**{key: value for key, value in asked.items() if value})
    rows = rows.order_by("name", "pk")
    shown = [_shape(rule) for rule in rows[wanted.offset : wanted.offset + wanted.limit]]
    return {"rules": shown, "pagination": paged(wanted.limit, wanted.offset, rows.count(), len(shown))}


@operation(router, "POST", "/rules", verb="rule.create", answers=Made, inside="rule", codes=CODES)
def create_rule(request, body: NewRule):
    """Create a rule from its document; what the document names that is not there yet is told as a problem of it."""
    sent, workflow = body.rule, _workflow(request, body.rule.workflow_id)
    named = {"name": sent.name or "", "workflow": workflow, "state": sent.state or "on"}
    with _in_words():
        rule = Rule.create(request.business, sent.document, **named, by=request.actor)
    return {"id": str(rule.pk)}


@operation(router, "GET", "/rules/{rule}", verb="rule.view", answers=RuleAnswer)
def get_rule(request, rule: UUID):
    """Get a rule, its document as it was written."""
    found = find_rule(request, rule)
    return {"rule": _shape(found) | {"problems": found.problems}}


@operation(router, "PATCH", "/rules/{rule}", verb="rule.update", answers=Nothing, inside="rule", codes=CODES)
def update_rule(request, rule: UUID, body: ChangedRule):
    """Change a rule, or switch it; runs that wait finish as they began. A null takes the workflow away."""
    found, sent = find_rule(request, rule), body.rule
    changes = {key: getattr(sent, key) for key in ("name", "document") if getattr(sent, key)}
    if "workflow_id" in sent.model_fields_set:
        changes["workflow"] = _workflow(request, sent.workflow_id)

    def change():
        if changes:
            found.update(version=body.version, by=request.actor, **changes)
        if sent.state:
            found.switch(sent.state, by=request.actor)

    with _in_words():
        in_one(change)
    return {}


@operation(router, "DELETE", "/rules/{rule}", verb="rule.delete", answers=Nothing)
def delete_rule(request, rule: UUID):
    """Delete a rule; what it did stays in the log."""
    find_rule(request, rule).delete_for_good(by=request.actor)
    return {}


@operation(router, "POST", "/rules/{rule}/try", verb="rule.update", answers=TrialShape)
def try_rule(request, rule: UUID, body: OnCard):
    """Try a rule on a card as it stands: what it would do and send. Nothing of it stays, nothing leaves.

    What is shown tells of the card and its contact, so the token must be let see both.
    """
    for seen in ("card.view", "contact.view"):
        require(request.actor, seen)
    card = find(request.business.cards.select_related("phase"), "CARD_NOT_FOUND", pk=body.card_id)
    trial = try_on(find_rule(request, rule), card)
    return {"reason": trial.reason, "steps": trial.steps, "shown": trial.shown, "error": trial.error}


@operation(router, "GET", "/rulebook", verb="rule.view", answers=Rulebook)
def export_rules(request):
    """Get all rules as one document, to be kept or taken into another business."""
    return exchange.export(request.business)


@operation(router, "POST", "/rulebook", verb="rule.create", answers=Imported, codes=CODES)
def import_rules(request, body: Rulebook):
    """Make the rules of such a document, all or none, switched off, beside those that are there."""
    with _in_words():
        made = exchange.import_all(request.business, {"rules": body.rules}, by=request.actor)
    return {"ids": [str(rule.pk) for rule in made]}


@operation(router, "GET", "/runs", verb="rule.view", answers=Runs)
def list_runs(request, wanted: Query[WantedRuns]):
    """List what rules did, and why they did not."""
    asked = {"rule": wanted.rule_id, "card": wanted.card_id, "state": wanted.state}
    rows = request.business.runs.filter(**{key: value for key, value in asked.items() if value})
    shown = [_run(run) for run in rows.order_by("-began_at", "-pk")[wanted.offset : wanted.offset + wanted.limit]]
    return {"runs": shown, "pagination": paged(wanted.limit, wanted.offset, rows.count(), len(shown))}


@operation(router, "POST", "/runs/{run}/retry", verb="run.retry", answers=Nothing, codes=CODES)
def retry_run(request, run: UUID):
    """Try a failed run again, from the action that failed."""
    find(request.business.runs, "RUN_NOT_FOUND", pk=run).retry(by=request.actor)
    return {}


@contextmanager
def _in_words():
    """Say of a document that makes no sense which part of it, and why."""
    try:
        yield
    except ValidationError as error:
        parts = getattr(error, "error_dict", {})
        if isinstance(error, Stale) or (not parts and error.code in CODES):
            raise
        part = next(iter(parts), "")
        raise Refused(400, "UNSUPPORTED_RULE", " ".join(error.messages), part=part) from None


def _workflow(request, pk):
    return find(request.business.workflows, "WORKFLOW_NOT_FOUND", pk=pk) if pk is not None else None


def _shape(rule: Rule) -> dict:
    workflow = {"workflowId": str(rule.workflow_id)} if rule.workflow_id else {}
    return {
        "id": str(rule.pk),
        "name": rule.name,
        **workflow,
        "state": rule.state,
        "document": rule.document,
        "version": rule.version,
        "createdDate": in_millis(rule.created_at),
        "updatedDate": in_millis(rule.updated_at),
    }


def _run(run: Run) -> dict:
    seen = {
        "id": str(run.pk),
        "ruleId": run.rule_id and str(run.rule_id),
        "name": run.name,
        "cardId": run.card_id and str(run.card_id),
        "cardName": run.card_name,
        "state": run.state,
        "reason": run.reason,
        "steps": run.steps,
        "beganDate": in_millis(run.began_at),
        "wakesDate": run.wakes_at and in_millis(run.wakes_at),
    }
    return {key: value for key, value in seen.items() if value is not None}
