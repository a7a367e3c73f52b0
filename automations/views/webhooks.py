"""Webhooks: made, tried, switched; and what each was told and answered."""

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Max
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed, may
from automations.forms.outside import WebhookForm
from automations.models import Delivery, Webhook
from automations.signing import secret_for
from automations.views.outgoing import listed
from boards.search import as_uuid

CALLS = 25  # on a page


@allowed("webhook.view")
def webhooks(request):
    """List the webhooks and how they do."""
    told = {"webhooks": request.business.webhooks.for_page(), "may_create": may(request.actor, "webhook.create")}
    told |= {"inlets": request.business.inlets.select_related("trigger").annotate(last=Max("calls__at"))}
    return render(request, "automations/webhooks.html", told | {"secret": secret_for("business", request.business.pk)})


@allowed("webhook.create")
def new(request):
    """Make a webhook."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.goes_through(Webhook.create, request.business, by=request.actor):
        said = f"Made {form.made.name}. Send a test to see whether it listens."
        return done(request, _its_page(request, form.made), said)
    return render(request, "automations/webhook_new.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@allowed("webhook.view")
def webhook(request, webhook):
    """Show a webhook, its secret, and what it was told."""
    return _page(request, _webhook(request, webhook))


@require_POST
@allowed("webhook.update")
def update(request, webhook):
    """Change where it is, what it is told, or in which format."""
    known = _webhook(request, webhook)
    form = WebhookForm(request.POST, webhook=known)
    if form.goes_through(known.update, by=request.actor):
        return done(request, _its_page(request, known), "Saved.")
    known.refresh_from_db()
    return _page(request, known, form=form, status=422)


@require_POST
@allowed("webhook.test")
def test(request, webhook):
    """Call it once; the answer stands in its log a moment later."""
    known = _webhook(request, webhook)
    try:
        call = Delivery.queue_test(known, by=request.actor)
    except ValidationError as error:
        return refused(request, error, _its_page(request, known))
    return redirect("call", request.business.slug, call.pk)


@require_POST
@allowed("webhook.rotate")
def rotate(request, webhook):
    """Give it a new secret."""
    return _deed(request, webhook, "rotate", "It has a new secret. The old one signs beside it for 24 hours.")


@require_POST
@allowed("webhook.disable")
def disable(request, webhook):
    """Switch it off."""
    return _deed(request, webhook, "disable", "It is told nothing any more.")


@require_POST
@allowed("webhook.enable")
def enable(request, webhook):
    """Switch it on."""
    return _deed(request, webhook, "enable", "It is told what happens from now on.")


@require_POST
@allowed("webhook.delete")
def delete(request, webhook):
    """Delete it."""
    known = _webhook(request, webhook)
    known.delete_for_good(by=request.actor)
    return done(request, reverse("webhooks", args=[request.business.slug]), f"Deleted {known.name}.")


@never_cache
@allowed("webhook.view")
def calls(request):
    """List the calls: all, those that rules make by themselves (?by=rules), or those of one rule (?rule=)."""
    rows = request.business.deliveries.calls()
    rule = None
    if "rule" in request.GET:
        rule = get_object_or_404(request.business.rules, pk=as_uuid(request.GET["rule"]))
        rows = rows.filter(run__rule=rule)
    elif request.GET.get("by") == "rules":
        rows = rows.filter(run__isnull=False)
    told = listed(request, rows) | {"rule": rule, "by": request.GET.get("by")}
    return render(request, "automations/calls.html", told)


@never_cache
@allowed("webhook.view")
def call(request, call):
    """Show one call: what was sent, each attempt, and what came back."""
    known = _call(request, call)
    told = {"call": known, "may_resend": may(request.actor, "delivery.resend") and not known.is_open}
    page = "automations/call.html#call" if request.htmx else "automations/call.html"
    return render(request, page, told)


@require_POST
@allowed("delivery.resend")
def resend(request, call):
    """Send a call once more."""
    known = _call(request, call)
    to = reverse("call", args=[request.business.slug, known.pk])
    try:
        known.resend(by=request.actor)
    except ValidationError as error:
        return refused(request, error, to)
    return done(request, to, "It is sent again, under the same id.")


def _call(request, pk) -> Delivery:
    return get_object_or_404(request.business.deliveries.calls().select_related("run"), pk=pk)


def _webhook(request, pk) -> Webhook:
    return get_object_or_404(request.business.webhooks, pk=pk)


def _deed(request, pk, deed: str, said: str):
    """Do something about a webhook and go back to its page."""
    known = _webhook(request, pk)
    getattr(known, deed)(by=request.actor)
    return done(request, _its_page(request, known), said)


def _its_page(request, webhook) -> str:
    return reverse("webhook", args=[request.business.slug, webhook.pk])


def _page(request, webhook, form=None, status=200):
    pages = Paginator(webhook.deliveries.without_texts(), CALLS)
    told = {
        "webhook": webhook,
        "form": form or WebhookForm(webhook=webhook),
        "page": pages.get_page(request.GET.get("page")),
        "may_change": may(request.actor, "webhook.update"),
    }
    return render(request, "automations/webhook.html", told, status=status)
