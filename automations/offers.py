"""What there is to choose from, for the kinds of values that name a row or one of a few words.

A floor mate whose kind names rows adds them with `offer("template", rows)`; the editor then draws a list to choose from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from accounts.models import Business
from automations.inputs import CARD_FIELDS, folded
from boards.models import Field, Label, Phase
from boards.models.library import STAGES


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing to choose: what the document then says, in words, under which heading.

    names: what documents may call it too. workflow_id: where it belongs, None for everywhere.
    """

    value: str
    words: str
    group: str = ""
    names: tuple[str, ...] = ()
    workflow_id: Any = None

    def is_meant_by(self, written: str) -> bool:
        """Answer whether a document means it by this."""
        return written == self.value or folded(written) in map(folded, (self.value, *self.names))


OFFERS: dict[str, Callable[[Business], Iterable[Offer]]] = {}
OPEN: set[str] = set()  # the kinds for which something else may be written
PHASES = ("phase", "phases", "destination")  # those that may name a phase


def offer(kind: str, rows: Callable[[Business], Iterable[Offer]], *, is_open: bool = False) -> None:
    """Say what a kind of value is chosen from; `rows(business)` is asked once for each page.

    is_open: something else may be written too.
    """
    if kind in OFFERS:
        raise ValueError(f"what {kind} is chosen from is said twice")
    OFFERS[kind] = rows
    if is_open:
        OPEN.add(kind)


class Offers:
    """What a business has to choose from, each kind read once."""

    def __init__(self, business: Business):
        self.business = business
        self._read: dict[str, list[Offer]] = {}

    def of(self, kind: str) -> list[Offer] | None:
        """Return what a kind of value is chosen from; None for one that is written."""
        if kind not in OFFERS:
            return None
        if kind not in self._read:
            self._read[kind] = list(OFFERS[kind](self.business))
        return self._read[kind]

    @cached_property
    def fields(self) -> list[Field]:
        """Return the fields that workflows add."""
        return list(_fields(self.business))


def _phases(business):
    rows = Phase.objects.filter(business=business, workflow__archived_at=None).select_related("workflow")
    for phase in rows.order_by("workflow__name", "workflow", "section", "position"):
        whole = f"{phase.workflow.name} / {phase.name}"
        yield Offer(str(phase.pk), phase.name, phase.workflow.name, (phase.name, whole), phase.workflow_id)


def _labels(business):
    rows = Label.objects.filter(business=business, workflow__archived_at=None).select_related("workflow")
    for label in rows.order_by("workflow__name", "workflow", "name"):
        yield Offer(str(label.pk), label.name, label.workflow.name, (label.name,), label.workflow_id)


def _members(business):
    for member in business.memberships.select_related("user").order_by("user__name", "user__email"):
        yield Offer(str(member.pk), str(member), "", (member.user.email, member.user.name))


def _fields(business):
    return (
        Field.objects.filter(business=business, workflow__archived_at=None)
        .select_related("workflow")
        .order_by("workflow__name", "workflow", "position", "pk")
    )


def _card_fields(business):
    for words, key in CARD_FIELDS.items():
        yield Offer(key, words, names=(words,))
    for field in _fields(business):
        yield Offer(
            str(field.pk), field.name, field.workflow.name, (field.name, f"field:{field.pk}"), field.workflow_id
        )


def _recipients(business):
    yield Offer("customer", "the customer", names=("contact", "the customer"))
    yield Offer("assignee", "whoever is assigned", names=("assignees", "the assignee"))
    for member in business.memberships.select_related("user").order_by("user__name", "user__email"):
        yield Offer(member.user.email, str(member), names=(str(member.pk), member.user.name))


def _team(business):
    yield Offer("everybody", "everybody")
    yield Offer("owners", "the owners")
    yield Offer("managers", "owners and managers")
    yield Offer("assignee", "whoever is assigned")
    yield from _members(business)


offer("phase", _phases)
offer("phases", _phases)
offer("destination", lambda business: [Offer("next", "the next phase"), *_phases(business)])
offer("label", _labels)
offer("member", _members)
offer("somebody", lambda business: [Offer("nobody", "nobody"), *_members(business)])
offer("team", _team)
offer("card_field", _card_fields)
offer("stage", lambda business: [Offer(key, words, names=(words,)) for key, words in STAGES])
offer(
    "workflow",
    lambda business: [Offer(str(one.pk), one.name, names=(one.name, one.slug)) for one in business.workflows.live()],
)
offer(
    "template",
    lambda business: [Offer(one.key, one.name, names=(one.name,)) for one in business.mail_templates.order_by("name")],
)
offer("recipient", _recipients, is_open=True)
offer(
    "contact_label",
    lambda business: [Offer(str(one.pk), one.name, names=(one.name, one.key)) for one in business.contact_labels.all()],
)
offer(
    "trigger",
    lambda business: [
        Offer(one.key, one.name, names=(one.name, str(one.pk))) for one in business.trigger_library.live()
    ],
)
offer(
    "form",
    lambda business: [Offer(str(one.pk), one.title, names=(one.title, one.slug)) for one in business.forms.all()],
)
offer(
    "reason",
    lambda business: [Offer(str(one.pk), one.name, names=(one.name,)) for one in business.reason_library.live()],
)
