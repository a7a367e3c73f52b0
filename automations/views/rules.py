"""Rules: listed, written as a sentence, switched, copied, carried in and out."""

import json
from datetime import timedelta
from itertools import groupby

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed, may
from accounts.verbs import Stale
from automations import exchange
from automations.forms.carrying import CarryForm
from automations.forms.rule import Sheet
from automations.forms.trying import TryForm
from automations.models import Rule, Run
from automations.models.rule import OFF, ON, STATES, WATCH
from automations.models.run import FAILED, STOPPED, WAITING
from automations.offers import Offers
from automations.recipes import recipes_for
from automations.trying import matching_now, replay

MONTH, WEEK, DAY = timedelta(days=30), timedelta(days=7), timedelta(days=1)
SPANS = ("30 minutes", "2 hours", "1 day", "3 days", "3 working days", "1 week")  # to choose from, or write another
MOST_RUNS = 12  # of a rule's history beside it


# The list --------------------------------------------------------------------------------------------------


@allowed("rule.view")
def rules(request):
    """List the rules, the first one open beside them; ?workflow=<slug> shows those that heed one workflow."""
    context = list_context(request)
    first = context["rules"][0] if context["rules"] else None
    if first is not None:
        context |= one_context(request, first)
    return render(request, "automations/rules.html", context)


@allowed("rule.view")
def rule(request, rule):
    """Show a rule in the editor, with what it did."""
    rule = find(request, rule)
    return render(request, "automations/rules.html", _page(request, one_context(request, rule)))


def find(request, pk):
    """Return the business's rule of this id, or raise Http404."""
    return get_object_or_404(_with_origin(request.business.rules), pk=pk)


def _with_origin(rows):
    """Return rules with the workflow and the version of a design to which they belong."""
    return rows.select_related("workflow", "definition").defer("definition__document")


def list_context(request) -> dict:
    """Return what the list of rules shows."""
    business, now = request.business, timezone.now()
    offers = Offers(business)
    workflow = business.workflows.filter(slug=request.GET.get("workflow", "")).first()
    rows = _with_origin(business.rules).order_by("-created_at", "pk")
    if workflow:
        rows = rows.filter(workflow__in=[workflow]) | rows.filter(workflow=None)
    told = Run.objects.by_rule(business, now - MONTH)
    found = [_row(one, offers, told.get(one.pk)) for one in rows]
    listed = sorted(found, key=_place_in_list)
    return {
        "rules": listed,
        "groups": [(design, list(some)) for design, some in groupby(listed, key=lambda one: one.definition)],
        "workflow": workflow,
        "on": sum(one.state == ON for one in found),
        "this_week": Run.objects.acted().filter(business=business, began_at__gte=now - WEEK).count(),
        "stopped": Run.objects.filter(business=business, state=STOPPED, began_at__gte=now - DAY).count(),
        "offers": offers,
        "may_create": may(request.actor, "rule.create"),
        "may_switch": may(request.actor, "rule.switch"),
    }


def _place_in_list(rule: Rule) -> tuple:
    """Return the place of a rule: those of people first, switched off or not; then design by design as it lists them."""
    design = rule.definition
    if design is None:
        return False, rule.state == OFF
    return True, str(rule.workflow).casefold(), str(rule.workflow_id), -design.major, -design.minor, rule.place


def _row(rule: Rule, offers: Offers, told: dict | None) -> Rule:
    """Give a rule what its line in the list shows."""
    told = told or {}
    rule.sheet = _sheet(rule, offers)
    rule.said = rule.sheet.said if rule.sheet else []
    rule.count, rule.last = told.get("count", 0), told.get("last")
    rule.failed, rule.waits = told.get("failed", 0), told.get("waiting", 0)
    return rule


def _sheet(rule: Rule, offers: Offers) -> Sheet | None:
    """Return a rule as it lies in the editor; None for one whose trigger or actions this version does not know."""
    try:
        rule.read  # noqa: B018 - it raises
        return Sheet.of(rule.document, offers, name=rule.name, workflow=rule.workflow)
    except ValidationError:
        return None


def one_context(request, rule: Rule, sheet: Sheet | None = None, **more) -> dict:
    """Return what is shown of one rule: the editor, or the sentence for those who may only look, and its runs."""
    offers = sheet.offers if sheet else Offers(request.business)
    fresh = sheet is None
    sheet = sheet or _sheet(rule, offers)
    if sheet and fresh:
        sheet.version = str(rule.version)
        sheet.is_valid()  # so that what is not there any more is said
    wanted = request.GET.get("runs", "")
    runs = Run.objects.filter(business=request.business, rule=rule)
    shown = runs.filter(state=FAILED) if wanted == FAILED else runs
    return {
        "rule": rule,
        "sheet": sheet,
        "action": reverse("rule_change", args=[request.business.slug, rule.pk]),
        "runs": list(shown.for_list()[:MOST_RUNS]),
        "failed": runs.filter(state=FAILED).count(),
        "only_failed": wanted == FAILED,
        "try_form": TryForm(),
        "may_see_calls": rule.calls and may(request.actor, "webhook.view"),
        **_editing(request, rule),
        **more,
    }


def _editing(request, rule: Rule | None = None) -> dict:
    is_free = rule is None or rule.definition is None
    return {
        "states": STATES,
        "may_update": is_free and may(request.actor, "rule.update"),
        "may_try": may(request.actor, "rule.update"),
        "may_create": may(request.actor, "rule.create"),
        "may_switch": may(request.actor, "rule.switch"),
        "may_delete": is_free and may(request.actor, "rule.delete"),
        "may_retry": may(request.actor, "run.retry"),
        "workflows": request.business.workflows.live().order_by("name"),
        "spans": SPANS,
    }


def _page(request, context: dict) -> dict:
    return {**list_context(request), **context, "is_open": True}


# Writing ---------------------------------------------------------------------------------------------------


@allowed("rule.create")
def new(request):
    """Write a new rule: from nothing, from a recipe (?recipe=), or for one workflow (?workflow=)."""
    business = request.business
    offers = Offers(business)
    if request.method == "POST":
        sheet = Sheet.sent(request.POST, offers)
    else:
        workflow = business.workflows.filter(slug=request.GET.get("workflow", "")).first()
        recipe = next((one for one in recipes_for() if one.key == request.GET.get("recipe")), None)
        document = recipe.document if recipe else {"trigger": None, "actions": [{"type": ""}]}
        sheet = Sheet.of(document, offers, name=recipe.name if recipe else "", workflow=workflow)
    context = {
        "sheet": sheet,
        "action": reverse("rule_new", args=[business.slug]),
        "try_form": TryForm(),
        **_editing(request),
    }
    if request.method == "POST" and request.POST.get("do") == "save" and sheet.is_valid():
        try:
            made = Rule.create(
                business,
                sheet.document,
                name=sheet.name,
                workflow=sheet.workflow,
                state=_state(request),
                by=request.actor,
            )
        except ValidationError as error:
            sheet.blame(error)
        else:
            return _gone_to(request, made, f"{made.name} is {made.get_state_display().lower()}")
    return _editor(request, None, sheet, context)


@allowed("rule.update")
def change(request, rule):
    """Change a rule, or only redraw the editor as it was reshaped; what is wrong stands at its place."""
    rule = find(request, rule)
    if request.method != "POST":
        return redirect("rule", request.business.slug, rule.pk)
    if rule.definition:
        return _try_of_design(request, rule)
    sheet = Sheet.sent(request.POST, Offers(request.business), original=rule.document)
    context = one_context(request, rule, sheet)
    if request.POST.get("do") != "save" or not sheet.is_valid():
        return _editor(request, rule, sheet, context)
    name, document = sheet.name or rule.name, sheet.document
    try:
        rule.update(version=sheet.seen, name=name, document=document, workflow=sheet.workflow, by=request.actor)
    except Stale:
        now = find(request, rule.pk)
        sheet.version, context["theirs"] = str(now.version), _sheet(now, sheet.offers)
        return _editor(request, rule, sheet, context, status=409)
    except ValidationError as error:
        sheet.blame(error)
        return _editor(request, rule, sheet, context)
    return _gone_to(request, rule, f"Saved {rule.name}")


def _editor(request, rule, sheet: Sheet, context: dict, status: int = 200):
    """Draw the editor again: reshaped, tried, or with what is wrong."""
    wish = request.POST.get("do", "")
    if wish == "save" and status == 200:
        status = 422
    elif wish == "try":
        form = TryForm(request.POST, business=request.business, workflow=sheet.workflow)
        if sheet.is_valid() and form.is_valid():
            context["trial"] = form.try_out(sheet, rule)
        context["try_form"] = form
        status = 200 if "trial" in context else 422
    elif ":" in wish:
        context["go_on_at"] = sheet.reshape(wish)
    if request.htmx:
        return render(request, "automations/rules.html#editor", context, status=status)
    return render(request, "automations/rules.html", _page(request, context), status=status)


def _try_of_design(request, rule: Rule):
    """Try a rule as its design says it; whatever else is wished of its text is refused, in words."""
    sheet = _sheet(rule, Offers(request.business))
    if sheet is None or request.POST.get("do") != "try":
        error = ValidationError(f"{rule.name} is part of the design of {rule.workflow}. Change it there.")
        return refused(request, error, reverse("rule", args=[request.business.slug, rule.pk]))
    context, form = one_context(request, rule), TryForm(request.POST, business=request.business, workflow=rule.workflow)
    if form.is_valid():
        context["trial"] = form.try_out(sheet, rule)
    context["try_form"] = form
    status = 200 if "trial" in context else 422
    return render(request, "automations/rules.html", _page(request, context), status=status)


def _gone_to(request, rule: Rule, said: str):
    """Answer that a rule was kept: its own page, freshly drawn."""
    to = reverse("rule", args=[request.business.slug, rule.pk])
    if not request.htmx:
        return done(request, to, said)
    messages.success(request, said, extra_tags="success")
    return HttpResponse(headers={"HX-Redirect": to})


def _state(request) -> str:
    wanted = request.POST.get("state", ON)
    return wanted if wanted in dict(STATES) else ON


# Asking without effects --------------------------------------------------------------------------------------


@allowed("rule.view")
def matches(request, rule):
    """Show on which cards a rule would act now, as they stand."""
    rule = find(request, rule)
    try:
        found = matching_now(rule)
    except ValidationError as error:
        return render(request, _piece(request, "matches", "count"), {"rule": rule, "lacks": " ".join(error.messages)})
    about = "contact" if rule.read.trigger.is_about_contacts else "card"
    return render(request, _piece(request, "matches", "count"), {"rule": rule, "found": found, "about": about})


@allowed("rule.view")
def past(request, rule):
    """Show how often a rule would have acted in the last 60 days, and on which cards."""
    rule = find(request, rule)
    try:
        context = {"rule": rule, "found": replay(rule), "days": 60}
    except ValidationError as error:
        context = {"rule": rule, "lacks": " ".join(error.messages)}
    return render(request, "automations/past.html", context)


def _piece(request, page: str, piece: str) -> str:
    return f"automations/{page}.html{f'#{piece}' if request.htmx else ''}"


# Switching, copying, deleting --------------------------------------------------------------------------------


@require_POST
@allowed("rule.switch")
def switch(request, rule):
    """Switch a rule on or off, or let it only watch."""
    rule = find(request, rule)
    to = reverse("rule", args=[request.business.slug, rule.pk])
    try:
        rule.switch(request.POST.get("state", OFF), by=request.actor)
    except ValidationError as error:
        return refused(request, error, to)
    said = {ON: "is on", WATCH: "watches only: it notes what it would have done", OFF: "is off"}[rule.state]
    context = {**list_context(request), "states": STATES, "oob": True}
    context["one"] = next(one for one in context["rules"] if one.pk == rule.pk)
    shown = ("row", "totals", "state") if "shown" in request.POST else ("row", "totals")
    context["rule"] = rule if "shown" in request.POST else None  # the one beside the list may be another
    pieces = "".join(render_to_string(f"automations/rules.html#{piece}", context, request) for piece in shown)
    return done(request, to, f"{rule.name} {said}", pieces=pieces)


@require_POST
@allowed("rule.create")
def copy(request, rule):
    """Make another rule like this one, switched off."""
    rule = find(request, rule)
    try:
        made = rule.copy(by=request.actor)
    except ValidationError as error:
        return refused(request, error, reverse("rule", args=[request.business.slug, rule.pk]))
    return _gone_to(request, made, f"{made.name} is off until you switch it on")


@allowed("rule.delete")
def delete(request, rule):
    """Ask whether a rule should go, then delete it."""
    rule = find(request, rule)
    if rule.definition:
        raise Http404("It goes with its design")
    if request.method != "POST":
        waits = rule.runs.filter(state=WAITING).count()
        return render(request, "automations/rule_delete.html", {"rule": rule, "waits": waits})
    rule.delete_for_good(by=request.actor)
    return done(request, reverse("rules", args=[request.business.slug]), f"Deleted {rule.name}")


# Recipes, import, export -------------------------------------------------------------------------------------


@allowed("rule.create")
def recipes(request):
    """Show the recipes that a rule can begin with."""
    offers = Offers(request.business)
    found = recipes_for()
    for one in found:
        one.said = Sheet.of(one.document, offers, name=one.name).said
    context = {"recipes": found, "workflow": request.GET.get("workflow", "")}
    return render(request, "automations/recipes.html", context)


@allowed("rule.create")
def export(request):
    """Carry all rules out as one document, with the addresses they call."""
    return _file(exchange.export(request.business), f"{request.business.slug}-rules")


@allowed("rule.create")
def export_one(request, rule):
    """Carry a rule out as its document says it, in words that another business can read."""
    rule = find(request, rule)
    return _file(exchange.export_one(rule), slugify(rule.name) or "rule")


def _file(document, name: str):
    text = json.dumps(document, indent=2, ensure_ascii=False)
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return HttpResponse(text, content_type="application/json; charset=utf-8", headers=headers)


@allowed("rule.create")
def bring_in(request):
    """Make rules from a document: one rule, several, or all rules of a business."""
    form = CarryForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        found, only_good = form.cleaned_data["found"], request.POST.get("do") == "only_good"
        try:
            made = exchange.import_all(request.business, found, only_good=only_good, by=request.actor)
        except ValidationError as error:
            form.blame(error)
        else:
            if len(made) == 1:
                to, words = reverse("rule", args=[request.business.slug, made[0].pk]), f"{made[0].name}: it is"
            else:
                to, words = reverse("rules", args=[request.business.slug]), f"{len(made)} rules: they are"
            return done(request, to, f"Imported {words} off until you switch {'it' if len(made) == 1 else 'them'} on")
    status = 422 if request.method == "POST" else 200
    return render(request, "automations/import.html", {"form": form}, status=status)
