"""Intake forms as the public sees them: no account, no session, no scripts; also inside a frame on another site."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actor import Actor
from accounts.rates import too_often, visitor
from accounts.templatetags.house import moon
from boards.forms.intake import AnswerForm
from boards.intake import submit
from boards.models import IntakeForm

MOST_TRIES = 10  # that one visitor may send
TRIES_SECONDS = 10 * 60  # within so many seconds
BUSY = "That is a lot in a short time. Nothing you wrote is lost: wait some minutes, then send it again."
FRAMED = {**settings.SECURE_CSP, "frame-ancestors": ["*"]}  # other sites may show it; all other pages stay unframed


@never_cache
@csrf_exempt  # AnswerForm says why, and what it has instead
@require_http_methods(["GET", "HEAD", "POST"])
def fill_in(request, owner, form, framed=False):
    """Show a form, or take what was sent and thank for it."""
    form = _find(owner, form)
    if not form.is_open:
        return _draw(request, form, framed, status=410)
    if request.method != "POST":
        return _draw(request, form, framed, asked=AnswerForm(form=form))
    asked = AnswerForm(request.POST, request.FILES, form=form)
    status = 422
    if asked.is_valid():
        if _is_too_much(request, form):
            asked.add_error(None, BUSY)
            status = 429
        elif _take(form, asked):
            return redirect(_place("intake_thanks", form, framed))
    asked.let_choose_files_again()
    return _draw(request, form, framed, asked=asked, status=status)


@never_cache
@require_safe
def thanks(request, owner, form, framed=False):
    """Thank for what was sent; also when the form was closed meanwhile."""
    form = _find(owner, form)
    if not form.is_open and not form.submissions.exists():
        return _draw(request, form, framed, status=410)
    return _draw(request, form, framed, is_sent=True)


@xframe_options_exempt
@csp_override(FRAMED)
@csrf_exempt
def fill_in_framed(request, owner, form):
    """Show a form inside another site's page."""
    return fill_in(request, owner, form, framed=True)


@xframe_options_exempt
@csp_override(FRAMED)
def thanks_framed(request, owner, form):
    """Thank inside another site's page."""
    return thanks(request, owner, form, framed=True)


def _find(owner: str, slug: str) -> IntakeForm:
    forms = IntakeForm.objects.select_related("business", "workflow")
    return get_object_or_404(forms, business__slug=owner, slug=slug)


def _is_too_much(request, form) -> bool:
    """Answer whether this visitor, or everybody together, sends more than people do."""
    who = visitor(request)
    return (who and too_often(f"form {form.business_id} {who}", MOST_TRIES, TRIES_SECONDS)) or form.is_flooded


def _take(form, asked) -> bool:
    """Hand over what was sent; answer whether it was taken, else the form says why not."""
    by = Actor("form", str(form.pk), form.title, form.business_id)
    try:
        submit(form, asked.key, asked.answers(), doubt=asked.doubt, by=by)
    except ValidationError as error:
        asked.blame(error)
    return not asked.errors


def _place(view: str, form, framed: bool) -> str:
    return reverse(f"{view}_framed" if framed else view, args=[form.business.slug, form.slug])


def _draw(request, form, framed, *, asked=None, is_sent=False, status=200):
    path = [
        {"title": title, "says": says, "moon": moon(at, len(form.path))} for at, (title, says) in enumerate(form.path)
    ]
    told = {
        "form": form,
        "owner": form.business,
        "asked": asked,
        "path": path,
        "is_sent": is_sent,
        "is_framed": framed,
        "to": _place("intake", form, framed),
    }
    return render(request, "boards/intake.html", told, status=status)
