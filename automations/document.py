"""A rule as it is written: {"trigger": …, "conditions": …, "actions": […]}, read, checked and asked; kept as it came.

trigger: a key of `triggers`, or {"type": key, …} with what it needs to know. conditions: {field: value}, a list of
{field, op, value}, or {"all": […]} or {"any": […]}. actions: a list of {"type": key, …}. name, workflow: optional.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError

from accounts.verbs import refusal
from automations.actions.registry import Action, actions
from automations.conditions import (
    MOST_CONDITIONS,
    Condition,
    Fact,
    Group,
    facts,
    find,
    kind_of,
    own_field,
    why_not,
)
from automations.inputs import KINDS, Input, Missing, Where
from automations.moments import Asked, Moment, read_days
from automations.occasion import Occasion
from automations.outbound import host_of
from automations.triggers import Trigger, triggers
from boards.models import Field

KNOWN = {"name", "workflow", "trigger", "conditions", "actions"}
MOST_ACTIONS = 20
LARGEST = 20_000  # characters of a document
DEEPEST = 20  # levels of a document; SQLite keeps no JSON of more than a thousand


@dataclass
class Document:
    """A rule's document as it is worked with."""

    trigger: Trigger
    options: dict
    conditions: Group
    actions: list[dict]

    @classmethod
    def read(cls, written: Any) -> Document:
        """Read a document; raises ValidationError, at the part that is wrong, for one that makes no sense."""
        if not isinstance(written, dict):
            raise ValidationError("A rule is an object with trigger, conditions and actions.", code="document")
        if not fits(written):
            says = f"A rule has at most {LARGEST} characters, none of them null or half, in at most {DEEPEST} levels."
            raise ValidationError(says, code="document")
        if unknown := set(written) - KNOWN:
            raise ValidationError(f"A rule has no {', '.join(sorted(unknown))}.", code="document")
        for key in ("name", "workflow"):
            if not isinstance(written.get(key, ""), str):
                raise refusal(key, "This is a word, or left out.", "document")
        with _at("trigger"):
            trigger, options = _read_trigger(written.get("trigger"))
        with _at("conditions"):
            conditions = Group.read(written.get("conditions") or {})
            if sum(1 for _ in conditions) > MOST_CONDITIONS:
                raise ValidationError(f"At most {MOST_CONDITIONS} conditions fit into a rule.", code="too_many")
        with _at("actions"):
            return cls(trigger, options, conditions, _read_actions(written.get("actions")))

    @classmethod
    def asking(cls, trigger, conditions) -> Document:
        """Return a document that is only asked: its trigger and its conditions, as they are written."""
        return cls(*_read_trigger(trigger), Group.read(conditions), [])

    def check(self, where: Where) -> list[str]:
        """Return what it names that is not there, in words; raises ValidationError for what can never work."""
        lacking = []
        with _at("trigger"):
            for one in self.trigger.inputs:
                try:
                    one.read(self.options.get(one.name), where)
                except Missing as gone:
                    lacking += gone.messages
            if self.trigger.key == "schedule":
                read_days(self.options)
        with _at("conditions"):
            for condition in self.conditions:
                lacking += self._check(condition, where)
        with _at("actions"):
            for written in self.actions:
                lacking += action_of(written).check(written, where)
        return list(dict.fromkeys(lacking))

    def is_set_off_by(self, event, rule) -> bool:
        """Answer whether an event is what the rule waits for, as far as the event alone can tell."""
        if not self.trigger.is_set_off(event, rule):
            return False
        if self.conditions.mode == "any":
            return True
        occasion = Occasion.of(event)
        parts = [part for part in self.conditions.parts if isinstance(part, Condition)]
        return not any(
            why_not(part, fact, fact.ask(event), occasion, in_words=False)
            for part in parts
            if (fact := self.trigger.facts.get(part.field))
        )

    def fact(self, name: str, where: Where) -> Fact | None:
        """Return the fact that a condition names; None when there is none."""
        return self.trigger.facts.get(name) or facts.get(name.removeprefix("card.")) or _own_field(name, where)

    def why_not(self, occasion: Occasion) -> str:
        """Return why the conditions do not hold, in words; "" when they do."""
        return self.conditions.fails(lambda condition: self._answer(condition, occasion))

    def asked_again(self, occasion: Occasion, *, but: Callable[[Fact], bool]) -> dict:
        """Return, as they are written, the conditions of which it can be expected that they hold later too.

        They hold now: of one that the rule has put an end to by itself, nobody expects it. They ask of no fact that time
        alone changes, or that `but` names.
        """

        def lasts(part) -> bool:
            known = [self.fact(one.field, occasion) for one in (part if isinstance(part, Group) else [part])]
            if any(fact is None or fact.by_clock or but(fact) for fact in known):
                return False
            return not (part.fails(answer) if isinstance(part, Group) else answer(part))

        def answer(condition):
            return self._answer(condition, occasion)

        if self.conditions.mode == "any":
            return self.conditions.written if lasts(self.conditions) else {"all": []}
        return {"all": [part.written for part in self.conditions.parts if lasts(part)]}

    def moments(self, asked: Asked, where: Where, *, past: bool = False) -> list[Moment]:
        """Return the moments that came; none for a trigger that is set off by events. Raises Missing.

        past: also those of cards that have moved on since.
        """
        read = self.trigger.past if past else self.trigger.moments
        if read is None:
            return []
        return list(read(asked, {one.name: one.read(self.options.get(one.name), where) for one in self.trigger.inputs}))

    @cached_property
    def leaves(self) -> bool:
        """Answer whether any action reaches people or programs outside."""
        return any(action_of(written).leaves for written in self.actions)

    def _answer(self, condition: Condition, occasion: Occasion) -> str:
        fact = self.trigger.facts.get(condition.field)
        if fact is not None and occasion.event is not None:
            return why_not(condition, fact, fact.ask(occasion.event), occasion)
        if fact is not None:  # asked of a card as it stands, which nothing happened to just now
            return why_not(condition, fact, fact.now(occasion.card), occasion) if fact.now and occasion.card else ""
        fact = find(condition.field, occasion)
        if fact is None:
            return f"There is no “{condition.field}” here"
        return why_not(condition, fact, fact.ask(occasion), occasion)

    def _check(self, condition: Condition, where: Where) -> list[str]:
        name, fact = condition.field, self.fact(condition.field, where)
        if fact is None:
            if name.startswith("field:"):
                return [f"There is no field “{name.removeprefix('field:')}”."]
            raise ValidationError(f"Nothing is known as “{name}” when {self.trigger.label}.", code="field")
        condition.check(fact)
        kind = kind_of(fact)
        if condition.value is None or kind not in KINDS or fact.choices:
            return []
        lacking = []
        for one in condition.value if isinstance(condition.value, list) else [condition.value]:
            try:
                Input(fact.name, kind, fact.label).read(one, where)
            except Missing as gone:
                lacking += gone.messages
        return lacking


def fits(written) -> bool:
    """Answer whether a document can be kept: not too long or too deep, without null characters or half surrogate pairs."""
    try:
        text = json.dumps(written, ensure_ascii=False)
        text.encode()
    except (RecursionError, TypeError, ValueError):
        return False
    return len(text) <= LARGEST and "\\u0000" not in text and _is_flat(written, DEEPEST)


def _is_flat(written, levels: int) -> bool:
    inside = written.values() if isinstance(written, dict) else written if isinstance(written, list) else ()
    return levels > 0 and all(_is_flat(one, levels - 1) for one in inside)


def for_readers(written: dict) -> dict:
    """Return a document as those read it who may not write it: without what an address that is called holds in secret."""
    return written | {"actions": [_for_readers(one) for one in written["actions"]]}


def _for_readers(written: dict) -> dict:
    action = actions.get(written["type"])
    if action is None:
        return {"type": written["type"]}  # who knows what another version of us keeps in it
    secret = {one.name for one in action.inputs if one.kind == "endpoint"}
    return {name: f"{host_of(str(value))}/…" if name in secret else value for name, value in written.items()}


def action_of(written: dict) -> Action:
    """Return the action that a document means."""
    return actions[written["type"]]


def _read_trigger(written) -> tuple[Trigger, dict]:
    options = dict(written) if isinstance(written, dict) else {"type": written}
    key = options.pop("type", None)
    if not isinstance(key, str) or key not in triggers:
        raise ValidationError(f"“{key}” is no trigger. Known are {', '.join(sorted(triggers))}.", code="trigger")
    if unknown := set(options) - {one.name for one in triggers[key].inputs}:
        raise ValidationError(f"The trigger {key} knows no {', '.join(sorted(unknown))}.", code="trigger")
    return triggers[key], options


def _read_actions(written) -> list[dict]:
    if not isinstance(written, list) or not written:
        raise ValidationError("Say what is to be done: actions is a list of at least one.", code="action")
    if len(written) > MOST_ACTIONS:
        raise ValidationError(f"At most {MOST_ACTIONS} actions fit into a rule.", code="too_many")
    for one in written:
        key = one.get("type") if isinstance(one, dict) else one
        if not isinstance(one, dict) or not isinstance(key, str) or key not in actions:
            raise ValidationError(f"“{key}” is no action. Known are {', '.join(sorted(actions))}.", code="action")
    return written


def _own_field(name: str, where: Where) -> Fact | None:
    """Return a field that some workflow of the business adds, as a fact of the kind it has."""
    wanted = name.removeprefix("field:")
    fields = Field.objects.filter(business=where.business)
    return next((own_field(field, name) for field in fields if wanted in (str(field.pk), field.name)), None)


@contextmanager
def _at(part: str):
    """Say at which part of the document it is wrong."""
    try:
        yield
    except ValidationError as error:
        raise error if hasattr(error, "error_dict") else ValidationError({part: error}) from None
