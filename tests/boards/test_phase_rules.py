"""The rules of a step are read and changed on the workflow's page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Event
from boards.models import Field, Phase, Trigger
from tests.factories import actor

FUNNEL = "/brightside/workflows/lead-funnel/"
HTMX = {"HX-Request": "true", "HX-Target": "steps"}


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def trigger(business, owner):
    return Trigger.create(business, name="Quote sent", by=actor(owner))


@pytest.fixture
def phase(workflow):
    return workflow.phases.all()[1]


def sent(phase, **rules):
    """Return the form of a step with its rules as a browser sends it."""
    return {"name": phase.name, "stage": phase.stage, "description": "", "rules": "1", "wip_policy": "soft"} | rules


def test_all_rules_are_set_at_once_and_shown_again(workflow, phase, manager, staff, trigger, browse):
    field = Field.create(workflow, name="Colour", by=actor(manager))
    lost = Phase.create(workflow, name="Lost", stage="cancelled", by=actor(manager))
    client = browse(manager)
    rules = {
        "trigger": str(trigger.pk),
        "wip_limit": "5",
        "wip_policy": "hard",
        "stale_days": "3",
        "required": ["contact", f"field:{field.pk}"],
        "default_assignee": str(staff.pk),
        "checklist_lines": "Measure\r\n\r\n Call back ",
        "timeout_hours": "48",
        "timeout_to": str(lost.pk),
    }
    answer = client.post(f"{FUNNEL}phases/{phase.pk}/update/", sent(phase, **rules))
    assert answer.status_code == 302
    phase = Phase.objects.get(pk=phase.pk)
    assert (phase.trigger, phase.wip_limit, phase.wip_policy, phase.stale_days) == (trigger, 5, "hard", 3)
    assert (phase.required, phase.default_assignee) == (["contact", f"field:{field.pk}"], staff)
    assert (phase.checklist_lines, phase.timeout_hours, phase.timeout_to) == (["Measure", "Call back"], 48, lost)
    assert Event.objects.about(phase).first().name == "phase.updated"
    page = said(client.get(FUNNEL, {"open": phase.pk}, headers=HTMX))
    assert '<details class="rules-of" open>' in page
    for word in ("selected>Quote sent<", 'value="48"', "Measure Call back</textarea>", "selected>Tomás Rivera<"):
        assert word in page


def test_what_is_emptied_is_gone_and_saving_again_is_no_news(phase, manager, trigger, browse):
    phase.update(trigger=trigger, wip_limit=2, required=["contact"], checklist_lines=["A"], by=actor(manager))
    client = browse(manager)
    for _ in range(2):
        client.post(f"{FUNNEL}phases/{phase.pk}/update/", sent(phase))
    now = Phase.objects.get(pk=phase.pk)
    assert (now.trigger, now.wip_limit, now.required, now.checklist_lines) == (None, None, [], [])
    assert Event.objects.about(phase).filter(name="phase.updated").count() == 2


def test_who_sends_no_rules_changes_none(phase, manager, trigger, browse):
    phase.update(trigger=trigger, required=["contact"], by=actor(manager))
    browse(manager).post(f"{FUNNEL}phases/{phase.pk}/update/", {"name": "Called", "stage": "new"})
    now = Phase.objects.get(pk=phase.pk)
    assert (now.name, now.trigger, now.required) == ("Called", trigger, ["contact"])


@pytest.mark.parametrize(
    ("rules", "wrong"),
    [
        ({"wip_limit": "0"}, "At least 1. Left empty, there is none."),
        ({"wip_limit": "many"}, "Write a whole number."),
        ({"wip_policy": "circus"}, "Select a valid choice"),
        ({"stale_days": "99999"}, "At most 3,650."),
        ({"required": ["circus"]}, "Select a valid choice"),
        ({"trigger": "nonsense"}, "Select a valid choice"),
        ({"timeout_hours": "-1"}, "At least 1. Left empty, there is none."),
        ({"checklist_lines": "x" * 301}, "At most 300 characters fit on a line."),
        ({"checklist_lines": "\n".join(map(str, range(51)))}, "At most 50 items; these are 51."),
    ],
)
def test_a_senseless_rule_is_told_at_its_field_and_kept(phase, manager, browse, rules, wrong):
    answer = browse(manager).post(
        f"{FUNNEL}phases/{phase.pk}/update/", sent(phase, description="Kept", **rules), headers=HTMX
    )
    assert answer.status_code == 422
    assert wrong in said(answer)
    assert "Kept</textarea>" in said(answer)
    assert '<details class="rules-of" open>' in said(answer)


def test_what_belongs_to_others_cannot_be_chosen(phase, manager, stranger, browse):
    theirs = Trigger.create(stranger.business, name="Theirs", by=actor(stranger))
    for rules in ({"trigger": str(theirs.pk)}, {"default_assignee": str(stranger.pk)}, {"timeout_to": str(phase.pk)}):
        answer = browse(manager).post(f"{FUNNEL}phases/{phase.pk}/update/", sent(phase, **rules))
        assert answer.status_code == 422
        assert "Select a valid choice" in said(answer)


def test_a_retired_trigger_stays_where_it_is_waited_for(workflow, phase, manager, trigger, browse):
    phase.update(trigger=trigger, by=actor(manager))
    trigger.retire(by=actor(manager))
    client = browse(manager)
    assert "selected>Quote sent<" in said(client.get(FUNNEL, {"open": phase.pk}))
    other = workflow.phases.first()
    assert "Quote sent<" not in said(client.get(FUNNEL, {"open": other.pk})).split("rules-of")[1].split("</select>")[0]


def test_the_end_waits_for_nothing(workflow, manager, browse):
    page = said(browse(manager).get(FUNNEL, {"open": workflow.win_phase.pk}))
    assert "Card limit" in page
    assert "Moves on when" not in page.split("rules-of")[1]
    assert "Stale after" not in page


def test_the_steps_say_what_moves_their_cards_on_and_how_many_they_hold(phase, manager, staff, trigger, browse):
    phase.update(trigger=trigger, wip_limit=5, by=actor(manager))
    page = said(browse(staff).get(FUNNEL))
    assert "Moves on when <b>Quote sent</b>" in page
    assert "at most 5" in page


def test_rules_cost_no_queries_in_the_list(workflow, manager, trigger, browse):
    client = browse(manager)

    def queries():
        with CaptureQueriesContext(connection) as counted:
            client.get(FUNNEL)
        return len(counted)

    queries()
    little = queries()
    for phase in workflow.phases.all():
        phase.update(trigger=trigger, wip_limit=3, by=actor(manager))
    assert queries() == little
