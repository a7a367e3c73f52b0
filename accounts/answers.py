"""How a view answers after a verb: pieces and a toast when htmx asked, a message and a redirect when a plain form did."""

from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.verbs import Stale


def done(request, to, text: str, *, pieces: str = "", event=None, kind: str = "success"):
    """Answer a change that was made: say so, with Undo when its event is given.

    to: where a plain form goes; pieces: HTML that htmx puts in place (out of band or in the target).
    """
    if not request.htmx:
        messages.add_message(
            request, messages.SUCCESS, text, extra_tags=f"{kind} undo-{event.sequence}" if event else kind
        )
        return redirect(to)
    return HttpResponse(pieces + toast(request, text, event=event, kind=kind))


def refused(request, error: ValidationError, to, *, pieces: str = ""):
    """Answer a change that was refused: 409 when the world has moved on, else 422, in words, and nothing changed."""
    text = " ".join(error.messages)
    if not request.htmx:
        messages.error(request, text)
        return redirect(to)
    return HttpResponse(pieces + toast(request, text, kind="error"), status=409 if isinstance(error, Stale) else 422)


def page_of(request) -> str:
    """Return the path and query of the page a request was made from; "" when it does not say, or names no page of ours."""
    said = request.htmx.current_url or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(said, {request.get_host()}, request.is_secure()):
        return ""
    return urlsplit(said)._replace(scheme="", netloc="", fragment="").geturl()


def toast(request, text: str, *, event=None, kind: str = "success") -> str:
    """Return a toast that htmx adds to the others."""
    undo_url = reverse("undo", args=[request.business.slug, event.sequence]) if event else ""
    context = {"kind": kind, "text": text, "oob": True, "undo_url": undo_url}
    return render_to_string("_toast.html", context, request)
