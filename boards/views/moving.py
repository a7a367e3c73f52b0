"""What a drop, a menu, a key and a plain form post: one path for all moves; quick add; undo."""

from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.models import Event
from accounts.policy import allowed, may
from accounts.statements import Blank, Prepared
from accounts.verbs import Stale, writing
from boards.forms.entering import EnterForm
from boards.forms.moving import MoveForm, QuickAddForm
from boards.forms.signalling import AnswerForm
from boards.models import Card, Phase
from boards.ordering import BOTTOM, TOP
from boards.search import as_uuid
from boards.undoing import OPPOSITES, undo
from boards.views.board import find_workflow, tile_context, tiles, with_moons
from boards.views.panel import beside, is_shown

LARGEST_NUMBER = 2**31 - 1  # a larger one no column holds, so PostgreSQL would not even compare it
CARD = Prepared(lambda: Card.objects.filter(business=Blank("business"), number=Blank("number")))
PHASE = Prepared(lambda: Phase.objects.filter(business=Blank("business"), pk=Blank("pk")))
ASKED = ("missing_facts", "closing", "entering")  # refusals that can be answered on the spot
ASKING = {"entering", "answered"}  # what a form says that was drawn in the dialog
KEPT = ("phase", "after", "before", "end", "revision")  # the update that waits for the answers


@require_POST
@allowed("card.move")
def move(request, number):
    """Take a position update: this card, to that phase, after or before that neighbour, as seen at that revision.

    What the phase asks for is asked in a dialog, or on a page of its own, and comes back here with the same update.
    """
    card = _card(request, number)
    form = MoveForm(request.POST)
    asked = None
    try:
        place = form.place()
        to = _phase(request, card, form.cleaned_data["phase"])
        if to.pk != card.phase_id and to.workflow_id == card.workflow_id and (to.required or to.is_cancelled):
            asked = EnterForm(
                request.POST if "entering" in request.POST else None, card=card, phase=to, business=request.business
            )
        go = partial(card.move, to, place, revision=form.cleaned_data["revision"], by=request.actor)
        if asked and asked.is_bound:
            with writing(), transaction.atomic():  # what is filled in holds together with the move
                event = go(facts=asked.facts(request.actor), closing=asked.closing())
        else:
            event = go()  # in a transaction of its own, which it may try again
    except ValidationError as error:
        if asked and asked.asks and getattr(error, "code", "") in ASKED:
            return _ask(request, asked)
        return refused(request, error, _back(request, card), pieces=_piece(request, card))
    if event is None:
        return done(request, _back(request, card), f"{card.name} stayed where it was.", pieces=beside(request, card))
    pieces = _closed_dialog(request) + beside(request, card, None if asked else event)
    kind = "win" if event.name == "card.moved" and card.is_won else "success"
    return done(request, _back(request, card), _told(card, event), pieces=pieces, event=event, kind=kind)


@require_POST
@allowed("card.report")
def report(request, number):
    """Report that something happened to a card; what follows has followed when the answer is drawn."""
    card = get_object_or_404(request.business.cards.on_board().select_related("workflow", "phase"), number=number)
    page = reverse("card", args=[request.business.slug, number])
    # A retired trigger is offered no more, but a phase that waits for it goes on waiting.
    trigger = get_object_or_404(request.business.trigger_library, pk=as_uuid(request.POST.get("trigger")))
    try:
        reported = card.report(trigger, by=request.actor)
    except ValidationError as error:
        return refused(request, error, page, pieces=_piece(request, card))
    return _say_what_followed(request, number, reported, trigger.name)


@require_POST
@allowed("card.signal")
def signal(request, number):
    """Press a button of the card's design; what it asks first is asked in a dialog, or on a page of its own."""
    card = get_object_or_404(request.business.cards.on_board().select_related("workflow", "phase"), number=number)
    page = reverse("card", args=[request.business.slug, number])
    action = next((one for one in card.user_actions if one.event == request.POST.get("event")), None)
    if action is None:
        gone = Stale(f"{card.name} has no such button in {card.phase.name}. Nothing was done.")
        return refused(request, gone, page, pieces=_piece(request, card))
    form = AnswerForm(request.POST if "answered" in request.POST or not action.asks else None, action=action, card=card)
    if not form.is_bound or not form.is_valid():
        context = {"form": form, "card": card, "action": action}
        piece = "#questions" if request.htmx else ""
        return render(request, f"boards/signal.html{piece}", context, status=422 if form.is_bound else 200)
    try:
        event = card.signal(action.event, form.answers(), by=request.actor)
    except ValidationError as error:
        return refused(request, error, page, pieces=_piece(request, card))
    return _say_what_followed(request, number, event, action.label)


def _say_what_followed(request, number, reported: Event, name: str):
    """Answer something that was reported or sent: where the card has gone because of it, or what held it back."""
    page = reverse("card", args=[request.business.slug, number])
    follows = Event.objects.filter(root=reported).select_related(None).order_by("sequence")
    here = [event for event in follows if event.subject_id == reported.subject_id]
    moved = next((event for event in here if event.name == "card.moved"), None)
    held = next((event for event in follows if event.name == "card.held_back"), None)
    card = get_object_or_404(request.business.cards.select_related("workflow", "phase"), number=number)
    if moved:
        said, kind = f"{name}: moved to {card.phase.name}", "win" if card.is_won else "success"
        return done(request, page, said, pieces=_closed_dialog(request) + beside(request, card), event=moved, kind=kind)
    said = f"{name} is noted, but the card stays: {held.details['why']}" if held else f"{name} is noted."
    pieces = _closed_dialog(request) + beside(request, card)
    return done(request, page, said, pieces=pieces, kind="warning" if held else "success")


@allowed("card.view")
def menu(request, number):
    """Show a card's menu: where it can go, and what else can be done; without htmx the card's page has it all."""
    card = get_object_or_404(request.business.cards.on_board().select_related("workflow", "phase"), number=number)
    if not request.htmx:
        return redirect("card", request.business.slug, number)
    phases = [phase for phase in with_moons(card.workflow) if not phase.is_past(card.major)]
    context = {**tile_context(request), "card": card, "phases": phases}
    context["user_actions"] = card.user_actions if may(request.actor, "card.signal") else []
    context["triggers"] = request.business.trigger_library.live() if may(request.actor, "card.report") else []
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
    return done(request, _back(request, card), f"Undone: {card.name} is as it was.", pieces=beside(request, card))


def _told(card, event) -> str:
    """Return a move in words, with a warning when the phase now holds more than it should."""
    phase = card.phase
    if event.name == "card.reordered":
        return f"Moved {card.name} to another place in {phase.name}"
    if card.is_won:
        return f"Won: {card.name}"
    over = f". It now holds {phase.card_count}, over its limit of {phase.wip_limit}." if phase.is_over_full else ""
    return f"Moved {card.name} to {phase.name}{over}"


def _card(request, number) -> Card:
    card = CARD.first(business=request.business.pk, number=number) if number <= LARGEST_NUMBER else None
    if card is None:
        raise Http404("No such card")
    return card


def _phase(request, card, pk) -> Phase:
    """Return the business's phase; the card's own needs no look, for the verb reads it under its lock."""
    if pk == card.phase_id:
        return Phase(pk=pk, workflow_id=card.workflow_id)
    phase = PHASE.first(business=request.business.pk, pk=pk)
    if phase is None:
        raise Http404("No such phase")
    return phase


def _ask(request, asked):
    """Answer with the questions of a phase: into the dialog of the board, or as a page."""
    kept = [(name, request.POST[name]) for name in KEPT if request.POST.get(name)]
    context = {"form": asked, "card": asked.card, "to": asked.phase, "kept": kept}
    piece = "#questions" if request.htmx else ""
    return render(request, f"boards/enter.html{piece}", context, status=422)


def _closed_dialog(request) -> str:
    """Return what empties the dialog that asked, once it has been answered."""
    return '<div id="asking" hx-swap-oob="innerHTML"></div>' if ASKING & request.POST.keys() else ""


def _back(request, card) -> str:
    """Return where a plain form leads: to the card's page when it was sent from there, else to the board."""
    if is_shown(request, card):
        return reverse("card", args=[request.business.slug, card.number])
    return reverse("board", args=[request.business.slug, card.workflow.slug])


def _piece(request, card) -> str:
    """Return the card where it really is, unless it is gone."""
    return beside(request, card) if Card.objects.filter(pk=card.pk).exists() else ""
