"""Somebody who knows the document of the API and means no good: schemathesis, with the token of a role."""

from collections import Counter
from dataclasses import dataclass, field

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from accounts.openapi import document
from config.api import api

# What a valid request may be refused with all the same: the document cannot say what a card lacks or where it stands.
STATE = {
    "CLOSING_NEEDED",
    "MISSING_FACTS",
    "OTHER_WORKFLOW",
    "WIN_PHASE_STAYS",
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


def _note(found: Fuzz, recorder) -> None:
    for key, interaction in recorder.interactions.items():
        if interaction.response is not None:
            found.statuses[interaction.response.status_code] += 1
            found.operations[recorder.cases[key].value.operation.label] += 1
    for key, checks in recorder.checks.items():
        for check in checks:
            if check.status == Status.FAILURE and not _is_refused_by_state(check, recorder.interactions[key].response):
                failure = check.failure_info.failure
                name = f"{recorder.cases[key].value.operation.label}: {check.name}: {failure.title}"
                found.findings.setdefault(name, f"{failure.message}\n{check.failure_info.code_sample}")


def _is_refused_by_state(check, response) -> bool:
    if check.name != "positive_data_acceptance":
        return False
    details = response.json()["details"]
    return details.get("applicationError", {}).get("code") in STATE
