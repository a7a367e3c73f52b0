"""What makes a method a verb: policy asked, one transaction, one writer at a time on SQLite."""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from functools import wraps

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction

from accounts.actor import Actor
from accounts.policy import require

# SQLite lets one writer in and makes the others sleep and poll, unfairly; a lock of ours queues them instead.
_one_writer = threading.RLock()


TRIES = 4


class Again(Exception):
    """What a verb locked was not what it needed: start its transaction anew."""


class Stale(ValidationError):
    """The world has moved on since the page was drawn: answered with 409 and what is true now."""

    def __init__(self, message: str):
        super().__init__(message, code="stale")


def writing():
    """Return the context in which this process writes."""
    return _one_writer if connection.vendor == "sqlite" else nullcontext()


def in_one(work):
    """Run work in one transaction and return what it returns; where others won the race for its rows, run it anew.

    Raises Stale when it never wins, or when a row that it names is deleted meanwhile.
    """
    for chance in reversed(range(TRIES)):
        try:
            with writing(), transaction.atomic():
                return work()
        except Again:
            if not chance:
                raise Stale("Somebody else is changing this at the same moment. Try again.") from None
        except OperationalError as error:
            if connection.in_atomic_block or not chance or not _lost_a_race(error):
                raise
        except IntegrityError as error:
            if connection.in_atomic_block or not _points_nowhere(error):
                raise
            raise Stale("Something this is about was deleted at the same moment. Nothing was changed.") from None


def verb(name: str):
    """Declare a model's method as the verb `name` of the policy table.

    The method is called with `by=actor`. Its first argument (the row, or for a classmethod the parent row) names
    the business; an actor of another business is a bug of ours and raises ValueError.
    Raises PermissionDenied when the table says no, Stale when the row was deleted meanwhile, ValidationError for the
    null character, which PostgreSQL cannot keep; any other ValidationError comes from the verb itself.
    """

    def wrap(method):
        @wraps(method)
        def call(*args, by: Actor, **kwargs):
            row = args[1] if isinstance(args[0], type) else args[0]
            if row.business_id != by.business_id:
                raise ValueError(f"{name}: {by.kind} {by.id} acts in another business")
            require(by, name)
            _refuse_null(args[1:], kwargs)
            try:
                return in_one(lambda: method(*args, by=by, **kwargs))
            except type(row).DoesNotExist:
                raise Stale(f"This {row._meta.verbose_name} was deleted a moment ago. Nothing was changed.") from None

        call.verb = name
        return call

    return wrap


def refuse_unknown(changes, known) -> None:
    """Raise ValueError for a name that is none of those a verb may write: nothing is assigned because it was sent."""
    if unknown := set(changes) - set(known):
        raise ValueError(f"unknown fields {sorted(unknown)}")


def refusal(field: str, says: str, code: str) -> ValidationError:
    """Return the refusal of one field, with its code, which Django drops when it is given beside a dict."""
    return ValidationError({field: ValidationError(says, code=code)})


def refuse_changed_since(row, revision: int | None) -> None:
    """Raise Stale when a row, as read under its lock, is not at the revision that somebody saw; None saw nothing."""
    if revision is not None and revision != row.revision:
        raise Stale(f"Somebody changed {row} a moment ago. Nothing was changed.")


@contextmanager
def own_external_id(row):
    """Write a row whose external id is its own in the business; raises ValidationError (external_id) when it is not.

    The database has the word, so that of two who give the same id at the same moment one is refused.
    """
    if not row.external_id:
        yield
        return
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        twins = type(row).objects.filter(business_id=row.business_id, external_id=row.external_id)
        if not twins.exclude(pk=row.pk).exists():
            raise
        said = f"Another {row._meta.verbose_name} has this external id."
        raise refusal("external_id", said, "external_id") from None


def _refuse_null(*given) -> None:
    left = list(given)  # not by recursion: JSON may be deeper than Python's stack
    while left:
        value = left.pop()
        if isinstance(value, str) and "\x00" in value:
            raise ValidationError("Text may not contain the null character.", code="null")
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, (list, tuple)):
            left += value


def _points_nowhere(error: IntegrityError) -> bool:
    """Answer whether a row that another one names was deleted before the commit."""
    return getattr(error.__cause__, "sqlstate", "") == "23503" or "FOREIGN KEY" in str(error)


def _lost_a_race(error: OperationalError) -> bool:
    """Answer whether PostgreSQL chose this transaction to break a deadlock, or could not serialize it."""
    return getattr(error.__cause__, "sqlstate", "") in ("40P01", "40001")
