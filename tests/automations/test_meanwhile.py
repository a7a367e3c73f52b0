"""What happens while a rule waits, or while its mail does: a payment that comes in time, a quote that is answered."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actor import Actor
from automations.models import Delivery, Rule, Run
from automations.progress import time_is_up
from automations.recipes import RECIPES
from automations.running import heed_moments, wake
from boards.models import Card, Phase
from boards.undoing import undo
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)

WAIT = {"type": "wait", "for": "3 days"}
AGAIN = {"type": "add_comment", "text": "Again"}


@pytest.fixture
def clock(time_machine):
    """Return a function that lets days pass and the worker look."""
    time_machine.move_to("2027-03-01 09:00Z", tick=False)

    def pass_days(days):
        time_machine.shift(timedelta(days=days))
        wake()
        heed_moments()
        time_is_up()

    return pass_days


@pytest.fixture
def orders(business, clock):
    """Return the phases of a workflow of orders, by their names."""
    workflow = make_workflow(business, "Orders", "order")
    Phase.create(workflow, name="Cancelled", stage="cancelled", by=Actor.system(business))
    return {phase.name: phase for phase in workflow.phases.all()}


@pytest.fixture
def customer(business):
    """Return Ines, who has an address."""
    return make_contact(business, emails=[("ines@example.test", "")])


@pytest.fixture
def paid(business):
    """Return what is reported when money comes."""
    return business.trigger_library.get(key="payment_received")


def recipe(key, **changes):
    document = next(one.document for one in RECIPES if one.key == key)
    return document | changes


def fresh(card):
    return Card.objects.get(pk=card.pk)


# Conditions, after a wait -------------------------------------------------------------------------------


@pytest.fixture
def waiting(business, owner, orders):
    """Return a function: a card on which a rule with these conditions waits, and its run."""

    def begin(*conditions, before=(), wait=WAIT, **fields):
        document = {"trigger": "card_created", "conditions": list(conditions), "actions": [*before, wait, AGAIN]}
        Rule.create(business, document, by=actor(owner))
        card = make_card(next(iter(orders.values())), **fields)
        return card, Run.objects.get()

    return begin


def test_a_condition_is_asked_again_when_the_wait_is_over(waiting, clock, owner):
    card, run = waiting({"field": "value", "op": "over", "value": 1000}, value=150_000)
    fresh(card).update(value=24_000, by=actor(owner))
    clock(3)
    run.refresh_from_db()
    assert (run.state, run.reason) == ("cancelled", "No longer so: Value €240 is not over €1,000")
    assert not card.comments.exists()


def test_what_holds_still_lets_the_rule_go_on(waiting, clock):
    card, run = waiting(
        {"field": "value", "op": "over", "value": 1000},
        {"field": "new_state", "op": "is_not", "value": "x"},
        value=150_000,
    )
    clock(3)
    run.refresh_from_db()
    assert (run.state, card.comments.count()) == ("done", 1)


def test_of_what_the_rule_has_put_an_end_to_by_itself_nobody_expects_it_later(waiting, clock, owner, orders):
    label = orders[next(iter(orders))].workflow.labels.first()
    no_label = {"field": "label", "op": "has_not", "value": label.name}
    is_big = {"field": "value", "op": "over", "value": 1000}
    card, run = waiting(no_label, is_big, before=[{"type": "add_label", "label": label.name}], value=150_000)
    assert run.premise["conditions"] == {"all": [is_big]}
    clock(3)
    assert card.comments.count() == 1


def test_what_time_alone_ends_does_not_end_the_rule(waiting, clock):
    card, _ = waiting({"any": [{"field": "age", "op": "under", "value": 1}, {"field": "name", "value": "nothing"}]})
    clock(3)
    assert card.comments.count() == 1


def test_a_wait_that_minds_no_move_asks_for_no_phase_again(waiting, clock, owner, orders):
    first, second, *_ = orders.values()
    wait = WAIT | {"even_if_moved": "yes"}
    card, _ = waiting({"field": "phase", "value": first.name}, wait=wait)
    card.move(second, by=actor(owner))
    clock(3)
    assert card.comments.count() == 1


def test_a_run_that_cannot_be_asked_again_fails_visibly(waiting, clock):
    _, run = waiting({"field": "value", "op": "over", "value": 1000}, value=150_000)
    Run.objects.update(premise={"trigger": "moon", "conditions": {"all": []}})
    clock(3)
    run.refresh_from_db()
    assert (run.state, run.reason) == ("failed", "Something went wrong inside Phasewise (ValidationError).")


# Payment not received in time ---------------------------------------------------------------------------


def test_what_is_not_paid_in_time_is_cancelled_with_that_reason(business, owner, orders, customer, clock):
    Rule.create(business, recipe("unpaid"), by=actor(owner))
    card = make_card(orders["Awaiting payment"], contact=customer)
    clock(3)
    card = fresh(card)
    assert (card.phase.name, card.closing.reason_name) == ("Cancelled", "Payment not received in time")
    assert Delivery.objects.get().to == "ines@example.test"


@pytest.mark.parametrize("rule", ["the recipe", "a wait", "a wait without conditions"])
def test_what_was_paid_meanwhile_is_not_cancelled(business, owner, orders, customer, clock, paid, rule):
    document = recipe("unpaid")
    if rule != "the recipe":
        entered = {"field": "new_state", "op": "is", "value": "Awaiting payment"}
        document |= {"trigger": "state_changed", "conditions": [entered, *document["conditions"]]}
        document |= {"actions": [WAIT, *document["actions"]]}
    if rule == "a wait without conditions":
        document["conditions"] = []
        orders["Awaiting payment"].update(trigger=paid, by=actor(owner))  # which moves the card on
    Rule.create(business, document, by=actor(owner))
    card = make_card(next(iter(orders.values())), contact=customer)
    card.move(orders["Awaiting payment"], by=actor(owner))
    clock(2)
    fresh(card).report(paid, by=actor(owner))
    clock(2)
    assert not fresh(card).phase.is_cancelled
    assert not Delivery.objects.exists()
    why = Run.objects.get(state__in=("skipped", "cancelled")).reason
    assert (
        why
        == {
            "the recipe": "Payment received is among its reports",
            "a wait": "No longer so: Payment received is among its reports",
            "a wait without conditions": "It has moved on to Packing.",
        }[rule]
    )


def test_the_mail_that_says_it_is_cancelled_does_not_leave_when_it_is_taken_back(
    business, owner, orders, customer, clock
):
    Rule.create(business, recipe("unpaid"), by=actor(owner))
    card = make_card(orders["Awaiting payment"], contact=customer)
    clock(3)
    fresh(card).move(orders["Awaiting payment"], by=actor(owner))
    mail = Delivery.objects.get()
    assert (mail.state, mail.error) == ("stopped", "Maren Holt took back what it tells of.")


def test_a_phase_whose_payment_was_held_back_does_not_run_out_of_time(owner, orders, clock, paid):
    phase = orders["Awaiting payment"]
    phase.update(trigger=paid, timeout_hours=72, timeout_to=orders["Cancelled"], by=actor(owner))
    orders["Packing"].update(required=["value"], by=actor(owner))
    card = make_card(phase)
    card.report(paid, by=actor(owner))
    assert fresh(card).phase == phase, "the next phase asks for a value"
    clock(1)
    fresh(card).update(description="Paid by card", by=actor(owner))
    clock(3)
    assert fresh(card).phase == phase
    fresh(card).update(value=1000, by=actor(owner))
    clock(1)
    assert fresh(card).phase == orders["Packing"]


# Quiet quotes -------------------------------------------------------------------------------------------


@pytest.fixture
def reminded(business, owner, workflow, customer, clock):
    """Return a card of which the reminder waits to leave, and the reminder."""
    Rule.create(business, recipe("quiet_quote"), by=actor(owner))
    card = make_card(workflow.phases.get(name="Price quote sent"), contact=customer, value=150_000)
    clock(3)
    return fresh(card), Delivery.objects.get()


@pytest.mark.parametrize("deed", ["move", "archive"])
def test_the_reminder_of_a_quote_that_was_answered_does_not_leave(reminded, owner, deed):
    card, mail = reminded
    card.move(card.next_phase, by=actor(owner)) if deed == "move" else card.archive(by=actor(owner))
    mail.refresh_from_db()
    assert (mail.state, mail.error) == ("stopped", "What it tells of is over.")


def test_a_reminder_minds_no_other_change(reminded, owner):
    card, mail = reminded
    card.update(name="Oak", due_date=timezone.localdate(), by=actor(owner))
    mail.refresh_from_db()
    assert mail.state == "waiting"


def test_a_rule_that_moves_the_card_itself_still_sends_its_reminder(business, owner, workflow, customer, clock):
    document = recipe("quiet_quote", conditions=[])
    document |= {"actions": [document["actions"][0], {"type": "move_card", "to": "next"}]}
    Rule.create(business, document, by=actor(owner))
    make_card(workflow.phases.get(name="Price quote sent"), contact=customer)
    clock(3)
    assert Delivery.objects.get().state == "waiting"


@pytest.mark.parametrize(
    ("deed", "state"),
    [
        (lambda card, by: card.move(card.next_phase, by=by), "waiting"),
        (lambda card, by: card.move(card.workflow.phases.get(section=1), by=by), "stopped"),
        (lambda card, by: card.update(due_date=timezone.localdate() + timedelta(days=9), by=by), "stopped"),
        (lambda card, by: card.update(name="Oak", by=by), "waiting"),
    ],
)
def test_a_mail_about_a_day_that_passed_minds_the_day(business, owner, workflow, customer, clock, deed, state):
    letter = {"type": "send_email", "template": "delay_notification", "to": "customer"}
    Rule.create(business, {"trigger": {"type": "overdue", "by": "1 day"}, "actions": [letter]}, by=actor(owner))
    card = make_card(workflow.phases.first(), contact=customer, due_date=timezone.localdate())
    clock(3)
    deed(fresh(card), actor(owner))
    assert Delivery.objects.get().state == state


def test_undoing_what_a_rule_did_takes_back_its_mail(business, owner, workflow, customer, paid):
    letter = {"type": "send_email", "template": "order_completed", "to": "customer"}
    reported = {"trigger": "reported", "conditions": {"trigger": paid.key}}
    Rule.create(business, reported | {"actions": [{"type": "move_card", "to": "next"}, letter]}, by=actor(owner))
    card = make_card(workflow.phases.first(), contact=customer)
    card.report(paid, by=actor(owner))
    moved = card.business.events.get(name="card.moved")
    undo(moved, by=actor(owner))
    assert Delivery.objects.get().state == "stopped"
