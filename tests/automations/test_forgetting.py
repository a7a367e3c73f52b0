"""What ended long ago is forgotten; what waits, what nobody has seen fail, and what must not happen twice, is not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from automations import forgetting
from automations.forgetting import forget_old
from automations.models import Delivery, Inlet, Notification, Received, Rule, Run
from automations.models.inlet import KEPT
from automations.running import heed_moments, wake
from boards.models import Card
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db(transaction=True)

SAY = {"type": "add_comment", "text": "Hello"}
LABEL = {"type": "add_label", "label": "Oak"}  # which is not there
CALL = {"type": "webhook", "url": "https://api.example/notify"}


@pytest.fixture
def clock(time_machine):
    """Return a function that lets days pass."""
    time_machine.move_to("2027-03-01 09:00Z", tick=False)
    return lambda days: time_machine.shift(timedelta(days=days))


@pytest.fixture
def rule(business, owner):
    """Return a function that makes a rule of its trigger and actions."""

    def make(trigger, *actions):
        return Rule.create(business, {"trigger": trigger, "actions": list(actions)}, by=actor(owner))

    return make


def kept() -> dict:
    rows = {"runs": Run.objects, "deliveries": Delivery.objects, "notices": Notification.objects}
    return {name: found.count() for name, found in rows.items()}


def test_what_ended_is_kept_for_its_days_and_then_forgotten(rule, workflow, clock):
    rule("card_created", SAY, CALL)
    make_card(workflow.phases.first())
    Delivery.objects.update(state="sent", finished_at=timezone.now())
    clock(399)
    assert forget_old() == 0
    clock(2)
    assert forget_old() == 2
    assert kept() == {"runs": 0, "deliveries": 0, "notices": 0}


def test_what_waits_is_kept(rule, workflow, clock):
    rule("card_created", CALL, {"type": "wait", "for": "999 days"}, SAY)
    make_card(workflow.phases.first())
    clock(500)
    assert forget_old() == 0
    assert kept() == {"runs": 1, "deliveries": 1, "notices": 0}


def test_what_failed_is_kept_until_somebody_has_seen_it(rule, workflow, owner, clock):
    rule("card_created", CALL, LABEL)
    make_card(workflow.phases.first())
    call = Delivery.objects.get(kind="webhook")
    for _ in range(2):  # the host is not there
        Delivery.objects.filter(pk=call.pk).update(attempts=6, due_at=timezone.now(), leased_until=None)
        Delivery.carry(call.pk)
    call.refresh_from_db()
    assert (call.state, Run.objects.get().state) == ("given_up", "failed")
    Delivery.objects.exclude(pk=call.pk).delete()
    clock(500)
    assert forget_old() == 0
    assert kept() == {"runs": 1, "deliveries": 1, "notices": 2}
    Notification.tick_off(owner, by=actor(owner))
    forget_old()
    assert kept() == {"runs": 0, "deliveries": 0, "notices": 0}


@pytest.mark.parametrize("state", ["on", "watch"])
def test_a_moment_that_was_heeded_is_not_heeded_again(rule, workflow, owner, clock, state):
    phase = workflow.phases.first()
    waits = rule({"type": "waiting", "phase": phase.name, "for": "3 days"}, SAY)
    overdue = rule({"type": "overdue", "by": "1 day"}, SAY)
    for one in (waits, overdue):
        one.switch(state, by=actor(owner))
    make_card(phase, due_date=timezone.localdate())
    clock(3)
    heed_moments()
    heeded = Run.objects.count()
    clock(500)
    forget_old()
    heed_moments()
    assert heeded == Run.objects.count() == 2
    Card.objects.get().archive(by=actor(owner))
    Card.objects.get().delete_for_good(by=actor(owner))
    assert forget_old() == 2


def test_a_day_that_came_round_is_forgotten_and_does_not_come_again(rule, workflow, clock):
    every_day = rule({"type": "schedule", "every": "day", "at": "08:00", "in": workflow.phases.first().name}, SAY)
    card = make_card(workflow.phases.first())
    for _ in range(3):
        clock(1)
        heed_moments()
    assert every_day.runs.count() == 3
    clock(500)
    heed_moments()
    assert forget_old() == 3
    heed_moments()
    assert (every_day.runs.count(), card.comments.count()) == (1, 4)


def test_a_chain_that_goes_on_gives_nobody_a_second_turn(rule, workflow, clock):
    rule(
        "card_created",
        {"type": "add_label", "label": "Referral"},
        {"type": "wait", "for": "500 days"},
        {"type": "remove_label", "label": "Referral"},
        {"type": "add_label", "label": "Referral"},
    )
    rule("label_added", SAY)
    card = make_card(workflow.phases.first())
    assert card.comments.count() == 1
    clock(500)
    assert forget_old() == 0
    wake()
    assert card.comments.count() == 1


def test_an_event_that_may_be_told_again_finds_what_came_of_it(rule, workflow, business, clock):
    rule("card_created", SAY, CALL)
    make_card(workflow.phases.first())
    Delivery.objects.update(state="sent", finished_at=timezone.now())
    business.events.update(told_at=None)
    clock(500)
    assert forget_old() == 0


def test_little_is_forgotten_at_once(rule, workflow, clock, monkeypatch):
    monkeypatch.setattr(forgetting, "BATCH", 2)
    monkeypatch.setattr(forgetting, "MOST", 2)
    rule("card_created", SAY)
    for _ in range(5):
        make_card(workflow.phases.first())
    clock(500)
    assert [forget_old() for _ in range(3)] == [4, 1, 0]


# Calls that came in -------------------------------------------------------------------------------------


def test_a_call_is_known_again_after_many_others_and_its_text_is_not(business, owner, workflow, clock):
    paid = business.trigger_library.get(key="payment_received")
    inlet = Inlet.create(business, name="Bank", trigger=paid, path="card", by=actor(owner))
    card = make_card(workflow.phases.first())
    call = f'{{"card": {card.number}}}'
    inlet.receive(call, "first")
    clock(1)
    seconds = [timezone.now() - timedelta(seconds=KEPT - number) for number in range(KEPT)]
    Received.objects.bulk_create(Received(inlet=inlet, key=str(at), at=at, body="{}", said="") for at in seconds)
    inlet.receive(call, "first")
    assert business.events.filter(name="card.reported").count() == 1
    assert inlet.receive(call, "last").body == call
    assert inlet.calls.get(key="first").body == ""
    clock(31)
    assert forget_old() == 2
    assert inlet.calls.count() == KEPT
    clock(400)
    forget_old()
    assert not inlet.calls.exists()
