"""The workflows of a business: the list, a new one, putting one away, bringing it back, deleting it for good."""

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed, may
from boards.forms.workflows import NewWorkflowForm, SureForm
from boards.funnels import look_at
from boards.models import Workflow
from boards.starters import STARTERS
from boards.views.board import find_workflow


@allowed("workflow.view")
def workflows(request):
    """List the workflows, or with ?show=archived those that were put away."""
    mine = request.business.workflows
    archived = mine.exclude(archived_at=None)
    is_archive = request.GET.get("show") == "archived"
    funnels, month = look_at(request.business, archived.select_related("archived_by") if is_archive else mine.live())
    context = {
        "funnels": funnels,
        "month": month,
        "is_archive": is_archive,
        "archived": archived.count(),
        "may_design": may(request.actor, "workflow.create"),
        "may_delete": may(request.actor, "workflow.delete"),
    }
    return render(request, "boards/workflows.html", context)


@allowed("workflow.create")
def new(request):
    """Make a workflow, empty or from a starter."""
    form = NewWorkflowForm(request.POST or None, initial={"starter": _starter(request.GET.get("starter"))})
    if request.method == "POST" and form.is_valid():
        try:
            workflow = Workflow.create(request.business, **form.told(), by=request.actor)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            page = "board" if form.cleaned_data["starter"] else "workflow_settings"
            to = reverse(page, args=[request.business.slug, workflow.slug])
            return done(request, to, f"Made the workflow {workflow.name}.")
    context = {"form": form, "starters": STARTERS.values()}
    return render(request, "boards/workflow_new.html", context, status=422 if form.errors else 200)


@require_POST
@allowed("workflow.archive")
def archive(request, workflow):
    """Put a workflow away with all it holds."""
    workflow = find_workflow(request, workflow)
    workflow.archive(by=request.actor)
    return done(request, _list(request), f"{workflow.name} was put away. It waits under Archived, with all its cards.")


@require_POST
@allowed("workflow.restore")
def restore(request, workflow):
    """Bring an archived workflow back."""
    workflow = find_workflow(request, workflow)
    workflow.restore(by=request.actor)
    to = reverse("board", args=[request.business.slug, workflow.slug])
    return done(request, to, f"{workflow.name} is back, as it was.")


@allowed("workflow.delete")
def delete(request, workflow):
    """Ask for the name of an archived workflow, then delete it for good."""
    workflow = get_object_or_404(request.business.workflows, slug=workflow)
    form = SureForm(request.POST or None, wanted=workflow.name)
    if request.method == "POST" and form.is_valid():
        try:
            workflow.delete_for_good(by=request.actor)
        except ValidationError as error:
            return refused(request, error, _list(request))
        return done(request, _list(request) + "?show=archived", f"{workflow.name} is gone for good.")
    context = {"form": form, "workflow": workflow, "cards": workflow.cards.count()}
    return render(request, "boards/workflow_delete.html", context, status=422 if form.errors else 200)


def _list(request) -> str:
    return reverse("workflows", args=[request.business.slug])


def _starter(key) -> str:
    return key if key in STARTERS else "sales"
