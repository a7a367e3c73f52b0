"""What config/asgi.py does before Django sees a request, and beside it."""

import asyncio
import json
import re

import pytest

from config import asgi


def ask(monkeypatch, *pieces, messages=None, method="POST", path="/", headers=()):
    """Send an HTTP request in the given pieces, a number is a pause in seconds; return status and body of the answer."""
    seen = {}

    async def echo(scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        seen.update(headers=dict(scope["headers"]), body=body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    monkeypatch.setattr(asgi, "pages", echo)
    waiting, sent = list(pieces) if messages is None else messages, []

    async def receive():
        if not waiting:
            await asyncio.sleep(3600)  # the visitor is silent
        message = waiting.pop(0)
        if isinstance(message, float):
            await asyncio.sleep(message)
            message = waiting.pop(0)
        return message

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": list(headers)}
    asyncio.run(asgi.application(scope, receive, send))
    return (sent[0]["status"], sent[1]["body"], seen) if sent else (None, None, seen)


def piece(body, *, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_in_pieces_arrives_whole_and_with_its_length(monkeypatch):
    status, body, seen = ask(monkeypatch, piece(b"one ", more=True), piece(b"two"))
    assert (status, body) == (200, b"one two")
    assert seen["headers"][b"content-length"] == b"7"


def test_a_body_larger_than_what_is_read_at_once_arrives_whole(monkeypatch):
    large = bytes(range(256)) * 4096
    assert ask(monkeypatch, piece(large))[1] == large


def test_half_a_form_never_reaches_a_page(monkeypatch):
    status, _, seen = ask(monkeypatch, piece(b"name=Ha", more=True), {"type": "http.disconnect"})
    assert status is None
    assert seen == {}


def test_a_body_that_is_too_large_is_refused_with_the_reason(monkeypatch):
    monkeypatch.setattr(asgi, "BODY_BYTES", 3_000_000)
    status, body, seen = ask(monkeypatch, piece(b"x" * 3_000_001, more=True))
    assert (status, body) == (413, b"A request may bring at most 3 MB. Go back and send less at once.")
    assert seen == {}


def test_who_is_still_sending_is_heard_out_before_the_refusal(monkeypatch):
    monkeypatch.setattr(asgi, "BODY_BYTES", 3)
    heard = []

    class Pieces(list):
        def pop(self, at):
            heard.append(super().pop(at))
            return heard[-1]

    sent = Pieces([piece(b"four", more=True), piece(b"five", more=True), piece(b"six")])
    assert ask(monkeypatch, messages=sent, headers=[(b"content-length", b"11")])[0] == 413
    assert len(heard) == 3
    sent = Pieces([piece(b"four", more=True), piece(b"x", more=True)])
    assert ask(monkeypatch, messages=sent, headers=[(b"content-length", b"99999")])[0] == 413
    assert len(heard) == 4, "nobody waits for what would never end"


def test_a_large_file_on_a_slow_line_may_take_longer_for_as_long_as_it_comes(monkeypatch):
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.05)
    status, _, seen = ask(monkeypatch, piece(b"x" * 500_000, more=True), 0.3, piece(b"y"))
    assert (status, len(seen["body"])) == (200, 500_001)
    assert ask(monkeypatch, piece(b"x", more=True), 0.3, piece(b"y"))[0] == 408


def test_to_a_program_it_is_refused_as_its_address_tells_refusals(monkeypatch):
    monkeypatch.setattr(asgi, "BODY_BYTES", 3_000_000)
    large = piece(b"x" * 3_000_001, more=True)
    status, body, _ = ask(monkeypatch, large, method="PUT", path="/workflows/v1/workflows")
    assert (status, json.loads(body)["details"]["applicationError"]["code"]) == (413, "BODY_TOO_LARGE")
    status, body, _ = ask(monkeypatch, large, method="PUT", path="/api/v4.1/workflow")
    assert (status, json.loads(body)["eventStatus"]) == (400, "FAILED")


def test_a_body_that_takes_too_long_is_refused_and_holds_no_thread(monkeypatch):
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.05)
    status, _, seen = ask(monkeypatch, piece(b"x", more=True))
    assert status == 408
    assert seen == {}


def test_a_header_that_could_pass_for_a_proxys_is_dropped(monkeypatch):
    headers = [(b"x_forwarded_for", b"1.2.3.4"), (b"x-forwarded-for", b"5.6.7.8")]
    seen = ask(monkeypatch, piece(b""), headers=headers)[2]
    assert seen["headers"] == {b"x-forwarded-for": b"5.6.7.8", b"content-length": b"0"}


@pytest.mark.parametrize(("path", "answer"), [("/demo/live/board/1", b"stream"), ("/demo/boards/", b"")])
def test_a_stream_owns_its_paths_and_only_those(monkeypatch, path, answer):
    async def stream(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"stream"})

    monkeypatch.setattr(asgi, "STREAMS", [(re.compile(r"/[^/]+/live/"), stream)])
    assert ask(monkeypatch, piece(b""), path=path, method="GET")[1] == answer


def test_a_program_is_refused_in_the_envelope_of_the_api(monkeypatch):
    monkeypatch.setattr(asgi, "BODY_BYTES", 3)
    status, body, _ = ask(monkeypatch, piece(b"four"), path="/workflows/v1/workflows")
    assert (status, json.loads(body)["details"]["applicationError"]["code"]) == (413, "BODY_TOO_LARGE")
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.01)
    status, body, _ = ask(monkeypatch, path="/events/v1/events")
    assert (status, json.loads(body)["details"]["applicationError"]["code"]) == (408, "BODY_TOO_SLOW")
