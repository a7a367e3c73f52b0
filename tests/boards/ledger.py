"""What must hold after anything that happened to a workflow, however wild."""

from accounts.models import Business, Event
from boards.models import Card

WITHOUT_REVISION = {  # what stands beside the card and leaves its revision alone
    "card.created",
    "card.deleted",
    "card.commented",
    "card.comment_changed",
    "card.comment_deleted",
    "card.item_added",
    "card.item_checked",
    "card.item_unchecked",
    "card.item_changed",
    "card.item_removed",
}


def assert_whole(workflow):
    """Check places, tallies, revisions, and that the ledger tells exactly what the rows say."""
    cards = list(Card.objects.filter(workflow=workflow).select_related("phase"))
    places = {(card.phase_id, card.rank) for card in cards}
    assert len(places) == len(cards), "two cards share a place"
    assert all(card.phase.workflow_id == workflow.pk for card in cards)
    for phase in workflow.phases.all():
        here = [card for card in cards if card.phase_id == phase.pk and not card.archived_at]
        assert (phase.card_count, phase.value_total) == (len(here), sum(card.value or 0 for card in here)), phase.name

    events = list(Event.objects.filter(business_id=workflow.business_id).order_by("sequence"))
    last = Business.objects.get(pk=workflow.business_id).last_event
    assert [event.sequence for event in events] == list(range(1, last + 1)), "the ledger has gaps"
    told = {}
    for event in events:
        if event.subject_kind == "card" and event.details["workflow"] == str(workflow.pk):
            told.setdefault(event.subject_id, []).append(event)
    alive = {pk: events for pk, events in told.items() if events[-1].name != "card.deleted"}
    assert set(alive) == {card.pk for card in cards}, "a card was lost or never told of"
    for card in cards:
        history = alive[card.pk]
        changes = [event for event in history if event.name not in WITHOUT_REVISION]
        assert card.revision == 1 + len(changes), f"{card} has revision {card.revision} after {len(changes)} changes"
        phase, archived = _fold(history)
        assert archived == bool(card.archived_at)
        assert phase in (None, str(card.phase_id)), "the ledger tells of another phase"


def _fold(history):
    """Return the phase and whether the card is archived, from what was told."""
    phase, archived = None, False
    for event in history:
        if event.name == "card.moved":
            assert phase in (None, event.details["before"]["id"]), "a move from where the card was not"
            phase = event.details["after"]["id"]
        elif event.name == "card.restored":
            phase, archived = event.details["phase"]["id"], False
        elif event.name == "card.archived":
            archived = True
    return phase, archived
