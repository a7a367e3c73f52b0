"""Waits between actions: gone on with once, when the time has come, unless the reason is gone."""

import datetime as dt

import pytest
from django.db.models.functions import Now

from automations.models import Rule
from automations.models.run import TRIES, Run
from automations.running import take_up, wake
from boards.models import Card
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


@pytest.fixture
def rule(business, owner, time_machine):
    """Return a rule that says hello, waits three days and says it again."""
    time_machine.move_to("2027-03-26 09:00Z", tick=False)
    wait = {"type": "wait", "for": "3 days"}
    return Rule.create(
        business, {"trigger": "card_created", "actions": [say("Hello"), wait, say("Again")]}, by=actor(owner)
    )


def say(text):
    return {"type": "add_comment", "text": text}


def said(card):
    return [comment.text for comment in card.comments.order_by("created_at", "pk")]


def fresh(card):
    return Card.objects.get(pk=card.pk)


def test_a_rule_goes_on_when_its_wait_is_over_and_once(rule, phases, time_machine):
    card = make_card(phases[0])
    run = rule.runs.get()
    assert (run.state, said(card)) == ("waiting", ["Hello"])
    assert run.wakes_at == dt.datetime(2027, 3, 29, 9, tzinfo=dt.UTC)
    time_machine.move_to("2027-03-29 08:59Z", tick=False)
    assert wake() == 0
    time_machine.move_to("2027-03-29 09:00Z", tick=False)
    assert (wake(), wake()) == (1, 0)
    assert said(card) == ["Hello", "Again"]
    run.refresh_from_db()
    assert (run.state, run.steps) == ("done", ["Added a comment", "Waited 3 days", "Added a comment"])


def test_days_end_at_the_same_time_of_day_though_the_clocks_change(rule, phases, business, owner):
    business.update(time_zone="Europe/Berlin", by=actor(owner))
    make_card(phases[0])
    assert rule.runs.get().wakes_at == dt.datetime(2027, 3, 29, 8, tzinfo=dt.UTC)


def test_a_worker_that_was_away_goes_on_late_and_once(rule, phases, time_machine):
    card = make_card(phases[0])
    time_machine.move_to("2027-05-01 09:00Z", tick=False)
    assert (wake(), wake()) == (1, 0)
    assert sorted(said(card)) == ["Again", "Hello"]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda card, by: card.move(card.next_phase, by=by), "It has moved on to Contact made with customer."),
        (lambda card, by: card.archive(by=by), "The card was archived."),
        (lambda card, by: card.archive(by=by) and fresh(card).delete_for_good(by=by), "The card was deleted."),
        (lambda card, by: Rule.objects.get().switch("off", by=by), "The rule was switched off."),
        (lambda card, by: Rule.objects.get().delete_for_good(by=by), "The rule was deleted."),
    ],
)
def test_a_wait_whose_reason_is_gone_ends_in_words(rule, phases, owner, time_machine, end, reason):
    card = make_card(phases[0])
    end(fresh(card), actor(owner))
    time_machine.move_to("2027-03-30 09:00Z", tick=False)
    wake()
    run = Run.objects.get()
    assert (run.state, run.reason) == ("cancelled", reason)
    assert "Again" not in said(card)


def test_a_wait_may_say_that_it_does_not_mind_a_move(rule, phases, owner, staff, time_machine):
    wait = {"type": "wait", "for": "1 day", "even_if_moved": "yes"}
    rule.update(document={"trigger": "card_created", "actions": [wait, say("Again")]}, by=actor(owner))
    card = make_card(phases[0])
    card.move(phases[1], by=actor(staff))
    time_machine.move_to("2027-03-30 09:00Z", tick=False)
    wake()
    assert said(card) == ["Again"]


def test_a_wait_after_a_move_of_its_own_is_about_where_the_card_went(rule, phases, owner, time_machine):
    actions = [{"type": "move_card", "to": "next"}, {"type": "wait", "for": "1 day"}, say("Again")]
    rule.update(document={"trigger": "card_created", "actions": actions}, by=actor(owner))
    card = make_card(phases[0])
    time_machine.move_to("2027-03-30 09:00Z", tick=False)
    wake()
    assert said(card) == ["Again"]


def test_a_rule_that_is_changed_meanwhile_finishes_as_it_began(rule, phases, owner, time_machine):
    card = make_card(phases[0])
    rule.update(document={"trigger": "card_created", "actions": [say("Else")]}, by=actor(owner))
    time_machine.move_to("2027-03-30 09:00Z", tick=False)
    wake()
    assert said(card) == ["Hello", "Again"]
    assert Run.objects.get().version == 1


def test_a_run_that_waits_can_be_stopped(rule, phases, owner, time_machine):
    card = make_card(phases[0])
    rule.runs.get().cancel(by=actor(owner))
    time_machine.move_to("2027-03-30 09:00Z", tick=False)
    assert wake() == 0
    assert rule.runs.get().reason == "Maren Holt stopped it."
    assert said(card) == ["Hello"]


def interrupt(**changes):
    """Let somebody have died after the wait, before the comment, more than a minute ago."""
    Run.objects.update(state="running", wakes_at=None, touched_at=Now() - dt.timedelta(seconds=61), **changes)


def test_a_run_that_was_interrupted_is_taken_up_where_it_was(rule, phases):
    card = make_card(phases[0])
    Run.objects.update(state="running", wakes_at=None)
    assert take_up() == 0, "somebody may still be at it"
    interrupt()
    assert take_up() == 1
    assert sorted(said(card)) == ["Again", "Hello"]
    assert take_up() == 0


def test_a_run_that_is_interrupted_again_and_again_at_one_step_is_set_aside(rule, phases):
    card = make_card(phases[0])
    for _ in range(TRIES):
        interrupt()
        assert Run.objects.get()._take(Run.objects.interrupted()), "as a worker does before it dies"
    interrupt()
    take_up()
    run = Run.objects.get()
    assert (run.state, run.reason) == ("failed", f"It was interrupted {TRIES} times.")
    assert said(card) == ["Hello"]


def test_a_run_that_gets_on_between_interruptions_is_not_set_aside(rule, phases):
    card = make_card(phases[0])
    interrupt(interruptions=TRIES - 1)
    take_up()
    assert sorted(said(card)) == ["Again", "Hello"]
    assert Run.objects.get().interruptions == 0


def test_what_was_set_aside_has_tries_of_its_own_when_somebody_tries_it_again(rule, phases, owner):
    card = make_card(phases[0])
    interrupt(interruptions=TRIES)
    take_up()
    Run.objects.get().retry(by=actor(owner))
    assert sorted(said(card)) == ["Again", "Hello"]


def test_of_two_workers_one_takes_up_what_was_interrupted(rule, phases):
    make_card(phases[0])
    interrupt()
    run = Run.objects.get()
    assert run._take(Run.objects.interrupted())
    assert not Run.objects.get()._take(Run.objects.interrupted())
