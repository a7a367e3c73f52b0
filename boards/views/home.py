"""Home: the workflows from afar, what is due, what is mine, and what happened meanwhile."""

from itertools import islice

from django.db.models import F
from django.shortcuts import render
from django.utils import timezone

from accounts.models import Event
from accounts.policy import allowed, may
from boards.funnels import look_at
from boards.models import Card
from boards.starters import STARTERS

GREETINGS = ((5, "Good evening"), (12, "Good morning"), (18, "Good afternoon"), (24, "Good evening"))
LISTED = 8  # cards in a list
TOLD, LOOKED_AT = 6, 60  # events told, of the latest so many
ABOUT = ("workflow", "phase", "card", "contact", "membership")


@allowed("workflow.view")
def home(request):
    """Show where everything stands."""
    now = timezone.localtime()
    funnels, month = look_at(request.business, request.business.workflows.live())
    moons = {phase.pk: phase.moon for funnel in funnels for phase in funnel.phases}
    open_cards = Card.objects.filter(business=request.business).open().for_list()
    due = open_cards.filter(due_date__lte=now.date()).order_by("due_date", F("due_time").asc(nulls_last=True), "number")
    mine = open_cards.filter(assignments__member=request.member).order_by(F("due_date").asc(nulls_last=True), "number")
    news, is_away = _news(request)
    context = {
        "now": now,
        "greeting": next(words for until, words in GREETINGS if now.hour < until),
        "funnels": funnels,
        "month": month,
        "late": sum(funnel.late for funnel in funnels),
        "due_today": sum(funnel.due for funnel in funnels),
        "due": _with_moons(due[:LISTED], moons),
        "mine": _with_moons(mine[:LISTED], moons),
        "news": news,
        "is_away": is_away,
        "starters": STARTERS.values(),
        "may_design": may(request.actor, "workflow.create"),
        "kinds": request.business.ordertype_library.live().for_list(),
        "may_chain": len(funnels) > 1 and may(request.actor, "order_type.create"),
    }
    return render(request, "boards/home.html", context)


def _with_moons(cards, moons) -> list[Card]:
    cards = list(cards)
    for card in cards:
        card.phase.moon = moons.get(card.phase_id, 0)
    return cards


def _news(request) -> tuple[list, bool]:
    """Return the latest events, and whether they are all that others did since this person last did something.

    What somebody did to the same thing in one go is told once, with how many more there were.
    """
    latest = list(request.business.events.filter(subject_kind__in=ABOUT).order_by("-sequence")[:LOOKED_AT])
    me = str(request.user.pk)
    mine = next((i for i, event in enumerate(latest) if event.actor_kind == "member" and event.actor_id == me), None)
    is_away = mine is not None and mine > 0
    news = list(islice(_told_once(latest[:mine] if is_away else latest), TOLD))
    return Event.find_places(news, request.business), is_away


def _told_once(events):
    shown = None
    for event in events:
        if shown and (event.subject_id, event.actor_id) == (shown.subject_id, shown.actor_id):
            shown.more += 1
            continue
        if shown:
            yield shown
        shown, shown.more = event, 0
    if shown:
        yield shown
