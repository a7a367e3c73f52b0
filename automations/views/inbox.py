"""What somebody was told, and how they want to be."""

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done
from accounts.policy import allowed
from automations.forms.outside import PreferenceForm
from automations.models import Notification, Preference

TOLD = 30  # on a page


@allowed("notification.view")
def inbox(request):
    """Show what the member was told, and how they are."""
    return _inbox(request, PreferenceForm(preference=Preference.of(request.member)))


@require_POST
@allowed("notification.read")
def read(request):
    """Note that everything was looked at."""
    Notification.read_all(request.member, by=request.actor)
    return done(request, reverse("inbox", args=[request.business.slug]), "All read.")


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
