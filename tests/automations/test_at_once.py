"""Several workers at the same moment: each moment is heeded, each wait gone on with, each report made once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import tell
from accounts.models import Event
from automations.models import Rule, Run, Timer
from automations.running import fire_timers, heed_moments, take_up, wake
from boards.models import Card, Comment, Trigger
from boards.models.library import stock
from tests.at_once import at_once
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 4
SAY = {"type": "add_comment", "text": "Hello"}


def all_at_once(deed):
    """Let several workers do the same at the same moment; none may fail."""
    assert not [answer for answer in at_once(*[deed] * WORKERS) if isinstance(answer, Exception)]


@pytest.fixture
def cards(workflow):
    """Three cards of an hour ago."""
    cards = [make_card(workflow.phases.first()) for _ in range(3)]
    Card.objects.update(entered_at=timezone.now() - timedelta(hours=1))
    return cards


def said():
    return sorted(Comment.objects.values_list("card__number", flat=True))


def test_a_moment_is_heeded_by_one_of_them(business, owner, workflow, cards):
    trigger = {"type": "waiting", "phase": workflow.phases.first().name, "for": "30 minutes"}
    rule = Rule.create(business, {"trigger": trigger, "actions": [SAY]}, by=actor(owner))
    Rule.objects.update(armed_at=timezone.now() - timedelta(days=1))
    all_at_once(heed_moments)
    assert said() == [card.number for card in cards]
    assert list(rule.runs.values_list("state", flat=True)) == ["done"] * 3


def test_a_wait_is_gone_on_with_by_one_of_them(business, owner, workflow):
    document = {"trigger": "card_created", "actions": [{"type": "wait", "for": "1 hour"}, SAY, SAY]}
    Rule.create(business, document, by=actor(owner))
    card = make_card(workflow.phases.first())
    Run.objects.update(wakes_at=timezone.now() - timedelta(minutes=1))
    all_at_once(lambda: (wake(), take_up()))
    assert said() == [card.number] * 2
    assert Run.objects.get().state == "done"


def test_an_event_that_all_of_them_tell_sets_a_rule_off_once(business, owner, workflow):
    card = make_card(workflow.phases.first())
    Rule.create(business, {"trigger": "card_created", "actions": [SAY]}, by=actor(owner))
    event = Event.objects.get(name="card.created")
    all_at_once(lambda: tell(Event.objects.get(pk=event.pk)))
    assert said() == [card.number]


def test_a_planned_report_is_made_by_one_of_them(business, workflow, cards):
    stock(business)
    by = Actor.system(business)
    Timer.plan(cards[0], Trigger.objects.get(key="packed"), timezone.now() - timedelta(minutes=1), by=by)
    all_at_once(fire_timers)
    assert Event.objects.filter(name="card.reported").count() == 1
