"""The archive of a workflow: cards that left the board, to be found, brought back or deleted for good."""

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed, may
from boards.search import Wanted
from boards.views.board import find_workflow, with_moons

A_PAGE = 50


@allowed("card.view")
def archive(request, workflow):
    """List the archived cards, the latest first; htmx may ask for the list alone."""
    workflow = find_workflow(request, workflow)
    piece = "#cards" if request.htmx.target == "cards" else ""
    return render(request, f"boards/archive.html{piece}", _context(request, workflow))


@require_POST
@allowed("card.restore")
def restore(request, workflow):
    """Bring a card back: to where it was, or to the phase that is named."""
    workflow = find_workflow(request, workflow)
    card = get_object_or_404(workflow.cards.select_related("phase"), number=_number(request.POST.get("number")))
    chosen = request.POST.get("phase")
    to = next((phase for phase in workflow.phases.all() if str(phase.pk) == chosen), None)
    try:
        if chosen and to is None:
            raise ValidationError("That phase does not exist any more. Choose another.")
        event = card.restore(to, by=request.actor)
    except ValidationError as error:
        return refused(request, error, _here(request, workflow), pieces=_shown(request, workflow))
    said = f"{card.name} is back in {card.phase.name}." if event else f"{card.name} is on the board already."
    return done(request, _here(request, workflow), said, pieces=_shown(request, workflow), event=event)


@allowed("card.delete")
def delete(request, workflow, number):
    """Ask whether it is meant, then delete an archived card for good."""
    workflow = find_workflow(request, workflow)
    card = get_object_or_404(workflow.cards.exclude(archived_at=None).select_related("phase", "contact"), number=number)
    if request.method == "POST":
        try:
            card.delete_for_good(by=request.actor)
        except ValidationError as error:
            return refused(request, error, _here(request, workflow))
        return done(request, _here(request, workflow), f"{card.name} is gone for good.")
    return render(request, "boards/card_delete.html", {"workflow": workflow, "card": card})


def _context(request, workflow) -> dict:
    asked = request.GET if request.method == "GET" else request.POST
    wanted = Wanted(text=asked.get("q", "").replace("\x00", "").strip()[:200])
    cards = workflow.cards.exclude(archived_at=None).select_related("phase", "contact", "archived_by")
    pages = Paginator(wanted.narrow(cards).order_by("-archived_at", "-number"), A_PAGE)
    phases = with_moons(workflow)
    moons = {phase.pk: phase.moon for phase in phases}
    page = pages.get_page(asked.get("page"))
    for card in page:
        card.phase.moon = moons[card.phase_id]
    return {
        "workflow": workflow,
        "phases": phases,
        "page": page,
        "wanted": wanted,
        "may_restore": may(request.actor, "card.restore") and not workflow.archived_at,
        "may_delete": may(request.actor, "card.delete"),
    }


def _shown(request, workflow) -> str:
    """Return the list as it is now, for htmx to put in place."""
    return render_to_string("boards/archive.html#cards", _context(request, workflow), request)


def _here(request, workflow) -> str:
    return reverse("archive", args=[request.business.slug, workflow.slug])


def _number(text) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0
