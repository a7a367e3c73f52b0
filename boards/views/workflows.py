"""The workflows of a business: the list, a new one, putting one away, bringing it back, deleting it for good."""

from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed, may
from boards.forms.steps import NEW, Draft, StepForm
from boards.forms.workflows import NewWorkflowForm, SureForm
from boards.funnels import look_at
from boards.models import OrderStage, Workflow
from boards.starters import STARTERS
from boards.views.board import find_workflow

VIEW_COOKIE = "workflows-view"
YEAR = 365 * 24 * 3600


@allowed("workflow.view")
def workflows(request):
    """List the workflows as tiles or (?view=table, remembered) as a table, or with ?show=archived those put away."""
    mine = request.business.workflows
    archived = mine.exclude(archived_at=None)
    is_archive = request.GET.get("show") == "archived"
    shown = (
        archived.select_related("archived_by") if is_archive else mine.live().with_minor().prefetch_related(_used_by())
    )
    funnels, month = look_at(request.business, shown)
    view = request.GET.get("view") or request.COOKIES.get(VIEW_COOKIE)
    context = {
        "funnels": funnels,
        "month": month,
        "is_archive": is_archive,
        "is_table": view == "table" and not is_archive,
        "archived": archived.count(),
        "may_design": may(request.actor, "workflow.create"),
        "may_delete": may(request.actor, "workflow.delete"),
    }
    answer = render(request, "boards/workflows.html", context)
    if request.GET.get("view") in ("table", "tiles"):
        answer.set_cookie(VIEW_COOKIE, view, max_age=YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    return answer


@allowed("workflow.create")
def new(request):
    """Make a workflow: of steps that are thought up here, from a starter, or empty. Nothing is written until Create."""
    sent = request.POST if request.method == "POST" else request.GET
    draft, do = Draft(request.business, sent), sent.get("do", "create" if request.method == "POST" else "look")
    if do == "enter":  # the key, in a field: what is being added comes first
        do = "add" if sent.get("add-status") else "create"
    if do != "create":
        return _think(request, draft, do)
    form, adder = NewWorkflowForm(request.POST, business=request.business), StepForm(draft=draft)
    if request.POST.get("add-status") and not request.POST.get("starter"):
        # Chosen, but "Add step" was not pressed: surely it is meant.
        adder = StepForm(request.POST, draft=draft)
        if adder.is_valid():
            draft.add(adder.step)
            adder = StepForm(draft=draft)
    if form.is_valid() and not adder.errors:
        steps = [] if form.cleaned_data["starter"] else [step.told() for step in draft.steps]
        try:
            workflow = Workflow.create(request.business, **form.told(), steps=steps, by=request.actor)
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        else:
            return done(request, _after(request, workflow, form, steps), f"Made the workflow {workflow.name}.")
    return _show_new(request, form, draft, adder, status=422)


def _think(request, draft, do):
    """Change the steps of a workflow that does not exist yet; answer the page with all that was typed."""
    sent = request.POST if request.method == "POST" else request.GET
    deed, _, what = do.partition(":")
    at, said = _number(what), ""
    adder = StepForm(initial=_typed(sent, "add-"), draft=draft)
    if deed == "add":
        adder = StepForm(request.POST, draft=draft)
        if adder.is_valid():
            draft.add(adder.step)
            said = f"{adder.step.name} is step {len(draft.steps)}."
            adder = StepForm(draft=draft)
    elif deed == "pick" and draft.read(what):
        step = draft.read(what)
        chosen = {"status": str(step.status.pk)} if step.status else {"status": NEW, "name": step.name}
        adder = StepForm(initial=chosen | {"stage": step.stage}, draft=draft)
        adder.fields["trigger"].widget.attrs["autofocus"] = True
    elif deed == "remove" and (gone := draft.take_out(at)):
        said = f"{gone.name} is no step any more."
    elif deed in ("up", "down"):  # a step that was dragged was sent where it stands now
        moved = draft.move(at, at + {"up": -1, "down": 1}[deed])
        said = f"{moved.name} stands at place {draft.steps.index(moved) + 1}." if moved else ""
    starter = sent.get("starter", "")
    typed = _typed(sent) | {"starter": starter if starter in STARTERS else ""}
    form = NewWorkflowForm(initial=typed, business=request.business)
    is_next = bool(said) and deed in ("add", "remove")  # the focus goes where the next step is chosen
    return _show_new(request, form, draft, adder, said=said, is_next=is_next, status=422 if adder.errors else 200)


def _show_new(request, form, draft, adder, *, said="", is_next=False, status):
    """Show the page of a new workflow; htmx gets its steps alone, or what was found in the library."""
    context = {
        "form": form,
        "starters": STARTERS.values(),
        "draft": draft,
        "adder": adder,
        "said": said,
        "is_next": is_next,
    }
    piece = {"draft": "#draft", "picker": "#picker"}.get(request.htmx.target, "")
    answer = render(request, f"boards/workflow_new.html{piece}", context, status=status)
    if piece == "#draft":  # whoever leaves the page and comes back, or loads it anew, finds the steps again
        answer["HX-Replace-Url"] = f"{reverse('workflow_new', args=[request.business.slug])}?{urlencode(draft.told())}"
    return answer


def _after(request, workflow, form, steps) -> str:
    """Return where one goes from a new workflow: with steps to the table, from a starter to its board, else to its steps."""
    if steps:
        return _list(request) + "?view=table"
    page = "board" if form.cleaned_data["starter"] else "workflow_settings"
    return reverse(page, args=[request.business.slug, workflow.slug])


def _typed(sent, prefix="") -> dict:
    """Return what was typed, to be shown again without judging it."""
    return {name.removeprefix(prefix): sent[name].replace("\x00", "") for name in sent if name.startswith(prefix)}


def _number(text) -> int:
    """Return a place; one that nobody has for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 4 else -1


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


def _used_by() -> Prefetch:
    """Return the order types in whose chain a workflow stands, as `used_by`."""
    stages = OrderStage.objects.filter(type__retired_at=None).select_related("type")
    return Prefetch("order_stages", stages, to_attr="used_by")


def _list(request) -> str:
    return reverse("workflows", args=[request.business.slug])
