"""The rulesets of a draft: added, changed, taken out."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed
from accounts.verbs import Stale
from automations.forms.ruleset import RulesetSheet
from automations.views.rules import SPANS
from boards.models import Draft


@allowed("draft.change")
def add_ruleset(request, workflow):
    """Add a ruleset to the draft."""
    return _write(request, _find(request, workflow), None)


@allowed("draft.change")
def ruleset(request, workflow, place):
    """Change a ruleset of the draft."""
    return _write(request, _find(request, workflow), place)


@require_POST
@allowed("draft.change")
def remove_ruleset(request, workflow, place):
    """Take a ruleset out of the draft."""
    workflow = _find(request, workflow)
    name = request.POST.get("name", "")
    _at(Draft.of(workflow), place)
    try:
        Draft.begin(workflow, by=request.actor).drop_ruleset(place, name, by=request.actor)
    except ValidationError as error:
        return refused(request, error, _here(request, workflow))
    return done(request, _here(request, workflow), f"{name} goes when the draft is published.")


def _find(request, slug):
    return get_object_or_404(request.business.workflows, slug=slug)


def _at(draft, place) -> dict:
    rulesets = draft.design["rulesets"]
    if place >= len(rulesets):
        raise Http404("No such ruleset")
    return rulesets[place]


def _write(request, workflow, place):
    """Take a ruleset in, or only redraw the editor as it was reshaped; what is wrong stands at its place."""
    draft = Draft.of(workflow)
    old = None if place is None else _at(draft, place)
    sheet = RulesetSheet(draft, old, request.POST if request.method == "POST" else None)
    context = {"workflow": workflow, "sheet": sheet, "ruleset": old, "spans": SPANS, "action": request.path}
    context["was"] = seen = request.POST.get("was", sheet.mark)
    status = 200
    if sheet.is_checked:
        try:
            status = 422
            if sheet.is_valid():
                sheet.refuse_changed_since(seen)
                Draft.begin(workflow, by=request.actor).set_ruleset(sheet.told, place, was=old, by=request.actor)
                return _gone_back(request, workflow)
        except ValidationError as error:
            sheet.blame(error.messages)
            status = 409 if isinstance(error, Stale) else 422
    elif sheet.sent is not None:
        context["go_on_at"] = sheet.reshape(request.POST.get("do", ""))
    page = f"automations/ruleset.html{'#editor' if request.htmx else ''}"
    return render(request, page, context, status=status)


def _gone_back(request, workflow):
    """Answer that a ruleset was kept: the builder, freshly drawn."""
    said = "Noted in the draft."
    if not request.htmx:
        return done(request, _here(request, workflow), said)
    messages.success(request, said, extra_tags="success")
    return HttpResponse(headers={"HX-Redirect": _here(request, workflow)})


def _here(request, workflow) -> str:
    return reverse("builder", args=[request.business.slug, workflow.slug]) + "#rulesets"
