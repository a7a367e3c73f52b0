"""What a rule is asked about: something that happened, or a moment that came, and the card or contact it is about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils import timezone

from accounts.models import Business, Event
from boards.models import Card
from contacts.models import Contact


@dataclass
class Occasion:
    """One occasion on which a rule may act; its rows are read when something asks for them, and not before.

    event: what happened; None when it is a moment that came, which `why` says in words and `due` names.
    """

    business_id: Any
    event: Event | None = None
    card_id: Any = None
    why: str = ""
    due: str = ""
    now: dt.datetime = field(default_factory=timezone.now)

    @classmethod
    def of(cls, event: Event) -> Occasion:
        """Return the occasion that an event of the ledger is."""
        return cls(event.business_id, event, event.subject_id if event.subject_kind == "card" else None)

    @classmethod
    def at(cls, card: Card, why: str = "", due: str = "") -> Occasion:
        """Return the occasion of a card as it stands now."""
        occasion = cls(card.business_id, card_id=card.pk, why=why, due=due)
        occasion.__dict__["card"] = card
        return occasion

    @classmethod
    def about(cls, contact: Contact) -> Occasion:
        """Return the occasion of a contact as it stands now."""
        occasion = cls(contact.business_id)
        occasion.__dict__["contact"] = contact
        return occasion

    @cached_property
    def business(self) -> Business:
        """Return the business in which it happens."""
        return self.card.business if self.card else Business.objects.get(pk=self.business_id)

    @cached_property
    def card(self) -> Card | None:
        """Return the card it is about as it is now; None when there is none, or none any more."""
        if self.card_id is None:
            return None
        rows = Card.objects.select_related("phase", "workflow", "business", "contact")
        return rows.filter(business_id=self.business_id, pk=self.card_id).first()

    @cached_property
    def contact(self) -> Contact | None:
        """Return the contact it is about: the card's, or the one to whom it happened."""
        if self.event is not None and self.event.subject_kind == "contact":
            return Contact.objects.filter(business_id=self.business_id, pk=self.event.subject_id).first()
        return self.card.contact if self.card else None

    @property
    def workflow_id(self):
        """Return the workflow of its card."""
        return self.card.workflow_id if self.card else None

    def look_again(self) -> None:
        """Forget the card and the contact, so that they are read as they have become."""
        self.__dict__.pop("card", None)
        self.__dict__.pop("contact", None)
