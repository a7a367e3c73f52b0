"""The rulesets of a draft: added, changed, taken out."""

from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed
from accounts.verbs import Stale
from boards.forms.versions import RulesetForm
from boards.models import Draft
from boards.views.board import find_workflow


@allowed("draft.change")
def add_ruleset(request, workflow):
    """Add a ruleset to the draft."""
    return _write(request, find_workflow(request, workflow), None)


@allowed("draft.change")
def ruleset(request, workflow, place):
    """Change a ruleset of the draft."""
    workflow = find_workflow(request, workflow)
    _find(workflow, place)
    return _write(request, workflow, place)


@require_POST
@allowed("draft.change")
def remove_ruleset(request, workflow, place):
    """Take a ruleset out of the draft."""
    workflow = find_workflow(request, workflow)
    name = request.POST.get("name", "")
    _find(workflow, place)
    try:
        Draft.begin(workflow, by=request.actor).drop_ruleset(place, name, by=request.actor)
    except ValidationError as error:
        return refused(request, error, _here(request, workflow))
    return done(request, _here(request, workflow), f"{name} goes when the draft is published.")


def _find(workflow, place) -> dict:
    rulesets = Draft.of(workflow).design["rulesets"]
    if place >= len(rulesets):
        raise Http404("No such ruleset")
    return rulesets[place]


def _write(request, workflow, place):
    draft = Draft.of(workflow)
    old = None if place is None else _find(workflow, place)
    form = RulesetForm(request.POST or None, draft=draft, ruleset=old)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            Draft.begin(workflow, by=request.actor).set_ruleset(
                form.told, place, was=request.POST.get("was"), by=request.actor
            )
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
            status = 409 if isinstance(error, Stale) else 422
        else:
            return done(request, _here(request, workflow), "Noted in the draft.")
    was = request.POST.get("was", old["name"] if old else "")
    context = {"workflow": workflow, "form": form, "place": place, "ruleset": old, "was": was}
    return render(request, "boards/ruleset.html", context, status=422 if form.errors and status == 200 else status)


def _here(request, workflow) -> str:
    return reverse("builder", args=[request.business.slug, workflow.slug]) + "#rulesets"
