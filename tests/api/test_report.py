"""Reports over the API: what happened to a card, now or later, and what is taken back."""

import uuid

import pytest

from accounts.models import Event
from automations.models import Rule, Timer
from automations.tasks import sweep
from boards.models import Card, Trigger
from boards.models.library import stock
from tests.api.program import program_of
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)
REPORT, CANCEL = "/automations/v1/events/report", "/automations/v1/events/cancel"


@pytest.fixture
def phases(workflow, owner, business):
    """The phases of the funnel; the fourth waits for the payment."""
    stock(business)
    phases = list(workflow.phases.all())
    phases[3].update(trigger=Trigger.objects.get(business=business, key="payment_received"), by=actor(owner))
    return phases


@pytest.fixture
def contact(business):
    """Ines, whom our CRM calls c-1."""
    return make_contact(business, external_id="c-1")


def paid(program, external=None, **payload):
    body = {"triggerKey": "payment_received", "payload": payload}
    return program.post(REPORT, body | ({"externalEntityId": external} if external else {}))


def here(card):
    return Card.objects.get(pk=card.pk).phase.name


# Which card -------------------------------------------------------------------------------------------


def test_a_report_by_card_id_moves_the_card_that_waits_for_it_before_the_answer(program, phases):
    card = make_card(phases[3])
    answer = paid(program, cardId=str(card.pk))
    assert (answer.status, answer.body) == (200, {"cardId": str(card.pk)})
    assert here(card) == "Invoice paid"
    told = Event.objects.about(card).filter(name="card.reported").get()
    assert (told.actor_kind, told.actor_name) == ("token", "CRM")


def test_a_report_by_external_id_finds_the_card(program, phases):
    card = make_card(phases[3], external_id="inv-7")
    assert paid(program, "inv-7").body["cardId"] == str(card.pk)
    assert here(card) == "Invoice paid"


@pytest.mark.parametrize("named", ["contactId", "contactExternalId"])
def test_a_report_by_contact_finds_the_one_card_that_waits(program, phases, contact, named):
    make_card(phases[0], contact=contact)
    waiting = make_card(phases[3], contact=contact)
    make_card(phases[3], contact=contact).archive(by=actor_of(phases))
    answer = paid(program, **{named: {"contactId": str(contact.pk), "contactExternalId": "c-1"}[named]})
    assert answer.body == {"cardId": str(waiting.pk)}
    assert here(waiting) == "Invoice paid"


def test_an_external_id_that_is_no_card_s_leaves_it_to_the_contact(program, phases, contact):
    waiting = make_card(phases[3], contact=contact)
    assert paid(program, "invoice-4711", contactId=str(contact.pk)).body == {"cardId": str(waiting.pk)}


def test_several_cards_that_wait_are_named_and_none_is_touched(program, phases, contact):
    cards = [make_card(phases[3], contact=contact) for _ in range(2)]
    answer = paid(program, contactId=str(contact.pk))
    assert (answer.status, answer.code) == (409, "SEVERAL_CARDS")
    assert set(answer.data["cardIds"]) == {str(card.pk) for card in cards}
    assert {here(card) for card in cards} == {"Invoice sent"}
    assert not Event.objects.filter(name="card.reported").exists()


def test_a_workflow_narrows_the_cards_of_a_contact(program, phases, contact, business, owner):
    other = make_workflow(business, "Repairs", "repair").phases.first()
    other.update(trigger=phases[3].trigger, by=actor(owner))
    cards = [make_card(phases[3], contact=contact), make_card(other, contact=contact)]
    assert paid(program, contactId=str(contact.pk)).code == "SEVERAL_CARDS"
    narrowed = paid(program, contactId=str(contact.pk), workflowId=str(other.workflow_id))
    assert narrowed.body == {"cardId": str(cards[1].pk)}


def test_a_report_sets_off_the_rules_that_wait_for_it(program, phases, business, owner):
    document = {
        "trigger": "reported",
        "conditions": {"trigger": "payment_received"},
        "actions": [{"type": "add_comment", "text": "Thanks"}],
    }
    Rule.create(business, document, by=actor(owner))
    card = make_card(phases[0])
    paid(program, cardId=str(card.pk))
    assert [comment.text for comment in card.comments.all()] == ["Thanks"]


# Refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"cardId": str(uuid.uuid4())},
        {"cardId": "no id"},
        {"cardId": 7},
        {"cardId": {"a": [1]}},
        {"contactId": str(uuid.uuid4())},
        {"contactId": []},
        {"contactExternalId": "c-2"},
        {"contactExternalId": 5},
        {"workflowId": "x", "contactExternalId": "c-1"},
    ],
)
def test_what_names_no_card_is_answered_with_404(program, phases, contact, payload):
    make_card(phases[0], contact=contact)
    answer = paid(program, **payload)
    assert (answer.status, answer.code) == (404, "CARD_NOT_FOUND")


def test_an_unknown_trigger_is_answered_with_404(program, phases):
    answer = program.post(REPORT, {"triggerKey": "moon_landing", "payload": {}})
    assert (answer.status, answer.code) == (404, "TRIGGER_NOT_FOUND")


def test_a_card_of_another_business_is_not_there(foreigner, phases, stranger):
    stock(stranger.business)
    card = make_card(phases[3], external_id="inv-7")
    assert paid(foreigner, cardId=str(card.pk)).code == "CARD_NOT_FOUND"
    assert paid(foreigner, "inv-7").code == "CARD_NOT_FOUND"
    assert here(card) == "Invoice sent"


def test_an_archived_card_is_refused(program, phases):
    card = make_card(phases[3])
    card.archive(by=actor_of(phases))
    assert paid(program, cardId=str(card.pk)).code == "CARD_ARCHIVED"


def test_a_token_without_the_scope_reports_nothing(owner, phases):
    program = program_of(owner, "CARD_MANAGE")
    card = make_card(phases[3])
    assert paid(program, cardId=str(card.pk)).code == "PERMISSION_DENIED"
    assert program.post(CANCEL, {"triggerKey": "x", "externalEntityId": "y"}).status == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "triggerKey"),
        ({"triggerKey": ""}, "triggerKey"),
        ({"triggerKey": "a b"}, "triggerKey"),
        ({"triggerKey": "paid", "payload": []}, "payload"),
        ({"triggerKey": "paid", "more": 1}, "more"),
    ],
)
def test_a_report_that_makes_no_sense_names_the_field(program, phases, body, field):
    answer = program.post(REPORT, body)
    assert answer.status == 400
    assert field in answer.fields


def test_the_same_key_reports_once(program, phases):
    card = make_card(phases[0])
    body = {"triggerKey": "payment_received", "payload": {"cardId": str(card.pk)}}
    first = program.post(REPORT, body, Idempotency_Key="r-1")
    again = program.post(REPORT, body, Idempotency_Key="r-1")
    assert first.body == again.body
    assert Event.objects.about(card).filter(name="card.reported").count() == 1


# Later ------------------------------------------------------------------------------------------------


def test_a_report_for_a_later_time_waits_for_it_and_comes_once(program, phases, time_machine):
    time_machine.move_to("2027-03-01 09:00Z", tick=False)
    card = make_card(phases[3])
    answer = paid(program, "inv-7", cardId=str(card.pk), scheduledDate="2027-03-05T10:00:00+01:00")
    assert answer.body == {"cardId": str(card.pk), "scheduledDate": "2027-03-05T09:00:00Z"}
    time_machine.move_to("2027-03-05 08:59Z", tick=False)
    sweep.func()
    assert here(card) == "Invoice sent"
    time_machine.move_to("2027-03-05 09:00Z", tick=False)
    sweep.func()
    sweep.func()
    assert here(card) == "Invoice paid"
    told = Event.objects.about(card).filter(name="card.reported").get()
    assert (told.actor_name, told.cause.name) == ("CRM", "card.report_planned")


def test_a_day_begins_on_the_clock_of_the_business(program, phases, business, owner, time_machine):
    time_machine.move_to("2027-03-01 09:00Z", tick=False)
    business.update(time_zone="America/New_York", by=actor(owner))
    card = make_card(phases[3])
    assert (
        paid(program, cardId=str(card.pk), scheduledDate="2027-03-05").body["scheduledDate"] == "2027-03-05T05:00:00Z"
    )


def test_a_time_that_is_past_is_reported_at_once(program, phases):
    card = make_card(phases[3])
    assert paid(program, cardId=str(card.pk), scheduledDate="2020-01-01").body == {"cardId": str(card.pk)}
    assert here(card) == "Invoice paid"


@pytest.mark.parametrize("said", ["soon", 5, [], "2027-02-30", "2027-03-05T10:00:00", "9999-12-31T23:59:59Z", ""])
def test_a_time_that_is_none_is_refused(program, phases, said):
    card = make_card(phases[3])
    assert paid(program, cardId=str(card.pk), scheduledDate=said).code == "MALFORMED_DATE"
    assert not Timer.objects.exists()


def test_what_is_cancelled_is_not_reported(program, phases, time_machine):
    time_machine.move_to("2027-03-01 09:00Z", tick=False)
    card = make_card(phases[3])
    kept = make_card(phases[3])
    paid(program, "inv-7", cardId=str(card.pk), scheduledDate="2027-03-05")
    paid(program, "inv-8", cardId=str(kept.pk), scheduledDate="2027-03-05")
    cancelled = program.post(CANCEL, {"triggerKey": "payment_received", "externalEntityId": "inv-7"})
    assert (cancelled.status, cancelled.body) == (200, {})
    time_machine.move_to("2027-03-06 09:00Z", tick=False)
    sweep.func()
    assert (here(card), here(kept)) == ("Invoice sent", "Invoice paid")
    assert Event.objects.about(card).first().name == "card.report_cancelled"
    again = program.post(CANCEL, {"triggerKey": "payment_received", "externalEntityId": "inv-7"})
    assert (again.status, again.body) == (200, {}), "that there is nothing to cancel is no error"


def test_another_business_cancels_nothing_here(program, foreigner, phases):
    paid(program, "inv-7", cardId=str(make_card(phases[3]).pk), scheduledDate="2099-03-05")
    foreigner.post(CANCEL, {"triggerKey": "payment_received", "externalEntityId": "inv-7"})
    assert Timer.objects.pending().count() == 1


def test_a_planned_report_of_a_card_that_was_archived_is_cancelled_in_words(program, phases, time_machine):
    time_machine.move_to("2027-03-01 09:00Z", tick=False)
    card = make_card(phases[3], "Oak table")
    paid(program, cardId=str(card.pk), scheduledDate="2027-03-05")
    card.archive(by=actor_of(phases))
    time_machine.move_to("2027-03-06 09:00Z", tick=False)
    sweep.func()
    timer = Timer.objects.get()
    assert (timer.fired_at, timer.reason) == (None, "Oak table is archived. Restore it first.")


def test_the_same_report_planned_twice_is_planned_once(program, phases):
    card = make_card(phases[3])
    for _ in range(2):
        paid(program, "inv-7", cardId=str(card.pk), scheduledDate="2099-03-05")
    assert Timer.objects.count() == 1


def actor_of(phases):
    from accounts.actor import Actor

    return Actor.system(phases[0].business)
