"""What the server runs: Django as WSGI in a few threads, and beside it the live streams, which are plain ASGI."""

import asyncio
import gc
import json
import os
import re
import signal
import tempfile
import threading
from contextlib import suppress

from a2wsgi import WSGIMiddleware

from config.wsgi import application as django

from boards import live  # isort: skip
from config import api  # isort: skip
from django.conf import settings  # isort: skip

THREADS = int(os.environ.get("WEB_THREADS", "4"))  # more of them hand Python's one lock around more than they work
BODY_BYTES = settings.BODY_BYTES  # the most that a request may bring
BODY_SECONDS = 60  # and how long it may take about it
BODY_PACE = 50_000  # bytes a second; what a slow line brings at this pace may take longer

# Path pattern → ASGI app, asked before Django. A stream stands outside Django's middleware: it checks session and access itself.
STREAMS: list[tuple[re.Pattern, object]] = [(live.PATH, live.stream)]

pages = WSGIMiddleware(django, workers=THREADS)


async def application(scope, receive, send):
    """Hand a request to the stream that owns its path, or else to Django."""
    if scope["type"] == "lifespan":
        gc.collect()
        gc.freeze()  # what is loaded by now stays: no collection need look at it again
        _end_streams_when_told_to_stop()
    if scope["type"] == "http":
        # "X_Real_IP" and "X-Real-IP" are the same to WSGI, so a visitor could write what only a proxy may: underscores go.
        scope["headers"] = [(name, value) for name, value in scope["headers"] if b"_" not in name]
        app = next((stream for pattern, stream in STREAMS if pattern.match(scope["path"])), _whole_requests)
    else:
        app = pages  # starts, stops, and closes a websocket
    await app(scope, receive, send)


def _end_streams_when_told_to_stop():
    """Let the signal that stops the server end the streams first: it would wait for them until its patience is over."""
    if threading.current_thread() is not threading.main_thread():
        return  # signals are not for us
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_streams_then(signal.getsignal(number), loop))


def _end_streams_then(stop, loop):
    def told(number, frame):
        loop.call_soon_threadsafe(live.end_all)
        if callable(stop):
            stop(number, frame)

    return told


async def _whole_requests(scope, receive, send):
    """Let Django begin when a body is here in full: a slow upload holds no thread, half a form changes nothing."""
    if scope["method"] in ("GET", "HEAD"):
        await pages(scope, receive, send)
        return
    with tempfile.SpooledTemporaryFile(max_size=1_000_000) as body:
        try:
            async with asyncio.timeout(BODY_SECONDS) as patience:
                complete = await _fill(body, receive, patience)
        except TimeoutError:
            says = "The request took too long to arrive."
            await _refuse(scope, send, 408, "BODY_TOO_SLOW", says)
        except OverflowError:
            await _hear_out(scope, receive)
            says = f"A request may bring at most {BODY_BYTES // 1_000_000} MB. Go back and send less at once."
            await _refuse(scope, send, 413, "BODY_TOO_LARGE", says)
        else:
            if complete:
                await _with_body(body, scope, send)


async def _fill(body, receive, patience) -> bool:
    """Write what arrives into body; return False when the visitor went away before the end."""
    end = patience.when()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        body.write(message.get("body", b""))
        if body.tell() > BODY_BYTES:
            raise OverflowError
        patience.reschedule(end + body.tell() / BODY_PACE)
        if not message.get("more_body", False):
            return True


async def _hear_out(scope, receive):
    """Let the rest of a body pass by: a browser listens to the refusal only when it has sent all it wanted to."""
    length = dict(scope["headers"]).get(b"content-length", b"")
    if not length.isdigit() or int(length) > 4 * BODY_BYTES:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(int(length) / BODY_PACE):
            while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
                pass


async def _with_body(body, scope, send):
    length = body.tell()
    body.seek(0)
    headers = [header for header in scope["headers"] if header[0] not in (b"content-length", b"transfer-encoding")]
    scope["headers"] = [*headers, (b"content-length", b"%d" % length)]

    async def receive():
        chunk = body.read(256 * 1024)
        return {"type": "http.request", "body": chunk, "more_body": body.tell() < length}

    await pages(scope, receive, send)


async def _refuse(scope, send, status: int, code: str, says: str):
    """Answer in the API's envelope to a program, in plain text to a browser."""
    kind, body = b"text/plain; charset=utf-8", says
    if api.has(scope["path"]):
        status, told = api.refusal(scope["method"], scope["path"], status, code, says)
        kind, body = b"application/json", json.dumps(told)
    headers = [(b"content-type", kind), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
