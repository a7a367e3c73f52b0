"""Rules over the API: as documents, one by one or all at once, tried on a card."""

from contextlib import contextmanager
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from ninja import Query, Router
from pydantic import Field

from accounts.policy import may, require
from accounts.rest import (
    Id,
    Made,
    Moment,
    Nothing,
    Offset,
    Pagination,
    ReadOnly,
    Refused,
    Revision,
    Shape,
    expected,
    find,
    in_millis,
    mark,
    operation,
    text,
)
from accounts.verbs import Stale, in_one
from automations import exchange
from automations.api.shapes import Page, part_of, require_to_see_cards
from automations.document import for_readers
from automations.models import Rule
from automations.trying import try_on

router = Router(tags=["Rules"])

State = Literal["on", "watch", "off"]
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
CODES = {"too_many": (403, "MAX_RULES_REACHED"), "of_design": (409, "RULE_OF_DESIGN")}


class RuleFields(Shape):
    """A rule; without a name it is called by its trigger, without a workflow it is for all of them."""

    id: ReadOnly = None
    name: text(Rule, "name") | None = None
    workflow_id: UUID | None = None
    state: State | None = Field(None, description="on, off, or watch: it only says what it would have done.")
    document: Document
    version: ReadOnly = None
    design_version: ReadOnly = None
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
    version: Revision = None


class RuleShape(Shape):
    """A rule; problems, where one is asked for: what its document names that is not there."""

    id: Id
    name: str
    workflow_id: Id | None = None
    state: State
    document: dict[str, Any]
    version: int
    design_version: str = Field(None, description="Of the design that brought it along, as in 1.3.")
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


def find_rule(request, rule) -> Rule:
    """Return the business's rule, or refuse with 404."""
    rules = request.business.rules.select_related("workflow", "business", "definition").defer("definition__document")
    return find(rules, "RULE_NOT_FOUND", pk=rule)


def show_rule(request, rule) -> dict:
    """Return a rule as it is now."""
    return {"rule": _shape(request, find_rule(request, rule))}


@operation(router, "GET", "/rules", verb="rule.view", answers=Rules)
def list_rules(request, wanted: Query[WantedRules]):
    """List the rules of the business."""
    asked = {"workflow": wanted.workflow_id, "state": wanted.state}
    rows = request.business.rules.filter(**{key: value for key, value in asked.items() if value})
    rows = rows.select_related("definition").defer("definition__document").order_by("name", "pk")
    shown, pagination = part_of(rows, wanted, lambda rule: _shape(request, rule))
    return {"rules": shown, "pagination": pagination}


@operation(router, "POST", "/rules", verb="rule.create", answers=Made, inside="rule", codes=CODES)
def create_rule(request, body: NewRule):
    """Create a rule from its document; what the document names that is not there yet is told as a problem of it."""
    sent, workflow = body.rule, _workflow(request, body.rule.workflow_id)
    named = {"name": sent.name or "", "workflow": workflow, "state": sent.state or "on"}
    with _in_words():
        rule = Rule.create(request.business, sent.document, **named, by=request.actor)
    return {"id": str(rule.pk)}


@operation(router, "GET", "/rules/{rule}", verb="rule.view", answers=RuleAnswer, shows=show_rule)
def get_rule(request, rule: UUID):
    """Get a rule, its document as it was written; of an address it calls, only the host, unless the token may change it."""
    found = find_rule(request, rule)
    mark(request, found.version)
    return {"rule": _shape(request, found) | {"problems": found.problems}}


@operation(
    router,
    "PATCH",
    "/rules/{rule}",
    verb="rule.update",
    answers=Nothing,
    inside="rule",
    shows=show_rule,
    codes=CODES,
)
def update_rule(request, rule: UUID, body: ChangedRule):
    """Change a rule, or switch it; runs that wait finish as they began. A null takes the workflow away.

    A rule that a design brought along (it has a designVersion) can be switched; what it says is changed by putting the
    design's next version, and here refused with 409 RULE_OF_DESIGN.
    """
    found, sent = find_rule(request, rule), body.rule
    changes = {key: getattr(sent, key) for key in ("name", "document") if getattr(sent, key)}
    if "workflow_id" in sent.model_fields_set:
        changes["workflow"] = _workflow(request, sent.workflow_id)

    version = expected(request, body.version)

    def change():
        if changes or version is not None:
            found.update(version=version, by=request.actor, **changes)
        if sent.state:
            found.switch(sent.state, by=request.actor)

    with _in_words():
        in_one(change)
    return {}


@operation(router, "DELETE", "/rules/{rule}", verb="rule.delete", answers=Nothing, shows=show_rule, codes=CODES)
def delete_rule(request, rule: UUID):
    """Delete a rule; what it did stays in the log. One that a design brought along goes with its design: 409."""
    find_rule(request, rule).delete_for_good(version=expected(request), by=request.actor)
    return {}


@operation(router, "POST", "/rules/{rule}/try", verb="rule.update", answers=TrialShape)
def try_rule(request, rule: UUID, body: OnCard):
    """Try a rule on a card as it stands: what it would do and send. Nothing of it stays, nothing leaves.

    What is shown tells of the card and its contact, so the token must be let see both.
    """
    require_to_see_cards(request)
    card = find(request.business.cards.select_related("phase"), "CARD_NOT_FOUND", pk=body.card_id)
    trial = try_on(find_rule(request, rule), card)
    return {"reason": trial.reason, "steps": trial.steps, "shown": trial.shown, "error": trial.error}


@operation(router, "GET", "/rulebook", verb="rule.view", answers=Rulebook)
def export_rules(request):
    """Get all rules as one document, to be kept or taken into another business.

    It holds the whole addresses that rules call, so the token must be let make rules too.
    """
    require(request.actor, "rule.create")
    return exchange.export(request.business)


@operation(router, "POST", "/rulebook", verb="rule.create", answers=Imported, codes=CODES)
def import_rules(request, body: Rulebook):
    """Make the rules of such a document, all or none, switched off, beside those that are there.

    The message says of each rule that cannot be taken why: it makes no sense, or is for a workflow that is not there.
    """
    with _in_words():
        made = exchange.import_all(request.business, {"rules": body.rules}, by=request.actor)
    return {"ids": [str(rule.pk) for rule in made]}


@contextmanager
def _in_words():
    """Say of a document that makes no sense which part of it, and why."""
    try:
        yield
    except ValidationError as error:
        parts = getattr(error, "error_dict", {})
        if isinstance(error, Stale) or (not parts and getattr(error, "code", "") in CODES):
            raise
        part = next(iter(parts), "")
        raise Refused(400, "UNSUPPORTED_RULE", " ".join(error.messages), part=part) from None


def _workflow(request, pk):
    return find(request.business.workflows, "WORKFLOW_NOT_FOUND", pk=pk) if pk is not None else None


def _shape(request, rule: Rule) -> dict:
    workflow = {"workflowId": str(rule.workflow_id)} if rule.workflow_id else {}
    return {
        "id": str(rule.pk),
        "name": rule.name,
        **workflow,
        **({"designVersion": rule.definition.version} if rule.definition else {}),
        "state": rule.state,
        "document": rule.document if may(request.actor, "rule.update") else for_readers(rule.document),
        "version": rule.version,
        "createdDate": in_millis(rule.created_at),
        "updatedDate": in_millis(rule.updated_at),
    }
