"""Cards that move on by themselves: because a trigger was reported, or because their time in a phase is up.

Each phase that says so has a rule of its own, without a row: the engine's smallest case, with Runs like any other.
"""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from accounts.models import Event
from automations.models import Rule
from automations.models.run import DONE
from automations.occasion import Occasion
from automations.running import consider
from boards.models import Card, Phase

BATCH = 200


def move_on(card: Card, why: str, *, event=None, to: Phase | None = None) -> bool:
    """Move a card to the next phase, or to `to`, as a rule; what holds it back is recorded on the card.

    Return whether it moved.
    """
    to = to or card.next_phase
    if to is None:
        return False
    rule = Rule.of_phase(card.phase, why, to, _timeout_reason(card) if to.is_cancelled else None)
    occasion = Occasion.of(event) if event else Occasion.at(card, why, f"{card.pk} {card.revision}")
    run = consider(rule, occasion)
    return run is not None and run.state == DONE


def time_is_up(now=None) -> int:
    """Move the cards whose phase lets them stay only so long; return how many were looked at.

    A card that is held back is tried again when it has been touched since. One for which the phase waits no more, since
    it was reported and only something held the card back, is not too late: it goes where it would have gone.
    """
    now = now or timezone.now()
    due = 0
    for phase in Phase.objects.filter(timeout_hours__isnull=False).select_related("timeout_to", "workflow", "trigger"):
        since = now - timedelta(hours=phase.timeout_hours)
        cards = Card.objects.on_board().filter(phase=phase, entered_at__lte=since, workflow__archived_at=None)
        cards = cards.exclude(held_revision=F("revision")).select_related("phase", "business")
        for card in cards.order_by("entered_at")[:BATCH]:
            if _came(card, phase):
                move_on(card, phase.trigger.name)
            else:
                move_on(card, f"{phase.timeout_hours} hours in {phase.name}", to=phase.timeout_to)
            due += 1
    return due


def _came(card: Card, phase: Phase) -> bool:
    """Answer whether what a phase waits for was reported of a card since it entered."""
    if phase.trigger is None:
        return False
    reports = Event.objects.about(card).filter(name="card.reported", at__gte=card.entered_at)
    return reports.filter(details__trigger=phase.trigger.key).exists()


def _timeout_reason(card: Card):
    """Return the business's reason for running out of time, or any other of its reasons."""
    reasons = card.business.reason_library.live()
    return reasons.filter(name__icontains="in time").first() or reasons.first()
