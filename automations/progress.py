"""Cards that move on by themselves: because a trigger was reported, or because their time in a phase is up."""

from contextlib import suppress
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone

from accounts.actor import Actor
from accounts.verbs import Stale
from boards.models import Card, Phase
from boards.ordering import TOP

BATCH = 200


def move_on(card: Card, why: str, *, event=None, to: Phase | None = None) -> bool:
    """Move a card to the next phase, or to `to`, as a rule; what holds it back is recorded on the card.

    Return whether it moved.
    """
    by = Actor("rule", "", why, card.business_id)
    by = by.because_of(event) if event else by
    to = to or card.next_phase
    if to is None:
        return False
    try:
        closing = {"reason": _timeout_reason(card)} if to.is_cancelled else None
        return card.move(to, TOP, revision=card.revision, closing=closing, by=by) is not None
    except Stale:
        return False  # somebody moved it at this very moment, so nothing holds it back
    except ValidationError as error:
        with suppress(ValidationError):  # it was put away or deleted meanwhile: there is nobody to tell
            card.hold_back(to, " ".join(error.messages), by=by)
        return False


def time_is_up(now=None) -> int:
    """Move the cards whose phase lets them stay only so long; return how many were looked at.

    A card that is held back is tried again when it has been touched since.
    """
    now = now or timezone.now()
    due = 0
    for phase in Phase.objects.filter(timeout_hours__isnull=False).select_related("timeout_to", "workflow"):
        since = now - timedelta(hours=phase.timeout_hours)
        cards = Card.objects.on_board().filter(phase=phase, entered_at__lte=since, workflow__archived_at=None)
        cards = cards.exclude(held_revision=F("revision")).select_related("phase", "business")
        for card in cards.order_by("entered_at")[:BATCH]:
            move_on(card, f"{phase.timeout_hours} hours in {phase.name}", to=phase.timeout_to)
            due += 1
    return due


def _timeout_reason(card: Card):
    """Return the business's reason for running out of time, or any other of its reasons."""
    reasons = card.business.reason_library.live()
    return reasons.filter(name__icontains="in time").first() or reasons.first()
