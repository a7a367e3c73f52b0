"""The live board: what a colleague moves moves on my screen. A small ASGI app beside Django, one stream for each open page."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import replace
from urllib.parse import parse_qs
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import close_old_connections

from accounts.doors import SignedOut, Stranger, Visitor, admit, still_welcome
from accounts.watching import growth
from boards.changes import Changes, read
from boards.models import Workflow

PATH = re.compile(r"/([a-z0-9-]+)/live/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/$")
HEARTBEAT = 15  # seconds of silence after which a word keeps proxies from closing
RECHECK = 4  # seconds between two looks at who may still listen
BREATH = 0.05  # seconds between two looks at the ledger, however fast it grows
ASKING = 8  # milliseconds that a page's question for fresh tiles costs us, so that many pages do not ask at once
LONGEST_SPREAD = 5000
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]

log = logging.getLogger(__name__)
_threads = ThreadPoolExecutor(2, thread_name_prefix="live")


async def stream(scope, receive, send) -> None:
    """Send a member what changes on a board, until they leave, lose access or the server stops."""
    if scope["method"] != "GET":
        return await _refuse(send, 405)
    slug, workflow = PATH.match(scope["path"]).groups()
    headers = dict(scope["headers"])
    try:
        visitor, last = await _in_thread(_enter, headers.get(b"cookie", b"").decode("latin-1"), slug, UUID(workflow))
    except SignedOut:
        return await _refuse(send, 401)
    except Stranger:
        return await _refuse(send, 404)

    listener = Listener(visitor, UUID(workflow))
    crowd = Crowd.here()
    crowd.join(listener, last)
    gone = asyncio.create_task(_leave(receive, listener))
    try:
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("since", [""])[0]
        since = place(headers.get(b"last-event-id", b"").decode("latin-1") or asked, last)
        news = await _in_thread(read, visitor.business_id, since, [listener.workflow])
        if news.people:
            await crowd.recheck()
        listener.offer(news.boards.get(listener.workflow) or Changes(news.sequence))
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await _send(send, f"retry: {random.randint(1000, 4000)}\n\n")  # noqa: S311 (not all come back at once after a restart)
        while not listener.is_over:
            await _send(send, await listener.next())
        await _send(send, "event: bye\ndata: 1\n\n" if listener.is_unwelcome else "", more=False)
    except asyncio.CancelledError:
        await _send(send, "", more=False)  # the server stops and had no time to say so
    finally:
        gone.cancel()
        crowd.part(listener)


class Listener:
    """One open page: what it has not been sent yet."""

    def __init__(self, visitor: Visitor, workflow: UUID):
        self.visitor, self.workflow = visitor, workflow
        self.waiting: Changes | None = None
        self.is_over = self.is_unwelcome = False
        self._wake = asyncio.Event()

    def offer(self, changes: Changes) -> None:
        """Take what changed, to be sent as soon as the page can take it, with all that came meanwhile."""
        self.waiting = self.waiting | changes if self.waiting else changes
        self._wake.set()

    def end(self, *, unwelcome: bool = False) -> None:
        """Close the stream; a page that is unwelcome is told not to come back."""
        self.is_over, self.is_unwelcome = True, unwelcome
        self._wake.set()

    async def next(self) -> str:
        """Wait for the next thing to send: changes, or a word that all is well."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT):
                await self._wake.wait()
        self._wake.clear()
        changes, self.waiting = self.waiting, None
        return "" if self.is_over else as_event(changes)


def as_event(changes: Changes | None) -> str:
    """Return changes as the page reads them; without any, a sign of life that notes how far the page has read."""
    if changes is None:
        return "event: beat\ndata: 1\n\n"
    if changes.cards or changes.redraw:
        return f"id: {changes.sequence}\ndata: {changes.text}\n\n"
    return f"id: {changes.sequence}\nevent: beat\ndata: 1\n\n"


class Crowd:
    """All open pages of this process's event loop, and the one task that reads the ledger for them."""

    _of_loops: WeakKeyDictionary = WeakKeyDictionary()

    @classmethod
    def here(cls) -> Crowd:
        """Return the crowd of the running loop."""
        return cls._of_loops.setdefault(asyncio.get_running_loop(), cls())

    def __init__(self):
        self.listeners: dict[UUID, set[Listener]] = defaultdict(set)  # by workflow
        self.read_to: dict[UUID, int] = {}  # business → sequence of its ledger
        self.tasks: list[asyncio.Task] = []

    def __len__(self):
        return sum(map(len, self.listeners.values()))

    def join(self, listener: Listener, last: int) -> None:
        """Let a page hear what comes after `last`, a sequence of its business's ledger, or a little more."""
        self.listeners[listener.workflow].add(listener)
        self.read_to.setdefault(listener.visitor.business_id, last)
        if not self.tasks:
            self.tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._guard())]

    def part(self, listener: Listener) -> None:
        """Forget a page; when the last one goes, nothing is watched any more."""
        self.listeners[listener.workflow].discard(listener)
        if self.listeners[listener.workflow]:
            return
        del self.listeners[listener.workflow]
        if not self._workflows(listener.visitor.business_id):
            self.read_to.pop(listener.visitor.business_id, None)
        if not self.listeners:
            for task in self.tasks:
                task.cancel()
            self.tasks = []

    def end(self) -> None:
        """Close every stream, because the server stops."""
        for listener in self._all():
            listener.end()

    def _all(self) -> list[Listener]:
        return [listener for together in self.listeners.values() for listener in together]

    async def _watch(self) -> None:
        while True:
            try:
                async with aclosing(growth()) as words:
                    async for grown in words:
                        for business in [one for one in self.read_to if not grown or str(one) in grown]:
                            await self._look(business)
                        await asyncio.sleep(BREATH)
            except Exception:
                log.warning("Live boards are interrupted, which is tried again", exc_info=True)
                await asyncio.sleep(1)

    async def _look(self, business) -> None:
        while business in self.read_to:
            workflows = self._workflows(business)
            news = await _in_thread(read, business, self.read_to[business], workflows)
            if news.people:
                await self.recheck()  # first: who was removed hears no more
            for workflow, changes in news.boards.items():
                self._deliver(workflow, changes)
            # For a board that was opened while we read, it is read again: what it missed stands between two readings.
            if business in self.read_to and self._workflows(business) <= workflows:
                self.read_to[business] = news.sequence
                return

    def _workflows(self, business) -> set[UUID]:
        return {each.workflow for each in self._all() if each.visitor.business_id == business}

    def _deliver(self, workflow: UUID, changes: Changes) -> None:
        together = self.listeners.get(workflow, ())
        changes = replace(changes, spread=min(LONGEST_SPREAD, ASKING * len(together)))
        for listener in together:
            listener.offer(changes)

    async def _guard(self) -> None:
        while True:
            await asyncio.sleep(RECHECK)
            try:
                await self.recheck()
            except Exception:
                log.warning("Who may listen could not be checked, which is tried again", exc_info=True)

    async def recheck(self) -> None:
        """Send away whose session or membership has ended."""
        listeners = self._all()
        welcome = await _in_thread(still_welcome, [each.visitor for each in listeners], "card.view")
        for listener in listeners:
            if listener.visitor not in welcome:
                listener.end(unwelcome=True)


def end_all() -> None:
    """Close every stream of the running loop."""
    Crowd.here().end()


# How it gets there ------------------------------------------------------------------------------------


def _enter(cookies: str, slug: str, workflow: UUID) -> tuple[Visitor, int]:
    """Return who comes in, and the last sequence of the business's ledger; raises SignedOut or Stranger."""
    visitor = admit(cookies, slug, "card.view")
    found = Workflow.objects.filter(pk=workflow, business=visitor.business_id)
    last = found.values_list("business__last_event", flat=True).first()
    if last is None:
        raise Stranger
    return visitor, last


def place(told: str, last: int) -> int:
    """Return the sequence that a page has read to: what it tells, else the last."""
    return int(told) if told.isdecimal() and len(told) < 18 else last


async def _in_thread(ask, *about):
    return await asyncio.get_running_loop().run_in_executor(_threads, _tidily, ask, *about)


def _tidily(ask, *about):
    close_old_connections()
    try:
        return ask(*about)
    finally:
        close_old_connections()


async def _leave(receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.end()


async def _send(send, text: str, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": more})


async def _refuse(send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"cache-control", b"no-store")]})
    await send({"type": "http.response.body", "body": b""})
