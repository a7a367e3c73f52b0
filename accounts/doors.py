"""The door for connections that no middleware guards: whose session it is, and who may stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.http import HttpRequest, parse_cookie
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.actor import Actor
from accounts.models import Membership
from accounts.policy import may
from accounts.sessions import SessionStore


@dataclass(frozen=True, slots=True)
class Visitor:
    """A member who came in, and the session that let them in."""

    session: str
    proof: str  # changes with the password
    user_id: int
    business_id: object


class SignedOut(Exception):
    """Nobody is signed in."""


class Stranger(Exception):
    """There is no such place, or none for this person."""


def admit(cookies: str, slug: str, verb: str) -> Visitor:
    """Return who a Cookie header belongs to, a member of the business who may do this; as strict as the middleware.

    Raises SignedOut or Stranger.
    """
    request = HttpRequest()
    key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    request.session = SessionStore(key)
    user = get_user(request)
    if not key or not user.is_authenticated:
        raise SignedOut
    member = Membership.objects.select_related("user").filter(business__slug=slug, user=user).first()
    if member is None or not may(Actor.member(member), verb):
        raise Stranger
    return Visitor(key, user.get_session_auth_hash(), user.pk, member.business_id)


def still_welcome(visitors: Iterable[Visitor], verb: str) -> set[Visitor]:
    """Return those whose session and membership still hold, in two queries for all of them."""
    visitors = set(visitors)
    sessions = Session.objects.filter(
        session_key__in={each.session for each in visitors}, expire_date__gt=timezone.now()
    )
    sessions = set(sessions.values_list("session_key", flat=True))
    members = Membership.objects.select_related("user").filter(
        user__is_active=True,
        user__in={each.user_id for each in visitors},
        business__in={each.business_id for each in visitors},
    )
    allowed = {(one.user_id, one.business_id): one.user for one in members if may(Actor.member(one), verb)}
    return {each for each in visitors if each.session in sessions and _knows(allowed, each)}


def _knows(allowed: dict, visitor: Visitor) -> bool:
    user = allowed.get((visitor.user_id, visitor.business_id))
    return user is not None and constant_time_compare(user.get_session_auth_hash(), visitor.proof)
