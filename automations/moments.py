"""Moments that come: a card has waited, is due soon or overdue, a day comes round.

They are read from the cards and the calendar whenever the worker looks, never planned ahead: an edited due date, a
card that moved on or a business in another time zone leaves no old timer behind. Each moment has a name, `due`, and
a rule acts on a name once.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import Event
from automations.clock import Span, moment_of
from boards.models import Card

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = dt.timedelta(days=1)
LOOK_BACK = dt.timedelta(days=62)  # further back no day that came round is of interest


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment that came: about which card (None: about none), what was due, when, and why in words."""

    card_id: Any
    due: str
    at: dt.datetime
    why: str

    @property
    def name(self) -> str:
        """Return what tells it from every other moment of its rule."""
        return f"{self.card_id or ''} {self.due}".strip()


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose moments are asked for: of a business, in one workflow or all, after `since` up to `until`.

    latest: of days that came round, only the last one; who was away need not make up for every one.
    """

    business: Any
    workflow_id: Any
    since: dt.datetime
    until: dt.datetime
    latest: bool = False

    @property
    def cards(self):
        """Return the cards that are asked about: on the board of a live workflow."""
        rows = Card.objects.on_board().filter(business=self.business, workflow__archived_at=None).order_by()
        return rows.filter(workflow=self.workflow_id) if self.workflow_id else rows

    def includes(self, moment: dt.datetime) -> bool:
        """Answer whether a moment lies in the time that is asked for."""
        return self.since < moment <= self.until


def waiting(asked: Asked, options: dict) -> Iterator[Moment]:
    """Yield the cards that have stood in a phase for a span."""
    span, names = options["for"], {phase.pk: phase.name for phase in options["phase"]}
    rows = asked.cards.filter(phase__in=names, entered_at__lte=asked.until - span.shortest)
    for pk, phase, entered in rows.values_list("pk", "phase", "entered_at"):
        at = span.after(entered, asked.business.zone)
        if asked.includes(at):
            yield Moment(pk, entered.isoformat(), at, f"{span} in {names[phase]}")


STAYS = ("card.created", "card.moved", "card.archived", "card.restored", "card.deleted")  # that begin or end one


def waited(asked: Asked, options: dict) -> Iterator[Moment]:
    """Yield the same of the past, from the ledger: also the cards that have moved on since."""
    span, names = options["for"], {str(phase.pk): phase.name for phase in options["phase"]}
    began = asked.since - 2 * span.shortest - 7 * DAY
    events = Event.objects.filter(business=asked.business, subject_kind="card", name__in=STAYS, at__gt=began)
    stays: dict = {}  # card → where it has stood since when
    for name, card, details, at in events.order_by("sequence").values_list("name", "subject_id", "details", "at"):
        phase, since = stays.pop(card, (None, None))
        if phase:
            yield from _stay(asked, span, card, names[phase], since, at)
        told = details.get("after" if name == "card.moved" else "phase")
        entered = told["id"] if name in ("card.created", "card.moved", "card.restored") and told else None
        if entered in names and (not asked.workflow_id or details["workflow"] == str(asked.workflow_id)):
            stays[card] = (entered, at)
    for card, (phase, since) in stays.items():
        yield from _stay(asked, span, card, names[phase], since, asked.until)


def _stay(asked, span, card, name, since, until) -> Iterator[Moment]:
    at = span.after(since, asked.business.zone)
    if at <= until and asked.includes(at):
        yield Moment(card, since.isoformat(), at, f"{span} in {name}")


def before_due(asked: Asked, options: dict) -> Iterator[Moment]:
    """Yield the cards whose due date comes in a span."""
    span = options["in"]
    for pk, day, clock in _due(asked, span):
        at = _due_moment(asked, day, clock, span, options["at"], back=True)
        if at and asked.includes(at):
            yield Moment(pk, _due_name(day, clock), at, f"due in {span}")


def overdue(asked: Asked, options: dict) -> Iterator[Moment]:
    """Yield the cards whose due date passed a span ago: one without a time has passed on the next day."""
    span = options["by"]
    for pk, day, clock in _due(asked, span):
        at = _due_moment(asked, day, clock, span, options["at"], back=False)
        if at and asked.includes(at):
            yield Moment(pk, _due_name(day, clock), at, f"overdue by {span}" if span.count else "overdue")


def _due(asked: Asked, span: Span):
    """Return cards on their way with due dates that may matter, as (id, day, time)."""
    slack = DAY * (2 * span.count * (7 if span.unit == "week" else 1) + 7 if not span.is_counted_off else 7)
    slack += span.shortest if span.is_counted_off else dt.timedelta(0)
    rows = asked.cards.open().filter(
        due_date__gte=_day_of(asked.since, -slack), due_date__lte=_day_of(asked.until, slack)
    )
    return rows.values_list("pk", "due_date", "due_time")


def _day_of(moment: dt.datetime, shift: dt.timedelta) -> dt.date:
    try:
        return (moment + shift).date()
    except OverflowError:
        return dt.date.max if shift > dt.timedelta(0) else dt.date.min


def _due_moment(asked, day, clock, span, at, *, back: bool) -> dt.datetime | None:
    """Return when a span before or after a due date is; None where the calendar ends before."""
    zone, no_clock = asked.business.zone, clock is None
    try:
        if span.is_counted_off:
            end = moment_of(day + DAY, dt.time(0), zone) if no_clock else moment_of(day, clock, zone)
            return end - span.shortest if back else end + span.shortest
        if back:
            return moment_of(span.days_before(day), clock or at, zone)
        return moment_of(span.days_after(day + DAY if no_clock else day), clock or at, zone)
    except (OverflowError, ValueError):
        return None


def _due_name(day, clock) -> str:
    return f"{day} {clock:%H:%M}" if clock else str(day)


def scheduled(asked: Asked, options: dict) -> Iterator[Moment]:
    """Yield the days that came round, for each card of a phase when one is named."""
    came = [(day, at) for day in _days(asked, options) if asked.includes(at := _at(day, options, asked))]
    for day, at in came[-1:] if asked.latest else came:
        due = f"{day} {options['at']:%H:%M}"
        why = f"{day:%A}, {options['at']:%H:%M}"
        if not options.get("in"):
            yield Moment(None, due, at, why)
            continue
        for pk in asked.cards.filter(phase__in=options["in"]).values_list("pk", flat=True):
            yield Moment(pk, due, at, why)


def _at(day, options, asked) -> dt.datetime:
    return moment_of(day, options["at"], asked.business.zone)


def _days(asked: Asked, options: dict) -> Iterator[dt.date]:
    zone = asked.business.zone
    day = max(asked.since, asked.until - LOOK_BACK).astimezone(zone).date()
    last = asked.until.astimezone(zone).date()
    wanted = read_days(options)
    while day <= last:
        end = calendar.monthrange(day.year, day.month)[1]
        if options["every"] == "month":
            comes = any(day.day == min(number, end) for number in wanted)
        else:
            comes = day.weekday() in wanted
        if comes:
            yield day
        day += DAY


def read_days(options: dict) -> set[int]:
    """Return the days of the week (0: Monday) or of the month that a schedule names; raises ValidationError in words.

    The 31st of a shorter month is its last day.
    """
    said = [str(one).casefold().strip() for one in options.get("on") or ()]
    if options["every"] == "month":
        if not all(one.isdecimal() and 1 <= int(one) <= 31 for one in said):
            raise ValidationError("Name days of the month, from 1 to 31.", code="schedule")
        return {int(one) for one in said} or {1}
    if options["every"] == "day":
        return set(range(7))
    if not said or not all(one[:3] in DAYS for one in said):
        raise ValidationError("Name days of the week, such as mon or thu.", code="schedule")
    return {DAYS.index(one[:3]) for one in said}
