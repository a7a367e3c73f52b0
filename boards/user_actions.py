"""What people may do to a card because its design says so: buttons that send events, and what they ask. Pure reading."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from accounts.verbs import refusal
from boards.documents import heeds, is_for

LONGEST_EVENT = 200
LONGEST_TEXT = 2000
MOST_ATTRIBUTES = 50
MOST_IN_A_LIST = 50
LARGEST = 10**15
PRIMARY = "PRIMARY"
# What a document calls the type of an attribute, and how it is asked; every other type is a text.
TYPES = {
    "INTEGER": "integer",
    "LONG": "integer",
    "FLOAT": "number",
    "DOUBLE": "number",
    "DECIMAL": "number",
    "NUMBER": "number",
    "BOOLEAN": "yes_no",
    "DATE": "date",
    "LIST": "choice",
}
YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


@dataclass(frozen=True, slots=True)
class Question:
    """An attribute that a button asks before it sends its event; kind: one of TYPES, else text."""

    name: str
    label: str
    kind: str = "text"
    choices: tuple[str, ...] = ()
    default: Any = None
    is_needed: bool = False

    @classmethod
    def of(cls, written: dict) -> Question:
        """Return an attribute of a user action as it is asked."""
        listed = (one.strip() for one in (written.get("source") or "").split(","))
        choices = tuple(dict.fromkeys(filter(None, listed)))[:MOST_IN_A_LIST]
        kind = TYPES.get(written["type"].upper(), "text")
        told = {"default": written.get("defaultValue"), "is_needed": bool(written.get("mandatory"))}
        return cls(written["name"], written["label"] or written["name"], kind, choices, **told)

    def read(self, value):
        """Return what was answered as the event tells it, None for nothing; raises ValidationError in words."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        return _READ[self.kind](self, value)

    def show(self, value) -> str:
        """Return an answer in words."""
        return f"{self.label}: {_say(value)}"


@dataclass(frozen=True, slots=True)
class UserAction:
    """A button that a design puts on cards: the event it sends, what it says, and what is asked before."""

    event: str
    label: str
    is_primary: bool
    is_confirmed: bool
    questions: tuple[Question, ...]

    @classmethod
    def of(cls, written: dict) -> UserAction:
        """Return a user action of a document as a button; where several places show it, as the first does."""
        shown = next(iter(written["context"]), {})
        event = written["eventName"].strip()
        is_primary = (shown.get("type") or "").upper() == PRIMARY
        questions = tuple(Question.of(one) for one in written.get("attributes") or ())
        return cls(event, shown.get("label") or event, is_primary, bool(shown.get("confirm")), questions)

    @property
    def asks(self) -> bool:
        """Answer whether somebody who presses it is asked something first."""
        return self.is_confirmed or bool(self.questions)


def offered(document: dict, status: str) -> list[UserAction]:
    """Return the buttons that a design puts on a card in a status, one for each event, the primary ones first."""
    found: dict[str, UserAction] = {}
    for ruleset in document["rulesets"]:
        if is_for(ruleset, document) and heeds(ruleset, status):
            for action in map(UserAction.of, ruleset.get("userActions") or ()):
                if action.event:
                    found.setdefault(action.event, action)
    return sorted(found.values(), key=lambda action: not action.is_primary)


# What an event tells ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signal:
    """An event that is sent to a card: its name, what it tells, the custom fields that this fills in, all in words."""

    name: str
    attributes: dict
    fills: dict
    said: str

    @classmethod
    def read(cls, name, told, actions: Iterable[UserAction], fields: Iterable) -> Signal:
        """Read an event; raises ValidationError in words for what makes none.

        actions: the buttons of the card: what the one that sends this event asks is read as it says. fields: the custom
        fields of the card's workflow: an attribute that is called like one fills it in.
        """
        name = _name(name)
        action = next((one for one in actions if one.event == name), None)
        asked = {one.name: one for one in action.questions} if action else {}
        attributes = _attributes(told, asked)
        called = {one.casefold(): value for one, value in attributes.items()}
        fills = {field: called[field.name.casefold()] for field in fields if field.name.casefold() in called}
        for field, value in fills.items():
            field.read(value)
        words = [asked.get(one, Question(one, one)).show(value) for one, value in attributes.items()]
        said = (action.label if action else name) + (f" ({', '.join(words)})" if words else "")
        return cls(name, attributes, fills, said)


def _name(said) -> str:
    name = said.strip() if isinstance(said, str) else ""
    if not 0 < len(name) <= LONGEST_EVENT:
        raise refusal("name", f"An event has a name of at most {LONGEST_EVENT} characters.", "event")
    return name


def _attributes(told, asked: dict[str, Question]) -> dict:
    """Return what an event tells beside its name: few words and numbers; what says nothing is left out."""
    if not isinstance(told, dict) or len(told) > MOST_ATTRIBUTES:
        raise refusal("attributes", f"At most {MOST_ATTRIBUTES} attributes, by name.", "attributes")
    found = {name: asked[name].read(value) if name in asked else _plain(name, value) for name, value in told.items()}
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def _plain(name, value):
    """Return what nobody asked for, if it is small and plain."""
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_EVENT:
        raise refusal("attributes", "An attribute has a name.", "attributes")
    if isinstance(value, list):
        if len(value) > MOST_IN_A_LIST:
            raise refusal("attributes", f"{name}: at most {MOST_IN_A_LIST} values.", "attributes")
        return [_scalar(name, one) for one in value]
    return _scalar(name, value)


def _scalar(name: str, value):
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise refusal("attributes", f"{name}: at most {LONGEST_TEXT} characters.", "attributes")
    is_number = isinstance(value, (int, float)) and math.isfinite(value) and abs(value) < LARGEST
    if value is None or isinstance(value, (str, bool)) or is_number:
        return value.strip() if isinstance(value, str) else value
    raise refusal("attributes", f"{name}: a text, a number, yes or no, or a list of them.", "attributes")


def _say(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(_say, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 100 else f"{text[:99]}…"


def _text(question, value):
    if isinstance(value, (dict, list)):
        raise _wrong(question, "write a text")
    text = _say(value) if isinstance(value, bool) else str(value).strip()
    if len(text) > LONGEST_TEXT:
        raise _wrong(question, f"at most {LONGEST_TEXT} characters")
    return text


def _number(question, value):
    try:
        number = math.nan if isinstance(value, bool) else float(str(value).strip().replace(",", "."))
    except ValueError:
        number = math.nan
    if not abs(number) < LARGEST:
        raise _wrong(question, "give a number")
    return number if number % 1 else int(number)


def _integer(question, value):
    number = _number(question, value)
    if not isinstance(number, int):
        raise _wrong(question, "give a whole number")
    return number


def _yes_no(question, value):
    said = str(value).strip().casefold()
    if said not in YES + NO:
        raise _wrong(question, "answer yes or no")
    return said in YES


def _date(question, value):
    try:
        return dt.date.fromisoformat(str(value).strip()[:10]).isoformat()
    except ValueError:
        raise _wrong(question, "give a date like 2027-03-31") from None


def _choice(question, value):
    if isinstance(value, list):
        return [_choice(question, one) for one in value[:MOST_IN_A_LIST]]
    said = _text(question, value)
    if question.choices and said not in question.choices:
        raise _wrong(question, f"choose one of {', '.join(question.choices)}")
    return said


def _wrong(question: Question, says: str) -> ValidationError:
    return refusal("attributes", f"{question.label}: {says}.", "attributes")


_READ = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "yes_no": _yes_no,
    "date": _date,
    "choice": _choice,
}
