"""The builder: the steps of a workflow are put together as a draft while the board runs on; who may not design reads."""

import json
from functools import partial
from itertools import groupby

from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import reswap

from accounts.answers import done, refused
from accounts.policy import allowed, may
from accounts.templatetags.house import moon
from accounts.verbs import Stale
from boards.definitions import Unfit, cancelled_of, path_of, win_of
from boards.forms.builder import AboutForm, FieldForm, NewStepForm, PlaceForm, PublishForm, RemoveForm, StepForm
from boards.forms.library import NewStatusForm
from boards.models import Draft, Field, Status
from boards.search import as_uuid
from boards.versions import told
from boards.views.board import find_workflow
from boards.wording import tell

GROUPS = {
    "new": ("New", "info", "Where every card starts"),
    "processing": ("Processing", "warn", "Work between hello and done"),
    "completed": ("Completed", "ok", "Done, and done well"),
    "cancelled": ("Cancelled", "danger", "Off the board, kept for reports"),
}
SHELF = 4  # statuses of a group that are shown at once, beside those in use


@vary_on_headers("HX-Request")
@allowed("workflow.view")
def builder(request, workflow):
    """Show the draft, or the running design where there is none; ?open=<id> opens a step or a field, ?find= searches."""
    workflow = find_workflow(request, workflow)
    target = request.htmx.target if request.htmx else ""
    piece = f"#{target}" if target in ("builder", "shelf") else ""
    return render(request, f"boards/builder.html{piece}", _context(request, workflow))


# The draft --------------------------------------------------------------------------------------------


@require_POST
@allowed("draft.change")
def describe(request, workflow):
    """Give the workflow another name or type."""
    workflow = find_workflow(request, workflow)
    form = AboutForm(request.POST, draft=Draft.of(workflow))
    return _edit(request, workflow, Draft.describe, "Noted in the draft.", form=form, part="about")


@require_POST
@allowed("draft.change")
def add(request, workflow):
    """Add a step: a status of the library, or a new one that the library learns on the fly.

    Then its trigger is asked for, unless it is one in which work ends.
    """
    workflow = find_workflow(request, workflow)
    try:
        status = _status(request)
        draft = Draft.begin(workflow, by=request.actor)
        told = {"name": status.name, "stage": status.stage, "description": status.description, "status": status}
        opened = draft.add_step(**told, by=request.actor)
    except ValidationError as error:
        return _refuse(request, workflow, error)
    if status.stage == "cancelled":
        return _say(request, workflow, f"Added {status.name} to the draft.", saved=opened)
    return _say(request, workflow, f"Added {status.name} to the draft. When does a card move on?", opened=opened)


@require_POST
@allowed("draft.change")
def move(request, workflow):
    """Put a step at another place: a drop, a key and the menu's buttons all come here."""
    workflow = find_workflow(request, workflow)
    form = PlaceForm(request.POST)
    if not form.is_valid():
        return _refuse(request, workflow, ValidationError("That is not a place a step can have."))
    asked, place = form.cleaned_data["phase"], form.cleaned_data["position"]
    name = _find_step(Draft.of(workflow), asked)["name"]
    said = f"{name} stands at place {place + 1} of the draft."
    return _edit(request, workflow, Draft.move_step, said, asked, position=place, stage=form.cleaned_data["stage"])


@require_POST
@allowed("draft.change")
def update_step(request, workflow, phase):
    """Change name and settings of a step."""
    workflow = find_workflow(request, workflow)
    draft = Draft.of(workflow)
    form = StepForm(request.POST, draft=draft, step=_find_step(draft, phase))
    return _edit(request, workflow, Draft.set_step, "Noted in the draft.", phase, form=form, part=str(phase))


@allowed("draft.change")
def remove_step(request, workflow, phase):
    """Ask where the cards of a step should go, then take it out of the draft."""
    workflow = find_workflow(request, workflow)
    draft = Draft.of(workflow)
    step = _find_step(draft, phase)
    if step["win"]:
        return _refuse(request, workflow, ValidationError("The win step cannot be deleted."))
    cards = workflow.cards.filter(phase_id=phase).count()
    form = RemoveForm(request.POST if request.method == "POST" else None, draft=draft, step=step, cards=cards)
    if request.method == "POST" and form.is_valid():
        said = f"{step['name']} goes when the draft is published."
        return _edit(request, workflow, Draft.remove_step, said, phase, to=form.cleaned_data.get("to"))
    context = {"form": form, "workflow": workflow, "step": step, "cards": cards}
    return render(request, "boards/builder_remove.html", context, status=422 if form.errors else 200)


@require_POST
@allowed("draft.change")
def keep_step(request, workflow, phase):
    """Take a removal back."""
    workflow = find_workflow(request, workflow)
    gone = Draft.of(workflow).removed(phase)
    if gone is None:
        raise Http404("That step is not on its way out")
    return _edit(request, workflow, Draft.keep_step, f"{gone['name']} stays.", phase)


@require_POST
@allowed("draft.change")
def send_cards(request, workflow, phase):
    """Say where the cards of a step go that is on its way out."""
    workflow = find_workflow(request, workflow)
    draft = Draft.of(workflow)
    gone, to = draft.removed(phase), draft.step(request.POST.get("to", ""))
    if gone is None:
        raise Http404("That step is not on its way out")
    if to is None:
        return _refuse(request, workflow, ValidationError("Choose where the cards should go."))
    said = f"The cards of {gone['name']} go to {to['name']} when the draft is published."
    return _edit(request, workflow, Draft.send_cards, said, phase, to=to["id"])


@require_POST
@allowed("draft.change")
def go_on(request, workflow):
    """Carry the draft over onto the design that has changed meanwhile."""
    workflow = find_workflow(request, workflow)
    said = "Your changes stand on top of the new design now. Look at them, then publish."
    return _edit(request, workflow, Draft.go_on, said)


@require_POST
@allowed("draft.change")
def discard(request, workflow):
    """Throw the draft away."""
    workflow = find_workflow(request, workflow)
    Draft.of(workflow).discard(by=request.actor)
    return _say(request, workflow, "The draft is gone. The board runs as it did.")


@vary_on_headers("HX-Request")
@allowed("workflow.publish")
def publish(request, workflow):
    """Ask for a comment and say what changes, then make the draft the running design; in a dialog, or on a page of its own."""
    workflow = find_workflow(request, workflow)
    draft = Draft.of(workflow)
    form = PublishForm(request.POST if request.method == "POST" else None, draft=draft)
    if not draft.is_news:
        return _refuse(request, workflow, ValidationError("There is nothing to publish: the board is as shown."))
    if request.method == "POST" and form.is_valid():
        try:
            definition = workflow.publish(draft, **form.told(), by=request.actor)
        except Stale as error:
            return _refuse(request, workflow, error)
        except Unfit:
            form.add_error(None, "It cannot be published like this: something stands in the way.")
        except ValidationError as error:
            form.add_error(None, error)
        else:
            said = f"Published version {definition.version}. The board has your changes now."
            return _say(request, workflow, said, opened="")
    return _ask_to_publish(request, draft, form)


def _ask_to_publish(request, draft, form):
    workflow = draft.workflow
    problems = draft.problems(finish_old=form.is_bound and form.told()["finish_old"])
    context = {
        "form": form,
        "workflow": workflow,
        "draft": draft,
        "version": ".".join(map(str, workflow.next_version())),
        "newest": draft.newest,
        "changes": draft.changes,
        "since": draft.changes_on_the_board,
        "problems": problems,
        "stands_in_the_way": any(problem.severity == "error" for problem in problems),
        "may_finish": "running" in form.fields,
    }
    piece = "#asked" if request.htmx else ""
    answer = render(request, f"boards/publish.html{piece}", context, status=422 if form.is_bound else 200)
    return reswap(answer, "none") if request.htmx else answer


@require_POST
@allowed("draft.change")
def mend(request, workflow):
    """Do what a problem offers to put it right."""
    workflow = find_workflow(request, workflow)
    offered = {json.dumps(problem.fix): problem.fix for problem in Draft.of(workflow).problems() if problem.fix}
    fix = offered.get(request.POST.get("fix"))
    if fix is None:
        return _refuse(request, workflow, Stale("The draft was changed a moment ago. Look at what is left to check."))
    return _edit(request, workflow, Draft.mend, "Noted in the draft.", fix)


# Custom fields: these count at once -------------------------------------------------------------------


@require_POST
@allowed("field.create")
def add_field(request, workflow):
    """Give the workflow's cards another field."""
    workflow = find_workflow(request, workflow)
    form = FieldForm(request.POST)
    return _change_field(request, workflow, form, partial(Field.create, workflow), "field-new", "Added the field.")


@require_POST
@allowed("field.update")
def update_field(request, workflow, field):
    """Rename a field, or change its choices."""
    workflow = find_workflow(request, workflow)
    field = get_object_or_404(workflow.fields, pk=field)
    form = FieldForm(request.POST, field=field)
    return _change_field(request, workflow, form, field.update, str(field.pk), "Saved the field.")


@require_POST
@allowed("field.delete")
def delete_field(request, workflow, field):
    """Delete a field; what cards hold in it is shown no more."""
    workflow = find_workflow(request, workflow)
    field = get_object_or_404(workflow.fields, pk=field)
    name = field.name
    try:
        field.remove(by=request.actor)
    except ValidationError as error:
        return _refuse(request, workflow, error)
    return _say(request, workflow, f"Deleted the field {name}.")


# What they share --------------------------------------------------------------------------------------


def _edit(request, workflow, verb, said, *args, form=None, part="", **told):
    """Call a verb of the draft, which begins with the first edit; or show the form with what is wrong."""
    if form is None or form.is_valid():
        told = form.cleaned_data if form else told
        try:
            verb(Draft.begin(workflow, by=request.actor), *args, **told, by=request.actor)
        except ValidationError as error:
            if form is None or isinstance(error, Stale):
                return _refuse(request, workflow, error)
            form.add_error(None, error)
        else:
            # What was saved closes; what else is open stays so.
            return _say(request, workflow, said, saved=part, opened="" if args and form else None)
    return _show_wrong(request, workflow, form, part)


def _change_field(request, workflow, form, verb, part, said):
    if form.is_valid():
        try:
            verb(**form.cleaned_data, by=request.actor)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _say(request, workflow, said, saved=part, opened="")
    return _show_wrong(request, workflow, form, part)


def _show_wrong(request, workflow, form, part):
    piece = "#builder" if request.htmx else ""
    context = _context(request, workflow, wrong=(part, form))
    return render(request, f"boards/builder.html{piece}", context, status=422)


def _say(request, workflow, said, *, saved="", opened=None):
    """Answer a change that was made with the page as it is now, opened where work goes on."""
    context = _context(request, workflow, saved=saved, opened=opened) if request.htmx else {}
    here = _here(request, workflow) + (f"?open={opened}#step-{opened}" if opened else "")
    pieces = render_to_string("boards/builder.html#builder", context, request) if request.htmx else ""
    return done(request, here, said, pieces=pieces)


def _refuse(request, workflow, error):
    pieces = ""
    if request.htmx:
        pieces = render_to_string("boards/builder.html#builder", _context(request, workflow), request)
    return refused(request, error, _here(request, workflow), pieces=pieces)


def _here(request, workflow) -> str:
    return reverse("builder", args=[request.business.slug, workflow.slug])


def _find_step(draft, step_id) -> dict:
    step = draft.step(step_id)
    if step is None:
        raise Http404("No such step")
    return step


def _status(request) -> Status:
    """Return the status that was picked, or the one of this name, which the library learns if it must."""
    library = request.business.status_library
    if "status" in request.POST:
        return get_object_or_404(library.live(), pk=as_uuid(request.POST["status"]))
    form = NewStepForm(request.POST)
    if not form.is_valid():
        raise ValidationError("Pick a status, or give the new one a name and a stage group.")
    known = library.live().filter(name__iexact=form.cleaned_data["name"]).first()
    if known:
        return known
    new = NewStatusForm(form.cleaned_data)
    new.full_clean()
    return Status.create(request.business, **new.cleaned_data, by=request.actor)


# The page ---------------------------------------------------------------------------------------------


def _context(request, workflow, *, wrong=("", None), saved="", opened=None) -> dict:
    """Return what the page shows; wrong: the part and the form that was refused; opened: what is open now."""
    workflow.refresh_from_db()
    workflow.business = request.business
    may_design = may(request.actor, "draft.change") and not workflow.archived_at
    draft = Draft.of(workflow) if may_design else Draft.running(workflow)
    opened = wrong[0] or (opened if opened is not None else request.POST.get("open") or request.GET.get("open", ""))
    context = {
        "workflow": workflow,
        "draft": draft,
        "may_design": may_design,
        "changes": draft.changes,
        "next_version": ".".join(map(str, workflow.next_version())),
        "newest": draft.newest,
        "is_news": may_design and draft.is_news,
        "meanwhile": draft.changes_meanwhile if draft.is_stale else [],
        "is_stale": draft.is_stale,
        "problems": _with_fixes(draft.problems()),
        "versions": told(workflow, draft.shelf),
        "rulesets": _rulesets(draft),
        "leaving": workflow.phases.exclude(last_major=None),
        "opened": opened,
        "saved": saved,
        "about": wrong[1] if wrong[0] == "about" else AboutForm(draft=draft),
        "order_types": _order_types(workflow),
        "fields": _fields(workflow, opened, wrong),
        "new_field": wrong[1] if wrong[0] == "field-new" else FieldForm(),
    }
    context["errors_found"] = sum(one["problem"].severity == "error" for one in context["problems"])
    context |= _groups(workflow, draft, opened if may_design else "", wrong)
    return context | (_shelf(request, draft) if may_design else {})


def _rulesets(draft) -> list[dict]:
    """Return the rulesets of the draft in words."""
    entity = draft.workflow.entity_of(draft.design)
    own = {"entityType": entity["entity_type"], "entitySubtype": entity["entity_subtype"]}
    return [tell(ruleset, own) for ruleset in draft.design["rulesets"]]


def _with_fixes(problems) -> list:
    """Return problems, each with what its button sends."""
    return [{"problem": problem, "fix": json.dumps(problem.fix) if problem.fix else ""} for problem in problems]


def _groups(workflow, draft, opened, wrong) -> dict:
    """Return the steps by stage group, each with its moon, its cards and its open form."""
    path, win, cancelled = path_of(draft.design), win_of(draft.design), cancelled_of(draft.design)
    counted = list(workflow.phases.annotate(all_cards=Count("cards")).values_list("pk", "card_count", "all_cards"))
    cards = {str(pk): count for pk, count, _ in counted}
    all_cards = {str(pk): count for pk, _, count in counted}
    triggers = {str(pk): name for pk, name in workflow.business.trigger_library.values_list("pk", "name")}
    names = {step["id"]: step["name"] for step in draft.design["steps"]}

    def dressed(step, index, section):
        shown = step | {
            "moon": "off" if step["stage"] == "cancelled" else moon(index, len(path) + 1),
            "place": index,
            "last": index == len(section) - 1,
            "cards": cards.get(step["id"]),
            "trigger_name": triggers.get(step["trigger"], ""),
            "time_said": _time(step["timeout_hours"]),
            "timeout_name": names.get(step["timeout_to"], ""),
        }
        if step["id"] == opened:
            shown["form"] = wrong[1] if wrong[0] == opened else StepForm(draft=draft, step=step)
            shown["is_wrong"] = wrong[0] == opened
        return shown

    groups = _runs([dressed(step, i, path) for i, step in enumerate(path)])
    groups[-1]["win"] = dressed(win, len(path), [*path, win])
    ended = [dressed(step, i, cancelled) for i, step in enumerate(cancelled)]
    removed = [
        gone | {"cards": all_cards.get(gone["id"], 0), "to_name": names.get(gone["to"])}
        for gone in draft.design["removed"]
    ]
    return {"groups": groups, "ended": _group("cancelled", ended), "removed": removed, "path_length": len(path)}


def _time(hours) -> str:
    """Return a time limit in words: whole days as days."""
    count, word = (hours // 24, "day") if hours and hours % 24 == 0 else (hours or 0, "hour")
    return f"{count} {word}{'s' * (count != 1)}"


def _runs(path) -> list[dict]:
    """Return the path in its stage groups; the three are always there, so that a step can be dropped in each."""
    groups = [_group(stage, list(steps)) for stage, steps in groupby(path, key=lambda step: step["stage"])]
    stages = [group["stage"] for group in groups]
    if "new" not in stages:
        groups.insert(0, _group("new", []))
        stages.insert(0, "new")
    if "processing" not in stages:
        at = len(stages) - stages[::-1].index("new")
        groups.insert(at, _group("processing", []))
        stages.insert(at, "processing")
    if stages[-1] != "completed":
        groups.append(_group("completed", []))
    return groups


def _group(stage, steps) -> dict:
    name, tone, says = GROUPS[stage]
    return {"stage": stage, "name": name, "tone": tone, "says": says, "steps": steps}


def _shelf(request, draft) -> dict:
    """Return the library beside the steps: what is used is ticked, what is not found can be made."""
    find = (request.GET.get("find") or request.POST.get("find") or "").strip()[:80]
    used = {step["status"] for step in draft.design["steps"]} | {
        step["name"].casefold() for step in draft.design["steps"]
    }
    statuses = request.business.status_library.live()
    shelf, exact = [], False
    found = list(statuses.filter(name__icontains=find) if find else statuses)
    for stage, (name, _, _) in GROUPS.items():
        inside = [status for status in found if status.stage == stage]
        for status in inside:
            status.is_used = str(status.pk) in used or status.name.casefold() in used
            exact = exact or status.name.casefold() == find.casefold()
        if inside:
            shown = [status for at, status in enumerate(inside) if status.is_used or at < SHELF]
            shelf.append({"name": name, "statuses": shown, "more": len(inside) - len(shown)})
    return {"shelf": shelf, "find": find, "may_make": bool(find) and not exact, "stages": GROUPS}


def _fields(workflow, opened, wrong) -> list[Field]:
    fields = list(workflow.fields.all())
    for field in fields:
        if str(field.pk) == opened:
            field.form = wrong[1] if wrong[0] == opened else FieldForm(field=field)
    return fields


def _order_types(workflow):
    return workflow.business.ordertype_library.live().filter(stages__workflow=workflow).distinct()
