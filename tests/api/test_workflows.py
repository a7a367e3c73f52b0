"""Workflows over the API."""

import pytest

from boards.models import Workflow
from tests.factories import make_card, make_workflow

pytestmark = pytest.mark.django_db
BASE = "/workflows/v1/workflows"


def test_a_workflow_is_made_with_its_win_phase_and_nothing_else(program, business):
    answer = program.post(BASE, {"workflow": {"name": "Lead Funnel", "description": "Where leads are."}})

    assert (answer.status, list(answer.body)) == (200, ["id"])
    tree = program.get(f"{BASE}/{answer.body['id']}").body["workflow"]
    assert tree["info"] | {"name": "Lead Funnel", "description": "Where leads are."} == tree["info"]
    assert tree["winPhase"]["info"]["name"] == "Win"
    assert tree["winPhase"]["cardsList"] == {"total": 0, "cards": []}
    assert tree["phasesList"] == {"total": 0, "phases": []}
    assert tree["labels"] == []


def test_times_are_told_to_the_millisecond_in_utc_and_twice(program, workflow):
    info = program.get(f"{BASE}/{workflow.pk}").body["workflow"]["info"]
    assert info["createdDate"] == info["createdAt"]
    assert info["createdDate"].endswith("Z")
    assert len(info["createdDate"]) == len("2026-11-20T09:30:00.123Z")
    assert "lastAccess" not in info


def test_the_last_access_is_when_somebody_looked_at_the_board(program, workflow, browse, owner):
    browse(owner).get(f"/brightside/boards/{workflow.slug}/")
    assert program.get(f"{BASE}/{workflow.pk}").body["workflow"]["info"]["lastAccess"].endswith("Z")


def test_an_empty_description_is_sent_and_an_archived_workflow_is_not_listed(program, business, workflow):
    make_workflow(business, "Gone").archive(by=_system(business))
    listed = program.get(BASE).body
    assert [info["name"] for info in listed["workflows"]] == ["Lead funnel"]
    assert listed["workflows"][0]["description"] == ""
    assert listed["pagination"] == {"limit": 1, "offset": 0, "total": 1, "count": 1}


def test_the_list_is_sorted_by_code_point_and_paged(program, business):
    for name in ("beta", "Alpha", "alpha", "Beta"):
        make_workflow(business, name, None)
    names = lambda path: [info["name"] for info in program.get(path).body["workflows"]]  # noqa: E731
    assert names(BASE) == ["Alpha", "Beta", "alpha", "beta"]
    assert names(f"{BASE}?sort=name:desc&limit=2&offset=1") == ["alpha", "Beta"]
    assert program.get(f"{BASE}?limit=2&offset=1").body["pagination"] == {
        "limit": 2,
        "offset": 1,
        "total": 4,
        "count": 2,
    }
    assert program.get(f"{BASE}?sort=colour:asc").code == "UNSUPPORTED_SORT"


def test_each_phase_comes_with_its_first_cards_and_how_many_there_are(program, workflow):
    first, second = workflow.phases.all()[:2]
    for number in range(12):
        make_card(first, f"Card {number}")
    make_card(second, "Alone")
    win = make_card(workflow.win_phase, "Won")
    tree = program.get(f"{BASE}/{workflow.pk}").body["workflow"]
    columns = tree["phasesList"]["phases"]
    assert columns[0]["cardsList"]["total"] == 12
    assert [card["info"]["name"] for card in columns[0]["cardsList"]["cards"]] == [f"Card {n}" for n in range(10)]
    assert [card["info"]["name"] for card in columns[1]["cardsList"]["cards"]] == ["Alone"]
    assert [card["info"]["id"] for card in tree["winPhase"]["cardsList"]["cards"]] == [str(win.pk)]
    assert tree["phasesList"]["total"] == 5

    few = program.get(f"{BASE}/{workflow.pk}?cardsPerPhase=2").body["workflow"]["phasesList"]["phases"][0]
    assert [card["info"]["name"] for card in few["cardsList"]["cards"]] == ["Card 0", "Card 1"]
    none = program.get(f"{BASE}/{workflow.pk}?cardsPerPhase=0").body["workflow"]["phasesList"]["phases"][0]
    assert none["cardsList"] == {"total": 12, "cards": []}


def test_only_what_was_sent_changes(program, workflow):
    path = f"{BASE}/{workflow.pk}"
    assert program.patch(path, {"workflow": {"description": "New words"}}).body == {}
    workflow.refresh_from_db()
    assert (workflow.name, workflow.description) == ("Lead funnel", "New words")
    program.patch(path, {"workflow": {"description": None}})
    workflow.refresh_from_db()
    assert workflow.description == ""


def test_a_workflow_is_deleted_for_good_with_its_phases_and_cards(program, workflow):
    make_card(workflow.phases.first())
    assert program.delete(f"{BASE}/{workflow.pk}").body == {}
    assert not Workflow.objects.filter(pk=workflow.pk).exists()
    assert program.get(f"{BASE}/{workflow.pk}").code == "WORKFLOW_NOT_FOUND"


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({}, {"workflow": "REQUIRED"}),
        ({"workflow": {}}, {"workflow.name": "REQUIRED"}),
        ({"workflow": {"name": ""}}, {"workflow.name": "REQUIRED"}),
        ({"workflow": {"name": "  "}}, {"workflow.name": "REQUIRED"}),
        ({"workflow": {"name": "x" * 121}}, {"workflow.name": "MAX_LENGTH"}),
        ({"workflow": {"name": "Funnel", "owner": "me"}}, {"workflow.owner": "UNKNOWN_FIELD"}),
        ({"workflow": {"name": 7}}, {"workflow.name": "FORMAT"}),
    ],
)
def test_a_wrong_field_is_named_by_its_path_and_nothing_is_made(program, business, sent, wrong):
    answer = program.post(BASE, sent)
    assert (answer.status, answer.fields) == (400, wrong)
    assert not business.workflows.exists()


def test_what_is_read_only_may_be_sent_back_and_is_ignored(program, workflow):
    tree = program.get(f"{BASE}/{workflow.pk}").body["workflow"]
    answer = program.patch(f"{BASE}/{workflow.pk}", {"workflow": {**tree["info"], "name": "Leads", "id": "other"}})
    assert answer.status == 200
    workflow.refresh_from_db()
    assert (workflow.name, str(workflow.pk)) == ("Leads", tree["info"]["id"])


def test_the_older_address_is_the_same_place(program, workflow):
    older = program.get(f"/workflows/api/v1/workflows/{workflow.pk}")
    assert older.body == program.get(f"{BASE}/{workflow.pk}").body


def test_a_workflow_is_put_under_an_external_id_again_and_again(program, business):
    path = f"{BASE}/by-external-id/crm/funnel 7"
    made = program.put(path, {"workflow": {"name": "Leads"}}).body
    again = program.put(path, {"workflow": {"name": "Leads 2027"}}).body
    assert (made["created"], again) == (True, {"id": made["id"], "created": False})
    listed = program.get(f"{BASE}?externalId=crm/funnel 7").body["workflows"]
    assert [(info["name"], info["externalId"]) for info in listed] == [("Leads 2027", "crm/funnel 7")]


def test_an_external_id_stands_for_one_workflow(program):
    program.post(BASE, {"workflow": {"name": "Leads", "externalId": "7"}})
    answer = program.post(BASE, {"workflow": {"name": "Other", "externalId": "7"}})
    assert (answer.status, answer.code) == (409, "EXTERNAL_ID_TAKEN")


def test_an_older_revision_is_refused_and_shown_what_is_true_now(program, workflow):
    path = f"{BASE}/{workflow.pk}"
    tag = program.get(path).headers["ETag"]
    program.patch(path, {"workflow": {"name": "Leads"}})

    missed = program.patch(path, {"workflow": {"name": "Mine"}}, If_Match=tag)
    assert (missed.status, missed.code) == (412, "ALREADY_CHANGED")
    assert missed.data["workflow"]["info"]["name"] == "Leads"
    stale = program.patch(path, {"workflow": {"name": "Mine"}, "revision": 1})
    assert (stale.status, stale.data["workflow"]["info"]["name"]) == (409, "Leads")
    present = program.get(path).headers["ETag"]
    assert program.patch(path, {"workflow": {"name": "Mine"}}, If_Match=present).status == 200


def test_the_limit_of_a_business_is_answered_with_403(program, business, owner):
    business.update(most_workflows=1, by=_system(business))
    assert program.post(BASE, {"workflow": {"name": "One"}}).status == 200
    answer = program.post(BASE, {"workflow": {"name": "Two"}})
    assert (answer.status, answer.code) == (403, "MAX_WORKFLOWS_REACHED")


def _system(business):
    from accounts.actor import Actor

    return Actor.system(business)
