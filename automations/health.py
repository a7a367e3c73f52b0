"""Whether everything is carried that should be: who carries it, what waits, what was done lately, what was set aside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Event, Untold
from automations.models import Delivery, Run, Timer, Worker
from automations.models.delivery import TEST
from automations.models.run import FAILED
from automations.models.worker import TOO_QUIET

HOUR, MONTH = timedelta(hours=1), timedelta(days=30)  # what was done lately; how long failures are shown
AT_HAND = timedelta(seconds=10)  # what has just happened is in the hands of whoever did it
SHOWN = 20  # of what was set aside
AT_ONCE = 100  # that are tried again by one press of a button


# The worker -----------------------------------------------------------------------------------------------


def absence(business=None) -> str:
    """Return that no worker has been seen for too long, in words; "" when all is well.

    Where none ever was, it is said when something has waited for one.
    """
    silence = Worker.silence()
    if silence is None:
        late = timezone.now() - TOO_QUIET
        waits = any(queue.since and queue.since < late for queue in queues(business))
        return "No worker has been seen yet; rules and mails wait for it." if waits else ""
    if silence <= TOO_QUIET:
        return ""
    return f"The worker has not been seen for {in_words(silence)}; rules and mails wait."


def in_words(span: timedelta) -> str:
    """Return a length of time as people say it: 40 seconds, 12 minutes, 3 hours, 2 days."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        count = seconds // size
        if count >= (2 if size > 60 else 1):
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "a moment"


# What waits -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Queue:
    """What is due and not done: of which kind, how many, since when the oldest."""

    name: str
    count: int
    since: datetime | None


def queues(business=None) -> list[Queue]:
    """Return what is due in a business, or everywhere, and is in nobody's hands."""
    now, of = timezone.now(), _of(business)
    due = Delivery.objects.open().unleased().filter(**of, due_at__lte=now).order_by()
    carried = {row["kind"]: row for row in due.values("kind").annotate(count=Count("pk"), since=Min("due_at"))}
    nothing = {"count": 0, "since": None}
    woken = _oldest(Run.objects.due().filter(**of), "wakes_at")
    left = _oldest(Run.objects.interrupted().filter(**of), "touched_at")
    untold = Event.objects.filter(**of, told_at=None, at__lt=now - AT_HAND)
    counted = [
        ("Mails", carried.get(Delivery.MAIL, nothing)),
        ("Calls of webhooks", carried.get(Delivery.CALL, nothing)),
        ("Rules that go on", _together(woken, left)),
        ("Planned reports and events", _oldest(Timer.objects.due().filter(**of), "at")),
        ("Events to be told", _oldest(untold.filter(Q(untold=None) | Q(untold__set_aside_at=None)), "at")),
    ]
    return [Queue(name, row["count"], row["since"]) for name, row in counted]


def _oldest(rows, moment: str) -> dict:
    return rows.order_by().aggregate(count=Count("pk"), since=Min(moment))


def _together(one: dict, other: dict) -> dict:
    since = [row["since"] for row in (one, other) if row["since"]]
    return {"count": one["count"] + other["count"], "since": min(since, default=None)}


def lately(business=None) -> dict[str, int]:
    """Return what was done within the last hour: how much of each kind."""
    of, hour = _of(business), timezone.now() - HOUR
    sent = Delivery.objects.filter(**of, state=Delivery.SENT, finished_at__gt=hour).order_by()
    carried = dict(sent.values("kind").annotate(count=Count("pk")).values_list("kind", "count"))
    return {
        "mails": carried.get(Delivery.MAIL, 0),
        "calls": carried.get(Delivery.CALL, 0),
        "runs": Run.objects.acted().filter(**of, began_at__gt=hour).count(),
        "reports": Timer.objects.filter(**of, fired_at__gt=hour).count(),
    }


def _of(business) -> dict:
    return {} if business is None else {"business": business}


# What was set aside ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing that was set aside: what it is, why, since when, and the address where it can be looked at."""

    pk: str
    name: str
    why: str
    at: datetime
    to: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of what is set aside: how it is found, told, and tried again by its verb."""

    key: str
    name: str
    find: Callable
    letter: Callable
    verb: Callable


@dataclass(frozen=True, slots=True)
class Pile:
    """What was set aside of one kind: how many, and the newest."""

    kind: Kind
    count: int
    letters: list[Letter]


def piles(business) -> list[Pile]:
    """Return what was set aside in a business, kind by kind, without the kinds of which there is nothing."""
    found = [_pile(kind, kind.find(business), business) for kind in KINDS.values()]
    return [pile for pile in found if pile.count]


def _pile(kind: Kind, rows, business) -> Pile:
    return Pile(kind, rows.count(), [kind.letter(row, business) for row in rows[:SHOWN]])


def try_again(business, key: str, pk=None, *, by: Actor) -> tuple[int, list[str]]:
    """Try again one of a kind, or all of them up to AT_ONCE, the oldest first; return how many, and what refused."""
    kind = KINDS[key]
    rows = kind.find(business)
    rows = rows.filter(pk=pk) if pk else rows.reverse()[:AT_ONCE]
    count, refusals = 0, []
    for row in rows:
        try:
            kind.verb(row, by=by)
            count += 1
        except ValidationError as refusal:
            refusals += refusal.messages
    return count, list(dict.fromkeys(refusals))


def _given_up(what):
    def find(business):
        rows = Delivery.objects.filter(business=business, kind=what, state=Delivery.GIVEN_UP).exclude(subject=TEST)
        return rows.filter(finished_at__gt=timezone.now() - MONTH).without_texts().order_by("-finished_at")

    return find


def _failed(business):
    rows = Run.objects.filter(business=business, state=FAILED, began_at__gt=timezone.now() - MONTH)
    return rows.order_by("-began_at", "-pk")


def _a_delivery(row, business) -> Letter:
    page = "call" if row.kind == Delivery.CALL else "mail"
    to = "" if row.member_id else reverse(page, args=[business.slug, row.pk])
    return Letter(str(row.pk), f"{row.subject} to {row.place}", row.error, row.finished_at, to)


def _a_run(row, business) -> Letter:
    name = f"{row.name} on {row.card_name}" if row.card_name else row.name
    return Letter(str(row.pk), name, row.reason, row.began_at, reverse("run", args=[business.slug, row.pk]))


def _a_timer(row, business) -> Letter:
    to = reverse("card", args=[business.slug, row.card.number])
    return Letter(str(row.pk), f"{row.what} of {row.card.name}", row.reason, row.set_aside_at, to)


def _an_event(row, business) -> Letter:
    name = f"{row.what}: {row.event.subject_name}" if row.event.subject_name else row.what
    return Letter(str(row.pk), name, row.error, row.set_aside_at)


KINDS = {
    kind.key: kind
    for kind in (
        Kind("mails", "Mails that were given up", _given_up(Delivery.MAIL), _a_delivery, Delivery.resend),
        Kind("calls", "Calls that were given up", _given_up(Delivery.CALL), _a_delivery, Delivery.resend),
        Kind("runs", "Runs that failed", _failed, _a_run, Run.retry),
        Kind(
            "reports",
            "Planned reports that could not be made",
            lambda business: Timer.objects.set_aside().filter(business=business),
            _a_timer,
            Timer.retry,
        ),
        Kind(
            "events",
            "Events that could not be told",
            lambda business: Untold.objects.set_aside().filter(business=business),
            _an_event,
            Untold.retell,
        ),
    )
}
