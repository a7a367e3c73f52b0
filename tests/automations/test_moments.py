"""Moments that come: each is heeded once, on the clock of the business, whatever happens to clocks and dates meanwhile."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from automations.clock import Span, moment_of
from automations.models import Rule
from automations.running import heed_moments
from boards.models import Card
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db
SAY = {"type": "add_comment", "text": "Hello"}


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


@pytest.fixture
def rule(business, owner):
    """Return a function that makes a rule."""

    def make(trigger, when=None, **options):
        return Rule.create(
            business, {"trigger": trigger, "conditions": when or {}, "actions": [SAY]}, by=actor(owner), **options
        )

    return make


@pytest.fixture
def clock(time_machine, business, owner):
    """Return a function that sets the clock to what people in the business's zone read on theirs."""

    def go(wall, zone=None):
        if zone:
            business.update(time_zone=zone, by=actor(owner))
        day, _, hour = wall.partition(" ")
        moment = moment_of(dt.date.fromisoformat(day), dt.time.fromisoformat(hour or "00:00"), business.zone)
        time_machine.move_to(moment, tick=False)

    return go


def said(card):
    return Card.objects.get(pk=card.pk).comment_count


# Waiting in a phase -----------------------------------------------------------------------------------


def test_a_card_that_waits_in_a_phase_is_met_once_when_its_days_are_over(rule, phases, clock, staff):
    clock("2027-03-01 09:00")
    rule({"type": "waiting", "phase": phases[0].name, "for": "3 days"})
    card = make_card(phases[0])
    clock("2027-03-04 08:59")
    assert heed_moments() == 0
    clock("2027-03-04 09:00")
    assert heed_moments() == 1
    assert heed_moments() == 0
    assert said(card) == 1
    clock("2027-04-01 09:00")
    assert heed_moments() == 0, "once for each time it stands there"
    card = Card.objects.get(pk=card.pk)
    card.move(phases[1], by=actor(staff))
    card.move(phases[0], by=actor(staff))
    clock("2027-04-04 09:00")
    heed_moments()
    assert said(card) == 2


def test_a_card_that_has_moved_on_or_is_archived_is_not_met(rule, phases, clock, staff):
    clock("2027-03-01 09:00")
    rule({"type": "waiting", "phase": phases[0].name, "for": "2h"})
    moved, archived = make_card(phases[0]), make_card(phases[0])
    moved.move(phases[1], by=actor(staff))
    archived.archive(by=actor(staff))
    clock("2027-03-01 12:00")
    assert heed_moments() == 0


def test_a_rule_that_is_switched_on_does_not_make_up_for_the_past(rule, phases, clock, owner):
    clock("2027-03-01 09:00")
    early = make_card(phases[0])
    clock("2027-03-05 09:00")
    late = make_card(phases[0])
    chase = rule({"type": "waiting", "phase": phases[0].name, "for": "3 days"}, state="off")
    chase.switch("on", by=actor(owner))
    clock("2027-03-09 09:00")
    assert heed_moments() == 1
    assert (said(early), said(late)) == (0, 1)


def test_a_condition_that_does_not_hold_when_the_moment_comes_is_told_once(rule, phases, clock):
    clock("2027-03-01 09:00")
    chase = rule(
        {"type": "waiting", "phase": phases[0].name, "for": "1 day"}, [{"field": "value", "op": "over", "value": 1000}]
    )
    make_card(phases[0], value=24_000)
    clock("2027-03-02 10:00")
    heed_moments()
    heed_moments()
    (run,) = chase.runs.all()
    assert (run.state, run.reason) == ("skipped", "Value €240 is not over €1,000")


def test_what_follows_from_a_moment_can_be_traced_to_it(rule, phases, clock):
    clock("2027-03-01 09:00")
    chase = rule({"type": "waiting", "phase": phases[0].name, "for": "1 day"}, name="Chase")
    make_card(phases[0])
    clock("2027-03-02 09:00")
    heed_moments()
    run = chase.runs.get()
    assert run.event.sentence == f"came due here: 1 day in {phases[0].name}"
    assert run.chain == run.event


def test_a_worker_that_was_away_heeds_each_moment_late_and_once(rule, phases, clock):
    clock("2027-03-01 09:00")
    rule({"type": "waiting", "phase": phases[0].name, "for": "1 day"})
    daily = rule({"type": "schedule", "every": "day", "at": "10:00", "in": phases[0].name})
    card = make_card(phases[0])
    clock("2027-03-20 09:00")
    heed_moments()
    heed_moments()
    assert said(card) == 2
    assert daily.runs.get().due == f"{card.pk} 2027-03-19 10:00", "not once for every day that was missed"


# Clocks that change -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Europe/Berlin", "2027-03-27 09:00", "2027-03-28 09:00"),
        ("Europe/Berlin", "2027-10-30 09:00", "2027-10-31 09:00"),
        ("America/New_York", "2027-03-13 18:30", "2027-03-14 18:30"),
        ("Australia/Lord_Howe", "2027-04-03 12:00", "2027-04-04 12:00"),
        ("Asia/Kathmandu", "2027-04-03 12:00", "2027-04-04 12:00"),
    ],
)
def test_a_day_is_over_at_the_same_time_of_day_though_the_clocks_changed(rule, phases, clock, zone, before, after):
    clock(before, zone)
    rule({"type": "waiting", "phase": phases[0].name, "for": "1 day"})
    make_card(phases[0])
    day, _, hour = after.partition(" ")
    early = (dt.datetime.fromisoformat(after) - dt.timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M")
    clock(early)
    assert heed_moments() == 0
    clock(f"{day} {hour}")
    assert heed_moments() == 1


def test_a_time_that_no_clock_shows_comes_at_the_first_moment_after_it(rule, phases, clock, time_machine):
    clock("2027-03-27 12:00", "Europe/Berlin")
    rule({"type": "schedule", "every": "day", "at": "02:30", "in": phases[0].name})
    card = make_card(phases[0])
    time_machine.move_to("2027-03-28 00:59:59Z", tick=False)
    assert heed_moments() == 0
    time_machine.move_to("2027-03-28 01:00:00Z", tick=False)  # clocks go from 01:59:59 to 03:00
    assert heed_moments() == 1
    assert said(card) == 1


def test_a_time_that_clocks_show_twice_comes_once(rule, phases, clock, time_machine):
    clock("2027-10-30 12:00", "Europe/Berlin")
    rule({"type": "schedule", "every": "day", "at": "02:30", "in": phases[0].name})
    card = make_card(phases[0])
    for moment in ("2027-10-31 00:30Z", "2027-10-31 01:00Z", "2027-10-31 01:30Z", "2027-10-31 02:30Z"):
        time_machine.move_to(moment, tick=False)
        heed_moments()
    assert said(card) == 1


def test_a_day_that_never_was_ends_when_the_next_one_begins():
    apia = ZoneInfo("Pacific/Apia")  # went from 29 to 31 December 2011
    assert moment_of(dt.date(2011, 12, 30), dt.time(9), apia) == dt.datetime(2011, 12, 30, 10, tzinfo=dt.UTC)


def test_a_business_that_moves_to_another_zone_meets_no_day_twice(rule, phases, clock, business, owner, time_machine):
    clock("2027-03-01 07:00", "Asia/Tokyo")
    rule({"type": "schedule", "every": "day", "at": "09:00", "in": phases[0].name})
    card = make_card(phases[0])
    clock("2027-03-01 09:30")
    assert heed_moments() == 1
    business.update(time_zone="America/New_York", by=actor(owner))
    clock("2027-03-01 10:00")
    assert heed_moments() == 0
    assert said(card) == 1


# Due dates --------------------------------------------------------------------------------------------


def test_a_due_date_is_announced_in_the_morning_and_passed_on_the_next_day(rule, phases, clock):
    clock("2027-03-01 09:00")
    soon, late = rule({"type": "due_soon", "in": "1 day"}), rule("overdue")
    make_card(phases[0], due_date=dt.date(2027, 3, 10))
    clock("2027-03-09 07:59")
    assert heed_moments() == 0
    clock("2027-03-09 08:00")
    assert heed_moments() == 1
    assert soon.runs.count() == 1
    clock("2027-03-10 23:00")
    assert heed_moments() == 0
    clock("2027-03-11 08:00")
    assert heed_moments() == 1
    assert late.runs.get().state == "done"


def test_a_due_time_is_met_to_the_minute(rule, phases, clock):
    clock("2027-03-01 09:00", "Europe/Berlin")
    soon, late = rule({"type": "due_soon", "in": "2 hours"}), rule("overdue")
    make_card(phases[0], due_date=dt.date(2027, 3, 10), due_time=dt.time(15, 30))
    clock("2027-03-10 13:29")
    assert heed_moments() == 0
    clock("2027-03-10 13:30")
    heed_moments()
    assert (soon.runs.count(), late.runs.count()) == (1, 0)
    clock("2027-03-10 15:30")
    heed_moments()
    assert (soon.runs.count(), late.runs.count()) == (1, 1)


def test_a_due_date_that_is_put_off_is_met_at_the_new_one_only(rule, phases, clock, staff):
    clock("2027-03-01 09:00")
    rule("overdue")
    card = make_card(phases[0], due_date=dt.date(2027, 3, 10))
    card.update(due_date=dt.date(2027, 3, 20), by=actor(staff))
    clock("2027-03-15 09:00")
    assert heed_moments() == 0
    clock("2027-03-21 08:00")
    assert heed_moments() == 1
    card.update(due_date=dt.date(2027, 3, 25), by=actor(staff))
    clock("2027-03-26 08:00")
    assert heed_moments() == 1, "another due date is another moment"
    assert said(card) == 2


@pytest.mark.parametrize(
    ("trigger", "day", "hour", "comes"),
    [
        # Clocks go from 02:00 to 03:00 on 28 March, and from 03:00 back to 02:00 on 31 October.
        ({"type": "due_soon", "in": "1 day"}, (2027, 3, 28), "03:30", "2027-03-27 02:30Z"),
        ({"type": "due_soon", "in": "1 day"}, (2027, 3, 29), "02:30", "2027-03-28 01:00Z"),
        ({"type": "due_soon", "in": "2 hours"}, (2027, 3, 28), "03:30", "2027-03-27 23:30Z"),
        ({"type": "overdue", "by": "1 day"}, (2027, 10, 30), "02:30", "2027-10-31 00:30Z"),
        ({"type": "overdue", "by": "2 hours"}, (2027, 10, 31), "01:30", "2027-10-31 01:30Z"),
        ({"type": "due_soon", "in": "1 day"}, (2028, 2, 29), None, "2028-02-28 07:00Z"),
        ({"type": "overdue"}, (2027, 12, 31), None, "2028-01-01 07:00Z"),
    ],
)
def test_due_dates_are_met_right_across_clocks_that_change(
    rule, phases, clock, time_machine, trigger, day, hour, comes
):
    clock("2027-01-01 09:00", "Europe/Berlin")
    rule(trigger)
    make_card(phases[0], due_date=dt.date(*day), due_time=hour and dt.time.fromisoformat(hour))
    moment = dt.datetime.fromisoformat(comes)
    time_machine.move_to(moment - dt.timedelta(seconds=1), tick=False)
    assert heed_moments() == 0
    time_machine.move_to(moment, tick=False)
    assert (heed_moments(), heed_moments()) == (1, 0)


def test_a_business_that_moves_to_another_zone_meets_due_dates_there_and_none_twice(
    rule, phases, clock, business, owner
):
    clock("2027-03-01 07:00", "Asia/Tokyo")
    rule("overdue")
    met, to_come = (make_card(phases[0], due_date=dt.date(2027, 3, day)) for day in (9, 10))
    clock("2027-03-10 08:00")
    assert heed_moments() == 1
    business.update(time_zone="America/New_York", by=actor(owner))
    clock("2027-03-10 08:00")
    assert heed_moments() == 0, "in Tokyo it would be due by now"
    clock("2027-03-11 08:00")
    assert heed_moments() == 1
    assert (said(met), said(to_come)) == (1, 1)


def test_a_worker_that_was_away_meets_due_dates_late_and_each_once(rule, phases, clock):
    clock("2027-03-01 09:00")
    rule("overdue")
    rule({"type": "due_soon", "in": "1 day"})
    cards = [make_card(phases[0], due_date=dt.date(2027, 3, day)) for day in (3, 4, 5)]
    clock("2027-03-20 09:00")
    assert (heed_moments(), heed_moments()) == (6, 0)
    assert [said(card) for card in cards] == [2, 2, 2]


def test_a_due_date_that_is_put_off_and_back_is_met_once(rule, phases, clock, staff):
    clock("2027-03-01 09:00")
    rule("overdue")
    card = make_card(phases[0], due_date=dt.date(2027, 3, 10))
    clock("2027-03-11 08:00")
    heed_moments()
    for day in (20, 10):
        Card.objects.get(pk=card.pk).update(due_date=dt.date(2027, 3, day), by=actor(staff))
        heed_moments()
    assert said(card) == 1


def test_a_card_that_is_won_is_not_overdue(rule, phases, clock, staff):
    clock("2027-03-01 09:00")
    rule("overdue")
    make_card(phases[0], due_date=dt.date(2027, 3, 10)).move(phases[-1], by=actor(staff))
    clock("2027-03-15 09:00")
    assert heed_moments() == 0


@pytest.mark.parametrize("day", [dt.date(9999, 12, 31), dt.date(1, 1, 1), dt.date(2028, 2, 29)])
def test_no_date_is_too_odd_to_be_looked_at(rule, phases, clock, day):
    clock("2027-03-01 09:00")
    for trigger in ({"type": "due_soon", "in": "99999 days"}, {"type": "overdue", "by": "99999 weeks"}, "overdue"):
        rule(trigger)
    card = make_card(phases[0])
    Card.objects.filter(pk=card.pk).update(due_date=day)
    clock("2027-03-02 09:00")
    heed_moments()


# Schedules --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        ({"every": "week", "on": ["mon", "thursday"]}, ["2027-03-01", "2027-03-04", "2027-03-08"]),
        ({"every": "month", "on": ["31"]}, ["2027-03-31"]),
        ({"every": "month", "on": ["31", "1"]}, ["2027-03-01", "2027-03-31"]),
        ({"every": "day"}, [f"2027-03-{number:02}" for number in range(1, 32)]),
    ],
)
def test_a_schedule_comes_round_on_its_days(rule, phases, clock, schedule, days):
    clock("2027-02-28 20:00")
    rule({"type": "schedule", "at": "09:00", **schedule, "in": phases[0].name})
    card = make_card(phases[0])
    met = []
    for number in range(1, 32):
        clock(f"2027-03-{number:02} 09:00")
        if heed_moments():
            met.append(f"2027-03-{number:02}")
    assert [day for day in met if day <= days[-1]] == days
    assert said(card) == len(met)


def test_the_last_day_stands_in_for_a_day_that_a_month_lacks(rule, phases, clock):
    clock("2027-02-01 20:00")
    rule({"type": "schedule", "every": "month", "on": "31", "in": phases[0].name})
    make_card(phases[0])
    clock("2027-02-28 08:00")
    assert heed_moments() == 1


def test_a_schedule_without_cards_acts_once(business, owner, phases, clock):
    clock("2027-03-01 07:00")
    funnel = f"{phases[0].workflow.name} / {phases[0].name}"
    document = {
        "trigger": {"type": "schedule", "every": "day"},
        "actions": [{"type": "create_card", "phase": funnel, "name": "Water the plants"}],
    }
    Rule.create(business, document, by=actor(owner))
    clock("2027-03-02 09:00")
    heed_moments()
    heed_moments()
    assert Card.objects.filter(name="Water the plants").count() == 1


# Spans ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "from_day", "to_day"),
    [
        ("3 working days", "2027-03-04", "2027-03-09"),
        ("1 working day", "2027-03-06", "2027-03-08"),
        ("2 weeks", "2027-03-04", "2027-03-18"),
        ("1 day", "2028-02-28", "2028-02-29"),
        ("0 days", "2027-03-04", "2027-03-04"),
    ],
)
def test_days_are_counted_on_the_calendar(written, from_day, to_day):
    span = Span.read(written)
    assert span.days_after(dt.date.fromisoformat(from_day)) == dt.date.fromisoformat(to_day)


def test_working_days_are_counted_back_too():
    assert Span.read("3 working days").days_before(dt.date(2027, 3, 9)) == dt.date(2027, 3, 4)


@pytest.mark.parametrize("written", ["", "soon", "3", "-1 days", "3 months", "999999 days", "3 days 2 hours"])
def test_what_is_no_span_is_refused(written):
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError):
        Span.read(written)
