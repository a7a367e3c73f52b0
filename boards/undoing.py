"""Taking a change back from its toast, as long as nothing else touched the card."""

from __future__ import annotations

import datetime as dt

from accounts.actor import Actor
from accounts.models import Event, Membership
from accounts.verbs import Stale, in_one
from boards.models import Card, Item, Label, Phase
from boards.ordering import Place
from contacts.models import Contact

# What does not change the card itself does not stand in the way of an undo.
BESIDE = (
    "card.commented",
    "card.comment_changed",
    "card.comment_deleted",
    "card.attached",
    "card.attachment_deleted",
)


def undo(event: Event, *, by: Actor) -> Card:
    """Do the opposite of an event of a card, through the card's own verbs; return the card.

    Raises Stale when the card was touched since or is gone, KeyError for an event that has no opposite.
    """
    opposite = OPPOSITES[event.name]
    card = Card.objects.select_related("phase").filter(business_id=event.business_id, pk=event.subject_id).first()
    if card is None:
        raise Stale("This card was deleted. Nothing was changed.")
    seen = card.revision
    handed = []  # what its new phase gave a card that was moved: it goes with the move
    for since in Event.objects.about(card).filter(sequence__gt=event.sequence).exclude(name__in=BESIDE):
        if not _is_part(since, event):
            raise Stale(f"{since.actor_name} changed {card.name} since. Nothing was undone.")
        handed.append(since)

    def take_back():
        if event.name == "card.moved" and card.order_id:
            card.order.take_back(card, event, by=by)
        _refuse_touched(card, seen, event)
        for part in handed:
            OPPOSITES[part.name](card, part.details, by)
        card.refresh_from_db()
        opposite(card, event.details, by)
        for filled in _filled_on_the_way(card, event):
            OPPOSITES[filled.name](card, filled.details, by)
        return card

    return in_one(take_back)


def _refuse_touched(card, seen: int, event: Event) -> None:
    """Lock the card, and raise Stale when somebody touched it after it was looked what happened since."""
    back = [_phase(card, event.details["before"])] if event.name == "card.moved" else []
    try:
        card.refuse_unless_at(seen, *back)
    except Stale:
        raise Stale(f"{card.name} was changed a moment ago. Nothing was undone.") from None


def _filled_on_the_way(card, event: Event):
    """Return the events by which a move's phase got what it asked for, latest first: for people it was one step."""
    told = event.details.get("filled") if event.name == "card.moved" else None
    return Event.objects.about(card).filter(sequence__in=told).order_by("-sequence") if told else ()


def _is_part(since: Event, event: Event) -> bool:
    same = (since.actor_kind, since.actor_id) == (event.actor_kind, event.actor_id)
    return same and since.cause_id == event.pk and since.name in OPPOSITES


def _move_back(card, details, by):
    to, closing = _phase(card, details["before"]), None
    if to.is_cancelled:  # it had been reopened: it ends again, as it had ended
        ended = card.closings.first()
        kept = ("reason", "caused_by", "refund", "refund_amount", "note")
        closing = {key: getattr(ended, key) for key in kept} if ended else None
    card.move(to, Place(rank=details["rank"]), revision=card.revision, closing=closing, by=by)


def _reorder_back(card, details, by):
    card.move(_phase(card, details["after"]), Place(rank=details["rank"]), revision=card.revision, by=by)


def _change_back(card, details, by):
    read = {"contact": _contact(card), "due_date": dt.date.fromisoformat, "due_time": dt.time.fromisoformat}
    old = {
        key: read[key](value) if key in read and value is not None else value
        for key, value in details["before"].items()
    }
    card.update(**old, revision=card.revision, by=by)


def _assign_back(card, details, by):
    card.assign(Membership.objects.filter(business_id=card.business_id, pk__in=details["before"]), by=by)


def _label(card, details):
    label = Label.objects.filter(workflow_id=card.workflow_id, pk=details["label"]["id"]).first()
    if label is None:
        raise Stale("The label was deleted. Nothing was changed.")
    return label


def _item_back(card, details, by):
    item = Item.add(card, details["text"], position=details["position"], by=by)
    if details["done"]:
        item.tick(True, by=by)


def _item(card, details):
    item = card.items.filter(pk=details["item"]).first()
    if item is None:
        raise Stale("This line was removed. Nothing was changed.")
    return item


def _phase(card, told):
    phase = Phase.objects.filter(workflow_id=card.workflow_id, pk=told["id"]).first()
    if phase is None:
        raise Stale(f"The phase {told['name']} was deleted. Nothing was undone.")
    return phase


def _contact(card):
    def find(told):
        contact = Contact.objects.filter(business_id=card.business_id, pk=told["id"]).first()
        if contact is None:
            raise Stale(f"The contact {told['name']} was deleted. Nothing was undone.")
        return contact

    return find


def _unfill(card, details, by):
    fields = set(map(str, card.workflow.fields.values_list("pk", flat=True)))
    return card.fill_fields({pk: value for pk, value in details["was"].items() if pk in fields}, by=by)


OPPOSITES = {
    "card.fields_filled": _unfill,
    "card.moved": _move_back,
    "card.reordered": _reorder_back,
    "card.updated": _change_back,
    "card.assigned": _assign_back,
    "card.label_added": lambda card, details, by: card.remove_label(_label(card, details), by=by),
    "card.label_removed": lambda card, details, by: card.add_label(_label(card, details), by=by),
    "card.archived": lambda card, details, by: card.restore(by=by),
    "card.restored": lambda card, details, by: card.archive(by=by),
    "card.created": lambda card, details, by: card.archive(by=by),
    "card.item_added": lambda card, details, by: _item(card, details).remove(by=by),
    "card.item_checked": lambda card, details, by: _item(card, details).tick(False, by=by),
    "card.item_unchecked": lambda card, details, by: _item(card, details).tick(True, by=by),
    "card.item_changed": lambda card, details, by: _item(card, details).rename(details["before"], by=by),
    "card.item_removed": _item_back,
}
