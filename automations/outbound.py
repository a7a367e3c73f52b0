"""The only place that opens a connection to a stranger: checked addresses, one answer, no redirects, bounded in time and size."""

import http.client
import io
import re
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

SECONDS = 15  # for everything together: looking up, connecting, sending, reading
LONGEST_LOOKUP = 5  # seconds
LONGEST_CONNECT = 5  # seconds for one address
MOST_ADDRESSES = 4  # of a name that are tried
LONGEST_ANSWER = 16 * 1024  # bytes of it that are kept
LONGEST_HEAD = 32 * 1024  # bytes of headers
LONGEST_URL = 2000
PORTS = {"http": 80, "https": 443}

# What Python calls global and is not: it carries another address inside, or is nobody's. (Later releases may know better.)
_NEVER = tuple(
    map(
        ip_network,
        "192.0.0.0/24 192.88.99.0/24 198.18.0.0/15 100.64.0.0/10 224.0.0.0/3 "
        "::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2002::/16 3fff::/20 5f00::/16".split(),
    )
)
_PUBLIC_V6 = ip_network("2000::/3")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?", re.IGNORECASE)
_LIKE_A_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)\.?", re.IGNORECASE)
_AT_HOME = ("localhost", "local", "internal", "intranet", "lan", "home.arpa")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_lookups = ThreadPoolExecutor(8, thread_name_prefix="lookup")


class Refused(Exception):
    """We do not go there, now or ever: said in words that give nothing away about our network."""


class Unreachable(Exception):
    """The other side could not be reached, did not answer in time, or not in HTTP."""

    def __init__(self, said: str, *, slow: bool = False):
        super().__init__(said)
        self.slow = slow


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was read once, so that what was checked is what is called."""

    scheme: str
    host: str
    port: int
    path: str
    is_ours: bool  # named in OUTBOUND_ALLOWED_HOSTS

    @property
    def authority(self) -> str:
        """Return the host as it stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, the Retry-After header as it was sent, as much of the text as we keep, how long it took."""

    status: int
    retry_after: str
    text: str
    milliseconds: int

    @property
    def is_success(self) -> bool:
        """Answer whether the receiver took it; a redirect is a failure."""
        return 200 <= self.status < 300


def read_url(url: str) -> Target:
    """Take a URL apart; raises Refused, in words, for everything that is not a plain public http(s) address."""
    if len(url) > LONGEST_URL:
        raise Refused(f"The address is longer than {LONGEST_URL} characters.")
    if not url.isascii() or any(sign <= " " or sign in "\\\x7f" for sign in url):
        raise Refused("The address may hold no spaces, backslashes or letters outside ASCII (write a name as xn--…).")
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").rstrip(".")
    except ValueError:
        raise Refused("This is not an address. Write it like https://example.com/hook") from None
    if parts.scheme not in PORTS or not host:
        raise Refused("The address must begin with https:// and name a host.")
    if "@" in parts.netloc or "#" in url:
        raise Refused("The address may hold no user name, password or #fragment.")
    port = port if port is not None else PORTS[parts.scheme]
    ours = settings.OUTBOUND_ALLOWED_HOSTS
    is_ours = host in ours or f"{host}:{port}" in ours
    if not is_ours:
        _refuse_odd_host(host)
        if parts.scheme == "http" and not settings.OUTBOUND_HTTP:
            raise Refused("The address must begin with https://, so that nobody can read along.")
        if port not in {*PORTS.values(), *settings.OUTBOUND_PORTS}:
            raise Refused(f"Port {port} is not one we call.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, is_ours)


def host_of(url: str) -> str:
    """Return where an address leads, without what it may hold in secret behind its host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "…"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def post(url: str, body: bytes, headers: dict, *, resolve: Callable | None = None, seconds: float = SECONDS) -> Answer:
    """Post once and return the answer, whatever its status.

    resolve: (host, port) → addresses; a function to look names up with, for tests. seconds: for everything together.
    Raises Refused for an address we do not call, Unreachable when nobody answers in time.
    """
    target = read_url(url)
    _refuse_odd_headers(headers)
    started = time.monotonic()
    deadline = started + seconds
    addresses = _checked(target, resolve or _ask_dns, deadline)
    try:
        with _connect(target, addresses, deadline) as connection:
            connection.settimeout(_left(deadline))
            connection.sendall(_head(target, body, headers) + body)
            status, retry_after, text = _read(connection, deadline)
    except TimeoutError:
        raise Unreachable(f"It did not answer within {seconds:g} seconds.", slow=True) from None
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(f"Its certificate is not to be trusted: {error.verify_message}.") from None
    except http.client.HTTPException:
        raise Unreachable("It did not answer in HTTP.") from None
    except OSError as error:
        raise Unreachable(f"The connection broke: {error.strerror or type(error).__name__}.") from None
    return Answer(status, retry_after, text, round((time.monotonic() - started) * 1000))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Answer whether an address belongs to the public internet; one that carries another inside never does."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if address.version == 6 and address not in _PUBLIC_V6:
        return False
    return not any(address in network for network in _NEVER if network.version == address.version)


# Where to ---------------------------------------------------------------------------------------------


def _refuse_odd_host(host: str) -> None:
    """Refuse what only our own machines would understand, and numbers written so that a check might misread them."""
    try:
        address = ip_address(host)
    except ValueError:
        if not _NAME.fullmatch(host) or _LIKE_A_NUMBER.fullmatch(host):
            raise Refused("This is not the name of a host. Write it like https://example.com/hook") from None
        name = host.lower()
        if "." not in name or name.endswith(tuple(f".{zone}" for zone in _AT_HOME)):
            raise Refused("This name belongs to a private network.") from None
    else:
        if not is_public(address):
            raise Refused("This address belongs to a private network.")


def _checked(target: Target, resolve: Callable, deadline: float) -> list[str]:
    """Return the addresses of the host; one that is not public makes the whole name suspect."""
    asked = _lookups.submit(resolve, target.host, target.port)
    try:
        found = asked.result(timeout=min(LONGEST_LOOKUP, _left(deadline)))
    except TimeoutError:
        raise Unreachable("Its name could not be looked up in time.", slow=True) from None
    except OSError:
        raise Unreachable("There is no such host.") from None
    if not found:
        raise Unreachable("There is no such host.")
    if not target.is_ours and not all(is_public(ip_address(address)) for address in found):
        raise Refused("The name leads into a private network.")
    return list(dict.fromkeys(found))[:MOST_ADDRESSES]


def _ask_dns(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [place[0].partition("%")[0] for *_, place in found]


def _connect(target: Target, addresses: list[str], deadline: float) -> socket.socket:
    """Return a connection to one of the checked addresses, with TLS in the host's name."""
    for address in addresses:
        try:
            plain = socket.create_connection((address, target.port), min(LONGEST_CONNECT, _left(deadline)))
            break
        except OSError:
            if address == addresses[-1]:
                raise
    if target.scheme == "http":
        return plain
    try:
        plain.settimeout(_left(deadline))
        return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)
    except BaseException:
        plain.close()
        raise


# What is said -----------------------------------------------------------------------------------------


def _refuse_odd_headers(headers: dict) -> None:
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not value.isascii() or not value.isprintable():
            raise Refused(f"The header {name!r} cannot be sent.")


def _head(target: Target, body: bytes, headers: dict) -> bytes:
    ours = {"Host": target.authority, "Content-Length": str(len(body)), "Connection": "close"}
    ours |= {"User-Agent": "Phasewise", "Accept-Encoding": "identity"}
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in (ours | headers).items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _read(connection: socket.socket, deadline: float) -> tuple[int, str, str]:
    """Return status, Retry-After and the beginning of the text; what is longer is cut, not waited for."""
    with closing(http.client.HTTPResponse(_Bounded(connection, deadline), method="POST")) as answer:
        answer.begin()
        try:
            text = answer.read(LONGEST_ANSWER)
        except (http.client.HTTPException, OSError):
            text = b""  # its status is its answer; what it wanted to add came too slowly, or broken
        return answer.status, answer.getheader("Retry-After", ""), text.decode("utf-8", "replace").replace("\x00", "")


class _Bounded(io.RawIOBase):
    """What a connection still says before the deadline, and not more than we want to hear."""

    def __init__(self, connection: socket.socket, deadline: float):
        self.connection, self.deadline, self.most = connection, deadline, LONGEST_HEAD + 4 * LONGEST_ANSWER

    def makefile(self, mode: str):
        """Return what http.client reads from."""
        return io.BufferedReader(self, 4096)

    def readable(self) -> bool:
        """Answer that this is read."""
        return True

    def readinto(self, buffer) -> int:
        """Read what has come, within the time that is left."""
        if self.most <= 0:
            raise http.client.HTTPException("too long")
        self.connection.settimeout(_left(self.deadline))
        count = self.connection.recv_into(buffer)
        self.most -= count
        return count


def _left(deadline: float) -> float:
    """Return the seconds that are left; raises TimeoutError when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
