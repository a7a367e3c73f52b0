"""Whether everything is carried that should be; what was set aside is tried again from here."""

from django.core.exceptions import ValidationError
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed
from automations.forms.health import AgainForm
from automations.health import AT_ONCE, SHOWN, in_words, lately, piles, queues, try_again
from automations.models import Worker


@never_cache
@allowed("health.view")
def health(request):
    """Show when a worker was seen, what waits, what was done within the hour, and what was set aside."""
    silence = Worker.silence()
    told = {
        "seen": in_words(silence) if silence is not None else "",
        "queues": queues(request.business),
        "lately": lately(request.business),
        "piles": piles(request.business),
        "shown": SHOWN,
        "at_once": AT_ONCE,
    }
    return render(request, "automations/health.html", told)


@require_POST
@allowed("health.view")
def again(request):
    """Try again what was set aside: one, or all of a kind."""
    to = reverse("health", args=[request.business.slug])
    form = AgainForm(request.POST)
    if not form.is_valid():
        return refused(request, ValidationError("There is nothing like that to try again."), to)
    kind, one = form.cleaned_data["kind"], form.cleaned_data["one"]
    count, refusals = try_again(request.business, kind, one, by=request.actor)
    if not count:
        return refused(request, ValidationError(refusals or ["It is not set aside any more."]), to)
    said = f"{count} {'is' if count == 1 else 'are'} tried again."
    return done(request, to, " ".join([said, *refusals]), kind="warning" if refusals else "success")
