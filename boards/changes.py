"""What the ledger says has changed on a board since a place in it, as an open page needs to know it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from string import Formatter
from uuid import UUID

from django.utils.text import Truncator

from accounts.events import catalogue
from accounts.models import Business, Event
from boards.models import Card
from boards.search import as_uuid

MOST_EVENTS = 2000  # read at once; who missed more draws the board anew
MOST_CARDS = 200  # told one by one

# What the columns themselves show, beside their cards; what is not named here changes nothing on a board.
OF_A_BOARD = (
    "phase.created phase.updated phase.moved phase.deleted label.updated label.deleted "
    "workflow.updated workflow.archived workflow.restored workflow.deleted"
).split()
OF_ALL_BOARDS = ("business.updated", "member.removed", "member.left")


@dataclass(frozen=True)
class Changes:
    """What changed on one board, up to a sequence of the ledger."""

    sequence: int
    cards: dict[int, str | None] = field(default_factory=dict)  # number → its mark; "" when unknown, None when deleted
    by: dict[int, dict[str, str]] = field(default_factory=dict)  # number → who changed it, by id
    did: dict[int, dict[str, str]] = field(default_factory=dict)  # number → what they did, where that is soon said
    redraw: bool = False  # the board itself changed, or too much of it
    spread: int = 0  # milliseconds over which the pages that hear this may ask for more

    def __or__(self, later: Changes) -> Changes:
        """Return both as one, nothing lost: too many cards become the whole board."""
        by, did = _both(self.by, later.by), _both(self.did, later.did)
        both = replace(later, cards={**self.cards, **later.cards}, by=by, did=did, redraw=self.redraw or later.redraw)
        both = replace(both, sequence=max(self.sequence, later.sequence), spread=max(self.spread, later.spread))
        return both.bounded()

    def bounded(self) -> Changes:
        """Return the same, but as a board to redraw when it is about too many cards."""
        too_many = self.redraw or len(self.cards) > MOST_CARDS
        return replace(self, cards={}, redraw=True) if too_many else self

    @cached_property
    def text(self) -> str:
        """Return what is sent to the browser."""
        cards = {number: {"mark": mark, "by": self.by.get(number, {})} for number, mark in self.cards.items()}
        for number in cards.keys() & self.did.keys():
            cards[number]["did"] = self.did[number]
        return json.dumps({"cards": cards, "redraw": self.redraw, "spread": self.spread}, separators=(",", ":"))


def _both(earlier: dict[int, dict[str, str]], later: dict[int, dict[str, str]]) -> dict[int, dict[str, str]]:
    return {number: earlier.get(number, {}) | later.get(number, {}) for number in {*earlier, *later}}


@dataclass(frozen=True)
class News:
    """What was read of a business's ledger: up to where, what changed on which board, and whether people came or went."""

    sequence: int
    boards: dict[UUID, Changes]
    people: bool = False


def read(business_id, after: int, workflows: Iterable[UUID]) -> News:
    """Return what changed on these workflows' boards after a sequence of the business's ledger."""
    last = Business.objects.filter(pk=business_id).values_list("last_event", flat=True).first() or after
    if last == after:
        return News(after, {})
    if not 0 < last - after <= MOST_EVENTS:  # long ago, or a ledger that was put back from a backup
        return News(last, {workflow: Changes(last, redraw=True) for workflow in workflows}, people=True)
    events = list(
        Event.objects.filter(business_id=business_id, sequence__gt=after)
        .order_by("sequence")
        .values_list("sequence", "name", "subject_id", "details__workflow", "details__number", *SAID, *ACTOR)
    )
    last = max(last, events[-1][0]) if events else last
    found = {workflow: Changes(last) for workflow in workflows}
    contacts: dict[UUID, dict] = {}
    for _, name, subject, told, number, label, said, *actor in events:
        kind = name.partition(".")[0]
        who = _who(*actor)
        if name in OF_ALL_BOARDS:
            found = {workflow: replace(changes, redraw=True) for workflow, changes in found.items()}
        elif name == "contact.updated":
            contacts.setdefault(subject, {}).update(who)
        elif kind in ("workflow", "phase", "label", "card"):
            workflow = subject if kind == "workflow" else as_uuid(told)
            if workflow not in found:
                continue
            if name in OF_A_BOARD:
                found[workflow] = replace(found[workflow], redraw=True)
            elif kind == "card":
                found[workflow].cards[number] = None
                found[workflow].by.setdefault(number, {}).update(who)
                if words := _in_words(name, label=label, said=said):
                    found[workflow].did.setdefault(number, {}).update(dict.fromkeys(who, words))
    _add_marks(business_id, found)
    _add_contacts(found, contacts)
    boards = {workflow: changes.bounded() for workflow, changes in found.items() if changes.cards or changes.redraw}
    return News(last, boards, people=any(name.startswith("member.") for _, name, *_ in events))


ACTOR = ("actor_kind", "actor_id", "actor_name")
SAID = ("details__label", "details__said")  # what a button says, above all
LONGEST_SAID = 120  # characters: with its answers it may be pages long


def _in_words(name: str, **told) -> str:
    """Return what was done in short, as it is said after the name of who did it; "" where more must be known to say it."""
    kind = catalogue.get(name)
    words = {key: Truncator(value).chars(LONGEST_SAID) for key, value in told.items() if isinstance(value, str)}
    asked = {key for _, key, _, _ in Formatter().parse(kind.sentence) if key} if kind else set()
    return kind.sentence.format(**words) if asked and asked <= words.keys() else ""


def _who(kind: str, pk: str, name: str) -> dict[str, str]:
    return {pk if kind == "member" else kind: name}


def _add_marks(business_id, found: dict[UUID, Changes]) -> None:
    """Note how each changed card looks now; one that is not there any more keeps None."""
    numbers = {number for changes in found.values() if len(changes.cards) <= MOST_CARDS for number in changes.cards}
    if numbers:
        for card in Card.objects.filter(business_id=business_id, number__in=numbers).only("workflow_id", *Card.MARKED):
            if card.workflow_id in found:
                found[card.workflow_id].cards[card.number] = card.mark


def _add_contacts(found: dict[UUID, Changes], contacts: dict[UUID, dict]) -> None:
    """Note the cards of contacts that changed: they look different and know nothing of it."""
    if contacts and found:
        theirs = Card.objects.on_board().filter(workflow__in=found, contact__in=contacts).order_by()
        for workflow, number, contact in theirs.values_list("workflow_id", "number", "contact_id")[: MOST_CARDS + 1]:
            found[workflow].cards[number] = ""
            found[workflow].by.setdefault(number, {}).update(contacts[contact])
