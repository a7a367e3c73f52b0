"""What a person sees when a request cannot be answered: a page of ours, or a toast when htmx asked."""

from django.shortcuts import render
from django.views.defaults import server_error as plain_server_error

SAID = {
    400: "That request made no sense to us. Nothing was changed.",
    403: "You may not do this. Nothing was changed.",
    404: "This is not here any more. Nothing was changed.",
    405: "This address takes what a form sends, and shows nothing by itself. Nothing was changed.",
    "csrf": "This page is too old to save from. Reload it and try again. Nothing was changed.",
}


def bad_request(request, exception=None):
    """Answer 400."""
    return _answer(request, "400.html", 400, SAID[400])


def permission_denied(request, exception=None):
    """Answer 403, with the reason the policy gave."""
    reason = str(exception) if exception and str(exception) else SAID[403]
    return _answer(request, "403.html", 403, reason)


def page_not_found(request, exception=None):
    """Answer 404 without telling whether there is such a thing elsewhere."""
    return _answer(request, "404.html", 404, SAID[404])


def not_allowed(request, methods: str):
    """Answer 405 to who opened an address that only takes forms."""
    answer = _answer(request, "405.html", 405, SAID[405])
    answer["Allow"] = methods
    return answer


def server_error(request):
    """Answer 500 from a page that needs neither database nor session."""
    return plain_server_error(request)


def csrf_failed(request, reason=""):
    """Answer 403 for a form whose secret is missing or old, and say how to keep what was typed."""
    return _answer(request, "403_csrf.html", 403, SAID["csrf"])


def _answer(request, page: str, status: int, said: str):
    if not getattr(request, "htmx", False) or request.htmx.boosted:
        return render(request, page, {"said": said}, status=status)
    answer = render(request, "_toast.html", {"kind": "error", "text": said, "oob": True}, status=status)
    answer["HX-Reswap"] = "none"
    return answer
