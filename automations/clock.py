"""Spans of time as rules say them, and the moments they lead to on the clock of a business."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError

UNITS = ("minute", "hour", "day", "week", "working day")
LETTERS = {"m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week"}
SPAN = re.compile(rf"(\d{{1,5}})\s*({'|'.join(sorted(UNITS, key=len, reverse=True))}|min|[mhdw])s?", re.IGNORECASE)
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: minutes and hours are counted off, days and weeks are turned over on the calendar."""

    count: int
    unit: str

    @classmethod
    def read(cls, value) -> Span:
        """Read "3 days", "2h" or "3 working days"; raises ValidationError in words."""
        found = SPAN.fullmatch(str(value).strip())
        if found is None:
            raise ValidationError(f"“{value}” is no length of time. Write it like “3 days” or “2 hours”.", code="span")
        unit = found[2].lower()
        return cls(int(found[1]), LETTERS.get(unit, unit))

    def __str__(self):
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    @property
    def is_counted_off(self) -> bool:
        """Answer whether it is the same everywhere, whatever the calendar says."""
        return self.unit in ("minute", "hour")

    @property
    def shortest(self) -> dt.timedelta:
        """Return the least time that it can last: a day on which the clocks go forward is shorter."""
        if self.is_counted_off:
            return dt.timedelta(**{f"{self.unit}s": self.count})
        return max(dt.timedelta(0), dt.timedelta(days=self._days) - dt.timedelta(hours=26))

    @property
    def _days(self) -> int:
        return self.count * (7 if self.unit == "week" else 1)

    def days_after(self, day: dt.date) -> dt.date:
        """Return the date that many days later, working days being Monday to Friday; raises OverflowError past 9999."""
        if self.unit != "working day":
            return day + dt.timedelta(days=self._days)
        for _ in range(self.count):
            day += dt.timedelta(days=1)
            while day.weekday() >= SATURDAY:
                day += dt.timedelta(days=1)
        return day

    def days_before(self, day: dt.date) -> dt.date:
        """Return the date that many days earlier."""
        if self.unit != "working day":
            return day - dt.timedelta(days=self._days)
        for _ in range(self.count):
            day -= dt.timedelta(days=1)
            while day.weekday() >= SATURDAY:
                day -= dt.timedelta(days=1)
        return day

    def after(self, moment: dt.datetime, zone) -> dt.datetime:
        """Return the moment when it has passed: after days, at the same time of day in the zone."""
        if self.is_counted_off:
            return moment + self.shortest
        began = moment.astimezone(zone)
        return moment_of(self.days_after(began.date()), began.time(), zone)


def moment_of(day: dt.date, clock: dt.time, zone) -> dt.datetime:
    """Return the moment in UTC at which clocks in the zone show this day and time.

    Shown twice: the first of both; never shown, because clocks go forward: the first moment after the gap.
    """
    wall = dt.datetime.combine(day, clock.replace(tzinfo=None, fold=0))
    moment = wall.replace(tzinfo=zone).astimezone(dt.UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(dt.UTC), moment
    offset = before.astimezone(zone).utcoffset()
    while after - before > dt.timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def read_clock(value) -> dt.time:
    """Read a time of day such as "08:30"; raises ValidationError in words."""
    try:
        return dt.time.fromisoformat(str(value).strip()).replace(tzinfo=None, microsecond=0)
    except ValueError:
        raise ValidationError(f"“{value}” is no time of day. Write it like 08:30.", code="clock") from None
