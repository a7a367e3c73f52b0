"""The pages for programmers do not lie: each of their commands is run as it stands there, against a server of its own."""

import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from urllib.request import urlopen

import pytest
from django.utils import timezone

from automations.payloads import as_phasewise
from automations.signing import secret_for, sign
from config.views.guides import NAMES, body, guides
from tests.api.serving import bash
from tests.factories import actor, make_card

pytestmark = pytest.mark.static  # the server has a database of its own

# Each curl tells its status on a line of its own, behind what was answered.
TELLING = 'curl() { command curl --silent --show-error --write-out "\\n%{http_code}\\n" "$@"; }\n'


class Blocks(HTMLParser):
    """Collects from a guide its commands, each with what it keeps and promises, and the answers that are shown."""

    def __init__(self, html):
        super().__init__()
        self.blocks, self.inside = [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        words = (attrs.get("class") or "").split()
        if tag == "div" and {"command", "answer"} & set(words):
            kept = dict(pair.split("=") for pair in (attrs.get("data-kept") or "").split())
            is_command = "command" in words
            self.blocks.append(
                {"is_command": is_command, "kept": kept, "status": attrs.get("data-status") or "200", "text": ""}
            )
        self.inside = self.inside or (tag == "pre" and bool(self.blocks))

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "pre"

    def handle_data(self, text):
        if self.inside:
            self.blocks[-1]["text"] += text


def blocks_of(site, name):
    """Return the blocks of a page as the server shows it."""
    path = "/docs/" if name == "start" else f"/docs/{name}/"
    with urlopen(site.address + path) as page:  # noqa: S310 (our own server)
        return Blocks(page.read().decode()).blocks


def run(command, variables):
    """Run a command; return the statuses and the last answer."""
    told = bash(TELLING + command, **variables)
    statuses = re.findall(r"^(\d{3})$", told, re.MULTILINE)
    answers = re.split(r"^\d{3}$", told, flags=re.MULTILINE)
    return statuses, answers[-2].strip()


def at(answer, path):
    for part in path.split("."):
        answer = answer[int(part)] if part.isdecimal() else answer[part]
    return str(answer)


def assert_shown(shown, real, path="answer"):
    """Check that an answer has all that the page shows of it; … stands for anything, a list for its beginning."""
    if isinstance(shown, dict):
        for key, value in shown.items():
            assert key in real, f"{path} has no {key}: {real}"
            assert_shown(value, real[key], f"{path}.{key}")
    elif isinstance(shown, list):
        assert len(real) >= len(shown), f"{path} is shorter than shown"
        for index, value in enumerate(shown):
            assert_shown(value, real[index], f"{path}[{index}]")
    elif isinstance(shown, str):
        assert isinstance(real, str), f"{path} is no text"
        assert "…" in shown or re.match(r"\d{4}-", shown) or shown == real, f"{path} is {real}, not {shown}"
    else:
        assert type(shown) is type(real), f"{path} is {real}, not {shown}"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "webhooks"])
def test_every_command_does_what_its_page_says(site, name):
    _, token = site.found()
    variables, answer, commands = {"TOKEN": token}, None, 0
    for block in blocks_of(site, name):
        if block["is_command"]:
            commands += 1
            statuses, answer = run(block["text"], variables)
            assert set(statuses) == {block["status"]}, f"{block['text']}\nanswers {statuses}: {answer}"
            for variable, path in block["kept"].items():
                variables[variable] = at(json.loads(answer), path)
        elif block["text"].startswith(("{", "[")):
            assert_shown(json.loads(block["text"]), json.loads(answer))
    assert commands


def test_a_key_that_is_sent_again_is_answered_as_the_first_time(site):
    """The guide to safe writes says: run it again."""
    _, token = site.found()
    variables = {"TOKEN": token}
    for block in blocks_of(site, "writes"):
        if "repair-51-created" in block["text"]:
            once, again = (json.loads(run(block["text"], variables)[1]) for _ in range(2))
            assert once == again
            return
        _, answer = run(block["text"], variables)
        for variable, path in block["kept"].items():
            variables[variable] = at(json.loads(answer), path)


# Webhooks: their page shows no command, but what is sent and how to check it ---------------------------


@pytest.fixture
def call(workflow, owner):
    """What a webhook is told of a card that was moved, as text."""
    first, second, *_ = workflow.phases.all()
    card = make_card(first, "Oak kitchen", value=648000, external_id="lead-7")
    return as_phasewise(card.move(second, by=actor(owner)))


def shown(start):
    """Return the block of the page on webhooks that begins so."""
    guide = next(guide for guide in guides() if guide.name == "webhooks")
    return next(block["text"] for block in Blocks(body(guide, "")).blocks if block["text"].startswith(start))


@pytest.mark.django_db
def test_a_call_looks_as_the_page_shows_it(call):
    assert_shown(json.loads(shown("{")), json.loads(call))


@pytest.mark.django_db
def test_the_check_on_the_page_knows_our_calls_from_all_others(call):
    page = {}
    exec(shown("import"), page)  # noqa: S102 (the code of our own page)
    is_genuine, secret, now = page["is_genuine"], secret_for("a webhook"), timezone.now()
    headers = sign([secret], "msg_1", now, call)
    assert is_genuine(secret, headers, call.encode())
    assert is_genuine(secret, sign([secret_for("the next"), secret], "msg_1", now, call), call.encode())
    assert not is_genuine(secret_for("another"), headers, call.encode())
    assert not is_genuine(secret, headers, call.replace("Oak", "Ash").encode())
    assert not is_genuine(secret, sign([secret], "msg_1", now - timedelta(minutes=6), call), call.encode())
