"""Where orders stand: each step with the phases of its workflow, how far its card has come, and what is in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from boards.funnels import give_moons
from boards.models import Card, Order, OrderStep, Phase


@dataclass(slots=True)
class Leg:
    """One step of an order as it is seen."""

    step: OrderStep
    phases: list[Phase]  # the path with its win, in order
    here: Phase | None  # where its card stands

    @property
    def state(self) -> str:
        """Return done, skipped, open or pending."""
        return self.step.state

    @property
    def card(self) -> Card | None:
        """Return its card, if it has begun."""
        return self.step.card

    @property
    def place(self) -> int:
        """Return which step it is, counted from 1."""
        return self.step.position + 1

    @property
    def reached(self) -> int:
        """Return how many of the phases its card has come to."""
        if self.state == "done":
            return len(self.phases)
        return self.phases.index(self.here) + 1 if self.here in self.phases else 0

    @property
    def moon(self):
        """Return the moon of where it stands: full when it is done."""
        return 10 if self.state == "done" else self.here.moon if self.here else 0

    @property
    def days_here(self) -> int:
        """Return for how many whole days its card has stood in its phase."""
        return (timezone.now() - self.card.entered_at) // timedelta(days=1)

    @property
    def is_stale(self) -> bool:
        """Answer whether its card stands in its phase for longer than the phase finds healthy."""
        return self.state == "open" and self.card.is_stale

    @property
    def words(self) -> str:
        """Return its state in a few words."""
        if self.state == "open" and self.here:
            return f"{self.here.name}{', archived' if self.card.archived_at else ''}"
        return {"done": "Done", "skipped": "Left out", "pending": "To come"}.get(self.state, "Open")


@dataclass(slots=True)
class Journey:
    """An order as it is seen: its legs in order."""

    order: Order
    legs: list[Leg]

    @property
    def at(self) -> Leg | None:
        """Return the leg on which it is now."""
        return next((leg for leg in self.legs if leg.state == "open"), None) if self.order.is_running else None

    @property
    def waits_for(self) -> str:
        """Return why it goes on nowhere although it is running: won, archived, gone, or nothing."""
        if not self.order.is_running:
            return ""
        if self.at is None:
            return "gone"
        if self.at.here.is_win:
            return "won"
        return "archived" if self.at.card.archived_at else ""

    @property
    def words(self) -> str:
        """Return where it stands, in words."""
        if self.order.completed_at:
            return "Completed"
        if self.order.cancelled_at:
            return "Cancelled"
        return (
            f"Step {self.at.place} of {len(self.legs)}: {self.at.step.workflow}, {self.at.words}"
            if self.at
            else "Waiting"
        )


def look_at_orders(orders) -> list[Journey]:
    """Return how each of the orders stands; they come from `Order.objects.for_list()`, so nothing more is asked."""
    return [Journey(order, [_leg(step) for step in order.steps.all()]) for order in orders]


def _leg(step: OrderStep) -> Leg:
    phases = give_moons(list(step.workflow.phases.all()))
    here = next((phase for phase in phases if step.card and phase.pk == step.card.phase_id), None)
    return Leg(step, [phase for phase in phases if not phase.is_cancelled], here)
