"""What rules did, and why they did not: the log, one run, trying again, stopping."""

from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed, may
from automations.document import action_of
from automations.models import Run
from automations.models.run import DONE, FAILED, SKIPPED, STATES, WAITING
from boards.search import as_uuid

A_PAGE = 50


@allowed("rule.view")
def runs(request):
    """Show the runs of the business, newest first; ?state=, ?rule= and ?q= narrow them."""
    chosen = {name: value for name in ("state", "rule", "q") if (value := request.GET.get(name, "").strip()[:100])}
    found = request.business.runs.for_list()
    if "state" in chosen:
        found = found.filter(state=chosen["state"])
    if "rule" in chosen:
        found = found.filter(rule=as_uuid(chosen["rule"])) if as_uuid(chosen["rule"]) else found.none()
    if "q" in chosen:
        found = found.filter(card_name__icontains=chosen["q"].replace("\x00", ""))
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "runs": page.object_list,
        "chosen": chosen,
        "query": urlencode(chosen),
        "states": STATES,
        "rules": request.business.rules.order_by("name", "pk").values_list("pk", "name"),
        "may_retry": may(request.actor, "run.retry"),
        "limits": {
            "depth": settings.RULES_DEPTH,
            "actions": settings.RULES_ACTIONS,
            "an_hour": settings.RULES_AN_HOUR,
        },
    }
    return render(request, f"automations/runs.html{'#log' if request.htmx else ''}", context)


@allowed("rule.view")
def run(request, run):
    """Show one run: what set it off, each action and what came of it."""
    run = get_object_or_404(request.business.runs.select_related("rule", "card", "event", "chain"), pk=run)
    event = run.event
    cause = f"{event.actor_name} {event.sentence}" if event else ""
    others = request.business.runs.in_chain(run.chain_id).exclude(pk=run.pk).for_list()[:20] if run.chain_id else []
    may_retry = may(request.actor, "run.retry")
    steps = _steps(run, list(run.deliveries.without_texts().order_by("key")))
    context = {"run": run, "steps": steps, "cause": cause, "others": others, "may_retry": may_retry}
    context |= {"may_see": {"mail": may(request.actor, "delivery.view"), "webhook": may(request.actor, "webhook.view")}}
    return render(request, "automations/run.html", context)


def _steps(run: Run, deliveries: list) -> list[dict]:
    """Return each action of a run: what it is called, what it did, how what it sent stands, whether it was reached."""
    told = []
    for at, written in enumerate(run.actions):
        try:
            label = action_of(written).label
        except (KeyError, TypeError):
            label = "something this version does not know"
        said = run.steps[at] if at < len(run.steps) else ""
        is_next = at == len(run.steps) and run.state not in (DONE, SKIPPED)
        sent = [one for one in deliveries if one.step == at]
        waits = run.state == WAITING and at == run.step - 1
        told.append({"label": label, "said": said, "sent": sent, "waits": waits, "is_next": is_next})
    return told


@require_POST
@allowed("run.retry")
def retry(request, run):
    """Try a failed run again, from the action that failed."""
    run = get_object_or_404(request.business.runs, pk=run)
    to = request.POST.get("next", "")
    if not to.startswith(reverse("rules", args=[request.business.slug])):
        to = reverse("run", args=[request.business.slug, run.pk])
    try:
        run.retry(by=request.actor)
    except ValidationError as error:
        return refused(request, error, to)
    run.refresh_from_db()
    if run.state == FAILED:
        return done(request, to, f"It failed again: {run.reason}", kind="warning")
    return done(request, to, f"{run.name}: {run.get_state_display().lower()}")


@require_POST
@allowed("run.cancel")
def stop(request, run):
    """Let a run that waits go on no more."""
    run = get_object_or_404(request.business.runs, pk=run)
    to = reverse("run", args=[request.business.slug, run.pk])
    try:
        run.cancel(by=request.actor)
    except ValidationError as error:
        return refused(request, error, to)
    return done(request, to, f"Stopped {run.name}")
