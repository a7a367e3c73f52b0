"""What follows by itself from what happened: a reported trigger moves a card on."""

from accounts.events import catalogue, recorded
from automations.progress import move_on
from boards.models import Card


def progress(sender, event, **kwargs):
    """Move a card on when its phase waits for what was reported."""
    card = (
        Card.objects.select_related("phase__trigger", "business").filter(pk=event.subject_id, archived_at=None).first()
    )
    if card is None or str(card.phase_id) != event.details["phase"]["id"]:
        return  # it has left the phase since: told twice, or moved by somebody
    waits_for = card.phase.trigger
    if waits_for is not None and waits_for.key == event.details["trigger"]:
        move_on(card, waits_for.name, event=event)


def listen():
    """Subscribe, once, when the floor is ready."""
    recorded.connect(progress, sender=catalogue["card.reported"], dispatch_uid="progress")
