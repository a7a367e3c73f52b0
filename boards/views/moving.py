"""What a drop, a menu, a key and a plain form post: one path for all moves; quick add; undo."""

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.models import Event
from accounts.policy import allowed
from boards.forms.moving import MoveForm, QuickAddForm
from boards.models import Card
from boards.ordering import BOTTOM, TOP
from boards.undoing import OPPOSITES, undo
from boards.views.board import find_workflow, tile_context, tiles, with_moons
from boards.views.panel import beside


@require_POST
@allowed("card.move")
def move(request, number):
    """Take a position update: this card, to that phase, after or before that neighbour, as seen at that revision."""
    card = get_object_or_404(request.business.cards.select_related("workflow", "phase"), number=number)
    board = reverse("board", args=[request.business.slug, card.workflow.slug])
    form = MoveForm(request.POST)
    try:
        place = form.place()
        to = get_object_or_404(request.business.phases, pk=form.cleaned_data["phase"])
        event = card.move(to, place, revision=form.cleaned_data["revision"], by=request.actor)
    except ValidationError as error:
        return refused(request, error, board, pieces=_piece(request, card))
    if event is None:
        return done(request, board, f"{card.name} stayed where it was.", pieces=beside(request, card))
    where = card.phase.name if event.name == "card.moved" else f"another place in {card.phase.name}"
    won = event.name == "card.moved" and card.is_won
    said = f"Won: {card.name}" if won else f"Moved {card.name} to {where}"
    return done(request, board, said, pieces=beside(request, card), event=event, kind="win" if won else "success")


@allowed("card.view")
def menu(request, number):
    """Show a card's menu: where it can go, and what else can be done; without htmx the card's page has it all."""
    card = get_object_or_404(request.business.cards.on_board().select_related("workflow"), number=number)
    if not request.htmx:
        return redirect("card", request.business.slug, number)
    context = {**tile_context(request), "card": card, "phases": with_moons(card.workflow)}
    return render(request, "boards/card_menu.html", context)


@require_POST
@allowed("card.create")
def add(request, workflow, phase):
    """Add a card to a column, or one for each pasted line."""
    workflow = find_workflow(request, workflow)
    phase = get_object_or_404(workflow.phases, pk=phase)
    board = reverse("board", args=[request.business.slug, workflow.slug])
    form = QuickAddForm(request.POST)
    try:
        cards = Card.create_many(phase, form.lines(), place=TOP if form.at_top else BOTTOM, by=request.actor)
    except ValidationError as error:
        return refused(request, error, board)
    event = Event.objects.about(cards[0]).first() if len(cards) == 1 else None
    said = f"Added {cards[0].name} to {phase.name}" if event else f"Added {len(cards)} cards to {phase.name}"
    for card in cards:
        card.workflow = workflow
    return done(request, board, said, pieces=tiles(request, cards), event=event)


@require_POST
@allowed("card.view")
def take_back(request, sequence):
    """Undo a change from its toast; the card's own verbs ask the policy."""
    event = get_object_or_404(request.business.events, sequence=sequence, name__in=OPPOSITES)
    card = Card.objects.filter(pk=event.subject_id).select_related("workflow", "phase").first()
    home = reverse("home", args=[request.business.slug])
    try:
        card = undo(event, by=request.actor)
    except ValidationError as error:
        return refused(request, error, home, pieces=_piece(request, card) if card else "")
    board = reverse("board", args=[request.business.slug, card.workflow.slug])
    return done(request, board, f"Undone: {card.name} is as it was.", pieces=beside(request, card))


def _piece(request, card) -> str:
    """Return the card where it really is, unless it is gone."""
    return beside(request, card) if Card.objects.filter(pk=card.pk).exists() else ""
