"""Cards that move on by themselves: a reported trigger, a time that is up."""

from datetime import timedelta

import pytest

from accounts.models import Event
from automations.progress import move_on, time_is_up
from boards.models import Card, Phase, Trigger
from boards.models.library import stock
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


@pytest.fixture
def paid(business):
    """Return the trigger "Payment received"."""
    stock(business)
    return Trigger.objects.get(business=business, key="payment_received")


def here(card):
    return Card.objects.get(pk=card.pk).phase.name


def test_a_reported_trigger_moves_the_card_that_waits_for_it_at_once(owner, staff, phases, paid):
    phases[3].update(trigger=paid, by=actor(owner))
    card = make_card(phases[3])
    card.report(paid, by=actor(staff))
    assert here(card) == "Invoice paid"
    moved = Event.objects.about(card).first()
    assert (moved.name, moved.actor_kind, moved.actor_name) == ("card.moved", "rule", "Payment received")
    assert moved.cause.name == "card.reported"
    assert moved.cause.actor_name == "Tomás Rivera"


def test_a_trigger_nobody_waits_for_is_recorded_and_moves_nothing(staff, phases, paid):
    card = make_card(phases[0])
    card.report(paid, by=actor(staff))
    assert here(card) == "Customer contacted me"
    assert Event.objects.about(card).first().name == "card.reported"


def test_reporting_twice_moves_one_step_only(owner, staff, phases, paid):
    phases[3].update(trigger=paid, by=actor(owner))
    card = make_card(phases[3])
    card.report(paid, by=actor(staff))
    card.report(paid, by=actor(staff))
    assert here(card) == "Invoice paid"


def test_the_last_phase_of_the_path_moves_on_to_the_win(owner, staff, phases, paid):
    phases[4].update(trigger=paid, by=actor(owner))
    card = make_card(phases[4])
    card.report(paid, by=actor(staff))
    assert here(card) == "Won"


def test_what_holds_a_card_back_is_told_on_the_card(owner, staff, phases, paid):
    phases[3].update(trigger=paid, by=actor(owner))
    phases[4].update(required=["value"], by=actor(owner))
    card = make_card(phases[3])
    card.report(paid, by=actor(staff))
    assert here(card) == "Invoice sent"
    held = Event.objects.about(card).first()
    assert held.name == "card.held_back"
    assert "asks for a value" in held.sentence


def test_a_card_moves_on_by_itself_when_its_time_is_up(owner, phases, time_machine):
    phases[0].update(timeout_hours=72, by=actor(owner))
    time_machine.move_to("2027-03-01 09:00Z", tick=False)
    card = make_card(phases[0])
    time_machine.shift(timedelta(hours=71, minutes=59))
    assert time_is_up() == 0
    time_machine.shift(timedelta(minutes=1))
    assert time_is_up() == 1
    assert here(card) == "Contact made with customer"
    assert time_is_up() == 0
    assert Event.objects.about(card).first().actor_name == "72 hours in Customer contacted me"


def test_a_card_can_be_cancelled_by_time_with_the_fitting_reason(workflow, owner, phases, paid, time_machine):
    lost = Phase.create(workflow, name="Lost", stage="cancelled", by=actor(owner))
    phases[3].update(timeout_hours=72, timeout_to=lost, by=actor(owner))
    time_machine.move_to("2027-03-01 09:00Z", tick=False)
    card = make_card(phases[3])
    time_machine.shift(timedelta(days=4))
    time_is_up()
    card = Card.objects.get(pk=card.pk)
    assert card.phase == lost
    assert card.closing.reason_name == "Payment not received in time"


def test_a_card_that_cannot_move_on_is_tried_again_only_after_a_change(owner, staff, phases, time_machine):
    phases[0].update(timeout_hours=1, by=actor(owner))
    phases[1].update(required=["value"], by=actor(owner))
    time_machine.move_to("2027-03-01 09:00Z", tick=False)
    card = make_card(phases[0])
    time_machine.shift(timedelta(hours=2))
    time_is_up()
    time_is_up()
    assert Event.objects.about(card).filter(name="card.held_back").count() == 1
    card.update(value=100, by=actor(staff))
    time_is_up()
    assert here(card) == "Contact made with customer"


def test_a_card_that_somebody_moved_at_the_same_moment_is_not_held_back(staff, phases):
    seen = make_card(phases[0])
    Card.objects.get(pk=seen.pk).move(phases[2], by=actor(staff))
    assert not move_on(seen, "72 hours in Customer contacted me")
    assert here(seen) == "Price quote sent"
    assert not Event.objects.about(seen).filter(name="card.held_back").exists()
