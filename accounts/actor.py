"""Who does it: passed to every verb as `by`, never ambient."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from accounts.models import Business, Event, Membership, Token


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts in one business.

    kind: member, token, form, rule, admin (the platform's Django admin) or system (set-up, demo).
    cause: the event that made a rule act; the ledger keeps the chain.
    """

    kind: str
    id: str
    name: str
    business_id: UUID
    role: str = ""
    scopes: frozenset[str] = field(default_factory=frozenset)
    user_id: int | None = None
    cause: Event | None = None

    @classmethod
    def member(cls, membership: Membership) -> Actor:
        """Return the person of a membership, with its role of now."""
        user = membership.user
        return cls("member", str(user.pk), user.name, membership.business_id, membership.role, user_id=user.pk)

    @classmethod
    def token(cls, token: Token, maker: Membership) -> Actor:
        """Return a program: its token's scopes, never more than the role its maker has now."""
        return cls("token", str(token.pk), token.name, token.business_id, maker.role, frozenset(token.scopes))

    @classmethod
    def admin(cls, user, business_id: UUID) -> Actor:
        """Return a platform administrator working in Django admin."""
        return cls("admin", str(user.pk), f"{user.name} (administrator)", business_id, user_id=user.pk)

    @classmethod
    def system(cls, business: Business, name: str = "Phasewise") -> Actor:
        """Return the program itself: sign-up, demo, maintenance."""
        return cls("system", "", name, business.pk)

    def because_of(self, event: Event) -> Actor:
        """Return the same actor, acting because of an event."""
        return replace(self, cause=event)
