"""What somebody was told, and how they want to be."""

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done
from accounts.policy import allowed
from automations.forms.outside import PreferenceForm
from automations.models import Notification, Preference
from boards.search import as_uuid

TOLD = 30  # on a page


@allowed("notification.view")
def inbox(request):
    """Show what the member was told, and how they are."""
    return _inbox(request, PreferenceForm(preference=Preference.of(request.member)))


@require_POST
@allowed("notification.read")
def read(request):
    """Note that everything was looked at, or the one thing that is named."""
    here = reverse("inbox", args=[request.business.slug])
    if "note" not in request.POST:
        Notification.tick_off(request.member, by=request.actor)
        return done(request, here, "All read.")
    mine = Notification.objects.filter(member=request.member)
    note = get_object_or_404(mine, pk=as_uuid(request.POST["note"]))
    Notification.tick_off(request.member, note, by=request.actor)
    return done(request, here, "Read.")


@require_POST
@allowed("notification.choose")
def choose(request):
    """Choose how to be told."""
    preference = Preference.of(request.member)
    form = PreferenceForm(request.POST, preference=preference)
    if form.is_valid():
        try:
            preference.update(**form.answers(), by=request.actor)
        except ValidationError as error:
            form.blame(error)
        else:
            return done(request, reverse("inbox", args=[request.business.slug]), "Saved.")
    return _inbox(request, form, status=422)


def _inbox(request, form, status=200):
    notes = Notification.objects.filter(member=request.member)
    told = {"page": Paginator(notes.for_page(), TOLD).get_page(request.GET.get("page")), "form": form}
    return render(request, "automations/inbox.html", told, status=status)
