"""Light, dark or as the device has it."""

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.answers import page_of
from accounts.context import THEMES

YEAR = 60 * 60 * 24 * 365


@require_POST
def theme(request):
    """Keep the chosen theme in a cookie, or forget it, and go back to the page."""
    chosen = request.POST.get("theme", "")
    answer = HttpResponse(status=204) if request.htmx else HttpResponseRedirect(_back(request))
    if chosen in THEMES:
        answer.set_cookie("theme", chosen, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    else:
        answer.delete_cookie("theme", samesite="Lax")
    return answer


def _back(request) -> str:
    """Return the page the form was on, if it is one of ours."""
    to = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(to, {request.get_host()}, request.is_secure())
    return to if is_ours else page_of(request) or "/"
