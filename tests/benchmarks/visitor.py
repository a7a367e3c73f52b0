"""A signed-in person with a keep-alive connection, who asks as htmx in a browser asks."""

import gzip
import secrets
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said, and after how many seconds all of it was here."""

    status: int
    body: bytes
    seconds: float


class Visitor:
    """One person at one browser."""

    def __init__(self, port: int, user):
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        session, self.csrf = Client(), secrets.token_hex(16)
        session.force_login(user)
        cookies = {settings.SESSION_COOKIE_NAME: session.cookies[settings.SESSION_COOKIE_NAME].value}
        cookies[settings.CSRF_COOKIE_NAME] = self.csrf
        self.headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "Accept-Encoding": "gzip",
        }
        self.origin = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> Answer:
        """Ask for a page."""
        return self._ask("GET", path, None, self.headers)

    def post(self, path: str, page: str, **fields) -> Answer:
        """Send a form from a page, by htmx."""
        headers = self.headers | {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self.origin,
            "X-CSRFToken": self.csrf,
            "HX-Request": "true",
            "HX-Current-URL": self.origin + page,
        }
        return self._ask("POST", path, urlencode({"csrfmiddlewaretoken": self.csrf, **fields}), headers)

    def _ask(self, method, path, body, headers) -> Answer:
        started = time.perf_counter()
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        if response.getheader("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        return Answer(response.status, content, seconds)
