"""Versions of a design: looked at, compared, brought back, carried out and in as files, copied."""

import json

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header

from accounts.answers import done, refused
from accounts.policy import allowed, may
from boards import checking, publishing
from boards.documents import compare as differences
from boards.forms.versions import CopyForm, DocumentForm
from boards.models import Definition, Draft
from boards.models.definition import shelf_of
from boards.versions import steps_of, told
from boards.views.board import find_workflow
from boards.wording import tell

A_PAGE = 20
BOARD = "board"  # what a version can be compared with, beside versions


@allowed("workflow.view")
def versions(request, workflow):
    """List the versions with what each changed, newest first, a page at a time (?page=2)."""
    workflow = find_workflow(request, workflow)
    numbers = _numbers(workflow)
    page = Paginator(numbers, A_PAGE).get_page(request.GET.get("page"))
    running = Draft.running(workflow)
    context = {
        **_frame(request, workflow),
        "page": page,
        "versions": told(workflow, running.shelf, A_PAGE * (page.number - 1), A_PAGE),
        "since": running.changes_on_the_board,
        "numbers": numbers,
        "before": numbers[1] if len(numbers) > 1 else BOARD,
        "after": BOARD,
    }
    return render(request, "boards/versions.html", context)


@allowed("workflow.view")
def version(request, workflow, version):
    """Show one version: its steps, its rulesets in words, its document."""
    workflow = find_workflow(request, workflow)
    found, shelf = _find(workflow, version), shelf_of(workflow)
    before = workflow.definitions.before(found)
    context = {
        **_frame(request, workflow),
        "version": found,
        "is_live": found.version == _numbers(workflow)[0],
        "before": before,
        "changes": differences(before.document, found.document, shelf) if before else [],
        "steps": steps_of(found.document, shelf),
        "rulesets": [tell(ruleset, found.document) for ruleset in found.document["rulesets"]],
        "document": json.dumps(found.document, indent=2, ensure_ascii=False),
    }
    return render(request, "boards/version.html", context)


@allowed("workflow.view")
def export(request, workflow, version):
    """Carry a version out as a file."""
    found = _find(find_workflow(request, workflow), version)
    text = json.dumps(found.file, indent=2, ensure_ascii=False) + "\n"
    headers = {"Content-Disposition": content_disposition_header(True, found.file_name)}
    return HttpResponse(text, content_type="application/json; charset=utf-8", headers=headers)


@allowed("workflow.view")
def compare(request, workflow):
    """Say in words what sets two versions apart, or one and the board as it runs: ?from=1.0&to=1.4, ?to=board."""
    workflow = find_workflow(request, workflow)
    numbers = _numbers(workflow)
    if not numbers:
        raise Http404("There are no versions yet")
    before, after = request.GET.get("from"), request.GET.get("to")
    before = before if before in [*numbers, BOARD] else numbers[-1]
    after = after if after in numbers else BOARD
    documents = [_document(workflow, one) for one in (before, after)]
    context = {
        **_frame(request, workflow),
        "numbers": numbers,
        "before": before,
        "after": after,
        "changes": differences(*documents, shelf_of(workflow), _standing(workflow)),
    }
    return render(request, "boards/compare.html", context)


# Bringing a design back, in and over --------------------------------------------------------------------


@allowed("draft.change")
def restore(request, workflow, version):
    """Make a draft of a version, to be looked at and published; asked first, for it takes the place of a draft that is there."""
    workflow = find_workflow(request, workflow)
    found = _find(workflow, version)
    if request.method == "POST":
        said = f"Version {found.version} is your draft now: look at it, then publish."
        return _adopt(request, workflow, found.document, said)
    running, shelf = _document(workflow, BOARD), shelf_of(workflow)
    context = {
        **_frame(request, workflow),
        "version": found,
        "changes": differences(running, found.document, shelf, _standing(workflow)),
    }
    return render(request, "boards/version_restore.html", context)


@allowed("draft.change")
def bring_in(request, workflow):
    """Make a draft of a file."""
    workflow = find_workflow(request, workflow)
    form = DocumentForm(*_sent(request))
    if form.is_valid():
        document = form.cleaned_data["found"]
        said = f"The file is your draft now: look at it, then publish.{_left_out(workflow, document)}"
        return _adopt(request, workflow, document, said)
    context = _frame(request, workflow) | {"form": form}
    return render(request, "boards/version_import.html", context, status=422 if form.errors else 200)


@allowed("workflow.create")
def new_from_file(request):
    """Make a workflow of a file: what it says is a draft, to be looked at and published."""
    form = DocumentForm(*_sent(request))
    if form.is_valid():
        return _draw(request, form, "boards/version_import.html", form.cleaned_data["found"])
    return render(request, "boards/version_import.html", {"form": form}, status=422 if form.errors else 200)


@allowed("workflow.create")
def copy(request, workflow):
    """Make a workflow of the design of another one as it runs: a draft, to be looked at and published."""
    workflow = find_workflow(request, workflow)
    form = CopyForm(*_sent(request), initial={"name": f"{workflow.name}, copy"[:120]})
    if form.is_valid():
        name, document = form.cleaned_data["name"], _document(workflow, BOARD)
        return _draw(request, form, "boards/workflow_copy.html", document, name=name, workflow=workflow)
    context = {"form": form, "workflow": workflow}
    return render(request, "boards/workflow_copy.html", context, status=422 if form.errors else 200)


def _adopt(request, workflow, document, said):
    """Make a document the draft, then go and look at it."""
    here = reverse("builder", args=[request.business.slug, workflow.slug])
    try:
        draft = Draft.adopt(workflow, document, seen=request.POST.get("seen"), by=request.actor)
    except ValidationError as error:
        return refused(request, error, request.path)
    if draft.design == draft.based_on:
        said = "The board says that already: there is nothing to change."
    return done(request, here, said)


def _draw(request, form, page, document, *, name="", workflow=None):
    """Make a workflow with a draft, then go and look at it."""
    try:
        made = publishing.draw(request.business, document, name=name, by=request.actor)
    except ValidationError as error:
        form.add_error(None, ValidationError(error.messages))
        return render(request, page, {"form": form, "workflow": workflow}, status=422)
    here = reverse("builder", args=[request.business.slug, made.slug])
    said = f"Made {made}. Its steps are a draft: look at them, then publish.{_left_out(made, document)}"
    return done(request, here, said)


def _left_out(workflow, document) -> str:
    """Return in words what a document names that this workflow does not have; "" when it has all."""
    lacks = [one.text for one in checking.check(document, shelf_of(workflow)) if one.code in checking.LACKS]
    return f" Left out: {' '.join(lacks[:5])}{' And more.' if len(lacks) > 5 else ''}" if lacks else ""


# What they share ----------------------------------------------------------------------------------------


def _frame(request, workflow) -> dict:
    """Return what all pages show: the workflow, whether the person may design it, and the draft that is there."""
    may_design = may(request.actor, "draft.change") and not workflow.archived_at
    return {"workflow": workflow, "may_design": may_design, "draft": Draft.of(workflow) if may_design else None}


def _find(workflow, version: str) -> Definition:
    found = Definition.numbered(workflow, version)
    if found is None:
        raise Http404("No such version")
    return found


def _document(workflow, asked: str) -> dict:
    """Return the document of a version, or of the board as it runs."""
    return Draft.running(workflow).document if asked == BOARD else _find(workflow, asked).document


def _numbers(workflow) -> list[str]:
    """Return the numbers of all versions, newest first."""
    return [f"{major}.{minor}" for major, minor in workflow.definitions.values_list("major", "minor")]


def _standing(workflow) -> dict[str, int]:
    """Return how many cards stand in each phase, by its id."""
    return {str(pk): count for pk, count in workflow.phases.values_list("pk", "card_count")}


def _sent(request) -> tuple:
    """Return what a form takes: what was sent, also when that is nothing."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)
