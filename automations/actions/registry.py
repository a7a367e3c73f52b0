"""Where actions are declared: a function that does it, and its inputs as data from which an editor is drawn.

    @action("add_label", "add the label", Input("label", "label", "label"))
    def add_label(deed, label):
        deed.card.add_label(label, by=deed.by)
        return f"Added the label {label.name}"

It is called in a transaction of its own, with its inputs read: rows, dates, amounts. It changes rows through their
verbs, with `by=deed.by`, and returns what it did in words for the Run. It refuses with a ValidationError, whose words
are shown beside a Retry. What leaves the building it only queues, in the same transaction, under the name
`deed.key`, which stays the same when it is tried again. On trial all of it is rolled back; what the person who tries
should see of it, a mail with its text, goes into `deed.shown`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from accounts.actor import Actor
from automations.inputs import Input, Missing, Where
from automations.occasion import Occasion


@dataclass
class Deed:
    """One action that is being done.

    run: the Run it belongs to (on trial too, but then nothing of it stays). shown: what leaves, for people to look at.
    """

    occasion: Occasion
    by: Actor
    run: Any
    key: str
    on_trial: bool = False
    shown: list[dict] = field(default_factory=list)

    @property
    def business(self):
        """Return the business."""
        return self.occasion.business

    @property
    def event(self):
        """Return what happened, None for a moment that came."""
        return self.occasion.event

    @property
    def contact(self):
        """Return the contact, None when there is none."""
        return self.occasion.contact

    @property
    def card(self):
        """Return the card as it is now; raises ValidationError when there is none."""
        if self.occasion.card is None:
            gone = "The card is gone." if self.occasion.card_id else "This is not about a card."
            raise ValidationError(gone, code="no_card")
        return self.occasion.card


@dataclass(frozen=True, slots=True)
class Until:
    """What an action returns that goes on later: when, and in words."""

    at: dt.datetime
    says: str


@dataclass(frozen=True, slots=True)
class Action:
    """Something a rule can do.

    label: as the editor says it after "then". leaves: whether it reaches people or programs outside.
    """

    key: str
    label: str
    inputs: tuple[Input, ...]
    do: Callable[..., str | Until]
    leaves: bool = False

    def read(self, written: dict, where: Where) -> dict:
        """Return the inputs as they are worked with; raises ValidationError, Missing for what is not there."""
        return {one.name.replace("-", "_"): one.read(written.get(one.name), where) for one in self.inputs}

    def check(self, written: dict, where: Where) -> list[str]:
        """Return what the action names that is not there; raises ValidationError for what makes no sense at all."""
        known = {one.name for one in self.inputs}
        if unknown := set(written) - known - {"type"}:
            raise ValidationError(f"“{self.label}” knows no {', '.join(sorted(unknown))}.", code="input")
        lacking = []
        for one in self.inputs:
            try:
                one.read(written.get(one.name), where)
            except Missing as error:
                lacking += error.messages
        return lacking


actions: dict[str, Action] = {}


def action(key: str, label: str, *inputs: Input, leaves: bool = False):
    """Declare a function as an action."""

    def declare(do):
        if key in actions:
            raise ValueError(f"the action {key} is declared twice")
        actions[key] = Action(key, label, inputs, do, leaves)
        return do

    return declare
