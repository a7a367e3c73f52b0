"""Cards over the API, their labels, and many at once."""

import uuid

import pytest

from accounts.actor import Actor
from accounts.models import Event
from boards.models import Card, Field, Phase
from tests.factories import make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db
CARDS = "/workflows/v1/cards"


@pytest.fixture
def phase(workflow):
    """The first phase of the funnel."""
    return workflow.phases.first()


def into(phase) -> str:
    return f"/workflows/v1/workflows/{phase.workflow_id}/phases/{phase.pk}/cards"


def listed(program, workflow, query="") -> list[str]:
    return [card["info"]["name"] for card in program.get(_list(workflow, query)).body["cards"]]


def _list(workflow, query=""):
    return f"/workflows/v1/workflows/{workflow.pk}/cards{query}"


def system(business):
    return Actor.system(business)


# Making -----------------------------------------------------------------------------------------------


def test_a_card_is_made_with_everything_a_program_knows_of_it(program, phase, business):
    contact = make_contact(business)
    made = program.post(
        into(phase),
        {
            "card": {
                "name": "Ines Brunet",
                "description": "Wants an oak table.",
                "primaryAttachment": {"contactId": str(contact.pk)},
                "dueDate": "2027-01-31",
                "source": "My CRM",
                "externalId": "crm-7",
                "value": 195000,
            }
        },
    )
    assert (made.status, list(made.body)) == (200, ["id"])
    card = program.get(f"{CARDS}/{made.body['id']}").body["card"]
    assert card["labels"] == []
    info = card["info"]
    about = str(contact.pk)
    assert info["primaryAttachment"] == {
        "attachmentId": about,
        "value": about,
        "attachmentType": "ContactType",
        "contactId": about,
    }
    told = {key: info[key] for key in ("name", "description", "dueDate", "source", "externalId", "value", "phaseId")}
    assert told == {
        "name": "Ines Brunet",
        "description": "Wants an oak table.",
        "dueDate": "2027-01-31",
        "source": "My CRM",
        "externalId": "crm-7",
        "value": 195000,
        "phaseId": str(phase.pk),
    }
    assert info["createdAt"] == info["createdDate"]
    assert len(info["updatedDate"]) == len("2021-06-08T11:21:10Z")


def test_what_is_not_set_is_left_out(program, phase):
    card = make_card(phase)
    info = program.get(f"{CARDS}/{card.pk}").body["card"]["info"]
    assert not {"description", "dueDate", "primaryAttachment", "externalId", "value", "archivedDate"} & set(info)


def test_without_a_position_a_card_goes_to_the_bottom(program, phase, workflow):
    for name, position in (("first", None), ("second", None), ("top", 0), ("middle", 1), ("end", 99)):
        body = {"card": {"name": name}} | ({} if position is None else {"position": position})
        assert program.post(into(phase), body).status == 200
    assert listed(program, workflow) == ["top", "middle", "first", "second", "end"]


def test_a_due_date_with_a_time_is_kept_on_the_clock_of_the_business(program, phase, business):
    business.update(time_zone="Europe/Berlin", by=system(business))
    made = program.post(into(phase), {"card": {"name": "Call", "dueDate": "2027-01-31T23:30:00Z"}})
    card = Card.objects.get(pk=made.body["id"])
    assert (str(card.due_date), str(card.due_time)) == ("2027-02-01", "00:30:00")
    assert program.get(f"{CARDS}/{card.pk}").body["card"]["info"]["dueDate"] == "2027-01-31T23:30:00Z"


@pytest.mark.parametrize(
    ("card", "wrong"),
    [
        ({"name": "x" * 301}, {"card.name": "MAX_LENGTH"}),
        ({"name": "x", "dueDate": "soon"}, {"card.dueDate": "FORMAT"}),
        ({"name": "x", "dueDate": "2027-02-30"}, {"card.dueDate": "FORMAT"}),
        ({"name": "x", "dueDate": "2027-02-01T10:00:00"}, {"card.dueDate": "FORMAT"}),
        ({"name": "x", "value": -1}, {"card.value": "MIN"}),
        ({"name": "x", "value": 10**15}, {"card.value": "MAX"}),
        ({"name": "x", "primaryAttachment": {"contactId": "nobody"}}, {"card.primaryAttachment.contactId": "FORMAT"}),
        ({"name": "x", "phase": "other"}, {"card.phase": "UNKNOWN_FIELD"}),
        ({"name": "x", "archivedDate": "2027-02-01", "secret": 1}, {"card.secret": "UNKNOWN_FIELD"}),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_made(program, phase, card, wrong):
    answer = program.post(into(phase), {"card": card})
    assert (answer.status, answer.fields) == (400, wrong)
    assert not Card.objects.exists()


def test_a_contact_of_another_business_does_not_exist(program, phase, stranger):
    theirs = make_contact(stranger.business)
    answer = program.post(into(phase), {"card": {"name": "x", "primaryAttachment": {"contactId": str(theirs.pk)}}})
    assert (answer.status, answer.code) == (404, "CONTACT_NOT_FOUND")
    assert not Card.objects.exists()


def test_a_card_is_made_in_the_win_phase_too(program, workflow):
    win = program.get(f"/workflows/v1/workflows/{workflow.pk}").body["workflow"]["winPhase"]["info"]["id"]
    made = program.post(f"/workflows/v1/workflows/{workflow.pk}/phases/{win}/cards", {"card": {"name": "Sold"}})
    assert Card.objects.get(pk=made.body["id"]).is_won


def test_a_phase_of_another_workflow_is_not_in_this_one(program, workflow, business):
    elsewhere = make_workflow(business, "Other").phases.first()
    path = f"/workflows/v1/workflows/{workflow.pk}/phases/{elsewhere.pk}/cards"
    assert program.post(path, {"card": {"name": "x"}}).code == "PHASE_NOT_FOUND"


def test_limits_are_answered_with_their_statuses(program, workflow, phase, business):
    workflow.update(one_card_per_contact=True, most_active_cards=2, by=system(business))
    contact = str(make_contact(business).pk)
    body = {"card": {"name": "x", "primaryAttachment": {"contactId": contact}}}
    assert program.post(into(phase), body).status == 200
    twice = program.post(into(phase), body)
    assert (twice.status, twice.code) == (409, "CONTACT_ALREADY_ATTACHED")
    assert program.post(into(phase), {"card": {"name": "y"}}).status == 200
    full = program.post(into(phase), {"card": {"name": "z"}})
    assert (full.status, full.code) == (403, "MAX_ACTIVE_CARDS_REACHED")


# Listing ----------------------------------------------------------------------------------------------


def test_cards_are_listed_as_the_board_shows_them(program, workflow, phase):
    second = workflow.phases.all()[1]
    for where, name in ((second, "c"), (phase, "a"), (workflow.win_phase, "e"), (phase, "b"), (second, "d")):
        make_card(where, name)
    assert listed(program, workflow) == ["a", "b", "c", "d", "e"]
    for limit in range(1, 6):
        for offset in range(7):
            query = f"?limit={limit}&offset={offset}"
            assert listed(program, workflow, query) == ["a", "b", "c", "d", "e"][offset : offset + limit], query
    assert program.get(_list(workflow, "?limit=2&offset=1")).body["pagination"] == {
        "limit": 2,
        "offset": 1,
        "total": 5,
        "count": 2,
    }


def test_cards_are_found_by_phase_contact_external_id_and_label(program, workflow, phase, business):
    contact = make_contact(business)
    urgent, vip = workflow.labels.all()[:2]
    make_card(phase, "labelled", labels=[urgent, vip])
    make_card(workflow.phases.all()[1], "known", contact=contact, external_id="crm-7")
    make_card(workflow.phases.all()[1], "vip", labels=[vip])
    assert listed(program, workflow, f"?phaseId={phase.pk}") == ["labelled"]
    assert listed(program, workflow, f"?attachmentValue={contact.pk}") == ["known"]
    assert listed(program, workflow, "?externalId=crm-7") == ["known"]
    assert listed(program, workflow, f"?labelId={urgent.pk}&labelId={vip.pk}") == ["labelled", "vip"]
    assert program.get(_list(workflow, f"?labelId={vip.pk}")).body["pagination"]["total"] == 2


def test_archived_cards_are_listed_apart(program, workflow, phase, business):
    make_card(phase, "there")
    away = make_card(phase, "away")
    away.archive(by=system(business))
    assert listed(program, workflow) == ["there"]
    assert listed(program, workflow, "?fetchArchived=true") == ["away"]
    assert program.get(f"{CARDS}/{away.pk}").body == {}


def test_the_list_is_sorted_as_asked(program, workflow, phase):
    for name in ("b", "A", "a"):
        make_card(phase, name)
    assert listed(program, workflow, "?sort=name:asc") == ["A", "a", "b"]
    assert listed(program, workflow, "?sort=phaseId:asc&sort=name:desc") == ["b", "a", "A"]


# Changing ---------------------------------------------------------------------------------------------


def test_only_what_was_sent_changes_and_null_empties(program, phase, business):
    contact = make_contact(business)
    card = make_card(phase, "Table", contact=contact, description="Oak", value=100)
    assert program.patch(f"{CARDS}/{card.pk}", {"cardInfo": {"name": "Oak table"}}).body == {}
    card.refresh_from_db()
    assert (card.name, card.contact, card.description, card.value) == ("Oak table", contact, "Oak", 100)
    program.patch(f"{CARDS}/{card.pk}", {"cardInfo": {"primaryAttachment": None, "description": None, "value": None}})
    card.refresh_from_db()
    assert (card.contact, card.description, card.value) == (None, "", None)


def test_an_older_revision_is_refused_and_shown_the_card_as_it_is(program, phase, business):
    card = make_card(phase, "Table")
    tag = program.get(f"{CARDS}/{card.pk}").headers["ETag"]
    card.update(name="Desk", by=system(business))
    for path, body in (
        ("", {"cardInfo": {"name": "Chair"}}),
        ("/move", {}),
        ("/archive", None),
    ):
        send = program.patch if path == "" else program.post
        missed = send(f"{CARDS}/{card.pk}{path}", body, If_Match=tag)
        assert (missed.status, missed.code) == (412, "ALREADY_CHANGED")
        assert missed.data["card"]["info"]["name"] == "Desk"
    stale = program.post(f"{CARDS}/{card.pk}/move", {"newPosition": 0, "revision": 1})
    assert (stale.status, stale.data["card"]["info"]["revision"]) == (409, 2)
    assert program.delete(f"{CARDS}/{card.pk}", If_Match=tag).status == 412
    card.refresh_from_db()
    assert (card.name, card.revision, card.archived_at) == ("Desk", 2, None)


# Moving -----------------------------------------------------------------------------------------------


def test_a_card_is_moved_to_the_top_or_to_its_place(program, workflow, phase):
    a, b, c = (make_card(phase, name) for name in "abc")
    second = workflow.phases.all()[1]
    program.post(f"{CARDS}/{c.pk}/move", {})
    assert listed(program, workflow) == ["c", "a", "b"]
    program.post(f"{CARDS}/{c.pk}/move", {"newPosition": 1})
    assert listed(program, workflow) == ["a", "c", "b"]
    program.post(f"{CARDS}/{a.pk}/move", {"newPhaseId": str(second.pk)})
    program.post(f"{CARDS}/{b.pk}/move", {"newPhaseId": str(second.pk), "newPosition": 9})
    assert listed(program, workflow, f"?phaseId={second.pk}") == ["a", "b"]
    assert program.post(f"{CARDS}/{a.pk}/move", {"newPosition": -1}).fields == {"newPosition": "MIN"}


def test_a_move_by_a_program_is_one_event_with_its_token_as_the_actor(program, workflow, phase):
    card = make_card(phase)
    program.post(f"{CARDS}/{card.pk}/move", {"newPhaseId": str(workflow.win_phase.pk)})
    moved = Event.objects.get(name="card.moved")
    assert (moved.actor_kind, moved.actor_name, moved.details["after"]["name"]) == ("token", "CRM", "Won")


def test_what_a_phase_asks_for_is_refused_with_codes(program, workflow, phase, business):
    by = system(business)
    card = make_card(phase)
    second, third = workflow.phases.all()[1:3]
    wood = Field.create(workflow, name="Wood", by=by)
    second.update(required=["contact", f"field:{wood.pk}"], by=by)
    third.update(wip_limit=1, wip_policy="hard", by=by)
    make_card(third)
    lost = Phase.create(workflow, name="Lost", stage="cancelled", by=by)
    elsewhere = make_workflow(business, "Other").phases.first()

    def refused(to):
        answer = program.post(f"{CARDS}/{card.pk}/move", {"newPhaseId": str(to.pk)})
        card.refresh_from_db()
        assert card.phase == phase
        return answer.status, answer.code

    assert refused(second) == (400, "MISSING_FACTS")
    answer = program.post(f"{CARDS}/{card.pk}/move", {"newPhaseId": str(second.pk)})
    assert answer.data["missing"] == ["contact", f"field:{wood.pk}"]
    assert refused(third) == (403, "WIP_LIMIT_REACHED")
    assert refused(lost) == (400, "CLOSING_NEEDED")
    assert refused(elsewhere) == (400, "OTHER_WORKFLOW")


# Archiving --------------------------------------------------------------------------------------------


def test_a_card_is_archived_restored_and_deleted(program, workflow, phase):
    card = make_card(phase, "Table")
    assert program.post(f"{CARDS}/{card.pk}/archive").body == {}
    assert program.post(f"{CARDS}/{card.pk}/archive").body == {}
    assert program.post(f"{CARDS}/{card.pk}/restore", {}).fields == {"newPhaseId": "REQUIRED"}
    second = workflow.phases.all()[1]
    make_card(second, "Desk")
    assert program.post(f"{CARDS}/{card.pk}/restore", {"newPhaseId": str(second.pk), "newPosition": 1}).body == {}
    assert listed(program, workflow) == ["Desk", "Table"]
    assert program.delete(f"{CARDS}/{card.pk}").body == {}
    assert program.get(f"{CARDS}/{card.pk}").code == "CARD_NOT_FOUND"
    assert program.post(f"{CARDS}/{card.pk}/restore", {"newPhaseId": str(second.pk)}).status == 404
    names = list(Event.objects.filter(subject_id=card.pk).order_by("sequence").values_list("name", flat=True))
    assert names == ["card.created", "card.archived", "card.restored", "card.archived", "card.deleted"]


def test_an_archived_card_is_not_moved(program, phase, business):
    card = make_card(phase)
    card.archive(by=system(business))
    answer = program.post(f"{CARDS}/{card.pk}/move", {})
    assert (answer.status, answer.code) == (409, "CARD_ARCHIVED")


# External ids -----------------------------------------------------------------------------------------


def test_a_card_is_put_under_an_external_id_and_stays_where_it_has_got_to(program, workflow, phase):
    path = f"{into(phase)}/by-external-id/crm-7"
    made = program.put(path, {"card": {"name": "Ines"}}).body
    assert made["created"]
    program.post(f"{CARDS}/{made['id']}/move", {"newPhaseId": str(workflow.win_phase.pk)})
    assert program.put(path, {"card": {"name": "Ines B."}}).body == {"id": made["id"], "created": False}
    card = Card.objects.get()
    assert (card.name, card.external_id, card.is_won) == ("Ines B.", "crm-7", True)


def test_an_external_id_stands_for_one_card_of_the_business(program, phase):
    make_card(phase, external_id="crm-7")
    answer = program.post(into(phase), {"card": {"name": "x", "externalId": "crm-7"}})
    assert (answer.status, answer.code) == (409, "EXTERNAL_ID_TAKEN")


# Labels -----------------------------------------------------------------------------------------------


def test_labels_are_put_on_taken_off_and_set(program, workflow, phase, business):
    card = make_card(phase)
    one, two, three = (str(label.pk) for label in workflow.labels.all()[:3])
    path = f"{CARDS}/{card.pk}/labels"

    def worn(answer):
        return {label["id"] for label in answer.body["card"]["labels"]}

    assert worn(program.post(path, {"labelIds": [one, two]})) == {one, two}
    assert worn(program.post(path, {"labelIds": [two]})) == {one, two}
    assert worn(program.delete(path, {"labelIds": [one]})) == {two}
    assert worn(program.put(path, {"labelIds": [one, three]})) == {one, three}
    assert worn(program.put(path, {"labelIds": []})) == set()
    elsewhere = str(make_workflow(business, "Other").labels.first().pk)
    assert program.post(path, {"labelIds": [one, elsewhere]}).code == "LABEL_NOT_FOUND"
    assert worn(program.get(f"{CARDS}/{card.pk}")) == set()


# Many at once -----------------------------------------------------------------------------------------


def test_many_cards_are_made_at_once_each_with_its_own_result(program, workflow, phase):
    make_card(workflow.win_phase, "e", external_id="taken")
    cards = [
        {"phaseId": str(phase.pk), "card": {"name": "a"}},
        {"phaseId": str(uuid.uuid4()), "card": {"name": "b"}},
        {"phaseId": str(phase.pk), "card": {"name": "c", "externalId": "taken"}},
        {"phaseId": str(workflow.win_phase.pk), "card": {"name": "d"}, "position": 0},
    ]
    answer = program.post("/workflows/v1/bulk/cards/create", {"cards": cards})
    assert answer.body["bulkActionMetadata"] == {"totalSuccesses": 2, "totalFailures": 2}
    told = [result["itemMetadata"] for result in answer.body["results"]]
    assert [(item["originalIndex"], item["success"]) for item in told] == [(0, True), (1, False), (2, False), (3, True)]
    assert told[1]["status"] == 404
    assert (told[2]["status"], told[2]["error"]["details"]["applicationError"]["code"]) == (409, "EXTERNAL_ID_TAKEN")
    assert listed(program, workflow) == ["a", "d", "e"]
    assert Card.objects.get(name="a").pk == uuid.UUID(told[0]["id"])


def test_many_cards_are_moved_at_once_each_with_its_own_result(program, workflow, phase):
    a, b = make_card(phase, "a"), make_card(phase, "b")
    win = str(workflow.win_phase.pk)
    moves = [
        {"id": str(a.pk), "newPhaseId": win},
        {"id": str(b.pk), "newPhaseId": win, "revision": 9},
        {"id": str(b.pk), "newPhaseId": win},
        {"id": str(uuid.uuid4())},
    ]
    answer = program.post("/workflows/v1/bulk/cards/move", {"cards": moves})
    told = [result["itemMetadata"] for result in answer.body["results"]]
    assert [item["success"] for item in told] == [True, False, True, False]
    assert (told[1]["status"], told[1]["id"]) == (409, str(b.pk))
    assert listed(program, workflow) == ["b", "a"]


def test_a_bulk_sent_again_makes_nothing_twice_and_tries_again_what_was_refused(program, workflow, phase):
    body = {"cards": [{"phaseId": str(phase.pk), "card": {"name": name, "externalId": name}} for name in "aac"]}
    first = program.post("/workflows/v1/bulk/cards/create", body, Idempotency_Key="k1")
    again = program.post("/workflows/v1/bulk/cards/create", body, Idempotency_Key="k1")
    assert again.body == first.body
    assert listed(program, workflow) == ["a", "c"]
    body["cards"].pop()
    other = program.post("/workflows/v1/bulk/cards/create", body, Idempotency_Key="k1")
    assert (other.status, other.code) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_a_bulk_takes_up_to_five_hundred(program, phase):
    item = {"phaseId": str(phase.pk), "card": {"name": "x"}}
    answer = program.post("/workflows/v1/bulk/cards/create", {"cards": [item] * 501})
    assert (answer.status, answer.fields) == (400, {"cards": "MAX_LENGTH"})
    assert not Card.objects.exists()
