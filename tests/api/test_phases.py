"""Phases over the API."""

import pytest

from boards.models import Card, Phase
from tests.factories import make_card, make_workflow

pytestmark = pytest.mark.django_db
PHASES = "/workflows/v1/phases"


@pytest.fixture
def empty(business):
    """A workflow with nothing but its win phase."""
    return make_workflow(business, "Empty", None)


def of(workflow, more="") -> str:
    return f"/workflows/v1/workflows/{workflow.pk}/phases{more}"


def names(program, workflow, query="") -> list[str]:
    return [phase["info"]["name"] for phase in program.get(of(workflow, query)).body["phases"]]


def make(program, workflow, name, **more) -> str:
    return program.post(of(workflow), {"phase": {"name": name}} | more).body["id"]


# Making -----------------------------------------------------------------------------------------------


def test_without_a_position_a_phase_is_the_last_before_the_win(program, empty):
    for name in "abc":
        make(program, empty, name)
    assert names(program, empty) == ["a", "b", "c"]
    assert empty.phases.last().is_win


def test_a_phase_at_a_place_pushes_the_later_ones_on(program, empty):
    for name, position in (("a", 0), ("b", 0), ("c", 1), ("d", 99)):
        make(program, empty, name, position=position)
    assert names(program, empty) == ["b", "c", "a", "d"]
    answer = program.post(of(empty), {"phase": {"name": "x"}, "position": -1})
    assert (answer.status, answer.fields) == (400, {"position": "MIN"})


def test_a_phase_is_answered_with_what_is_known_of_it(program, empty):
    body = {"phase": {"name": "Contacted", "description": "We have spoken.", "externalId": "stage-1"}}
    made = program.post(of(empty), body).body["id"]
    answer = program.get(f"{PHASES}/{made}")
    assert answer.body["phase"]["info"] == body["phase"] | {"id": made, "workflowId": str(empty.pk), "revision": 1}
    assert answer.body["phase"]["cardsList"] == {"total": 0, "cards": []}
    assert answer.headers["ETag"] == '"1"'


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({}, {"phase": "REQUIRED"}),
        ({"phase": {}}, {"phase.name": "REQUIRED"}),
        ({"phase": {"name": " "}}, {"phase.name": "REQUIRED"}),
        ({"phase": {"name": "x" * 81}}, {"phase.name": "MAX_LENGTH"}),
        ({"phase": {"name": "x", "wipLimit": 3}}, {"phase.wipLimit": "UNKNOWN_FIELD"}),
        ({"phase": {"name": "x"}, "position": "0"}, {"position": "FORMAT"}),
        ({"phase": {"name": "x"}, "position": True}, {"position": "FORMAT"}),
        ({"phase": {"name": "x"}, "position": 0.5}, {"position": "FORMAT"}),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_made(program, empty, sent, wrong):
    answer = program.post(of(empty), sent)
    assert (answer.status, answer.fields) == (400, wrong)
    assert empty.phases.count() == 1


def test_there_are_as_many_phases_as_the_business_may_have(program, empty, business, system):
    business.update(most_phases=2, by=system)
    make(program, empty, "a")
    make(program, empty, "b")
    answer = program.post(of(empty), {"phase": {"name": "c"}})
    assert (answer.status, answer.code) == (403, "MAX_PHASES_REACHED")


def test_an_archived_workflow_takes_no_phase(program, empty, system):
    empty.archive(by=system)
    answer = program.post(of(empty), {"phase": {"name": "x"}})
    assert (answer.status, answer.code) == (409, "WORKFLOW_ARCHIVED")


# Listing ----------------------------------------------------------------------------------------------


def test_the_list_holds_the_active_phases_from_left_to_right(program, workflow):
    Phase.objects.filter(pk=workflow.win_phase.pk).update(name="Solved")
    listed = program.get(of(workflow)).body
    told = [phase["info"]["name"] for phase in listed["phases"]]
    assert told == list(workflow.phases.filter(section=Phase.PATH).values_list("name", flat=True))
    assert listed["pagination"] == {"limit": 50, "offset": 0, "total": 5, "count": 5}


def test_the_list_is_paged_sorted_and_narrowed(program, empty):
    for name in ("b", "A", "a", "B"):
        program.post(of(empty), {"phase": {"name": name, "externalId": f"stage-{name}"}})
    assert names(program, empty, "?sort=name:asc") == ["A", "B", "a", "b"]
    assert names(program, empty, "?sort=name:desc&limit=2&offset=1") == ["a", "B"]
    assert names(program, empty, "?limit=0") == []
    assert names(program, empty, "?externalId=stage-a") == ["a"]
    assert program.get(of(empty, "?sort=position:asc")).code == "UNSUPPORTED_SORT"


def test_phases_come_with_their_first_cards(program, workflow):
    phase = workflow.phases.first()
    cards = [make_card(phase, f"Card {number}") for number in range(4)]

    def first(path):
        answer = program.get(path).body
        cards_list = (answer.get("phase") or answer["phases"][0])["cardsList"]
        return cards_list["total"], [card["info"]["name"] for card in cards_list["cards"]]

    assert first(of(workflow, "?cardsPerPhase=2")) == (4, ["Card 0", "Card 1"])
    assert first(f"{PHASES}/{phase.pk}?cardsPerPhase=1") == (4, ["Card 0"])
    assert first(f"{PHASES}/{phase.pk}") == (4, [card.name for card in cards])
    assert program.get(of(workflow, "?cardsPerPhase=101")).fields == {"cardsPerPhase": "MAX"}


# Changing ---------------------------------------------------------------------------------------------


def test_only_what_was_sent_changes_and_null_empties(program, workflow):
    phase = workflow.phases.first()
    path = f"{PHASES}/{phase.pk}"
    assert program.patch(path, {"phase": {"description": "We have spoken."}}).body == {}
    assert program.patch(path, {"phase": {"name": "Spoken to"}}).body == {}
    phase.refresh_from_db()
    assert (phase.name, phase.description) == ("Spoken to", "We have spoken.")
    assert program.patch(path, {"phase": {"description": None}}).body == {}
    phase.refresh_from_db()
    assert (phase.name, phase.description) == ("Spoken to", "")
    assert program.patch(path, {"phase": {"name": None}}).fields == {"phase.name": "FORMAT"}


def test_the_win_phase_may_be_renamed(program, workflow):
    assert program.patch(f"{PHASES}/{workflow.win_phase.pk}", {"phase": {"name": "Solved"}}).status == 200
    tree = program.get(f"/workflows/v1/workflows/{workflow.pk}").body["workflow"]
    assert tree["winPhase"]["info"]["name"] == "Solved"


def test_an_older_revision_is_refused_and_shown_the_phase_as_it_is(program, workflow):
    phase = workflow.phases.first()
    path = f"{PHASES}/{phase.pk}"
    tag = program.get(path).headers["ETag"]
    program.patch(path, {"phase": {"name": "Spoken to"}})
    for answer in (
        program.patch(path, {"phase": {"name": "Mine"}}, If_Match=tag),
        program.post(of(workflow, f"/{phase.pk}/move"), {"newPosition": 2}, If_Match=tag),
        program.delete(path, If_Match=tag),
    ):
        assert (answer.status, answer.code) == (412, "ALREADY_CHANGED")
        assert answer.data["phase"]["info"]["name"] == "Spoken to"
    stale = program.patch(path, {"phase": {"name": "Mine"}, "revision": 1})
    assert (stale.status, stale.data["phase"]["info"]["revision"]) == (409, 2)


# Moving -----------------------------------------------------------------------------------------------


def test_a_phase_moves_to_any_active_place(program, empty):
    ids = {name: make(program, empty, name) for name in "abcd"}
    for name, position, order in (("a", 2, "bcad"), ("d", 0, "dbca"), ("b", 1, "dbca"), ("d", 99, "bcad")):
        assert program.post(of(empty, f"/{ids[name]}/move"), {"newPosition": position}).body == {}
        assert "".join(names(program, empty)) == order
    assert program.post(of(empty, f"/{ids['a']}/move"), {}).fields == {"newPosition": "REQUIRED"}
    assert program.post(of(empty, f"/{ids['a']}/move"), {"newPosition": -1}).fields == {"newPosition": "MIN"}


def test_the_win_phase_stays_where_it_is(program, workflow):
    win = workflow.win_phase
    for answer in (
        program.post(of(workflow, f"/{win.pk}/move"), {"newPosition": 0}),
        program.delete(f"{PHASES}/{win.pk}"),
    ):
        assert (answer.status, answer.code) == (400, "WIN_PHASE_STAYS")
    assert workflow.phases.last() == win


def test_a_phase_is_moved_in_its_own_workflow_only(program, workflow, empty):
    phase = workflow.phases.first()
    answer = program.post(of(empty, f"/{phase.pk}/move"), {"newPosition": 0})
    assert (answer.status, answer.code) == (404, "PHASE_NOT_FOUND")


# Deleting ---------------------------------------------------------------------------------------------


def test_a_phase_is_deleted_with_its_cards_archived_ones_too(program, workflow, system):
    phase, second = workflow.phases.all()[:2]
    make_card(phase).archive(by=system)
    make_card(phase)
    stays = make_card(second)
    assert program.delete(f"{PHASES}/{phase.pk}").body == {}
    assert list(Card.objects.all()) == [stays]
    assert program.get(f"{PHASES}/{phase.pk}").code == "PHASE_NOT_FOUND"
    assert [one.position for one in workflow.phases.filter(section=Phase.PATH)] == list(range(4))


# External ids -----------------------------------------------------------------------------------------


def test_a_phase_is_put_under_an_external_id_and_keeps_its_place(program, empty):
    make(program, empty, "a")
    path = of(empty, "/by-external-id/stage/2")
    made = program.put(path, {"phase": {"name": "b"}, "position": 0}).body
    assert made["created"]
    assert program.put(path, {"phase": {"name": "c"}, "position": 9}).body == {"id": made["id"], "created": False}
    assert names(program, empty) == ["c", "a"]


def test_blanks_around_an_external_id_mean_nothing(program, empty):
    made = program.put(of(empty, "/by-external-id/%20stage-2%20"), {"phase": {"name": "b"}}).body
    again = program.put(of(empty, "/by-external-id/stage-2"), {"phase": {"name": "b"}}).body
    assert (made["created"], again) == (True, {"id": made["id"], "created": False})


def test_an_external_id_stands_for_one_phase_of_the_business(program, empty, business):
    other = make_workflow(business, "Other", None)
    program.put(of(empty, "/by-external-id/stage-2"), {"phase": {"name": "b"}})
    answer = program.put(of(other, "/by-external-id/stage-2"), {"phase": {"name": "b"}})
    assert (answer.status, answer.code) == (409, "EXTERNAL_ID_TAKEN")
