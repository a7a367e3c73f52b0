"""Phasewise as a process of its own, a wire to it that can be cut, and a person who works in it meanwhile."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests import machines

CUT = "cut"


class Site:
    """A server with many businesses, for as long as the block lasts."""

    def __init__(self, folder, database=""):
        self.folder, self.port = Path(folder), machines.free_port()
        self.environment = {
            **os.environ,
            "TESTING": "true",  # which may leave durability to others
            "SECRET_KEY": "known to all, so good for tests only, and long enough to pass",
            "EMBEDDED": "true",
            "API_REQUESTS_A_MINUTE": "0",
            "SQLITE_SYNCHRONOUS": "OFF",
            "VAR_DIR": str(folder),
            "DATABASE_URL": database or f"sqlite:///{folder}/phasewise.sqlite3",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    def __enter__(self):
        (self.folder / "static").mkdir()
        self.url, self.tokens = f"http://127.0.0.1:{self.port}", []
        self._furnish()
        command = ["-m", "uvicorn", "config.asgi:application", "--port", str(self.port), "--log-level", "warning"]
        self.server = subprocess.Popen([sys.executable, *command], cwd=machines.HERE, env=self.environment)
        patience = time.monotonic() + 30
        while not self._is_up():
            assert self.server.poll() is None, "the server ended"
            assert time.monotonic() < patience, "the server did not start"
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait(timeout=20)

    def business(self):
        """Return the script's token of a business that nothing happened in yet, and its people."""
        if not self.tokens:
            self._furnish()
        script, people = self.tokens.pop().split()
        return script, People(self.url, people)

    def _furnish(self):
        command = [sys.executable, "-m", "tests.examples.furnish", "32"]
        done = subprocess.run(
            command, cwd=machines.HERE, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        )
        self.tokens = done.stdout.splitlines()

    def _is_up(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
            return True


class People:
    """What people do in Phasewise, and what they see there."""

    def __init__(self, url, token):
        self.url, self.token = url, token

    def __call__(self, method, path, body=None):
        """Send a request and return the answer."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, content, headers, method=method)  # noqa: S310 (our own server)
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.load(answer)
        except HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read()}") from error

    def workflow(self, name):
        """Return the id of a workflow; None when there is none."""
        found = self("GET", "/workflows/v1/workflows")["workflows"]
        return next((one["id"] for one in found if one["name"] == name), None)

    def phases(self, workflow):
        """Return {name: id} of a workflow's phases."""
        tree = self("GET", f"/workflows/v1/workflows/{workflow}?cardsPerPhase=0")["workflow"]
        found = [*tree["phasesList"]["phases"], tree["winPhase"]]
        return {phase["info"]["name"]: phase["info"]["id"] for phase in found}

    def cards(self, workflow, **wanted):
        """Return the infos of the cards on the board."""
        query = urlencode({"limit": 1000, **wanted})
        page = self("GET", f"/workflows/v1/workflows/{workflow}/cards?{query}")
        return [card["info"] for card in page["cards"]]

    def card(self, workflow, row, **wanted):
        """Return the info of the card of a line."""
        (found,) = self.cards(workflow, externalId=row, **wanted)
        return found

    def events(self, workflow):
        """Return what happened to the cards of a workflow."""
        found, after, more = [], 0, True
        while more:
            page = self("GET", f"/events/v1/events?after={after}&limit=500&name=card.")
            found += [event for event in page["events"] if event["details"]["workflow"] == workflow]
            after, more = page["next"], page["hasMore"]
        return found


class Wire:
    """A TCP proxy in front of a site, for a script that makes a connection for each request."""

    def __init__(self, port):
        self.behind, self.requests, self.ended, self.hook = port, [], [], None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)  # or accept would wait on
        self.listener.close()

    def when(self, moment, is_it, then=lambda: None):
        """Cut a connection when its request was "asked", or when it is "done" and its answer still unheard.

        is_it: answers whether to, from the request's head and how many requests came since now; then: is called before, and
        may return bytes that are answered instead.
        """
        start, self.ended = len(self.requests), []

        def hook(now, request):
            if now == moment and is_it(request, len(self.requests) - start):
                self.ended.append(request)
                return then() or CUT

        self.hook = hook

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                script, _ = self.listener.accept()
                threading.Thread(target=self._carry, args=[script], daemon=True).start()

    def _carry(self, script):
        with script, contextlib.suppress(OSError):
            sent = _message(script)
            request = sent.partition(b"\r\n\r\n")[0].decode()
            if not request:
                return
            self.requests.append(request)
            said = self.hook and self.hook("asked", request)
            if not said:
                with socket.create_connection(("127.0.0.1", self.behind)) as server:
                    server.sendall(sent)
                    answer = b"".join(iter(lambda: server.recv(65536), b""))
                said = (self.hook and self.hook("done", request)) or answer
            if said != CUT:
                script.sendall(said)


def _message(connection):
    """Read a request, its body included."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return b""
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
