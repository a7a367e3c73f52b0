"""A workflow seen from afar: a bar for each phase, what is open, what was won this month, what is late."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, Sum
from django.utils import timezone

from accounts.templatetags.house import moon
from boards.models import Card, OrderStep, Phase, Workflow

HIGH, WIDE, APART = 46, 26, 4  # of a bar in the drawing
WON_WORDS = {"sales": "won", "intake": "won", "recruitment": "hired"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One phase in the drawing."""

    name: str
    cards: int
    moon: int
    x: int
    height: int

    @property
    def y(self) -> int:
        """Return where the bar begins, from above."""
        return HIGH - self.height


@dataclass(slots=True)
class Funnel:
    """A workflow with its figures."""

    workflow: Workflow
    phases: list[Phase]
    won: int = 0
    due: int = 0
    late: int = 0

    @property
    def path(self) -> list[Phase]:
        """Return the phases before the win."""
        return [phase for phase in self.phases if phase.section == Phase.PATH]

    @property
    def open(self) -> int:
        """Return how many cards are on their way."""
        return sum(phase.card_count for phase in self.path)

    @property
    def cards(self) -> int:
        """Return how many cards stand on the board."""
        return sum(phase.card_count for phase in self.phases)

    @property
    def value(self) -> int:
        """Return what the cards on their way are worth."""
        return sum(phase.value_total for phase in self.path)

    @property
    def won_word(self) -> str:
        """Return what a card of this workflow is when it has come to the end."""
        return WON_WORDS.get(self.workflow.type, "done")

    @property
    def bars(self) -> list[Bar]:
        """Return the drawing: every phase of the path by its cards, the win phase by what was won this month."""
        shown = [phase for phase in self.phases if phase.section != Phase.CANCELLED]
        counts = [self.won if phase.is_win else phase.card_count for phase in shown]
        most = max([*counts, 1])
        return [
            Bar(phase.name, cards, phase.moon, i * (WIDE + APART), max(2, round(HIGH * cards / most)) if cards else 1)
            for i, (phase, cards) in enumerate(zip(shown, counts, strict=True))
        ]

    @property
    def width(self) -> int:
        """Return the width of the drawing."""
        shown = sum(phase.section != Phase.CANCELLED for phase in self.phases)
        return shown * (WIDE + APART) - APART


@dataclass(slots=True)
class Month:
    """What was won in a business this month, and in the whole of the last one."""

    start: datetime
    won: int = 0
    value: int = 0
    value_before: int = 0
    taking: timedelta = field(default_factory=timedelta)

    @property
    def before(self) -> datetime:
        """Return the first of last month."""
        return (self.start - timedelta(days=1)).replace(day=1)

    @property
    def change(self) -> int | None:
        """Return by how many percent the value differs from last month's; None when there was nothing to compare."""
        if not self.value_before or not self.value:
            return None
        return round(100 * (self.value - self.value_before) / self.value_before)

    @property
    def days(self) -> float | None:
        """Return how many days a card took from its creation to the win, on average."""
        return round(max(self.taking / timedelta(days=1), 0) / self.won, 1) if self.won else None


def look_at(business, workflows) -> tuple[list[Funnel], Month]:
    """Return the funnel of each workflow and the month of the whole business, in four queries."""
    funnels = [
        Funnel(workflow, give_moons(list(workflow.phases.all()))) for workflow in workflows.prefetch_related("phases")
    ]
    month = Month(timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0))
    known = {funnel.workflow.pk: funnel for funnel in funnels}
    for row in _wins(business, month):
        month.won += row["won"]
        month.value += row["worth"] or 0
        month.value_before += row["worth_before"] or 0
        month.taking += row["taking"] or timedelta()
        if row["workflow_id"] in known:
            known[row["workflow_id"]].won = row["won"]
    for row in _dues(business):
        if row["workflow_id"] in known:
            known[row["workflow_id"]].due, known[row["workflow_id"]].late = row["due"], row["late"]
    return funnels, month


def give_moons(phases: list[Phase]) -> list[Phase]:
    """Give phases, which stand in order, the moon that each of them is."""
    path = sum(phase.section != Phase.CANCELLED for phase in phases)
    for index, phase in enumerate(phases):
        phase.moon = "off" if phase.section == Phase.CANCELLED else moon(index, path)
    return phases


def is_late() -> Q:
    """Return the question whether a card's time has passed, on the clock that is active."""
    now = timezone.localtime()
    return Q(due_date__lt=now.date()) | Q(due_date=now.date(), due_time__lt=now.time())


def _wins(business, month):
    """Return what came into the win phases since last month, by workflow; archived cards were won all the same.

    What an order brings is carried from card to card, but counts once: for the first that was won.
    """
    now = Q(entered_at__gte=month.start)
    before = OrderStep.objects.filter(order=OuterRef("order"), position__lt=OuterRef("order_step__position"))
    once = ~Exists(before.exclude(done_at=None))
    taking = ExpressionWrapper(F("entered_at") - F("created_at"), DurationField())
    return (
        Card.objects.filter(business=business, phase__section=Phase.WIN, entered_at__gte=month.before)
        .order_by()
        .values("workflow_id")
        .annotate(
            won=Count("pk", filter=now),
            worth=Sum("value", filter=now & once),
            worth_before=Sum("value", filter=~now & once),
            taking=Sum(taking, filter=now),
        )
    )


def _dues(business):
    """Return how many cards are due today and how many are late, by workflow."""
    return (
        Card.objects.filter(business=business, due_date__lte=timezone.localdate())
        .open()
        .order_by()
        .values("workflow_id")
        .annotate(due=Count("pk", filter=~is_late()), late=Count("pk", filter=is_late()))
    )
