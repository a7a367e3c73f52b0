"""Somebody who knows the document of the API and means no good: schemathesis, with the token of a role."""

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import Status, events, from_schema

from accounts.openapi import document
from accounts.rest import NULL_CHARACTER
from automations.api.events_in import WHICH_CARD
from config.api import api

# What a request that fits the document may be refused with all the same: the document cannot say what a card lacks, which
# of several fields must be there, what the query language takes, or that no text in an object of any shape holds a null.
UNSAID = re.compile(
    "CLOSING_NEEDED|MISSING_FACTS|OTHER_WORKFLOW|WIN_PHASE_STAYS|INSUFFICIENT_CONTACT_DATA|ILLEGAL_SOURCE_CONTACTS|"
    "CANNOT_HAVE_MULTIPLE_PRIMARY_INFO|NULL_CHARACTER|MALFORMED_FILTER|UNSUPPORTED_.*|MALFORMED_DATE|MAX_.*_REACHED|"
    "TEMPLATE_EXISTS|FORM_EMPTY"
)
# … nor what a letter may name, which addresses are called and written to, which of two fields goes with the other, or
# that a day lies in the past.
UNSAID_RULES = {"TEMPLATE", "NAME", "FILTER", "LONG", "URL", "ONLY", "BIRTHDATE", "MANY"}
# … nor which parts of a definition go together, and with what there is; nor how much a ruleset of ours may do, for of those
# for other systems, which are only kept, more is taken.
UNSAID_OF_DEFINITIONS = {
    "DUPLICATE_STATUS",
    "NOTHING_BEFORE_WIN",
    "STATUS_UNDECLARED",
    "TIMEOUT_TO_NOWHERE",
    "TIMEOUT_TO_SELF",
}
UNSAID_OF_DEFINITIONS |= {
    "CARDS_NEED_STEP",
    "CARDS_INSIDE",
    "ENTITY_TAKEN",
    "VERSION_SKIPPED",
    "RULE_NOT_FOUND",
    "RULE_PROPS_INVALID",
    "NULL_CHARACTER",
    "TOO_DEEP",
    "TOO_LONG",
    "TOO_MANY",
}


@dataclass
class Fuzz:
    """What came of it: how many requests got which status, and what was wrong."""

    statuses: Counter = field(default_factory=Counter)
    operations: Counter = field(default_factory=Counter)
    findings: dict[str, str] = field(default_factory=dict)

    def __str__(self):
        told = ", ".join(f"{count} × {status}" for status, count in sorted(self.statuses.items()))
        return f"{self.statuses.total()} requests to {len(self.operations)} operations: {told}"


def fuzz(server: str, secret: str, *, examples: int, seed: int, seconds: float | None = None) -> Fuzz:
    """Send what the document allows, and what it does not, in every phase; return what came of it.

    examples: per operation and phase; seconds: when to stop at the latest.
    """
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": server,
            "headers": {"Authorization": f"Bearer {secret}"},
            "continue-on-failure": True,
            "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
        }
    )
    config.projects.default.max_time = seconds
    schema = schemathesis.openapi.from_dict(document(api), config=config)
    found = Fuzz()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(found, event.recorder)
        elif isinstance(event, events.NonFatalError):
            found.findings.setdefault(f"{event.label}: {event.info.title}", event.info.format())
        elif isinstance(event, events.FatalError):
            raise event.exception
    return found


_keys = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Make most keys new ones: what was asked under a key before is refused, and so never reaches what it asks for."""
    key = (case.headers or {}).get("Idempotency-Key", "")
    is_about_headers = getattr(case.meta.phase.data, "parameter_location", None) == ParameterLocation.HEADER
    if not is_about_headers and re.fullmatch("[!-~]{1,190}", key) and next(_keys) % 8:
        case.headers["Idempotency-Key"] = f"{key}-{next(_keys)}"


def _note(found: Fuzz, recorder) -> None:
    for key, interaction in recorder.interactions.items():
        if interaction.response is not None:
            found.statuses[interaction.response.status_code] += 1
            found.operations[recorder.cases[key].value.operation.label] += 1
    for key, checks in recorder.checks.items():
        for check in checks:
            if check.status == Status.FAILURE and not _is_unsaid(check, recorder.interactions[key].response):
                failure = check.failure_info.failure
                name = f"{recorder.cases[key].value.operation.label}: {check.name}: {failure.title}"
                answer = recorder.interactions[key].response
                told = f"{answer.status_code} {answer.content.decode()[:500]}"
                found.findings.setdefault(name, f"{failure.message}\n{check.failure_info.code_sample}\n{told}")


def _is_unsaid(check, response) -> bool:
    if check.name == "negative_data_rejection":
        return "" in response.request.headers.values()  # the server drops a header without a value
    if check.name == "ensure_resource_availability":
        return bool(response.request.body)  # a 404 may be about what the body names
    if check.name != "positive_data_acceptance":
        return False
    if "errors" in response.json():
        return response.json()["errors"][0]["message"] in (NULL_CHARACTER[1], WHICH_CARD)
    if "error" in response.json():
        wrong = {one["code"] for one in response.json()["error"]["workflowValidationError"] if one["type"] == "ERROR"}
        return wrong <= UNSAID_OF_DEFINITIONS
    details = response.json()["details"]
    if "validationError" in details:
        wrong = details["validationError"]["fieldViolations"]
        if all(one["ruleName"] in UNSAID_RULES or "valid email" in one["description"] for one in wrong):
            return True
        fields = [one["field"] for one in wrong]
        return fields == ["revision"] and "If-Match" not in response.request.headers  # one of the two must be there
    return response.status_code == 412 or bool(UNSAID.fullmatch(details["applicationError"]["code"]))
