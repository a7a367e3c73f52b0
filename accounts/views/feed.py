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
    chosen = {name: request.GET.get(name, "") for name in ("kind", "who")}
    before = request.GET.get("before", "")
    events = list(
        Event.objects.for_feed(
            request.business, kind=chosen["kind"], who=chosen["who"], before=int(before) if before.isdecimal() else None
        )[: A_PAGE + 1]
    )
    older = events[A_PAGE - 1].sequence if len(events) > A_PAGE else None
    events = Event.find_places(events[:A_PAGE], request.business)
    told = {
        "days": [(day, list(of_a_day)) for day, of_a_day in groupby(events, key=lambda event: local(event.at))],
        "kinds": sorted({(name.split(".")[0], _word(name)) for name in catalogue}, key=lambda kind: kind[1]),
        "people": request.business.memberships.select_related("user").order_by("user__name", "user__email"),
        "others": OTHERS.items(),
        "chosen": chosen,
        "is_filtered": any(chosen.values()),
        "is_newest": not before,
        "filters": urlencode({name: value for name, value in chosen.items() if value}),
        "older": urlencode({**{name: value for name, value in chosen.items() if value}, "before": older})
        if older
        else "",
    }
    return render(request, "accounts/feed.html", told)


def _word(name: str) -> str:
    return name.split(".")[0].replace("_", " ").capitalize()
