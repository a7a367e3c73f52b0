"""Rules over the API: documents in and out, tried, switched, and the runs they leave."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automations.models import Rule, Run
from boards import publishing
from boards.models import Card
from tests.api.program import program_of
from tests.boards.test_definitions import document, status
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db(transaction=True)
RULES, RUNS, BOOK = "/automations/v1/rules", "/automations/v1/runs", "/automations/v1/rulebook"
DOCUMENT = {
    "trigger": "state_changed",
    "conditions": {"new_state": "delayed"},
    "actions": [{"type": "add_comment", "text": "Sorry"}],
}
HELLO = {"trigger": "card_created", "actions": [{"type": "add_comment", "text": "Hello"}]}


def made(program, document=DOCUMENT, **fields) -> str:
    return program.post(RULES, {"rule": {"document": document, **fields}}).body["id"]


def test_a_document_comes_back_as_it_was_sent(program, workflow):
    pk = made(program, name="Late", workflowId=str(workflow.pk), state="watch")
    rule = program.get(f"{RULES}/{pk}").body["rule"]
    assert rule["document"] == DOCUMENT
    assert (rule["name"], rule["workflowId"], rule["state"], rule["version"]) == ("Late", str(workflow.pk), "watch", 1)
    assert rule["problems"] == ["There is no phase “delayed”."]


def test_a_rule_made_by_a_program_acts(program, workflow):
    made(program, HELLO)
    card = make_card(workflow.phases.first())
    assert [comment.text for comment in card.comments.all()] == ["Hello"]
    (run,) = program.get(f"{RUNS}?cardId={card.pk}").body["runs"]
    assert (run["state"], run["steps"], run["cardName"]) == ("done", ["Added a comment"], card.name)


def test_a_rule_is_changed_and_switched_and_deleted(program, workflow):
    pk = made(program, workflowId=str(workflow.pk))
    assert program.patch(f"{RULES}/{pk}", {"rule": {"name": "Late", "state": "off"}, "version": 1}).body == {}
    rule = Rule.objects.get()
    assert (rule.name, rule.state, rule.document, rule.workflow) == ("Late", "off", DOCUMENT, workflow)
    program.patch(f"{RULES}/{pk}", {"rule": {"workflowId": None, "document": HELLO}})
    rule.refresh_from_db()
    assert (rule.workflow, rule.document, rule.version) == (None, HELLO, 2)
    stale = program.patch(f"{RULES}/{pk}", {"rule": {"document": DOCUMENT}, "version": 1})
    assert (stale.status, stale.code, stale.data["rule"]["version"]) == (409, "ALREADY_CHANGED", 2)
    assert program.get(f"{RULES}/{pk}").headers["ETag"] == '"2"'
    for answer in (
        program.patch(f"{RULES}/{pk}", {"rule": {"state": "on"}}, If_Match='"1"'),
        program.delete(f"{RULES}/{pk}", If_Match='"1"'),
    ):
        assert (answer.status, answer.code) == (412, "ALREADY_CHANGED")
    assert program.delete(f"{RULES}/{pk}").status == 200
    assert program.get(f"{RULES}/{pk}").code == "RULE_NOT_FOUND"


@pytest.mark.parametrize(
    ("document", "part"),
    [
        ({}, "trigger"),
        ({**HELLO, "else": 1}, ""),
        ({**HELLO, "trigger": "moon"}, "trigger"),
        ({**HELLO, "conditions": {"moon": 1}}, "conditions"),
        ({**HELLO, "actions": []}, "actions"),
        ({**HELLO, "workflow": "Elsewhere"}, "workflow"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_at_its_part(program, document, part):
    pk = made(program)
    for answer in (
        program.post(RULES, {"rule": {"document": document}}),
        program.patch(f"{RULES}/{pk}", {"rule": {"document": document}}) if document else None,
    ):
        if answer:
            assert (answer.status, answer.code, answer.data) == (400, "UNSUPPORTED_RULE", {"part": part})
    assert Rule.objects.get().document == DOCUMENT


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({}, "rule.document"),
        ({"document": []}, "rule.document"),
        ({"document": HELLO, "state": "armed"}, "rule.state"),
        ({"document": HELLO, "else": 1}, "rule.else"),
    ],
)
def test_a_request_that_makes_no_sense_names_the_field(program, rule, field):
    answer = program.post(RULES, {"rule": rule})
    assert answer.status == 400
    assert field in answer.fields
    assert not Rule.objects.exists()


def test_a_business_has_so_many_rules_and_no_more(program, settings):
    settings.RULES_MOST = 1
    made(program)
    answer = program.post(RULES, {"rule": {"document": HELLO}})
    assert (answer.status, answer.code) == (403, "MAX_RULES_REACHED")
    answer = program.post(BOOK, {"rules": [{"rule": HELLO}] * 2})
    assert (answer.status, answer.code) == (403, "MAX_RULES_REACHED")


def test_a_rule_is_tried_and_nothing_stays(program, workflow):
    card = make_card(workflow.phases.first())
    trial = program.post(f"{RULES}/{made(program, HELLO)}/try", {"cardId": str(card.pk)}).body
    assert trial == {"reason": "", "steps": ["Added a comment"], "shown": [], "error": ""}
    assert not card.comments.exists()
    assert not Run.objects.exists()


def test_a_trial_shows_a_card_only_to_who_may_see_it_and_its_contact(owner, program, workflow):
    path = f"{RULES}/{made(program, HELLO)}/try"
    body = {"cardId": str(make_card(workflow.phases.first()).pk)}
    scopes = ["AUTOMATION_MANAGE", "CARD_VIEW", "CONTACT_VIEW"]
    assert program_of(owner, *scopes).post(path, body).status == 200
    for missing in scopes:
        assert program_of(owner, *(set(scopes) - {missing})).post(path, body).status == 403


def test_what_failed_is_tried_again(program, workflow):
    made(program, {"trigger": "card_created", "actions": [{"type": "add_label", "label": "Oak"}]})
    card = make_card(workflow.phases.first())
    (run,) = program.get(f"{RUNS}?state=failed").body["runs"]
    assert run["reason"] == "There is no label “Oak”."
    label = workflow.labels.first()
    label.update(name="Oak", by=Run.objects.get().actor)
    assert program.post(f"{RUNS}/{run['id']}/retry").body == {}
    assert list(Card.objects.get(pk=card.pk).labels.all()) == [label]
    assert program.post(f"{RUNS}/{run['id']}/retry").code == "RUN_NOT_FAILED"


def test_a_run_is_shown_and_one_that_waits_is_stopped(program, workflow):
    wait = {"type": "wait", "for": "3 days"}
    made(program, {"trigger": "card_created", "actions": [wait, *HELLO["actions"]]})
    make_card(workflow.phases.first())
    path = f"{RUNS}/{Run.objects.get().pk}"
    assert program.get(path).body["run"].items() >= {"state": "waiting", "steps": ["Waited 3 days"]}.items()
    assert program.post(f"{path}/stop").body == program.post(f"{path}/stop").body == {}
    assert program.get(path).body["run"]["state"] == "cancelled"


def test_all_rules_go_out_and_come_in_as_one_document(program, foreigner):
    made(program, name="Late")
    made(program, HELLO)
    book = program.get(BOOK).body
    assert len(foreigner.post(BOOK, book).body["ids"]) == 2
    assert [one["rule"] for one in foreigner.get(BOOK).body["rules"]] == [DOCUMENT, HELLO]
    assert {rule["state"] for rule in foreigner.get(RULES).body["rules"]} == {"off"}
    refused = foreigner.post(BOOK, {"rules": [{"name": "Odd", "rule": {}}]})
    assert (refused.status, refused.body["message"].startswith("Odd: ")) == (400, True)


def test_rules_are_listed_in_parts(program, workflow):
    for name in ("B", "A", "C"):
        made(program, name=name, **({"workflowId": str(workflow.pk)} if name == "C" else {}))
    part = program.get(f"{RULES}?limit=2").body
    assert [rule["name"] for rule in part["rules"]] == ["A", "B"]
    assert part["pagination"] == {"limit": 2, "offset": 0, "total": 3, "count": 2}
    assert [rule["name"] for rule in program.get(f"{RULES}?workflowId={workflow.pk}").body["rules"]] == ["C"]


def test_long_lists_ask_no_more_of_the_database(program, workflow):
    asked = []
    for count in (2, 6):
        for _ in range(count):
            made(program, HELLO, workflowId=str(workflow.pk))
            make_card(workflow.phases.first())
        with CaptureQueriesContext(connection) as captured:
            assert len(program.get(RULES).body["rules"]) == Rule.objects.count()
            assert len(program.get(RUNS).body["runs"]) == Run.objects.count()
        asked.append(len(captured))
    assert asked[0] == asked[1]


def test_another_business_finds_and_changes_nothing(program, foreigner, workflow):
    pk = made(program, HELLO)
    card = make_card(workflow.phases.first())
    run = Run.objects.get().pk
    for answer in (
        foreigner.get(f"{RULES}/{pk}"),
        foreigner.patch(f"{RULES}/{pk}", {"rule": {"name": "Mine"}}),
        foreigner.delete(f"{RULES}/{pk}"),
        foreigner.post(f"{RULES}/{pk}/try", {"cardId": str(card.pk)}),
        foreigner.post(f"{RUNS}/{run}/retry"),
        foreigner.get(f"{RUNS}/{run}"),
        foreigner.post(RULES, {"rule": {"document": HELLO, "workflowId": str(workflow.pk)}}),
        program.post(f"{RULES}/{uuid.uuid4()}/try", {"cardId": str(card.pk)}),
    ):
        assert answer.status == 404
    assert foreigner.get(RULES).body["rules"] == foreigner.get(RUNS).body["runs"] == []


def test_to_look_at_rules_is_not_to_change_them(owner, program):
    pk = made(program, HELLO)
    looking = program_of(owner, "AUTOMATION_VIEW")
    assert looking.get(f"{RULES}/{pk}").status == looking.get(RUNS).status == 200
    for answer in (
        looking.post(RULES, {"rule": {"document": HELLO}}),
        looking.patch(f"{RULES}/{pk}", {"rule": {"state": "off"}}),
        looking.delete(f"{RULES}/{pk}"),
    ):
        assert answer.code == "PERMISSION_DENIED"


def test_a_rule_that_a_design_brought_along_is_switched_but_not_written(program, business, manager):
    greet = {"name": "Greet", "triggers": [], "rules": [{"name": "archive_card", "props": None}]}
    told = document(status("Booked"), status("Sent", "DONE"), rulesets=[greet])
    publishing.put(business, told, by=actor(manager))
    (rule,) = program.get(RULES).body["rules"]
    assert (rule["name"], rule["designVersion"]) == ("Greet", "1.0")
    at = f"{RULES}/{rule['id']}"
    assert program.patch(at, {"rule": {"state": "off"}}).status == 200
    for refused in (program.patch(at, {"rule": {"name": "Mine"}}), program.delete(at)):
        assert (refused.status, refused.code) == (409, "RULE_OF_DESIGN")
    assert program.get(BOOK).body["rules"] == []
    rule = Rule.objects.get()
    assert (rule.name, rule.state) == ("Greet", "off")
