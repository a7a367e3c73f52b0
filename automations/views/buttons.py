"""The buttons that rules have on a card."""

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from accounts.answers import done, refused
from accounts.policy import allowed, may
from automations.models import Rule
from boards.search import as_uuid


@allowed("card.view")
def buttons(request, number):
    """Show the buttons that a member may press on a card: on a page, or as the piece that the card's panel asks for."""
    card = _card(request, number)
    is_open = not card.archived_at and not card.workflow.archived_at
    found = Rule.buttons_of(card) if is_open and may(request.actor, "rule.press") else []
    page = f"automations/buttons.html{'#piece' if request.htmx else ''}"
    return render(request, page, {"card": card, "buttons": found})


@require_POST
@allowed("rule.press")
def press(request, number):
    """Press a button; what follows has followed when the card is shown again."""
    card = _card(request, number)
    rule = get_object_or_404(request.business.rules, pk=as_uuid(request.POST.get("rule")))
    here = reverse("card", args=[request.business.slug, number])
    try:
        rule.press(card, by=request.actor)
    except ValidationError as error:
        return _told(refused(request, error, here))
    return _told(done(request, here, f"{rule.button} is under way."))


def _told(answer):
    """Let an open panel know that it shows what was."""
    return trigger_client_event(answer, "rule-pressed")


def _card(request, number):
    return get_object_or_404(request.business.cards.select_related("workflow"), number=number)
