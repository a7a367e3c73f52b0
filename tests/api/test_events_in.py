"""Events of the Event API v4.1: a program fires rulesets, waits for them or does not, and is refused in its dialect."""

import pytest

from accounts.models import Event
from automations.models import Timer
from automations.tasks import sweep
from boards import publishing
from boards.models import Card, Field
from tests.api.program import program_of
from tests.automations.test_rulesets import STATUSES, go, ruleset
from tests.boards.test_definitions import document
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db(transaction=True)
SYNC, ASYNC = "/api/v4.1/event/sync", "/api/v4.1/event/async"


@pytest.fixture
def workflow(business, manager):
    """Orders that are packed when they are paid."""
    told = document(*STATUSES, rulesets=[ruleset("Paid", "Booked", rules=[go("Packing")]) | {"userActions": ASKS}])
    return publishing.put(business, told, by=actor(manager)).workflow


ASKS = [{"eventName": "Paid", "context": [], "attributes": [{"name": "amount", "type": "INTEGER", "label": "Amount"}]}]


@pytest.fixture
def card(workflow):
    """An order that was booked."""
    return make_card(workflow.phases.first(), "Oak table", external_id="order-7")


@pytest.fixture
def paid(business):
    """Return what a program sends when an order is paid."""
    return {"accountId": business.slug, "retailerId": str(business.number), "name": "Paid", "entityType": "ORDER"}


def stands(card):
    return Card.objects.get(pk=card.pk).phase.name


def test_an_event_is_answered_when_its_rulesets_have_acted(program, card, paid):
    answer = program.post(SYNC, paid | {"entityRef": "order-7", "attributes": {"amount": "195"}})
    event = Event.objects.get(name="card.signalled")
    assert answer.status == 200
    assert answer.body == {"eventId": str(event.pk), "entityId": str(card.pk), "eventStatus": "COMPLETE"}
    assert event.details["attributes"] == {"amount": 195}
    assert stands(card) == "Packing"


def test_a_card_is_named_by_its_id_its_number_or_its_external_id(program, card, paid):
    ways = [{"entityId": str(card.pk)}, {"entityId": card.number}, {"entityId": str(card.number)}]
    ways += [{"entityRef": "order-7"}, {"entityRef": str(card.number)}, {"entityId": "order-7"}]
    for way in ways:
        assert program.post(SYNC, paid | way | {"retailerId": int(paid["retailerId"])}).body["entityId"] == str(card.pk)
    named_like_a_number = make_card(card.phase, external_id=str(card.number))
    both = {"entityId": str(card.number), "entityRef": str(card.number)}
    found = [program.post(SYNC, paid | {key: value}).body["entityId"] for key, value in both.items()]
    assert found == [str(card.pk), str(named_like_a_number.pk)]


def test_attributes_come_in_either_way(program, card, paid):
    told = [{"name": "amount", "type": "INTEGER", "value": 7}, {"name": "by", "value": "phone"}]
    program.post(SYNC, paid | {"entityRef": "order-7", "attributes": told})
    assert Event.objects.get(name="card.signalled").details["attributes"] == {"amount": 7, "by": "phone"}


def test_an_event_that_nobody_waits_for_is_complete_and_leaves_a_line_in_the_log(program, card, paid):
    answer = program.post(SYNC, paid | {"name": "Weighed", "entityRef": "order-7"})
    assert answer.body["eventStatus"] == "COMPLETE"
    (run,) = program.get("/automations/v1/runs").body["runs"]
    assert (run["name"], run["state"], run["reason"]) == (
        "Weighed",
        "skipped",
        "No rule waits for this event in Booked.",
    )


def test_an_event_that_is_taken_in_is_sent_once_by_the_worker(program, card, paid):
    sent = paid | {"entityRef": "order-7"}
    answers = [program.post(ASYNC, sent, **{"Idempotency-Key": "order-7-paid"}) for _ in range(2)]
    timer = Timer.objects.get()
    for answer in answers:
        assert answer.body == {"eventId": str(timer.pk), "entityId": str(card.pk), "eventStatus": "PENDING"}
    assert stands(card) == "Booked"
    for _ in range(2):
        sweep.func()
    assert stands(card) == "Packing"
    assert Event.objects.filter(name="card.signalled").count() == 1


@pytest.mark.parametrize("address", [SYNC, ASYNC])
@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({"retailerId": "999999"}, 401, "no retailer"),
        ({"accountId": "other"}, 401, "no retailer"),
        ({"entityRef": "order-8"}, 404, "There is no ORDER “order-8”."),
        ({"entityType": "RETURN_ORDER"}, 404, "There is no RETURN_ORDER"),
        ({"entitySubtype": "HD"}, 404, "There is no ORDER"),
        ({"entityRef": None}, 400, "entityRef"),
        ({"entityRef": ""}, 400, "entityRef"),
        ({"name": " "}, 400, "name"),
        ({"attributes": {"amount": "lots"}}, 400, "Amount: give a number."),
        ({"attributes": {"deep": {"er": 1}}}, 400, "deep"),
        ({"attributes": [{"value": 1}]}, 400, "attributes"),
        ({"attributes": 7}, 400, "attributes"),
        ({"colour": "red"}, 400, "colour"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_refused_in_the_dialect_and_nothing_happens(program, card, paid, address, wrong, status, says):
    answer = program.post(address, paid | {"entityRef": "order-7"} | wrong)
    (error,) = answer.body["errors"]
    assert (answer.status, error["code"]) == (status, str(status))
    assert says in error["message"]
    assert not Event.objects.filter(name__startswith="card.signal").exists()


def test_neither_id_nor_reference_is_refused(program, card, paid):
    assert program.post(SYNC, paid).body["errors"][0]["message"].startswith("Say which card")


def test_a_card_of_another_business_is_not_there(program, card, paid, stranger):
    from tests.factories import make_workflow

    other = make_workflow(stranger.business)
    theirs = make_card(other.phases.first(), external_id="theirs")
    for way in ({"entityRef": "theirs"}, {"entityId": str(theirs.pk)}):
        assert program.post(SYNC, paid | {"entityType": "CARD"} | way).status == 404


def test_a_card_of_a_workflow_that_has_no_design_yet_is_a_card(program, business, paid):
    from tests.factories import make_workflow

    plain = make_card(make_workflow(business).phases.first())
    assert program.post(SYNC, paid | {"entityType": "CARD", "entityId": plain.number}).status == 200


def test_to_fill_fields_in_the_token_needs_more_than_to_send_events(business, owner, card, paid, workflow):
    Field.create(workflow, name="Wood", by=actor(owner))
    reporter = program_of(owner, "EVENT_REPORT")
    assert reporter.post(SYNC, paid | {"entityRef": "order-7", "attributes": {"amount": 3}}).status == 200
    for address in (SYNC, ASYNC):
        answer = reporter.post(address, paid | {"entityRef": "order-7", "attributes": {"wood": "oak"}})
        assert (answer.status, "CARD_MANAGE" in answer.body["errors"][0]["message"]) == (403, True)
    both = program_of(owner, "EVENT_REPORT", "CARD_MANAGE")
    assert both.post(SYNC, paid | {"entityRef": "order-7", "attributes": {"wood": "oak"}}).status == 200


def test_an_archived_card_takes_no_events(program, card, paid, owner):
    card.archive(by=actor(owner))
    for address in (SYNC, ASYNC):
        answer = program.post(address, paid | {"entityRef": "order-7"})
        assert (answer.status, answer.body["errors"][0]["code"]) == (400, "400")
        assert "is archived" in answer.body["errors"][0]["message"]
