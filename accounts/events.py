"""The ledger's rules: what can happen is declared once, what happened is recorded in the transaction of the change.

A listener hears of every event of its kind, or of those it wants:

    @wants(lambda event: event.details["after"]["section"] == Phase.WIN)
    def celebrate(sender, event, **kwargs): ...

    recorded.connect(celebrate, sender=catalogue["card.moved"], dispatch_uid="celebrate")
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps

from django.apps import apps
from django.db import connection, models, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.html import format_html

from accounts.actor import Actor
from accounts.statements import insert
from accounts.watching import announce

log = logging.getLogger(__name__)


class Recorded(Signal):
    """Sent after the commit with `event` and its Kind as the sender; sent again after a crash, so listeners must not mind.

    An event that no listener wants is not sent at all, which spares it a second transaction.
    """

    def is_wanted(self, event) -> bool:
        """Answer whether a listener wants to be told of an event that is about to be written."""
        listeners, _ = self._live_receivers(catalogue[event.name])
        return any(not hasattr(listener, "wants") or listener.wants(event) for listener in listeners)


recorded = Recorded()


def wants(question: Callable):
    """Tell a listener only of the events for which the question answers yes.

    It is asked inside the transaction of the change, before the event has its row, and again when the event
    is told: it must be quick, may read the database, and never writes.
    """

    def wrap(listener):
        @wraps(listener)
        def choosy(event, **kwargs):
            return listener(event=event, **kwargs) if question(event) else None

        choosy.wants = question
        return choosy

    return wrap


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can happen: its stable name, a label for menus, the sentence of the history, its details."""

    name: str
    label: str
    sentence: str
    details: tuple[str, ...]
    icon: str


catalogue: dict[str, Kind] = {}


def declare(name: str, label: str, sentence: str, details: Iterable[str] = (), icon: str = "arrow") -> None:
    """Add an event to the catalogue; `sentence` is a format string over the details, said after the actor's name."""
    if name in catalogue:
        raise ValueError(f"event {name} is declared twice")
    catalogue[name] = Kind(name, label, sentence, tuple(details), icon)


def record(name: str, subject: models.Model, by: Actor, /, **details):
    """Write the event of a change, inside its transaction, as the transaction's last lock.

    The business's counter gives the sequence: its row stays locked until the commit, so a reader never sees a
    later number before an earlier one. Raises KeyError for an undeclared name, ValueError for wrong details.
    """
    Business, Event = apps.get_model("accounts", "Business"), apps.get_model("accounts", "Event")
    kind = catalogue[name]
    if set(details) != set(kind.details):
        raise ValueError(f"{name} wants {sorted(kind.details)}, got {sorted(details)}")
    if not connection.in_atomic_block:
        raise ValueError(f"{name} was recorded outside a transaction")
    cause = by.cause
    event = Event(
        business_id=by.business_id,
        sequence=Business.objects.take_number(by.business_id, "last_event"),
        name=name,
        subject_kind=subject._meta.model_name,
        subject_id=subject.pk,
        subject_name=str(subject)[:300],
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.name[:200],
        cause=cause,
        root_id=(cause.root_id or cause.pk) if cause else None,
        details=details,
    )
    if recorded.is_wanted(event):
        transaction.on_commit(lambda: tell(event), robust=True)
    else:
        event.told_at = event.at
    insert(event)
    announce(by.business_id)
    return event


def tell(event) -> str:
    """Tell every listener of a committed event, then tick it; return which of them could not take it, in words.

    What a listener's failure leaves unticked is told again (accounts/models/untold.py).
    """
    failed = []
    for receiver, answer in recorded.send_robust(sender=catalogue[event.name], event=event):
        if isinstance(answer, Exception):
            log.error("%s could not take event %s: %r", receiver, event.pk, answer)
            failed.append(f"{getattr(receiver, '__name__', receiver)} ({type(answer).__name__})")
    if failed:
        return f"Something went wrong inside Phasewise: {', '.join(failed)}."
    type(event).objects.filter(pk=event.pk).update(told_at=timezone.now())
    return ""


def sentence(event, to: str = ""):
    """Return what happened in words, escaped, to be said after the actor's name; `to` makes its subject's name a link."""
    kind = catalogue.get(event.name)
    if kind is None:
        return event.name
    words = {key: _plain(event.details.get(key)) for key in kind.details}
    if to and event.subject_name in words.values():
        link = format_html('<a class="link" href="{}">{}</a>', to, event.subject_name)
        words = {key: link if said == event.subject_name else said for key, said in words.items()}
    return format_html(kind.sentence, **words)


def _plain(value) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "nothing"
    if isinstance(value, dict):
        return str(value.get("name", ""))
    return str(value)


declare("business.founded", "Business founded", "founded {name}", ["name"], icon="star")
declare(
    "business.updated", "Business settings changed", "changed the settings: {changed}", ["changed", "before", "after"]
)
declare("member.invited", "Person invited", "invited {email} as {role}", ["email", "role"], icon="mail")
declare("member.uninvited", "Invitation withdrawn", "withdrew the invitation of {email}", ["email"], icon="mail")
declare("member.joined", "Person joined", "joined as {role}", ["role"], icon="people")
declare(
    "member.role_changed",
    "Role changed",
    "made {name} {after} instead of {before}",
    ["name", "before", "after"],
    icon="people",
)
declare("member.removed", "Person removed", "removed {name}, who was {role}", ["name", "role"], icon="people")
declare("member.left", "Person left", "left the business, was {role}", ["role"], icon="people")
declare(
    "token.created", "API token created", "created the API token {name} for {scopes}", ["name", "scopes"], icon="link"
)
declare("token.revoked", "API token revoked", "revoked the API token {name}", ["name"], icon="link")
declare(
    "event.set_aside",
    "What should have followed was set aside",
    "could not do what follows from “{what}”, number {number}: {why}",
    ["what", "number", "why"],
    icon="warn",
)
declare(
    "event.retold",
    "Told again",
    "had everybody told again of “{what}”, number {number}",
    ["what", "number"],
    icon="refresh",
)
