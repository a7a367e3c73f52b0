"""The board: columns of cards, what is asked to be seen of them, and the pieces that a change redraws."""

from django.db.models import Count, OuterRef, Q, Subquery, Sum
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.models import Event
from accounts.policy import allowed, may
from boards.funnels import give_moons
from boards.models import Card, Phase, Workflow
from boards.ordering import Column
from boards.search import Wanted, as_uuid

SCREENFUL = 20  # cards a column shows at first
BATCH = 50  # cards it fetches on scroll
AT_ONCE = 30  # cards drawn anew one by one; board-live.js draws the whole board when there are more


@allowed("card.view")
def board(request, workflow):
    """Show a workflow as a board; htmx may ask for the columns alone, after a change of the filters."""
    workflow = find_workflow(request, workflow)
    workflow.touch_access()
    piece = "#columns" if request.htmx.target == "board" else ""
    return render(request, f"boards/board.html{piece}", board_context(request, workflow))


@allowed("card.view")
def column(request, workflow, phase):
    """Show the cards that follow `?after=<card id>` in a column; without htmx, the board's list of them."""
    workflow = find_workflow(request, workflow)
    phase = _find_phase(workflow, phase)
    wanted = Wanted.from_query(request.GET, request.member)
    cards = wanted.narrow(Card.objects.filter(phase=phase).for_board())
    after = cards.filter(pk=as_uuid(request.GET.get("after"))).first()
    if after:
        cards = cards.filter(rank__gt=after.rank)
    _fill([phase], Card.dress(list(cards[: BATCH + 1])), BATCH)
    context = {**tile_context(request), "workflow": workflow, "phase": phase, "wanted": wanted}
    if not request.htmx:
        return render(request, "boards/column.html", context)
    return render(request, "boards/board.html#cards", context)


@require_POST
@allowed("card.view")
def fold(request, workflow):
    """Fold or unfold a column for this person on this device."""
    workflow = find_workflow(request, workflow)
    phase = get_object_or_404(workflow.phases, pk=as_uuid(request.POST.get("phase")))
    folded = set(_folded(request, workflow)) ^ {str(phase.pk)}
    answer = redirect("board", request.business.slug, workflow.slug)
    if request.htmx:
        context = board_context(request, workflow, folded)
        context["phase"] = next(shown for shown in context["phases"] if shown.pk == phase.pk)
        answer = render(request, "boards/board.html#column", context)
    known = set(map(str, workflow.phases.values_list("pk", flat=True)))
    value = ".".join(sorted(folded & known))
    path = reverse("board", args=[request.business.slug, workflow.slug])
    year = 60 * 60 * 24 * 365
    answer.set_cookie(
        "folded", value, max_age=year, path=path, httponly=True, samesite="Lax", secure=request.is_secure()
    )
    return answer


@allowed("card.view")
def fresh(request, workflow):
    """Show cards as they are now, `?card=<number>` each, for a board on which somebody else changed them."""
    workflow = find_workflow(request, workflow)
    if not request.htmx:
        return redirect("board", request.business.slug, workflow.slug)
    asked = request.GET.getlist("card")[:AT_ONCE]
    numbers = [int(text) for text in asked if text.isdecimal() and len(text) < 10]
    wanted = Wanted.from_query(request.GET, request.member)
    answer = pieces(request, workflow, numbers, wanted=wanted, quiet=True)
    return render(request, "boards/pieces.html", {"pieces": answer})


# What pages and other views ask of the board ---------------------------------------------------------


def find_workflow(request, slug_or_id) -> Workflow:
    """Return the business's workflow of this address or id, or raise Http404."""
    by_id = as_uuid(slug_or_id)
    asked = Q(pk=by_id) if by_id else Q(slug=slug_or_id)
    return get_object_or_404(request.business.workflows, asked)


def with_moons(workflow) -> list[Phase]:
    """Return the workflow's phases in order, each knowing how full its moon is."""
    phases = give_moons(list(workflow.phases.select_related("trigger")))
    for phase in phases:
        phase.workflow = workflow
    return phases


def board_context(request, workflow, folded=None) -> dict:
    """Return what the board page shows; the number of queries depends on nothing."""
    wanted = Wanted.from_query(request.GET, request.member)
    folded = _folded(request, workflow) if folded is None else folded
    phases = with_moons(workflow)
    for phase in phases:
        phase.is_folded = (str(phase.pk) in folded) != phase.is_cancelled  # where work ends badly is folded at first
    open_phases = [phase for phase in phases if not phase.is_folded]
    _fill(open_phases, _first_screenful(open_phases, wanted), SCREENFUL)
    if wanted:
        _count_matching(workflow, phases, wanted)
    context = tile_context(request)
    # What only the filters show is asked for when a whole page is drawn.
    context |= {
        "workflow": workflow,
        "workflows": request.business.workflows.live(),
        "phases": phases,
        "wanted": wanted,
        "totals": totals(workflow, phases),
        "standing": sum(phase.card_count for phase in phases),
        "found": sum(phase.matching for phase in phases) if wanted else None,
        "labels": workflow.labels.all(),
        "people": request.business.memberships.select_related("user"),
        "sources": _sources(workflow),
        "late": Wanted(due=True).narrow(workflow.cards.on_board()).count(),
        "may_create": context["may_move"] and not workflow.archived_at,
        "may_design": may(request.actor, "workflow.update"),
    }
    return context


def tile_context(request) -> dict:
    """Return what every tile needs beside its card."""
    return {
        "cards_url": reverse("home", args=[request.business.slug]) + "cards/",
        "currency": request.business.currency,
        "may_move": may(request.actor, "card.move"),
    }


def tile(request, card) -> str:
    """Return a card's tile and its column's figures as they are now, for htmx to put in place beside its answer."""
    return tiles(request, [card])


def tile_of_move(request, card, move) -> str:
    """Return the tile of a card that has just been moved and the figures that its move changed, and ask for no more.

    card: as the verb left it; move: its event.
    """
    columns = [card.came_from, card.phase] if move.name == "card.moved" else []
    crosses = len({phase.section for phase in columns}) > 1  # then the bar counts anew
    if crosses or (move.told_at is None and Event.objects.filter(root=move).exists()):  # a rule may have moved it on
        return pieces(request, card.workflow, [card.number])
    Card.dress([card])
    card.after = Column(card.phase_id, but=card.pk).number_above(card.rank)
    context = {**tile_context(request), "workflow": card.workflow, "tiles": [card], "phases": columns}
    return render_to_string("boards/board.html#fresh", context)


def tiles(request, cards) -> str:
    """Return the tiles of cards of one workflow, and the figures of its columns."""
    return pieces(request, cards[0].workflow, [card.number for card in cards])


def pieces(request, workflow, numbers, *, wanted: Wanted | None = None, quiet: bool = False) -> str:
    """Return what a board shows of these cards: their tiles, or that they are gone, and the figures of the columns.

    wanted: the board's filters; quiet: somebody else's doing, so nothing may move under this person's hands.
    """
    wanted = wanted or Wanted()
    phases = with_moons(workflow)
    known = {phase.pk: phase for phase in phases}
    above = _above(OuterRef("phase"), OuterRef("rank"), wanted)[:1]
    cards = wanted.narrow(Card.objects.filter(number__in=numbers, phase__in=known).for_board())
    fresh = {card.number: card for card in Card.dress(list(cards.annotate(after=Subquery(above))))}
    for card in fresh.values():
        card.phase = known[card.phase_id]
    if wanted:
        _count_matching(workflow, phases, wanted)
    missing = [number for number in numbers if number not in fresh]
    context = {
        **tile_context(request),
        "workflow": workflow,
        "tiles": fresh.values(),
        "gone": _gone(workflow, missing) if missing else [],
        "phases": phases,
        "totals": totals(workflow, phases),
        "wanted": wanted,
        "quiet": quiet,
    }
    return render_to_string("boards/board.html#fresh", context)


def totals(workflow, phases) -> dict:
    """Return the figures of the bar: open cards and their value, and what was won this month."""
    path = [phase for phase in phases if phase.section == Phase.PATH]
    month = timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    won = Card.objects.on_board().filter(phase__workflow=workflow, phase__section=Phase.WIN, entered_at__gte=month)
    return {
        "open": sum(phase.card_count for phase in path),
        "value": sum(phase.value_total for phase in path),
        "won": won.aggregate(value=Sum("value"))["value"] or 0,
        "month": month,
    }


# How it gets there ------------------------------------------------------------------------------------


def _first_screenful(phases, wanted) -> list:
    """Return the first cards of every open column, one query for all."""
    return Card.dress(list(wanted.narrow(Card.objects.on_board()).first_of_each(phases, SCREENFUL).for_board()))


def _fill(phases, cards, most) -> None:
    """Give each phase its cards in order, and whether there are more."""
    columns = {phase.pk: [] for phase in phases}
    for card in cards:
        columns[card.phase_id].append(card)
    for phase in phases:
        column = columns[phase.pk]
        phase.shown, phase.more = column[:most], len(column) > most
        for card in phase.shown:
            card.phase = phase


def _above(phase, rank, wanted: Wanted | None = None):
    """Return the numbers of the cards that stand above a rank of a phase, the nearest first."""
    standing = (wanted or Wanted()).narrow(Card.objects.on_board())
    return standing.filter(phase=phase, rank__lt=rank).order_by("-rank").values_list("number", flat=True)


def _gone(workflow, numbers) -> list[dict]:
    """Return cards that a board does not show, by number, each with its mark where there is still a card."""
    marks = {card.number: card.mark for card in workflow.cards.filter(number__in=numbers).only(*Card.MARKED, "number")}
    return [{"number": number, "mark": marks.get(number, "")} for number in numbers]


def _count_matching(workflow, phases, wanted) -> None:
    counted = wanted.narrow(Card.objects.on_board().filter(phase__workflow=workflow)).order_by()
    rows = counted.values("phase_id").annotate(cards=Count("pk"), sum=Sum("value"))
    found = {row["phase_id"]: row for row in rows}
    for phase in phases:
        row = found.get(phase.pk, {})
        phase.matching, phase.matching_value = row.get("cards", 0), row.get("sum") or 0


def _find_phase(workflow, pk) -> Phase:
    for phase in with_moons(workflow):
        if phase.pk == pk:
            return phase
    raise Http404("No such phase")


def _sources(workflow) -> list[str]:
    used = workflow.cards.on_board().exclude(source="").order_by("source").values_list("source", flat=True)
    return list(used.distinct()[:30])


def _folded(request, workflow) -> list[str]:
    return [text for text in request.COOKIES.get("folded", "").split(".") if as_uuid(text)]
