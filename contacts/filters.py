"""What programs ask of contacts: a filter document read into a condition of the database, or refused."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Q

from contacts.models import Address, Contact, EmailAddress, PhoneNumber
from contacts.models.contact import digits_of

DEEPEST = 10  # levels of $and, $or and $not
MOST_CONDITIONS = 100
MOST_VALUES = 500  # in all lists together
LONGEST_TEXT = 1000
LABEL_PREFIX = "custom."  # of a label's key on the wire

NOBODY = Q(pk__in=[])
EVERYBODY = ~NOBODY


def read(document, fields: dict | None = None) -> Q:
    """Return the condition that a filter document describes; fields: those of contacts, unless it is about others.

    Raises ValidationError with code malformed_filter, unsupported_filter_field, unsupported_filter_operator or
    unsupported_filter_value, and nothing else, whatever the document is.
    """
    return _Reading(FIELDS if fields is None else fields).all_of(document, 0)


def _refusal(code: str, message: str, name: str = "") -> ValidationError:
    return ValidationError(message, code=code, params={"name": name[:100]})


# Values: from JSON to Python, or refused -----------------------------------------------------------------


def _text(value) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or "\x00" in value:
        raise ValueError(f"a text of at most {LONGEST_TEXT} characters")
    value.encode()  # half a character is a UnicodeError, which is a ValueError
    return value


def _email(value) -> str:
    return _text(value).strip().lower()


def _digits(value) -> str:
    """Read a phone number: spaces and brackets make no difference between two."""
    return digits_of(_text(value))


def _label_key(value) -> str:
    return _text(value).removeprefix(LABEL_PREFIX)


def _uuid(value) -> uuid.UUID:
    return uuid.UUID(_text(value))


def _number(value) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**31:
        raise ValueError("a whole number")
    return value


def _moment(value) -> dt.datetime:
    moment = dt.datetime.fromisoformat(_text(value))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    # At the ends of the calendar a time zone leads out of it.
    if not 1000 < moment.year < 9000:
        raise ValueError("a time of our days")
    return moment


def _day(value) -> dt.date:
    return dt.date.fromisoformat(_text(value))


def _yes_or_no(value) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


# Fields: which operators each has, and what they mean ----------------------------------------------------

ONE_OR_SOME = ("$eq", "$ne", "$in", "$nin")
ORDER = ("$gt", "$gte", "$lt", "$lte")
LOOKUPS = {"$eq": "exact", "$in": "in", "$startsWith": "istartswith"} | {op: op[1:] for op in ORDER}
PRESENCE = ("$exists", "$isEmpty")
MEMBERSHIP = (*ONE_OR_SOME, "$hasAll", "$hasSome", *PRESENCE)
ONE = (*ONE_OR_SOME, "$startsWith", *PRESENCE)
PRIMARY = (("position", 0),)
LISTS = ("$in", "$nin", "$hasAll", "$hasSome")


@dataclass(frozen=True)
class Column:
    """A column of the contact itself; `empty` is what stands in it when there is nothing."""

    name: str
    value: Callable
    operators: tuple[str, ...]
    empty: str | None = None

    def holds(self, operator: str, value) -> Q:
        """Return the condition; the value has been read already."""
        if operator in ("$exists", "$isEmpty"):
            is_empty = Q(**{self.name: self.empty})
            return is_empty if value == (operator == "$isEmpty") else ~is_empty
        if operator in ("$ne", "$nin"):
            return ~self.holds("$eq" if operator == "$ne" else "$in", value)
        return Q(**{f"{self.name}__{LOOKUPS[operator]}": value})


@dataclass(frozen=True)
class Several:
    """Rows beside the contact, of which it may have none or many; a condition asks whether one of them is so.

    only: what else must be so of that row.
    """

    rows: type
    name: str
    value: Callable
    operators: tuple[str, ...]
    only: tuple[tuple[str, int], ...] = ()

    def holds(self, operator: str, value) -> Q:
        """Return the condition; the value has been read already."""
        match operator:
            case "$exists" | "$isEmpty":
                return self._has() if value == (operator == "$exists") else ~self._has()
            case "$hasAll":
                condition = EVERYBODY
                for one in value:
                    condition &= self._has(exact=one)
                return condition
            case "$in" | "$hasSome":
                return self._has(**{"in": value})
            case "$ne" | "$nin":
                return ~self.holds("$eq" if operator == "$ne" else "$in", value)
        return self._has(**{LOOKUPS[operator]: value})

    def _has(self, **lookups) -> Q:
        wanted = {f"{self.name}__{lookup}": value for lookup, value in lookups.items()}
        found = self.rows.objects.filter(**wanted, **dict(self.only))
        return Q(pk__in=found.order_by().values("contact"))


def _text_column(name: str, value=_text) -> Column:
    return Column(name, value, ONE, empty="")


def _moment_column(name: str) -> Column:
    return Column(name, _moment, (*ONE_OR_SOME, *ORDER, "$exists"))


LABELS = Several(Contact.labels.through, "contactlabel__key", _label_key, MEMBERSHIP)

FIELDS: dict[str, Column | Several] = {
    "id": Column("pk", _uuid, (*ONE_OR_SOME, "$exists")),
    "revision": Column("revision", _number, (*ONE_OR_SOME, *ORDER)),
    "createdDate": _moment_column("created_at"),
    "updatedDate": _moment_column("updated_at"),
    "lastActivity.activityDate": _moment_column("updated_at"),
    # The contact keeps its primary ones too, but without an index.
    "primaryInfo.email": Several(EmailAddress, "email", _email, ONE, PRIMARY),
    "primaryInfo.phone": Several(PhoneNumber, "digits", _digits, ONE, PRIMARY),
    "info.name.first": _text_column("given_name"),
    "info.name.last": _text_column("family_name"),
    "info.company": _text_column("company"),
    "info.jobTitle": _text_column("job_title"),
    "info.locale": _text_column("locale"),
    "info.source": _text_column("source"),
    "info.externalId": _text_column("external_id"),
    "info.birthdate": Column("birthdate", _day, (*ONE_OR_SOME, *ORDER, *PRESENCE)),
    "info.emails": Several(EmailAddress, "email", _email, PRESENCE),
    "info.emails.email": Several(EmailAddress, "email", _email, (*MEMBERSHIP, "$startsWith")),
    "info.phones": Several(PhoneNumber, "digits", _digits, PRESENCE),
    "info.phones.phone": Several(PhoneNumber, "digits", _digits, (*MEMBERSHIP, "$startsWith")),
    "info.addresses": Several(Address, "address", _text, PRESENCE),
    "info.labelKeys": LABELS,
    "info.labelKeys.items": LABELS,
}  # fmt: skip
LABEL_FIELDS: dict[str, Column] = {
    "key": _text_column("key", _label_key),
    "displayName": _text_column("name"),
    "createdDate": _moment_column("created_at"),
    "updatedDate": _moment_column("updated_at"),
}


# Documents -----------------------------------------------------------------------------------------------


class _Reading:
    """One document being read: how much of it there has been so far."""

    def __init__(self, fields: dict):
        self.fields = fields
        self.conditions = self.values = 0

    def all_of(self, document, depth: int) -> Q:
        """Read an object: all that stands in it must hold."""
        if not isinstance(document, dict):
            raise _refusal("malformed_filter", "A filter is an object, like {“info.company”: “Crust”}.")
        if depth > DEEPEST:
            raise _refusal("malformed_filter", f"A filter is at most {DEEPEST} levels deep.")
        condition = EVERYBODY
        for key, value in document.items():
            condition &= self._part(key, value, depth)
        return condition

    def _part(self, key: str, value, depth: int) -> Q:
        match key:
            case "$and":
                return self._each(value, depth, EVERYBODY, Q.AND)
            case "$or":
                return self._each(value, depth, NOBODY, Q.OR)
            case "$not":
                return ~(
                    self._each(value, depth, EVERYBODY, Q.AND)
                    if isinstance(value, list)
                    else self.all_of(value, depth + 1)
                )
        if key.startswith("$"):
            raise _refusal("unsupported_filter_operator", "Outside a field there are $and, $or and $not.", key)
        if key not in self.fields:
            raise _refusal("unsupported_filter_field", "There is no filtering by this field.", key)
        return self._field(key, value, depth)

    def _each(self, documents, depth: int, condition: Q, connector) -> Q:
        if not isinstance(documents, list) or not documents:
            raise _refusal("malformed_filter", "$and and $or take a list of filters.")
        for document in documents:
            condition = condition._combine(self.all_of(document, depth + 1), connector)
        return condition

    def _field(self, name: str, wanted, depth: int) -> Q:
        if not isinstance(wanted, dict):
            wanted = {"$eq": wanted}
        if not wanted or depth > DEEPEST:
            raise _refusal("malformed_filter", "Say what the field is compared with, as in {“$eq”: “Crust”}.", name)
        condition = EVERYBODY
        for operator, value in wanted.items():
            if operator == "$not":
                condition &= ~self._field(name, value, depth + 1)
            else:
                condition &= self._comparison(name, operator, value)
        return condition

    def _comparison(self, name: str, operator: str, value) -> Q:
        field = self.fields[name]
        # To have all of a list is a question for each.
        self.conditions += len(value) if operator == "$hasAll" and isinstance(value, list) else 1
        if self.conditions > MOST_CONDITIONS:
            raise _refusal("malformed_filter", f"A filter has at most {MOST_CONDITIONS} conditions.", name)
        if operator not in field.operators:
            says = f"This field takes {', '.join(field.operators)}."
            raise _refusal("unsupported_filter_operator", says, name)
        try:
            if operator in PRESENCE:
                return field.holds(operator, _yes_or_no(value))
            if operator not in LISTS:
                return field.holds(operator, field.value(value))
            if not isinstance(value, list):
                raise ValueError("a list")
            self.values += len(value)
            if self.values > MOST_VALUES:
                raise _refusal("malformed_filter", f"A filter has at most {MOST_VALUES} values.", name)
            return field.holds(operator, [field.value(one) for one in value])
        except ValueError:
            raise _refusal("unsupported_filter_value", f"This is nothing that {operator} can compare.", name) from None
