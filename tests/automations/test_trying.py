"""Trying a rule: on a card, on all cards as they stand, on what happened in the past; nothing of it stays."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Event
from automations.models import Rule, Run
from automations.running import heed_moments
from automations.trying import matching_now, replay, try_on
from boards.models import Card
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)
SAY = {"type": "add_comment", "text": "Hello"}


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


@pytest.fixture
def rule(business, owner):
    """Return a function that makes a rule that is off, as one is while it is written."""

    def make(trigger, *actions, when=None, **options):
        document = {"trigger": trigger, "conditions": when or {}, "actions": list(actions) or [SAY]}
        return Rule.create(business, document, **{"state": "off", "by": actor(owner), **options})

    return make


# On a card --------------------------------------------------------------------------------------------


def test_a_trial_says_what_would_be_done_and_leaves_nothing_behind(rule, phases):
    tried = rule("state_changed", {"type": "move_card", "to": phases[2].name}, {"type": "wait", "for": "3 days"}, SAY)
    card = make_card(phases[0])
    before = Event.objects.count(), Card.objects.get(pk=card.pk).revision
    trial = try_on(tried, card)
    assert trial.steps == [f"Moved it to {phases[2].name}", "Waited 3 days", "Added a comment"]
    assert (Event.objects.count(), Card.objects.get(pk=card.pk).revision) == before
    assert not Run.objects.exists()
    assert not card.comments.exists()


def test_a_trial_says_why_the_rule_would_not_act(rule, phases):
    tried = rule("state_changed", when=[{"field": "value", "op": "over", "value": 1000}])
    assert try_on(tried, make_card(phases[0], value=24_000)).reason == "Value €240 is not over €1,000"


def test_a_trial_says_what_the_rule_would_stumble_over(rule, phases, owner):
    phases[2].update(required=["value"], by=actor(owner))
    tried = rule("state_changed", SAY, {"type": "move_card", "to": phases[2].name}, SAY)
    trial = try_on(tried, make_card(phases[0]))
    assert (trial.steps, trial.error) == (["Added a comment"], f"{phases[2].name} asks for a value.")


# On all cards as they stand ---------------------------------------------------------------------------


def test_cards_match_that_stand_where_the_rule_would_meet_them(rule, business, phases):
    tried = rule("state_changed", when={"new_state": phases[2].name, "source": "Shop"})
    match = make_card(phases[2], source="shop")
    make_card(phases[2], source="Fair")
    make_card(phases[1], source="Shop")
    archived = make_card(phases[2], source="Shop")
    archived.archive(by=tried.actor())
    found = matching_now(tried)
    assert (found.count, found.first, found.more) == (1, [match], False)


def test_won_cards_match_a_rule_about_winning(rule, phases, staff):
    card = make_card(phases[0])
    make_card(phases[0])
    card.move(phases[-1], by=actor(staff))
    assert matching_now(rule("won")).first == [card]


def test_cards_match_that_wait_long_enough_now(rule, phases, time_machine):
    time_machine.move_to("2027-03-01 09:00Z", tick=False)
    old = make_card(phases[0])
    time_machine.move_to("2027-03-05 09:00Z", tick=False)
    make_card(phases[0])
    tried = rule({"type": "waiting", "phase": phases[0].name, "for": "3 days"})
    assert matching_now(tried).first == [old]


def test_contacts_match_a_rule_about_contacts(rule, business):
    ines = make_contact(business, company="Brunet & Co")
    make_contact(business, given_name="Lotte")
    assert matching_now(rule("contact_created", when={"contact.company": "brunet & co"})).first == [ines]


def test_cards_of_another_workflow_do_not_match(rule, business, workflow, phases):
    make_card(make_workflow(business, "Repairs", "repair").phases.first())
    card = make_card(phases[0])
    assert matching_now(rule("card_created", workflow=workflow)).first == [card]


def test_looking_at_many_cards_asks_no_more_of_the_database(rule, phases, owner, workflow):
    label = workflow.labels.first()
    when = [
        {"field": "label", "op": "has", "value": label.name},
        {"field": "assignee", "op": "has", "value": str(owner)},
        {"field": "contact.label", "op": "is_empty"},
        {"field": "reported", "op": "has_not", "value": "payment_received"},
    ]
    tried = rule("state_changed", when=when)

    asked = []
    for count in (2, 8):
        for _ in range(count):
            make_card(phases[0], labels=[label], assignees=[owner], contact=make_contact(tried.business))
        with CaptureQueriesContext(connection) as captured:
            assert matching_now(Rule.objects.get(pk=tried.pk)).count == tried.business.cards.count()
        asked.append(len(captured))
    assert asked[0] == asked[1]


# On the past ------------------------------------------------------------------------------------------


def test_a_replay_counts_what_would_have_set_the_rule_off(rule, phases, staff, time_machine):
    time_machine.move_to("2027-01-01 09:00Z", tick=False)
    long_ago, twice, once = (make_card(phases[0]) for _ in range(3))
    long_ago.move(phases[2], by=actor(staff))
    time_machine.move_to("2027-03-15 09:00Z", tick=False)
    twice.move(phases[2], by=actor(staff))
    twice.move(phases[0], by=actor(staff))
    twice.move(phases[2], by=actor(staff))
    once.move(phases[2], by=actor(staff))
    tried = rule("state_changed", when={"new_state": phases[2].name})
    found = replay(tried)
    assert (found.times, found.cards) == (3, {twice.pk, once.pk})
    assert found.first[0][1] == once
    assert not Run.objects.exists()


def test_a_replay_of_waiting_meets_cards_that_have_moved_on_since(rule, phases, staff, time_machine):
    time_machine.move_to("2027-03-01 09:00Z", tick=False)
    stayed, left_early, left_late = (make_card(phases[0]) for _ in range(3))
    time_machine.move_to("2027-03-03 09:00Z", tick=False)
    left_early.move(phases[1], by=actor(staff))
    time_machine.move_to("2027-03-06 09:00Z", tick=False)
    left_late.move(phases[1], by=actor(staff))
    tried = rule({"type": "waiting", "phase": phases[0].name, "for": "3 days"})
    found = replay(tried)
    assert (found.times, found.cards) == (2, {stayed.pk, left_late.pk})


def test_a_replay_agrees_with_what_the_rule_did(rule, phases, staff, time_machine):
    time_machine.move_to("2027-03-01 09:00Z", tick=False)
    moved = rule("state_changed", when={"new_state": phases[1].name}, state="on")
    waited = rule({"type": "waiting", "phase": phases[1].name, "for": "1 day"}, state="on")
    for number in range(4):
        card = make_card(phases[0])
        card.move(phases[1], by=actor(staff))
        time_machine.shift(3600 * 20 * number)
        heed_moments()
        Card.objects.get(pk=card.pk).move(phases[2], by=actor(staff))
    for each in (moved, waited):
        assert replay(each).times == each.runs.filter(state="done").count()


def test_a_replay_of_a_schedule_counts_its_days(rule, time_machine, workflow):
    time_machine.move_to("2027-03-15 12:00Z", tick=False)
    card = {"type": "create_card", "phase": f"{workflow.name} / Won"}
    tried = rule({"type": "schedule", "every": "week", "on": ["mon"]}, card)
    assert replay(tried, days=28).times == 4
