"""Orders: one run through a chain of workflows, with one timeline."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Event
from accounts.verbs import Stale
from boards.models import Card, Order, OrderType
from boards.undoing import undo
from tests.factories import actor, make_card, make_contact, make_workflow


@pytest.fixture
def chain(business):
    """Return three workflows: intake, production, fulfilment."""
    return [
        make_workflow(business, name=name, starter=kind)
        for name, kind in (("Intake", "sales"), ("Workshop", "repair"), ("Delivery", "order"))
    ]


@pytest.fixture
def kind(business, owner, chain):
    """Return the order type that runs through them."""
    return OrderType.create(business, name="Made to order", code="mto", workflows=chain, by=actor(owner))


def states(order):
    return [step.state for step in Order.objects.get(pk=order.pk).steps.all()]


def win(card, by):
    card = Card.objects.get(pk=card.pk)
    card.move(card.workflow.win_phase, by=by)


@pytest.mark.django_db(transaction=True)
def test_winning_one_workflow_opens_the_next_with_what_the_card_carries(business, owner, staff, chain, kind):
    order = Order.open(
        kind, name="Oak kitchen", contact=make_contact(business), due_date=date(2027, 5, 1), by=actor(staff)
    )
    assert order.code == "MTO-1"
    card = order.cards.get()
    assert (card.workflow, card.phase.name, card.due_date) == (chain[0], "Customer contacted me", date(2027, 5, 1))
    card.update(value=840_000, by=actor(staff))
    win(card, actor(staff))
    assert states(order) == ["done", "open", "pending"]
    second = order.cards.get(workflow=chain[1])
    assert (second.name, second.value, second.contact.name, second.phase.name) == (
        "Oak kitchen",
        840_000,
        "Ines Brunet",
        "Reported",
    )
    win(second, actor(staff))
    win(order.cards.get(workflow=chain[2]), actor(staff))
    order.refresh_from_db()
    assert states(order) == ["done", "done", "done"]
    assert order.completed_at


def test_being_told_twice_of_a_win_opens_one_card(staff, kind):
    order = Order.open(kind, name="Oak", by=actor(staff))
    card = order.cards.get()
    win(card, actor(staff))
    order.advance(card, by=actor(staff))
    order.advance(card, by=actor(staff))
    assert states(order) == ["done", "open", "pending"]
    assert order.cards.count() == 2


def test_an_order_may_start_in_the_middle(staff, chain, kind):
    order = Order.open(kind, name="Oak", start=chain[1], by=actor(staff))
    assert states(order) == ["skipped", "open", "pending"]


def test_a_card_can_be_opened_as_an_order(staff, chain, kind):
    card = make_card(chain[0].phases.first(), "Bench")
    order = Order.open(kind, name=card.name, card=card, by=actor(staff))
    assert order.cards.get() == card
    with pytest.raises(ValidationError, match="belongs to an order already"):
        Order.open(kind, name=card.name, card=Card.objects.get(pk=card.pk), by=actor(staff))
    foreign = make_card(make_workflow(chain[0].business, name="Elsewhere").phases.first())
    with pytest.raises(ValidationError, match="does not run through"):
        Order.open(kind, name="x", card=foreign, by=actor(staff))


def test_a_step_can_be_skipped_before_it_begins_and_while_it_runs(staff, kind):
    order = Order.open(kind, name="Oak", by=actor(staff))
    order.skip(order.steps.get(position=1), by=actor(staff))
    assert states(order) == ["open", "skipped", "pending"]
    first = order.cards.get()
    order.skip(order.steps.get(position=0), by=actor(staff))
    assert states(order) == ["skipped", "skipped", "open"]
    assert Card.objects.get(pk=first.pk).archived_at


def test_cancelling_takes_the_open_cards_off_their_boards(staff, kind):
    order = Order.open(kind, name="Oak", by=actor(staff))
    order.cancel(by=actor(staff))
    order.cancel(by=actor(staff))
    order.refresh_from_db()
    assert order.cancelled_at
    assert not order.cards.on_board().exists()
    assert Order.objects.filter(pk=order.pk, completed_at=None).exists()


def test_the_one_due_date_reaches_the_open_cards(staff, kind):
    order = Order.open(kind, name="Oak", by=actor(staff))
    order.update(due_date=date(2027, 6, 1), by=actor(staff))
    assert order.cards.get().due_date == date(2027, 6, 1)


def test_numbers_count_up_in_the_business(staff, kind):
    assert [Order.open(kind, name="A", by=actor(staff)).code for _ in range(3)] == ["MTO-1", "MTO-2", "MTO-3"]


def test_a_type_that_is_retired_or_empty_opens_nothing(business, owner, staff, kind):
    empty = OrderType.create(business, name="Empty", code="E", by=actor(owner))
    with pytest.raises(ValidationError, match="no workflows yet"):
        Order.open(empty, name="A", by=actor(staff))
    kind.retire(by=actor(owner))
    kind.refresh_from_db()
    with pytest.raises(ValidationError, match="is retired"):
        Order.open(kind, name="A", by=actor(staff))


def test_a_running_order_keeps_the_chain_it_was_opened_with(owner, staff, chain, kind):
    order = Order.open(kind, name="Oak", by=actor(staff))
    kind.update(workflows=[chain[2]], by=actor(owner))
    assert states(order) == ["open", "pending", "pending"]
    assert [stage.workflow for stage in kind.stages.all()] == [chain[2]]


def test_a_chain_takes_each_workflow_once_and_only_ones_of_the_business(business, owner, stranger, chain, kind):
    for bad in ([chain[0], chain[0]], [make_workflow(stranger.business)]):
        with pytest.raises(ValidationError):
            kind.update(workflows=bad, by=actor(owner))
    assert kind.stages.count() == 3


def test_an_order_around_a_card_takes_no_contact_of_another_business(stranger, staff, chain, kind):
    card = make_card(chain[0].phases.first())
    with pytest.raises(ValidationError, match="does not exist"):
        Order.open(kind, name="Oak", card=card, contact=make_contact(stranger.business), by=actor(staff))
    assert not Order.objects.exists()


def test_only_its_own_steps_are_skipped_and_only_its_facts_are_written(stranger, staff, kind):
    order, other = (Order.open(kind, name=name, by=actor(staff)) for name in ("Oak", "Ash"))
    with pytest.raises(ValueError, match="another order"):
        order.skip(other.steps.first(), by=actor(staff))
    with pytest.raises(ValueError, match="unknown fields"):
        order.update(business=stranger.business, by=actor(staff))


@pytest.mark.django_db(transaction=True)
def test_a_win_that_is_undone_takes_the_next_card_back_unless_somebody_worked_on_it(business, staff, chain, kind):
    by = actor(staff)
    order = Order.open(kind, name="Oak kitchen", by=by)
    card = order.cards.get()
    win(card, by)
    second = order.cards.get(workflow=chain[1])
    undo(Event.objects.filter(name="card.moved").first(), by=by)
    assert states(order) == ["open", "pending", "pending"]
    second.refresh_from_db()
    assert second.archived_at
    assert Card.objects.get(pk=card.pk).phase.name == "Customer contacted me"
    win(card, by)
    assert states(order) == ["done", "open", "pending"]
    order.cards.get(workflow=chain[1]).update(name="Ash kitchen", by=by)
    with pytest.raises(Stale, match="has gone on"):
        undo(Event.objects.filter(name="card.moved").first(), by=by)
    assert states(order) == ["done", "open", "pending"]
    assert Card.objects.get(pk=card.pk).is_won
