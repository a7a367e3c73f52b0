"""Webhooks that come in: made, tried with a sample, read about; and the address itself, which programs post to."""

from django.core.exceptions import RequestDataTooBig, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.answers import done
from accounts.policy import allowed
from automations.forms.outside import InletForm, SampleForm
from automations.models import Inlet
from automations.models.inlet import KEPT, LONGEST

PLAIN = "text/plain; charset=utf-8"


@csrf_exempt
@require_POST
def receive(request, secret):
    """Take what a program posts: 200 when it was reported or not meant, 422 in words when it was not understood."""
    inlet = Inlet.by_secret(secret)
    if inlet is None:
        raise Http404("No such place")
    if inlet.is_flooded:
        return HttpResponse("Too many calls. Wait a minute.", PLAIN, 429, headers={"Retry-After": "60"})
    try:
        body = request.body
    except RequestDataTooBig:
        body = None
    if body is None or len(body) > LONGEST:
        return HttpResponse(f"At most {LONGEST} bytes.", PLAIN, 413)
    key = request.headers.get("webhook-id") or request.headers.get("Idempotency-Key") or ""
    call = inlet.receive(body.decode("utf-8", "replace"), key)
    return HttpResponse(call.said, PLAIN, 422 if call.failed else 200)


@allowed("inlet.create")
def new(request):
    """Make an address for another program."""
    form = InletForm(request.POST or None, business=request.business)
    if request.method == "POST" and form.goes_through(Inlet.create, request.business, by=request.actor):
        said = f"Made {form.made.name}. Give its address to the other program."
        return done(request, _its_page(request, form.made), said)
    return render(request, "automations/inlet.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@allowed("inlet.view")
def inlet(request, inlet):
    """Show an address, what came, and what became of it."""
    return _page(request, _inlet(request, inlet))


@require_POST
@allowed("inlet.update")
def update(request, inlet):
    """Change what it reports and where it looks."""
    known = _inlet(request, inlet)
    form = InletForm(request.POST, business=request.business, inlet=known)
    if form.goes_through(known.update, by=request.actor):
        return done(request, _its_page(request, known), "Saved.")
    known.refresh_from_db()
    return _page(request, known, form=form, status=422)


@require_POST
@allowed("inlet.update")
def sample(request, inlet):
    """Say what would become of a sample, and do nothing."""
    known, form = _inlet(request, inlet), SampleForm(request.POST)
    found = ""
    if form.is_valid():
        try:
            card = known.read(form.cleaned_data["body"])
            found = (
                f"It would report {known.trigger.name} on card {card.number}, {card.name}." if card else "Not meant."
            )
        except ValidationError as error:
            form.blame(error)
    return _page(request, known, sample=form, found=found, status=422 if form.errors else 200)


@require_POST
@allowed("inlet.rotate")
def rotate(request, inlet):
    """Give it a new address."""
    known = _inlet(request, inlet)
    known.rotate(by=request.actor)
    return done(request, _its_page(request, known), "It has a new address. The old one leads nowhere any more.")


@require_POST
@allowed("inlet.delete")
def delete(request, inlet):
    """Delete it."""
    known = _inlet(request, inlet)
    known.delete_for_good(by=request.actor)
    return done(request, reverse("webhooks", args=[request.business.slug]), f"Deleted {known.name}.")


def _inlet(request, pk) -> Inlet:
    return get_object_or_404(request.business.inlets.select_related("trigger", "business"), pk=pk)


def _its_page(request, inlet) -> str:
    return reverse("inlet", args=[request.business.slug, inlet.pk])


def _page(request, known, form=None, sample=None, found="", status=200):
    told = {
        "inlet": known,
        "address": known.address(request.build_absolute_uri("/")),
        "form": form or InletForm(business=request.business, inlet=known),
        "sample": sample or SampleForm(),
        "found": found,
        "calls": known.calls.select_related("card")[:KEPT],
    }
    return render(request, "automations/inlet.html", told, status=status)
