"""What rules add to a move: none, ten and a hundred that wait for another phase, ten of which one acts, and ten of a design."""

from accounts.actor import Actor
from automations.models import Rule
from boards.models import Draft
from tests.benchmarks.cost import Cost
from tests.benchmarks.one_move import across
from tests.benchmarks.stage import Stage
from tests.benchmarks.table import show


def run(stage: Stage) -> None:
    """Print what a move into another column costs with rules that heed it."""
    workflow = stage.board(50, 50)
    ask, requests, rows = across(stage, workflow), 60 if stage.quick else 300, []
    elsewhere, here = workflow.phases.all()[4].name, workflow.phases.all()[1].name
    alone = None
    for count, acting in ((0, 0), (10, 0), (100, 0), (10, 1)):
        stage.business.rules.all().delete()
        for number in range(count):
            _write(stage, here if number < acting else elsewhere)
        cost = Cost.of(stage.server, ask, requests)
        alone = alone or cost
        name = f"{count} rules{', one acts on every second move' if acting else ''}"
        goal = "≤ 3" if count == 10 and not acting else None
        rows.append([name, cost.web, cost.database or None, cost.web - alone.web, goal, cost.wall])
    stage.business.rules.all().delete()
    _publish(workflow, elsewhere, 10)
    cost = Cost.of(stage.server, ask, requests)
    rows.append(["10 rulesets of its design", cost.web, cost.database or None, cost.web - alone.web, "≤ 3", cost.wall])
    stage.business.rules.all().delete()
    show("A move and its rules", ["", "web CPU ms", "database CPU ms", "added", "goal", "wall ms"], rows)


def _write(stage: Stage, phase: str) -> None:
    document = {
        "trigger": "state_changed",
        "conditions": [{"field": "new_state", "value": phase}, {"field": "value", "op": "is_empty"}],
        "actions": [{"type": "set_field", "field": "source", "value": phase}],
    }
    Rule.create(stage.business, document, by=Actor.system(stage.business))


def _publish(workflow, phase: str, count: int) -> None:
    by = Actor.system(workflow.business)
    first = workflow.publish(Draft.running(workflow), by=by)
    rules = [{"name": "set_field", "props": {"field": "source", "value": phase}}]
    rulesets = [{"name": f"E{number}", "triggers": [{"status": phase}], "rules": rules} for number in range(count)]
    workflow.refresh_from_db()
    workflow.publish(Draft.of_document(workflow, first.document | {"rulesets": rulesets}), by=by)
