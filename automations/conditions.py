"""What a rule asks before it acts: facts about the event, the card and the contact, compared and said in words.

A fact is one `fact(...)` below; the ones about what happened stand with their triggers.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Event
from accounts.templatetags.house import day, money
from automations.inputs import KINDS, Input, Missing, Where, as_number, folded
from automations.occasion import Occasion
from boards.models.library import STAGES
from boards.search import as_uuid

MOST_CONDITIONS = 30
EMPTY = (None, "", (), [])

# An operator in words, and what is said when it does not hold.
WORDS = {
    "is": ("is", "is not"),
    "is_not": ("is not", "is"),
    "is_one_of": ("is one of", "is none of"),
    "is_none_of": ("is none of", "is one of"),
    "contains": ("contains", "does not contain"),
    "contains_not": ("does not contain", "contains"),
    "begins_with": ("begins with", "does not begin with"),
    "over": ("is over", "is not over"),
    "under": ("is under", "is not under"),
    "at_least": ("is at least", "is less than"),
    "at_most": ("is at most", "is more than"),
    "before": ("is before", "is not before"),
    "after": ("is after", "is not after"),
    "has": ("has", "has not"),
    "has_not": ("has not", "has"),
    "has_any": ("has any of", "has none of"),
    "is_empty": ("is empty", "is not empty"),
    "is_not_empty": ("is not empty", "is empty"),
}
ALONE = ("is_empty", "is_not_empty")
TAKES_SEVERAL = ("is_one_of", "is_none_of", "has_any")
NEGATIVE = ("is_not", "is_none_of", "has_not", "contains_not")
# Which operators a kind of fact knows; the first is meant where a document names none.
_text = ("is", "is_not", "contains", "contains_not", "begins_with", "is_one_of", "is_none_of", *ALONE)
_number = ("is", "is_not", "over", "under", "at_least", "at_most", *ALONE)
_named = ("is", "is_not", "is_one_of", "is_none_of", *ALONE)
_several = ("has", "has_not", "has_any", *ALONE)
OPERATORS = {
    "text": _text,
    "email": _text,
    "number": _number,
    "money": _number,
    "date": ("is", "is_not", "before", "after", *ALONE),
    "yes_no": ("is", "is_not"),
    **dict.fromkeys(("phase", "stage", "label", "workflow", "trigger", "reason", "form", "choice", "member"), _named),
    **dict.fromkeys(("labels", "members", "contact_labels", "triggers", "words"), _several),
}
COMPARED = {
    "is": operator.eq,
    "over": operator.gt,
    "after": operator.gt,
    "under": operator.lt,
    "before": operator.lt,
    "at_least": operator.ge,
    "at_most": operator.le,
}
MEMBERS_OF = {
    "labels": "label",
    "members": "member",
    "contact_labels": "contact_label",
    "triggers": "trigger",
    "words": "text",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A row as it is compared: by its id or any of its names."""

    id: str
    name: str
    other: str = ""

    @classmethod
    def told(cls, told) -> Named | None:
        """Return what the ledger kept of a row."""
        return cls(str(told["id"]), told["name"]) if isinstance(told, dict) else None

    @classmethod
    def row(cls, row, other="") -> Named | None:
        """Return a row."""
        return cls(str(row.pk), str(row), other) if row is not None else None

    def is_called(self, wanted) -> bool:
        """Answer whether a document means it by this."""
        names = {folded(self.name), folded(self.other)} - {""}
        return str(wanted).casefold() == self.id.casefold() or folded(wanted) in names

    def __str__(self):
        return self.name


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that can be asked: its name in documents, its kind, its words, and how it is found out."""

    name: str
    kind: str
    label: str
    ask: Callable[[Any], Any]
    choices: tuple[tuple[str, str], ...] = ()
    now: Callable[[Any], Any] | None = None  # of an event: what it would be for a card as it stands
    by_clock: bool = False  # whether time alone changes it

    @property
    def operators(self) -> tuple[str, ...]:
        """Return the operators it knows; the first is meant where none is named."""
        return OPERATORS[self.kind]


facts: dict[str, Fact] = {}  # of cards and contacts, by name


def fact(name: str, kind: str, label: str, ask: Callable[[Occasion], Any], choices=(), *, by_clock=False) -> None:
    """Add a fact about a card or a contact that conditions may ask for."""
    facts[name] = Fact(name, kind, label, ask, tuple(choices), by_clock=by_clock)


def _of_card(get):
    return lambda occasion: get(occasion.card) if occasion.card else None


def _of_contact(get):
    return lambda occasion: get(occasion.contact) if occasion.contact else None


fact("phase", "phase", "phase", _of_card(lambda card: Named.row(card.phase)))
fact("stage", "stage", "stage group", _of_card(lambda card: stage_of(card.phase)))
fact("workflow", "workflow", "workflow", _of_card(lambda card: Named.row(card.workflow, card.workflow.slug)))
fact("name", "text", "name", _of_card(lambda card: card.name))
fact("description", "text", "description", _of_card(lambda card: card.description))
fact("value", "money", "value", _of_card(lambda card: card.value))
fact("source", "text", "source", _of_card(lambda card: card.source))
fact("external_id", "text", "external id", _of_card(lambda card: card.external_id))
fact("due_date", "date", "due date", _of_card(lambda card: card.due_date))
fact("number", "number", "number", _of_card(lambda card: card.number))
fact("label", "labels", "labels", _of_card(lambda card: [Named.row(label) for label in card.labels.all()]))
fact("assignee", "members", "people", _of_card(lambda card: _team(card)))
fact("days_in_phase", "number", "days in its phase", _of_card(lambda card: card.days_here), by_clock=True)
fact("age", "number", "age in days", _of_card(lambda card: (timezone.now() - card.created_at).days), by_clock=True)
fact("checklist_open", "number", "open checklist lines", _of_card(lambda card: card.item_count - card.done_count))
fact("comments", "number", "number of comments", _of_card(lambda card: card.comment_count))
fact("reported", "triggers", "reports", _of_card(lambda card: _reports(card)))
fact("archived", "yes_no", "archived", _of_card(lambda card: card.archived_at is not None))
fact("has_contact", "yes_no", "has a contact", _of_card(lambda card: card.contact_id is not None))
fact("reason", "reason", "closing reason", _of_card(lambda card: _reason(card)))
fact(
    "caused_by",
    "choice",
    "who ended it",
    _of_card(lambda card: card.closing and card.closing.caused_by),
    [("customer", "the customer"), ("us", "us")],
)
fact("contact.name", "text", "contact's name", _of_contact(lambda contact: contact.name))
fact("contact.company", "text", "contact's company", _of_contact(lambda contact: contact.company))
fact("contact.email", "email", "contact's e-mail", _of_contact(lambda contact: contact.email))
fact("contact.phone", "text", "contact's phone", _of_contact(lambda contact: contact.phone))
fact("contact.source", "text", "contact's source", _of_contact(lambda contact: contact.source))
fact(
    "contact.label",
    "contact_labels",
    "contact's labels",
    _of_contact(lambda contact: [Named(str(row.pk), row.name, row.key) for row in contact.labels.all()]),
)


def stage_of(phase) -> Named:
    """Return the stage group of a phase."""
    return Named(phase.stage, dict(STAGES)[phase.stage])


def _reports(card) -> list[Named]:
    """Return what was ever reported about a card; a trial, which asks of thousands of cards, reads it of all at once."""
    on_trial = card.business.__dict__.get("rows_named")
    if on_trial is None:
        return _reported(Event.objects.about(card)).get(card.pk, [])
    if "reports" not in on_trial:
        on_trial["reports"] = _reported(Event.objects.filter(business=card.business_id))
    return on_trial["reports"].get(card.pk, [])


def _reported(events) -> dict:
    found = defaultdict(list)
    rows = events.filter(name="card.reported").order_by("sequence")
    for card, key, label in rows.values_list("subject_id", "details__trigger", "details__label"):
        found[card].append(Named(key, label))
    return found


def _team(card) -> list[Named]:
    return [Named(str(row.member_id), str(row.member), row.member.user.email) for row in card.assignments.all()]


def _reason(card) -> Named | None:
    closing = card.closing
    return closing and Named(str(closing.reason_id), closing.reason_name)


def kind_of(fact: Fact) -> str:
    """Return the kind of value that a fact is compared with."""
    return MEMBERS_OF.get(fact.kind, fact.kind)


def own_field(field, name: str) -> Fact:
    """Return a field that a workflow adds as a fact."""
    return Fact(name, "text" if field.kind == "choice" else field.kind, field.name, partial(_filled_in, field))


def _filled_in(field, occasion):
    value = occasion.card.custom.get(str(field.pk))
    return dt.date.fromisoformat(value) if field.kind == "date" and value else value


def _custom(name: str, occasion: Occasion) -> Fact | None:
    """Return a field of the card's workflow as a fact; None when the workflow has none of that id or name."""
    fields = occasion.card.workflow.fields.all() if occasion.card else ()
    wanted = name.removeprefix("field:")
    return next((own_field(field, name) for field in fields if Named.row(field).is_called(wanted)), None)


# Reading ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Condition:
    """One question: a fact, an operator and what it is compared with."""

    field: str
    op: str
    value: Any = None

    @classmethod
    def read(cls, written) -> Condition:
        """Read the long form {field, op, value}; raises ValidationError in words."""
        if not isinstance(written, dict) or not isinstance(written.get("field"), str):
            raise ValidationError("A condition is written as {field, op, value}.", code="condition")
        if not isinstance(written.get("op") or "", str):
            raise ValidationError("An operator is a word.", code="operator")
        if extra := set(written) - {"field", "op", "value"}:
            raise ValidationError(f"A condition has no {', '.join(sorted(extra))}.", code="condition")
        return cls(written["field"], written.get("op") or "", written.get("value"))

    @property
    def written(self) -> dict:
        """Return it in its long form."""
        return {"field": self.field, "op": self.op, "value": self.value}

    def operator(self, fact: Fact) -> str:
        """Return the operator that is meant: the fact's first, unless it is named."""
        if self.op:
            return self.op
        if isinstance(self.value, list):
            return "has_any" if fact.kind in MEMBERS_OF else "is_one_of"
        return fact.operators[0]

    def check(self, fact: Fact) -> None:
        """Raise ValidationError when the operator does not fit the fact or has nothing to compare with."""
        op = self.operator(fact)
        if op not in fact.operators:
            raise ValidationError(f"“{fact.label}” cannot be asked whether it {_words(op)}.", code="operator")
        if op not in ALONE and self.value in EMPTY:
            raise ValidationError(f"Say what “{fact.label}” is compared with.", code="condition")
        for one in _several_of(self.value) if op not in ALONE else ():
            if fact.kind in ("number", "money"):
                _read_number(one, fact)
            elif not isinstance(one, str) and not (fact.kind == "yes_no" and isinstance(one, bool)):
                raise ValidationError(f"“{fact.label}” is compared with words.", code="input")


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which all, or any, must hold."""

    mode: str
    parts: tuple[Condition | Group, ...]

    @classmethod
    def read(cls, written, depth: int = 0) -> Group:
        """Read {field: value}, [{field, op, value}], {"all": […]} or {"any": […]}; raises ValidationError in words."""
        if depth > 3:
            raise ValidationError("Conditions are nested too deeply.", code="condition")
        mode = "all"
        if is_group(written):
            ((mode, written),) = written.items()
        if isinstance(written, dict):
            return cls(mode, tuple(Condition(str(field), "", value) for field, value in written.items()))
        if not isinstance(written, list):
            raise ValidationError("Conditions are written as {field: value} or as a list.", code="condition")
        return cls(mode, tuple(cls.read(one, depth + 1) if is_group(one) else Condition.read(one) for one in written))

    @property
    def written(self) -> dict:
        """Return it in its long form."""
        return {self.mode: [part.written for part in self.parts]}

    def __iter__(self) -> Iterator[Condition]:
        for part in self.parts:
            if isinstance(part, Group):
                yield from part
            else:
                yield part

    def fails(self, answer: Callable[[Condition], str]) -> str:
        """Return why it does not hold, in words; "" when it does. `answer` says the same of one condition."""
        reasons = []
        for part in self.parts:
            reason = part.fails(answer) if isinstance(part, Group) else answer(part)
            if reason and self.mode == "all":
                return reason
            if not reason and self.mode == "any":
                return ""
            reasons += [reason] if reason else []
        return "; ".join(reasons)


def is_group(written) -> bool:
    """Answer whether conditions are written as {"all": […]} or {"any": […]}."""
    return isinstance(written, dict) and len(written) == 1 and set(written) <= {"all", "any"}


# Asking -------------------------------------------------------------------------------------------------


def find(name: str, occasion: Occasion) -> Fact | None:
    """Return the fact about the card or contact that a document names."""
    return facts.get(name.removeprefix("card.")) or _custom(name, occasion)


def why_not(condition: Condition, fact: Fact, actual, where: Where, *, in_words: bool = True) -> str:
    """Return why a condition does not hold for what a fact is; "" when it holds.

    in_words: False where nobody reads it, for to say what an id stands for the database is asked.
    """
    op, wanted = condition.operator(fact), _meant(fact, condition.value, actual, where)
    if op in NEGATIVE and fact.kind in KINDS | MEMBERS_OF:
        # Compared with what is gone, nothing is different: that would be true of every card.
        for one in _several_of(wanted):
            if as_uuid(one):
                try:
                    _row(fact, one, where)
                except Missing as gone:
                    return " ".join(gone.messages)
    if fact.kind in ("number", "money", "date", "yes_no") and op not in ALONE:
        wanted = KINDS[fact.kind](wanted, where, fact)
    if _holds(fact, op, actual, wanted):
        return ""
    return _sentence(fact, op, actual, wanted, where) if in_words else "It does not hold"


# Signs by which a name says that it is one of the whole business, and not one that several rows may have.
WHOLE_NAMES = {"phase": "/", "member": "@"}


def _meant(fact, value, actual, where):
    """Return what a fact is compared with, “Workflow / Phase” and a member's address as the ids they stand for."""
    sign = WHOLE_NAMES.get(kind_of(fact))
    if isinstance(value, list):
        return [_meant(fact, one, actual, where) for one in value]
    if sign is None or not isinstance(value, str) or sign not in value:
        return value
    if isinstance(actual, Named) and not folded(value).endswith(folded(actual.name)):
        return value  # another one for certain, which costs no look
    try:
        return str(_row(fact, value, where).pk)
    except ValidationError:
        return value


def _holds(fact, op, actual, wanted) -> bool:
    if op in ALONE:
        return (actual in EMPTY) == (op == "is_empty")
    if op in NEGATIVE:
        opposite = {"is_not": "is", "is_none_of": "is_one_of", "has_not": "has", "contains_not": "contains"}[op]
        return not _holds(fact, opposite, actual, wanted)
    if fact.kind in MEMBERS_OF:
        return any(_is_same(one, want) for one in actual or () for want in _several_of(wanted))
    if op == "is_one_of":
        return any(_holds(fact, "is", actual, one) for one in _several_of(wanted))
    if actual in EMPTY:
        return False
    if isinstance(actual, Named):
        return actual.is_called(wanted)
    if fact.kind in ("number", "money", "date", "yes_no"):
        return COMPARED[op](actual, wanted)
    actual, wanted = str(actual).casefold(), str(wanted).casefold().strip()
    if op == "is":
        return actual == wanted or folded(actual) == folded(wanted)
    return actual.startswith(wanted) if op == "begins_with" else wanted in actual


def _is_same(one, wanted) -> bool:
    return one.is_called(wanted) if isinstance(one, Named) else folded(one) == folded(wanted)


def _sentence(fact, op, actual, wanted, where) -> str:
    label = fact.label[:1].upper() + fact.label[1:]
    said = " or ".join(_say(fact, one, where) for one in _several_of(wanted))
    if fact.kind in MEMBERS_OF and op not in ALONE:
        called = [next((one for one in actual or () if _is_same(one, want)), None) for want in _several_of(wanted)]
        said = " or ".join(map(str, filter(None, called))) or said
        return f"{said} is {'' if op == 'has_not' else 'not '}among its {fact.label}"
    if actual in EMPTY:
        return f"{label} is empty"
    now = ", ".join(map(str, actual)) if isinstance(actual, list) else _say(fact, actual, where)
    return f"{label} {now} {WORDS[op][1]} {said if op not in ALONE else ''}".strip()


def _say(fact, value, where) -> str:
    """Return a value in words: an amount with its currency, a day, what an id stands for."""
    if isinstance(value, Named):
        return value.name
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.date):
        return day(value)
    if fact.kind == "money":
        return money(value, where.business.currency)
    if fact.kind == "number":
        return f"{float(value):g}"
    if as_uuid(value):
        try:
            return str(_row(fact, value, where))
        except (KeyError, ValidationError):
            return "something that is gone"
    return f"“{value}”" if fact.kind in ("text", "email") else str(value)


def _row(fact, value, where):
    """Return the row that an id stands for; raises Missing. A trial, which asks of thousands of cards, reads it once."""
    known = where.business.__dict__.get("rows_named", {})
    key = (fact.kind, str(value))
    if key not in known:
        known[key] = Input(fact.name, kind_of(fact), fact.label).read(value, where)
    return known[key]


def _read_number(value, fact):
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValidationError(f"“{fact.label}” is compared with a number.", code="input")
    return as_number(value)


def _several_of(value) -> list:
    return value if isinstance(value, list) else [value]


def _words(op: str) -> str:
    return WORDS[op][0] if op in WORDS else f"“{op}”"
