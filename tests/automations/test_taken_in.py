"""Events that are taken in and sent by the worker: once, whatever becomes of it."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.actor import Actor
from accounts.models import Event
from automations.models import Timer
from automations.models.timer import MOST_PENDING
from automations.tasks import sweep
from boards.models import Card, Field
from tests.automations.test_rulesets import comments, make, publish, ruleset, say  # noqa: F401 (publish is a fixture)
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_event_that_is_taken_in_is_sent_once_and_its_rules_act(publish, staff):  # noqa: F811
    card = make(publish(ruleset("Paid", rules=[say("Thanks")])))
    timer = Timer.take_in(card, "Paid", {"amount": 3}, by=actor(staff))
    assert comments(card) == [], "the worker has not come to it yet"
    for _ in range(2):
        Timer.objects.get(pk=timer.pk).fire()
        sweep.func()
    assert comments(card) == ["Thanks"]
    told = Event.objects.get(name="card.signalled")
    assert (told.details["attributes"], told.cause.name, told.actor_name) == (
        {"amount": 3},
        "card.signal_taken",
        "Tomás Rivera",
    )


def test_what_a_crash_left_behind_is_sent_by_the_next_worker(publish, staff):  # noqa: F811
    card = make(publish(ruleset("Paid", rules=[say("Thanks")])))
    Timer.take_in(card, "Paid", by=actor(staff))
    Timer.objects.update(attempts=1)  # as if the worker had died at it
    sweep.func()
    assert comments(card) == ["Thanks"]


def test_what_could_not_be_sent_is_refused_at_once(workflow, manager, staff):
    Field.create(workflow, name="Wood", kind="number", by=actor(manager))
    card = make_card(workflow.phases.first())
    for name, told in (("", {}), ("Paid", {"x": {}}), ("Paid", {"wood": "oak"})):
        with pytest.raises(ValidationError):
            Timer.take_in(card, name, told, by=actor(staff))
    program = Actor("token", "1", "Shop", card.business_id, "owner", frozenset(["EVENT_REPORT"]))
    with pytest.raises(PermissionDenied, match="CARD_MANAGE"):
        Timer.take_in(card, "Paid", {"wood": 3}, by=program)
    for number in range(MOST_PENDING):
        Timer.take_in(card, f"E{number}", by=program)
    with pytest.raises(ValidationError) as refusal:
        Timer.take_in(card, "Paid", by=program)
    assert refusal.value.code == "too_many"
    card.archive(by=actor(staff))
    with pytest.raises(ValidationError, match="archived"):
        Timer.take_in(card, "Paid", by=actor(staff))


def test_what_is_refused_by_the_time_the_worker_comes_is_told_on_the_card(workflow, staff):
    card = make_card(workflow.phases.first())
    timer = Timer.take_in(card, "Paid", by=actor(staff))
    Card.objects.get(pk=card.pk).archive(by=actor(staff))
    Timer.objects.update(at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    sweep.func()
    timer.refresh_from_db()
    assert timer.cancelled_at
    told = Event.objects.about(card).first()
    assert (told.name, told.details["label"]) == ("card.report_failed", "Paid")
    assert "is archived" in told.details["why"]
