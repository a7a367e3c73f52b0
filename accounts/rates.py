"""How many requests a token may still make, counted in this process; and how often a stranger may do something."""

import threading
import time
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address, ip_network

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied

MINUTE = 60
_counting = threading.Lock()
_minute = 0
_spent: dict = {}


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a token may ask for in the running minute; resets_in: seconds until the next one."""

    limit: int
    left: int
    resets_in: int

    @property
    def is_overdrawn(self) -> bool:
        """Answer whether this request was one too many."""
        return self.left < 0

    @property
    def headers(self) -> dict[str, str]:
        """Return it as the answer's headers tell it."""
        told = {
            "RateLimit-Limit": self.limit,
            "RateLimit-Remaining": max(0, self.left),
            "RateLimit-Reset": self.resets_in,
        }
        return {name: str(value) for name, value in told.items()}


def spend(token_id) -> Allowance | None:
    """Count a request of a token; return what is left, None where settings.API_REQUESTS_A_MINUTE is 0 (no limit).

    Each web process counts for itself, so that a request costs no write; several of them allow several times as much.
    """
    global _minute
    limit = settings.API_REQUESTS_A_MINUTE
    if not limit:
        return None
    minute, second = divmod(int(time.time()), MINUTE)
    with _counting:
        if minute != _minute:
            _minute = minute
            _spent.clear()
        spent = _spent[token_id] = _spent.get(token_id, 0) + 1
    return Allowance(limit, limit - spent, MINUTE - second)


def too_often(what: str, most: int, within: int) -> bool:
    """Count something that happens; answer whether it has happened more than `most` times in these `within` seconds.

    Counted in the cache, which all web processes share: for what is rare and comes from strangers.
    """
    window = int(time.time()) // within
    key = f"often:{sha256(f'{what} {window}'.encode()).hexdigest()}"
    cache.add(key, 0, within)
    try:
        return cache.incr(key) > most
    except ValueError:  # its time was up between the two
        return False


def visitor(request) -> str:
    """Return where a request comes from: its address, of IPv6 the network that one household has; "" when nobody says."""
    try:
        known = ip_address(get_adapter().get_client_ip(request))
    except (ValueError, PermissionDenied):
        return ""
    return str(ip_network(f"{known}/64", strict=False).network_address) if known.version == 6 else str(known)
