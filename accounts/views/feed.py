"""The ledger in sentences: what happened, by day, newest first."""

from itertools import groupby
from urllib.parse import urlencode

from django.shortcuts import render

from accounts.events import catalogue
from accounts.models import Event
from accounts.policy import allowed
from accounts.templatetags.house import local

A_PAGE = 50
OTHERS = {"token": "Programs", "rule": "Rules", "form": "Forms", "system": "Phasewise"}


@allowed("event.view")
def feed(request):
    """Show a page of the ledger, filtered by kind of thing and by who did it, older than a sequence number."""
    kinds = {name.split(".")[0] for name in catalogue}
    chosen = {name: value for name in ("kind", "who") if (value := request.GET.get(name, ""))}
    before = _number(request.GET.get("before", ""))
    events = Event.objects.for_feed(request.business, **chosen, before=before)
    if chosen.get("kind", "card") not in kinds or not _is_somebody(chosen.get("who", "system")):
        events = events.none()
    events = list(events.select_related("cause")[: A_PAGE + 1])
    older = {**chosen, "before": events[A_PAGE - 1].sequence} if len(events) > A_PAGE else {}
    events = Event.find_rules(Event.find_places(events[:A_PAGE], request.business), request.business)
    told = {
        "days": [(day, list(of_a_day)) for day, of_a_day in groupby(events, key=lambda event: local(event.at))],
        "kinds": sorted((kind, kind.replace("_", " ").capitalize()) for kind in kinds),
        "people": request.business.memberships.select_related("user").order_by("user__name", "user__email"),
        "others": OTHERS.items(),
        "chosen": chosen,
        "is_newest": before is None,
        "filters": urlencode(chosen),
        "older": urlencode(older),
    }
    return render(request, "accounts/feed.html", told)


def _number(typed: str) -> int | None:
    return int(typed) if typed.isdecimal() and len(typed) < 19 else None


def _is_somebody(who: str) -> bool:
    return who in OTHERS or _number(who) is not None
