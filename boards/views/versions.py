"""Versions of a design: looked at, compared, brought back, carried out and in as files."""

import json

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.answers import done, refused
from accounts.policy import allowed, may
from accounts.verbs import in_one
from boards import comparing, definitions, documents
from boards.definitions import cancelled_of, path_of, win_of
from boards.forms.versions import DocumentForm
from boards.models import Definition, Draft, Phase, Workflow
from boards.models.definition import shelf_of
from boards.models.draft import design_of
from boards.views.board import find_workflow

A_PAGE = 20
BOARD = "board"  # what a version can be compared with, beside versions


@allowed("workflow.view")
def versions(request, workflow):
    """List the versions with what each changed, newest first."""
    workflow = find_workflow(request, workflow)
    page = Paginator(workflow.definitions.all(), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "workflow": workflow,
        "page": page,
        "versions": with_changes(workflow, page.start_index() - 1 if page else 0, A_PAGE),
        "since": Draft.running(workflow).changes_on_the_board,
        "older": _older_cards(workflow),
        "may_design": may(request.actor, "draft.change") and not workflow.archived_at,
    }
    return render(request, "boards/versions.html", context)


@allowed("workflow.view")
def version(request, workflow, version):
    """Show one version: its steps, its rulesets and its document."""
    workflow = find_workflow(request, workflow)
    found = _find(workflow, version)
    design, _ = documents.as_designs(found.document, found.document, shelf_of(workflow))
    context = {
        "workflow": workflow,
        "version": found,
        "is_live": found == workflow.definitions.first(),
        "groups": [
            {
                "name": name,
                "steps": [
                    step for step in [*path_of(design), win_of(design), *cancelled_of(design)] if step["stage"] == stage
                ],
            }
            for stage, name in definitions.STAGE_NAMES.items()
        ],
        "rulesets": found.document["rulesets"],
        "document": json.dumps(found.document, indent=2, ensure_ascii=False),
        "may_design": may(request.actor, "draft.change") and not workflow.archived_at,
    }
    return render(request, "boards/version.html", context)


@allowed("workflow.view")
def export(request, workflow, version):
    """Carry a version out as a file."""
    workflow = find_workflow(request, workflow)
    found = _find(workflow, version)
    answer = HttpResponse(json.dumps(found.file, indent=2, ensure_ascii=False) + "\n", content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{workflow.slug}-{found.version}.json"'
    return answer


@allowed("workflow.view")
def compare(request, workflow):
    """Say in words what was changed from one version to another, or to the board as it runs (?from=1.0&to=1.4)."""
    workflow = find_workflow(request, workflow)
    numbers = [definition.version for definition in workflow.definitions.defer("document")]
    if not numbers:
        raise Http404("There are no versions yet")
    before = request.GET.get("from") if request.GET.get("from") in numbers else numbers[-1]
    after = request.GET.get("to") if request.GET.get("to") in numbers else BOARD
    shelf = shelf_of(workflow)
    old = _find(workflow, before).document
    new = Draft.running(workflow).document if after == BOARD else _find(workflow, after).document
    first, second = documents.as_designs(old, new, shelf)
    context = {
        "workflow": workflow,
        "numbers": numbers,
        "before": before,
        "after": after,
        "changes": comparing.changes(first, second, called=shelf.called, cards=_standing(workflow, first)),
    }
    return render(request, "boards/compare.html", context)


@allowed("draft.change")
def restore(request, workflow, version):
    """Make a draft of a version, to be looked at and published; asked first, for it takes the place of a draft that is there."""
    workflow = find_workflow(request, workflow)
    found = _find(workflow, version)
    if request.method == "POST":
        return _adopt(
            request, workflow, found.document, f"Version {found.version} is your draft now: look at it, then publish."
        )
    shelf = shelf_of(workflow)
    first, second = documents.as_designs(Draft.running(workflow).document, found.document, shelf)
    context = {
        "workflow": workflow,
        "version": found,
        "changes": comparing.changes(first, second, called=shelf.called, cards=_standing(workflow, first)),
        "draft": Draft.objects.filter(workflow=workflow).select_related("changed_by").first(),
    }
    return render(request, "boards/version_restore.html", context)


@allowed("draft.change")
def bring_in(request, workflow):
    """Make a draft of a file."""
    workflow = find_workflow(request, workflow)
    form = DocumentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        said = "The file is your draft now: look at it, then publish."
        return _adopt(request, workflow, form.cleaned_data["found"], said)
    context = {"workflow": workflow, "form": form, "draft": Draft.objects.filter(workflow=workflow).first()}
    return render(request, "boards/version_import.html", context, status=422 if form.errors else 200)


@allowed("workflow.create")
def new_from_file(request):
    """Make a workflow of a file: what it says is a draft, to be looked at and published."""
    form = DocumentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        found = form.cleaned_data["found"]
        named = (found.get("name") or "::".join([found["entityType"], found["entitySubtype"]]))[:120]

        def make():
            workflow = Workflow.create(request.business, name=named, by=request.actor)
            Draft.begin(workflow, by=request.actor).adopt(found, by=request.actor)
            return workflow

        try:
            workflow = in_one(make)
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        else:
            here = reverse("builder", args=[request.business.slug, workflow.slug])
            return done(request, here, f"Made {workflow}. Its steps are a draft: look at them, then publish.")
    return render(request, "boards/version_import.html", {"form": form}, status=422 if form.errors else 200)


# What they share --------------------------------------------------------------------------------------


def with_changes(workflow, first: int, count: int) -> list[Definition]:
    """Return versions, newest first, each with what it changed (.changes) from the one before it."""
    shelf = shelf_of(workflow)
    found = list(workflow.definitions.select_related("author")[first : first + count + 1])
    for newer, older in zip(found, [*found[1:], None], strict=False):
        newer.changes = documents.compare(older.document, newer.document, shelf) if older else []
        newer.is_first = older is None
    return found[:count]


def _older_cards(workflow) -> list[dict]:
    """Return how many cards are on their way under each older major version."""
    rows = workflow.cards.on_board().filter(phase__section=Phase.PATH, major__lt=workflow.major)
    return list(rows.order_by().values("major").annotate(cards=Count("pk")).order_by("major"))


def _standing(workflow, design) -> dict[str, int]:
    """Return how many cards stand now in the steps of a design, by their id there: phases are known by their names."""
    counts = dict(workflow.phases.values_list("name", "card_count"))
    return {step["id"]: counts.get(step["name"], 0) for step in design["steps"]}


def _find(workflow, version: str) -> Definition:
    found = Definition.numbered(workflow, version)
    if found is None:
        raise Http404("No such version")
    return found


def _adopt(request, workflow, document, said):
    here = reverse("builder", args=[request.business.slug, workflow.slug])
    try:
        Draft.begin(workflow, by=request.actor).adopt(document, by=request.actor)
    except ValidationError as error:
        return refused(request, error, here)
    if Draft.of(workflow).design == design_of(workflow):
        return done(request, here, "The board says that already: there is nothing to change.")
    return done(request, here, said) if not request.htmx else redirect(here)
