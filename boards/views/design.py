"""A workflow's design: its name, its phases and their order, its labels. Who may not change it may read it."""

from functools import partial

from django.core.exceptions import ValidationError
from django.db.models import Count
from django.db.models.functions import Lower
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed, may
from accounts.verbs import Stale
from boards.forms.cards import LabelForm
from boards.forms.rules import RulesForm
from boards.forms.workflows import EndForm, LimitsForm, PhaseForm, PlaceForm, WorkflowForm
from boards.models import Label, Phase
from boards.views.board import find_workflow, with_moons


@allowed("workflow.view")
def settings(request, workflow):
    """Show the design; ?open=<id> opens the form of a phase or a label. htmx may ask for a piece alone."""
    workflow = find_workflow(request, workflow)
    piece = f"#{request.htmx.target}" if request.htmx.target in ("steps", "labels") else ""
    return render(request, f"boards/workflow.html{piece}", _context(request, workflow))


@require_POST
@allowed("workflow.update")
def update(request, workflow):
    """Rename a workflow, say what it is for, change its type."""
    workflow = find_workflow(request, workflow)
    form = WorkflowForm(request.POST)
    return _answer(request, workflow, "about", form, workflow.update, "Saved.")


@require_POST
@allowed("workflow.update")
def limit(request, workflow):
    """Say how many active cards there can be, of one contact and in all."""
    workflow = find_workflow(request, workflow)
    return _answer(request, workflow, "limits", LimitsForm(request.POST), workflow.update, "Saved the limits.")


# Phases -----------------------------------------------------------------------------------------------


@require_POST
@allowed("phase.create")
def add_phase(request, workflow):
    """Add a phase to the end of the path."""
    workflow = find_workflow(request, workflow)
    form = PhaseForm(request.POST)
    said = f"Added the phase {request.POST.get('name', '').strip()}."
    return _answer(request, workflow, "steps", form, partial(Phase.create, workflow), said)


@require_POST
@allowed("phase.update")
def update_phase(request, workflow, phase):
    """Rename a phase, describe it, put it into another stage group; where the rules were shown, change them too."""
    workflow = find_workflow(request, workflow)
    phase = get_object_or_404(workflow.phases.select_related("business", "workflow"), pk=phase)
    form = (RulesForm if "rules" in request.POST else PhaseForm)(request.POST, phase=phase)
    return _answer(request, workflow, "steps", form, phase.update, "Saved the phase.", row=phase)


@require_POST
@allowed("phase.move")
def move_phase(request, workflow):
    """Put a phase at another place of the path: a drop, a key and the arrow buttons all come here."""
    workflow = find_workflow(request, workflow)
    form = PlaceForm(request.POST)
    try:
        if not form.is_valid():
            raise ValidationError("That is not a place a phase can have.")
        phase = get_object_or_404(workflow.phases, pk=form.cleaned_data["phase"])
        phase.move(form.cleaned_data["position"], by=request.actor)
    except ValidationError as error:
        return refused(request, error, _here(request, workflow), pieces=_piece(request, workflow, "steps"))
    place = f"place {phase.position + 1}"
    return done(
        request, _here(request, workflow), f"{phase.name} stands at {place}.", pieces=_piece(request, workflow, "steps")
    )


@allowed("phase.delete")
def delete_phase(request, workflow, phase):
    """Ask where the cards of a phase should go, then delete it."""
    workflow = find_workflow(request, workflow)
    phase = get_object_or_404(workflow.phases.select_related("workflow"), pk=phase)
    if phase.is_win:
        return refused(request, ValidationError("The win phase cannot be deleted."), _here(request, workflow))
    cards = phase.cards.count()
    form = EndForm(request.POST if request.method == "POST" else None, phase=phase, cards=cards)
    if request.method == "POST" and form.is_valid():
        to, name = form.cleaned_data.get("to"), phase.name
        try:
            phase.delete_to(to, by=request.actor)
        except Stale as error:
            return refused(request, error, _here(request, workflow))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            said = f"Deleted {name}; its cards are in {to.name} now." if to else f"Deleted {name}."
            return done(request, _here(request, workflow), said)
    context = {"form": form, "workflow": workflow, "phase": phase, "cards": cards, "archived": cards - phase.card_count}
    return render(request, "boards/phase_delete.html", context, status=422 if form.errors else 200)


# Labels -----------------------------------------------------------------------------------------------


@require_POST
@allowed("label.create")
def add_label(request, workflow):
    """Make a label."""
    workflow = find_workflow(request, workflow)
    form = LabelForm(request.POST, auto_id="label-new-%s")
    said = f"Made the label {request.POST.get('name', '').strip()}."
    return _answer(request, workflow, "labels", form, partial(Label.create, workflow), said)


@require_POST
@allowed("label.update")
def update_label(request, workflow, label):
    """Rename or recolour a label."""
    workflow = find_workflow(request, workflow)
    label = get_object_or_404(workflow.labels, pk=label)
    form = LabelForm(request.POST, auto_id=f"label-{label.pk}-%s")
    return _answer(request, workflow, "labels", form, label.update, "Saved the label.", row=label)


@require_POST
@allowed("label.delete")
def delete_label(request, workflow, label):
    """Delete a label and take it off every card."""
    workflow = find_workflow(request, workflow)
    label = get_object_or_404(workflow.labels, pk=label)
    try:
        label.delete_everywhere(by=request.actor)
    except ValidationError as error:
        return refused(request, error, _here(request, workflow), pieces=_piece(request, workflow, "labels"))
    said = f"Deleted the label {label.name}."
    return done(request, _here(request, workflow), said, pieces=_piece(request, workflow, "labels"))


# What they share --------------------------------------------------------------------------------------


def _answer(request, workflow, piece, form, change, said, *, row=None):
    """Call a verb with what the form says; answer the piece of the page that shows it, or the form with what is wrong."""
    if form.is_valid():
        try:
            change(**form.cleaned_data, by=request.actor)
        except Stale as error:
            return refused(request, error, _here(request, workflow), pieces=_piece(request, workflow, piece))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            saved = row.pk if row else "new"
            return done(request, _here(request, workflow), said, pieces=_piece(request, workflow, piece, saved=saved))
    shown = f"boards/workflow.html#{piece}" if request.htmx else "boards/workflow.html"
    # The page is read anew: what a refused change left on the row must not be shown as its name.
    workflow.refresh_from_db()
    context = _context(request, workflow, wrong=(piece, row.pk if row else None, form))
    return render(request, shown, context, status=422)


def _piece(request, workflow, piece: str, saved=None) -> str:
    """Return a piece of the page as it is now; the focus goes on from what was saved."""
    return render_to_string(f"boards/workflow.html#{piece}", _context(request, workflow) | {"saved": saved}, request)


def _context(request, workflow, wrong=("", None, None)) -> dict:
    """Return what the page shows; wrong: the piece, the row's id and the form that was refused."""
    piece, pk, form = wrong
    opened = str(pk) if pk else request.GET.get("open", "") if request.method == "GET" else ""
    phases, labels = (
        with_moons(workflow),
        list(workflow.labels.annotate(used=Count("card_labels")).order_by(Lower("name"))),
    )
    for phase in phases:
        if str(phase.pk) == opened:
            phase.form = form or RulesForm(phase=phase)
    for label in labels:
        if str(label.pk) == opened:
            label.form = form or _label_form(label)
    context = {
        "workflow": workflow,
        "path": [phase for phase in phases if phase.section == Phase.PATH],
        "others": [phase for phase in phases if phase.section != Phase.PATH],
        "labels": labels,
        "about": form if piece == "about" else WorkflowForm(initial=_initial(workflow, WorkflowForm)),
        "limits": form if piece == "limits" else LimitsForm(initial=_initial(workflow, LimitsForm)),
        "active": sum(phase.card_count for phase in phases if phase.is_on_path),
        "new_phase": form if piece == "steps" and not pk else PhaseForm(),
        "new_label": form if piece == "labels" and not pk else _label_form(tint=1 + len(labels) % 8),
    }
    live = not workflow.archived_at
    for name in ("workflow.update", "workflow.archive", "label.create", "label.delete"):
        context[f"may_{name.replace('.', '_')}"] = live and may(request.actor, name)
    context["may_restore"] = not live and may(request.actor, "workflow.restore")
    context["may_delete"] = not live and may(request.actor, "workflow.delete")
    return context


def _initial(workflow, form) -> dict:
    return {name: getattr(workflow, name) for name in form.base_fields}


def _label_form(label=None, tint=1):
    initial = {"name": label.name, "tint": label.tint} if label else {"tint": tint}
    return LabelForm(initial=initial, auto_id=f"label-{label.pk if label else 'new'}-%s")


def _here(request, workflow) -> str:
    return reverse("workflow_settings", args=[request.business.slug, workflow.slug])
