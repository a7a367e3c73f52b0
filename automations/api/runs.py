"""Runs over the API: what rules did, and why they did not; trying again, stopping."""

from typing import Literal
from uuid import UUID

from ninja import Query, Router

from accounts.rest import Id, Moment, Nothing, Offset, Pagination, Shape, find, in_millis, operation
from automations.api.shapes import Page, part_of
from automations.models import Run
from automations.models.run import STATES

router = Router(tags=["Rules"])

CODES = {"state": (409, "RUN_NOT_FAILED")}
RunState = Literal[tuple(state for state, _ in STATES)]


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


class RunAnswer(Shape):
    """One evaluation of a rule."""

    run: RunShape


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


def find_run(request, run) -> Run:
    """Return the business's run, or refuse with 404."""
    return find(request.business.runs, "RUN_NOT_FOUND", pk=run)


@operation(router, "GET", "/runs", verb="rule.view", answers=Runs)
def list_runs(request, wanted: Query[WantedRuns]):
    """List what rules did, and why they did not."""
    asked = {"rule": wanted.rule_id, "card": wanted.card_id, "state": wanted.state}
    rows = request.business.runs.filter(**{key: value for key, value in asked.items() if value})
    shown, pagination = part_of(rows.order_by("-began_at", "-pk"), wanted, _shape)
    return {"runs": shown, "pagination": pagination}


@operation(router, "GET", "/runs/{run}", verb="rule.view", answers=RunAnswer)
def get_run(request, run: UUID):
    """Get one run."""
    return {"run": _shape(find_run(request, run))}


@operation(router, "POST", "/runs/{run}/retry", verb="run.retry", answers=Nothing, codes=CODES)
def retry_run(request, run: UUID):
    """Try a failed run again, from the action that failed."""
    find_run(request, run).retry(by=request.actor)
    return {}


@operation(router, "POST", "/runs/{run}/stop", verb="run.cancel", answers=Nothing)
def stop_run(request, run: UUID):
    """Let a run that waits go on no more; of one that has ended it is no news."""
    find_run(request, run).cancel(by=request.actor)
    return {}


def _shape(run: Run) -> dict:
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
