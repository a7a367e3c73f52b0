"""What a rule's document may hold in its places: each kind of value is read here, and an editor draws a field of it.

A floor mate adds a kind with `kind("template", read)`.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from babel.numbers import get_currency_precision
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator
from django.db.models import Q

from accounts.models import Business
from automations.clock import Span, read_clock
from boards.models import Field, Label, Phase, Reason, Trigger
from boards.models.card import LARGEST_VALUE
from boards.models.library import STAGES
from boards.search import as_uuid
from contacts.models import ContactLabel


class Missing(ValidationError):
    """What a document names is not there: a rule may be kept with it, but cannot do what needs it."""

    def __init__(self, what: str, value):
        super().__init__(f"There is no {what} “{value}”.", code="missing")


@dataclass(frozen=True, slots=True)
class Where:
    """Where names are looked up: in a business, and first in the workflow of the card when there is one."""

    business: Business
    workflow_id: Any = None


@dataclass(frozen=True, slots=True)
class Input:
    """One place of a trigger, condition or action to be filled in.

    kind: one of KINDS. label: as the sentence of the editor says it. choices: (value, words) where only these are good.
    """

    name: str
    kind: str
    label: str
    required: bool = True
    default: Any = None
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    def read(self, value, where: Where):
        """Return a document's value as it is worked with; raises ValidationError, Missing for what is not there."""
        if value in (None, "", []):
            value = self.default
        if value in (None, "", []):
            if self.required:
                raise ValidationError(f"{self.label[:1].upper()}{self.label[1:]} is not filled in.", code="required")
            return None
        if self.kind not in PLAIN and not isinstance(value, str):
            raise ValidationError(f"“{value}” does not fit under “{self.label}”.", code="input")
        try:
            return KINDS[self.kind](value, where, self)
        except (TypeError, OverflowError):
            raise ValidationError(f"“{value}” does not fit under “{self.label}”.", code="input") from None


KINDS: dict[str, Callable] = {}
CALLED: dict[str, Callable] = {}  # of kinds that name rows: what a row is called where its id means nothing
PLAIN = ("text", "long_text", "lines", "number", "money", "yes_no", "any")  # kinds that are more than words in JSON


def kind(name: str, read: Callable, called: Callable | None = None) -> None:
    """Add a kind of value; `read(value, where, input)` returns it or raises ValidationError or Missing.

    called: for a row that is read, the name by which another business may know it too.
    """
    if name in KINDS:
        raise ValueError(f"the kind {name} is declared twice")
    KINDS[name] = read
    if called:
        CALLED[name] = called


def by_name(value, name: str, where: Where):
    """Return a value that is the id of a row as the name of that row, if this name leads back to it."""
    pk = as_uuid(str(value).removeprefix("field:")) if isinstance(value, str) else None
    if pk is None or name not in CALLED:
        return value
    try:
        row = _one(KINDS[name](value, where, Input(name, name, name)))
        called = CALLED[name](row)
        return called if _one(KINDS[name](called, where, Input(name, name, name))) == row else value
    except ValidationError:
        return value


def _one(read):
    return read[0] if isinstance(read, list) and len(read) == 1 else read


def folded(text) -> str:
    """Return a name as documents write it: “Lost in transit” and lost_in_transit are the same."""
    return " ".join(re.split(r"[\s_-]+", str(text).casefold().strip()))


def _text(value, where, field):
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise ValidationError(f"{field.label} wants words.", code="input")
    text = str(value).strip()
    if "\x00" in text or len(text) > 10_000:
        raise ValidationError(f"{field.label} has at most 10,000 characters, none of them null.", code="input")
    return text


def _lines(value, where, field):
    lines = value.splitlines() if isinstance(value, str) else list(value)
    return [_text(line, where, field) for line in lines if str(line).strip()]


def _number(value, where, field):
    if isinstance(value, bool):
        raise TypeError
    return as_number(value)


def as_number(value) -> float:
    """Return what a document means by a number; raises ValidationError for what is none, or beyond all sense."""
    try:
        number = float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not abs(number) < LARGEST_VALUE:  # nor is what is no number at all
        raise ValidationError(f"“{str(value)[:50]}” is no number that can be worked with.", code="input")
    return number


def _money(value, where, field):
    """Read whole units of the business's currency, as people say them: 1000 is €1,000; return minor units."""
    return round(_number(value, where, field) * 10 ** get_currency_precision(where.business.currency))


def _yes_no(value, where, field):
    if str(value).strip().casefold() not in ("yes", "true", "no", "false"):
        raise ValidationError(f"{field.label}: answer yes or no.", code="input")
    return is_yes(value)


def is_yes(value) -> bool:
    """Answer whether a document says yes."""
    return str(value).strip().casefold() in ("yes", "true")


def _choice(value, where, field):
    if value not in dict(field.choices):
        raise ValidationError(
            f"{field.label}: choose one of {', '.join(dict(field.choices))}, not “{value}”.", code="input"
        )
    return value


def _stage(value, where, field):
    known = {folded(key): key for key, _ in STAGES} | {folded(label): key for key, label in STAGES}
    if folded(value) not in known:
        raise Missing("stage group", value)
    return known[folded(value)]


def _day(value, where, field):
    """Read a date, or one reckoned from today: "today", "in 3 working days", "3 days ago"."""
    said = str(value).strip().casefold()
    today = where.business.today()
    if said in ("today", "tomorrow", "yesterday"):
        return today + dt.timedelta(days=("yesterday", "today", "tomorrow").index(said) - 1)
    try:
        if said.startswith("in "):
            return _in_days(Span.read(said[3:])).days_after(today)
        if said.endswith(" ago"):
            return _in_days(Span.read(said[:-4])).days_before(today)
        return dt.date.fromisoformat(said[:10])
    except ValueError:
        raise ValidationError(
            f"“{value}” is no day. Write it like 2027-03-31, “today” or “in 3 working days”.", code="day"
        ) from None


def _in_days(span: Span) -> Span:
    if span.is_counted_off:
        raise ValidationError(f"“{span}” is no number of days.", code="day")
    return span


def _email(value, where, field):
    EmailValidator(f"“{value}” is no e-mail address.")(value)
    return value


def _address(value, where, field):
    URLValidator(["http", "https"], message=f"“{value}” is no address that begins with https://.")(value)
    return value


def _workflow(value, where, field):
    rows = where.business.workflows.all()
    pk = as_uuid(value)
    found = rows.filter(pk=pk).first() if pk else None
    return found or _by_name(rows, value, "workflow")


def _phase(value, where, field):
    """Read a phase by its id or name: in the workflow named before it ("Repairs / Packed"), else in the card's own."""
    rows = Phase.objects.filter(business=where.business).select_related("workflow")
    if as_uuid(value):
        return _by_id_or_name(rows, value, "phase")
    parts = str(value).split("/")
    for at in range(1, len(parts)):  # a name may hold a stroke of its own
        with suppress(Missing):
            workflow = _workflow("/".join(parts[:at]).strip(), where, field)
            return _by_name(rows.filter(workflow=workflow), "/".join(parts[at:]).strip(), "phase")
    if where.workflow_id:
        rows = rows.filter(workflow=where.workflow_id)
    return _by_name(rows, value, "phase")


def _phases(value, where, field):
    """Read a phase by its id, or all phases of a name: those of every workflow, unless the rule is for one."""
    if as_uuid(value) or "/" in str(value) or where.workflow_id:
        return [_phase(value, where, field)]
    rows = Phase.objects.filter(business=where.business).select_related("workflow")
    found = [phase for phase in rows if folded(phase.name) == folded(value)]
    if not found:
        raise Missing("phase", value)
    return found


def _label(value, where, field):
    rows = Label.objects.filter(business=where.business)
    if where.workflow_id:
        rows = rows.filter(workflow=where.workflow_id)
    return _by_id_or_name(rows, value, "label")


def _contact_label(value, where, field):
    return _by_id_or_name(ContactLabel.objects.filter(business=where.business), value, "label of contacts")


def _member(value, where, field):
    rows = where.business.memberships.select_related("user")
    pk = as_uuid(value)
    asked = Q(pk=pk) if pk else Q(user__email__iexact=str(value)) | Q(user__name__iexact=str(value))
    found = rows.filter(asked).first()
    if found is None:
        raise Missing("member", value)
    return found


def _trigger(value, where, field):
    rows = Trigger.objects.filter(business=where.business)
    return rows.filter(key=str(value)).first() or _by_id_or_name(rows, value, "trigger")


def _reason(value, where, field):
    return _by_id_or_name(Reason.objects.filter(business=where.business), value, "closing reason")


def _form(value, where, field):
    pk, rows = as_uuid(value), where.business.forms.all()
    found = rows.filter(pk=pk).first() if pk else None
    found = found or next((row for row in rows if folded(value) in map(folded, (row.title, row.slug))), None)
    if found is None:
        raise Missing("form", value)
    return found


def _card_field(value, where, field):
    """Read a field of a card: one that all cards have, by its key, or one of the workflow's own, by id or name."""
    if folded(value) in CARD_FIELDS:
        return CARD_FIELDS[folded(value)]
    rows = Field.objects.filter(business=where.business)
    if where.workflow_id:
        rows = rows.filter(workflow=where.workflow_id)
    return _by_id_or_name(rows, str(value).removeprefix("field:"), "field")


# The fields of all cards that a rule may write, besides the due date, which has an action of its own.
CARD_FIELDS = {key.replace("_", " "): key for key in ("name", "description", "value", "source", "external_id")}


def _by_id_or_name(rows, value, what):
    pk = as_uuid(value)
    found = rows.filter(pk=pk).first() if pk else None
    return found or _by_name(rows, value, what)


def _by_name(rows, value, what):
    found = rows.filter(name__iexact=str(value).strip()).first()
    found = found or next((row for row in rows if folded(row.name) == folded(value)), None)
    if found is None:
        raise Missing(what, value)
    return found


def called_phase(phase: Phase) -> str:
    """Return what a phase is called in the whole business."""
    return f"{phase.workflow.name} / {phase.name}"


def called_member(member) -> str:
    """Return the address by which everybody knows a member."""
    return member.user.email


_called = {
    "workflow": str,
    "phase": called_phase,
    "phases": called_phase,
    "label": str,
    "contact_label": str,
    "member": called_member,
    "trigger": lambda trigger: trigger.key,
    "reason": str,
    "card_field": str,
}
for _name, _read in {
    "text": _text,
    "long_text": _text,
    "lines": _lines,
    "number": _number,
    "money": _money,
    "yes_no": _yes_no,
    "choice": _choice,
    "stage": _stage,
    "date": _day,
    "clock": lambda value, where, field: read_clock(value),
    "span": lambda value, where, field: Span.read(value),
    "email": _email,
    "address": _address,
    "workflow": _workflow,
    "phase": _phase,
    "phases": _phases,
    "label": _label,
    "contact_label": _contact_label,
    "member": _member,
    "trigger": _trigger,
    "reason": _reason,
    "form": _form,
    "card_field": _card_field,
    "any": lambda value, where, field: value,
}.items():
    kind(_name, _read, _called.get(_name))
