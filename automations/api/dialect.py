"""How programs are spoken to under /api/v4.1: the error bodies, times and statuses of the Workflow API v4.1."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

from accounts.openapi import SAYS, code, refuses
from accounts.rest import Dialect, Refused, Shape
from boards.definitions import Problem

ROOT = "/api/v4.1"
UNFIT = "UNFIT_DEFINITION"  # never told by itself: what is wrong has codes of its own
NOBODY = "0.0"  # the entity of a request that came to nothing
LONGEST_MESSAGE = 2000
TYPES = {"error": "ERROR", "warning": "WARN"}
# It knows 200, 400, 401, 403, 404 and 500, and those that hang on nothing of it: 405 and 429.
INSTEAD = {408: 400, 409: 400, 412: 400, 413: 400, 415: 400}


# What may be wrong with a definition: the code, what locates it, and why.
ERRORS = {
    "KEY_MISSING": ("key, path", "something is not said that must be"),
    "KEY_UNKNOWN": ("key, path", "something is said that means nothing here"),
    "TYPE_INVALID": ("path, expected", "a value is of another kind than it must be"),
    "TOO_LONG": ("path, max", "a text is longer than it may be"),
    "TOO_MANY": ("path, max", "a list has more entries than it may"),
    "TOO_DEEP": ("path, max", "props or settings are nested too deep"),
    "VERSION_INVALID": ("version, path", "the version is not written as in 1.4"),
    "VERSION_STALE": ("version, newest", "its major is past"),
    "VERSION_SKIPPED": ("version, newest", "another major comes before it"),
    "ENTITY_TYPE_MISSING": ("", "the entity type is not said"),
    "ENTITY_TYPE_UNKNOWN": ("entityType", "there is no such entity type"),
    "ENTITY_SUBTYPE_INVALID": (
        "entitySubtype, path",
        "the entity subtype is empty, too long, or has other signs than A-Z a-z 0-9 _ . -",
    ),
    "ENTITY_TAKEN": ("name", "another workflow of the business is of this type and subtype"),
    "STATUS_NAME_INVALID": ("name, path", "the name of a status begins or ends with a blank"),
    "CATEGORY_UNKNOWN": ("category, path", "there is no such category"),
    "DUPLICATE_STATUS": ("entityType, name", "statuses of one entity type have the same name, whatever their capitals"),
    "NO_NAME": ("statuses", "a step has no name"),
    "NOTHING_BEFORE_WIN": ("", "no status is one in which work can begin"),
    "TIMEOUT_TO_NOWHERE": ("status, timeoutTo", "cards go to a status that there is not when their time is up"),
    "TIMEOUT_TO_SELF": ("statuses", "cards go to where they are when their time is up"),
    "RULESET_NAME_INVALID": ("name, path", "the name of a ruleset is empty or has blanks"),
    "EVENT_TYPE_UNKNOWN": ("eventType, path", "there is no such event type"),
    "STATUS_UNDECLARED": ("ruleset, status, path", "a trigger names a status that there is not"),
    "RULE_NOT_FOUND": ("name", "there is no such rule"),
    "RULE_PROPS_INVALID": ("ruleset, name, path, reason", "a rule cannot do anything with its props"),
    "CARDS_NEED_STEP": ("statuses", "statuses go that hold cards: say in `moveCards` where these go"),
    "CARDS_INSIDE": ("status, cards", "a status with cards cannot become a cancelled one, nor the other way round"),
}
WARNINGS = {
    "UNUSED_CATEGORY_FOUND": ("categories", "nothing leads to a status"),
    "CREATE_RULESET_MISSING": ("entityType", "no ruleset is called Create"),
    "CREATED_STATUS_MISSING": ("entityType", "no status is called CREATED"),
    "LIBRARY_STATUS_UNKNOWN": ("status, name", "the library has no such status: it is left out"),
    "TRIGGER_UNKNOWN": ("status, name", "the library has no such trigger: it is left out"),
    "FACT_UNKNOWN": ("status, name", "cards have no such fact: it is left out"),
    "ASSIGNEE_UNKNOWN": ("status, name", "the business has no such member: they are left out"),
    "NO_TRIGGER": ("statuses", "nothing moves cards on from there but people"),
    "TRIGGER_WITHOUT_NEXT": ("statuses", "a trigger moves no card, for nothing comes after"),
    "TIMEOUT_WITHOUT_NEXT": ("statuses", "a time limit moves no card, for nothing comes after"),
    "LIMIT_BELOW_CARDS": ("statuses", "more cards will stand there than its limit"),
    "STATUS_UNREACHABLE": ("statuses", "no card comes there"),
    "TRIGGER_RETIRED": ("status, name", "the trigger was retired"),
    "FACT_NOT_FILLED": ("status, facts", "nothing fills in what a card needs there"),
    "NAMED_ROW_MISSING": (
        "ruleset, name, path, missing",
        "a rule names a label, a person or the like that is not there",
    ),
    "REASON_MISSING": (
        "ruleset, name, path, status",
        "a rule ends work badly and says no reason: it will be refused there",
    ),
    "RULESETS_FIGHT": ("rulesets, status, to", "two rulesets lead the same cards to different statuses"),
    "RULESETS_CIRCLE": ("rulesets", "rulesets set each other off in a circle"),
}
for _name, (_, _why) in ERRORS.items():
    code(_name, 400, why=f"{_why} (a definition)")
code("NO_RETAILER", 401, why="the number in the request is not that of the token's business")
code("DEFINITION_NOT_FOUND", 404, why="the business has no such workflow, or it has no such version")
code("ENTITY_MISSING", 400, why="it is not said which card an event is for")
refuses("card.signal card.plan_report", "NO_RETAILER CARD_NOT_FOUND ENTITY_MISSING CARD_ARCHIVED WORKFLOW_ARCHIVED")
refuses("card.plan_report", "MAX_REPORTS_REACHED")
refuses(
    "workflow.publish", f"NO_RETAILER MAX_WORKFLOWS_REACHED MAX_PHASES_REACHED WORKFLOW_ARCHIVED {' '.join(ERRORS)}"
)


class WorkflowValidationError(Shape):
    """One thing that is wrong: its code, and what locates it."""

    type: Literal["ERROR", "WARN"]
    code: str
    attributes: dict[str, Any]


class ErrorMessage(Shape):
    """What is wrong, one by one, and all of it in words."""

    code: int
    message: str
    workflow_validation_error: list[WorkflowValidationError]


class Failure(Shape):
    """Nothing was saved; warnings alone would not have stood in the way."""

    entity_id: Literal["0.0"]
    event_status: Literal["FAILED"]
    error: ErrorMessage
    warning: ErrorMessage = None


class ErrorCode(Shape):
    """A status and what it means."""

    code: str
    message: str


class Errors(Shape):
    """Why there is no answer."""

    errors: list[ErrorCode]


def in_offset(moment: datetime) -> str:
    """Return a time as this dialect tells it: 2019-07-10T05:21:25.712+0000."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+0000"


def refusal_of(problems: Iterable[Problem]) -> Refused:
    """Return the refusal of a definition, with all that is wrong with it."""
    told = [_entry(one) | {"text": one.text} for one in problems]
    says = " ".join(one["text"] for one in told if one["type"] == "ERROR")
    return Refused(400, UNFIT, says, problems=told)


def warning_of(problems: Iterable[Problem]) -> dict:
    """Return what there is to look at in a definition that was saved."""
    warnings = [_entry(one) | {"text": one.text} for one in problems if one.severity == "warning"]
    return {"warning": _message(warnings)} if warnings else {}


def of(method: str, path: str) -> Dialect:
    """Return how an address under ROOT tells what it refuses."""
    return PUTTING if (method, path) == ("PUT", f"{ROOT}/workflow") else READING


def refuse_another_retailer(request, number: str | None, account: str = "") -> None:
    """Refuse a number or an address that is not the token's business; none at all is told elsewhere, or means its own."""
    if number not in (None, str(request.business.number)) or account.casefold() not in ("", request.business.slug):
        raise Refused(401, "NO_RETAILER", "InvalidInput, Logged in user has no retailer")


def _entry(problem: Problem) -> dict:
    return {"type": TYPES[problem.severity], "code": problem.code, "attributes": problem.attributes}


def _message(told: list[dict], status: int = 400, says: str = "") -> dict:
    """Return an ErrorMessage; told: entries, with or without their words."""
    says = says or " ".join(one["text"] for one in told)
    entries = [{key: one[key] for key in ("type", "code", "attributes")} for one in told]
    return {"code": status, "message": says[:LONGEST_MESSAGE], "workflowValidationError": entries}


def _as_failure(status: int, body: dict) -> dict:
    """Tell a refusal of a PUT: every error, and every warning beside them."""
    told = _problems(body["details"])
    errors, warnings = ([one for one in told if one["type"] == kind] for kind in ("ERROR", "WARN"))
    failure = {"entityId": NOBODY, "eventStatus": "FAILED"}
    failure |= {"error": _message(errors, status, body["message"].removeprefix(": ") or SAYS[status])}
    return failure | ({"warning": _message(warnings)} if warnings else {})


def _problems(details: dict) -> list[dict]:
    """Return what our envelope says as entries of this dialect."""
    if "validationError" in details:
        wrong = details["validationError"]["fieldViolations"]
        return [{"type": "ERROR", "code": "TYPE_INVALID", "attributes": {"path": one["field"]}} for one in wrong]
    refusal = details.get("applicationError")
    if refusal is None:
        return []
    return refusal["data"].get("problems") or [
        {"type": "ERROR", "code": refusal["code"], "attributes": refusal["data"]}
    ]


def _as_errors(status: int, body: dict) -> dict:
    """Tell any other refusal: its status, in words."""
    return {"errors": [{"code": str(status), "message": body["message"] or SAYS[status]}]}


_UNFIT = {
    "entityId": NOBODY,
    "eventStatus": "FAILED",
    "error": {
        "code": 400,
        "message": "There is no rule FLUENTRETAIL.base.ChangeStatus.",
        "workflowValidationError": [
            {"type": "ERROR", "code": "RULE_NOT_FOUND", "attributes": {"name": "FLUENTRETAIL.base.ChangeStatus"}}
        ],
    },
    "warning": {
        "code": 400,
        "message": "No ruleset and no step before it leads to: HDSTATUS.",
        "workflowValidationError": [
            {
                "type": "WARN",
                "code": "UNUSED_CATEGORY_FOUND",
                "attributes": {"categories": [{"name": "HDSTATUS", "entityType": "ORDER", "category": "BOOKING"}]},
            }
        ],
    },
}
PUTTING = Dialect(Failure, _as_failure, _UNFIT, INSTEAD)
READING = Dialect(Errors, _as_errors, {"errors": [{"code": "400", "message": "The request cannot be read."}]}, INSTEAD)
