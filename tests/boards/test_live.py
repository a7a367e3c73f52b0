"""The live stream, through the real server: who may listen, what is told, and what is left when a page goes."""

import http.client
import json
import os
import time
from contextlib import closing
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import Business
from automations.models import Rule
from boards import live
from boards.changes import MOST_CARDS, MOST_EVENTS, read
from boards.models import Card, Comment, Label
from contacts.models import Contact
from tests import machines
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def listen(server):
    """Open streams: `listen(member, workflow)`; each is read by `next()` and closed at the end of the test."""
    streams = []

    def open_one(member, workflow, path=None, **headers):
        client = Client()
        if member:
            client.force_login(member.user)
            headers["Cookie"] = (
                f"theme=dark; {settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
            )
        stream = Stream(urlsplit(server).netloc, path or f"/brightside/live/{workflow.pk}/", headers)
        stream.client = client
        streams.append(stream)
        return stream

    yield open_one
    for stream in streams:
        stream.close()
    wait_until(lambda: not listeners(), "the server forgets every page")


class Stream:
    """A page's stream."""

    def __init__(self, host, path, headers):
        self.connection = http.client.HTTPConnection(host, timeout=20)
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def next(self, kind="message"):
        """Return the next event of a kind: its id and what it says; None at the end of the stream."""
        event = {}
        while line := self.answer.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                event[name] = value
            elif event.get("event", "message") == kind and "data" in event:
                return SimpleNamespace(id=int(event.get("id", 0)), **_read(event["data"]))
            else:
                event = {}
        return None

    def close(self):
        self.connection.sock and self.connection.sock.close()
        self.answer.close()
        self.connection.close()


def _read(text):
    said = json.loads(text)
    return said if isinstance(said, dict) else {"said": said}


def listeners():
    return sum(len(crowd) for crowd in list(live.Crowd._of_loops.values()))


def wait_until(answer, what, within=10.0):
    patience = time.monotonic() + within
    while not answer():
        assert time.monotonic() < patience, f"{what}: not within {within} s"
        time.sleep(0.02)


@pytest.fixture
def phases(workflow):
    """The workflow's phases, in order."""
    return list(workflow.phases.all())


# Who may listen ---------------------------------------------------------------------------------------


def test_a_stranger_finds_no_stream(listen, stranger, workflow):
    assert listen(stranger, workflow).status == 404


def test_a_member_finds_no_stream_of_another_business(listen, staff, stranger):
    theirs = make_workflow(stranger.business, "Theirs")
    assert listen(staff, theirs).status == 404
    assert listen(staff, theirs, path=f"/other/live/{theirs.pk}/").status == 404


def test_nobody_signed_in_is_told_to_sign_in(listen, workflow):
    assert listen(None, workflow).status == 401
    assert listen(None, workflow, Cookie=f"{settings.SESSION_COOKIE_NAME}=made-up").status == 401


def test_an_ended_account_finds_no_stream(listen, staff, workflow):
    stream = listen(staff, workflow)
    staff.user.is_active = False
    staff.user.save()
    assert stream.next("bye")
    assert listen(staff, workflow).status == 401


def test_only_get_opens_a_stream(server, staff, workflow):
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=5)) as connection:
        connection.request("POST", f"/brightside/live/{workflow.pk}/", body=b"")
        assert connection.getresponse().status == 405


def test_a_viewer_may_listen_and_nothing_keeps_the_stream(listen, viewer, workflow):
    stream = listen(viewer, workflow)
    assert stream.status == 200
    assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
    assert stream.answer.headers["Cache-Control"] == "no-store"
    assert stream.answer.headers["X-Accel-Buffering"] == "no"


def test_a_member_who_is_removed_hears_no_more(listen, owner, staff, workflow, phases):
    stream, other = listen(staff, workflow), listen(owner, workflow)
    stream.next("beat")
    staff.remove(by=actor(owner))
    assert stream.next("bye"), "the stream ends"
    assert stream.next() is None
    card = make_card(phases[0])
    assert str(card.number) in (other.next().cards or other.next().cards), "everybody else still listens"


def test_a_session_that_ends_takes_its_stream_along(listen, staff, workflow):
    stream = listen(staff, workflow)
    stream.next("beat")
    begun = time.monotonic()
    Session.objects.all().delete()
    assert stream.next("bye")
    assert time.monotonic() - begun < 15


def test_a_new_password_ends_the_streams_of_other_sessions(listen, staff, workflow):
    stream = listen(staff, workflow)
    stream.next("beat")
    staff.user.set_password("something else entirely")
    staff.user.save()
    assert stream.next("bye")


# What is told -----------------------------------------------------------------------------------------


def test_a_move_is_told_at_once_with_who_did_it(listen, owner, staff, workflow, phases):
    card = make_card(phases[0], "Oak kitchen")
    stream = listen(owner, workflow)
    stream.next("beat")
    begun = time.monotonic()
    event = card.move(phases[1], by=actor(staff))
    said = stream.next()
    assert time.monotonic() - begun < 5
    assert said.id == event.sequence
    assert said.cards == {str(card.number): {"mark": card.mark, "by": {str(staff.user_id): "Tomás Rivera"}}}
    assert said.redraw is False


def test_which_button_was_pressed_is_told(listen, owner, staff, workflow, phases):
    card, by = make_card(phases[0]), actor(staff)
    says = {
        "trigger": {"type": "button", "label": "Deposit is in"},
        "actions": [{"type": "add_comment", "text": "Hello"}],
    }
    rule = Rule.create(workflow.business, says, name="Deposit", by=actor(owner))
    stream = listen(owner, workflow)
    stream.next("beat")
    rule.press(card, by=by)
    told = stream.next().cards[str(card.number)]
    assert told["by"].items() >= {(str(staff.user_id), "Tomás Rivera")}
    assert told["did"] == {str(staff.user_id): "pressed “Deposit is in”"}
    Card.objects.get(pk=card.pk).signal("Ping", by=by)
    said = {}
    while str(staff.user_id) not in said:  # what the rule did may be told by itself
        said = stream.next().cards[str(card.number)].get("did", {})
    assert said == {str(staff.user_id): "sent the event Ping"}


def test_what_somebody_answered_at_length_is_told_in_short(workflow, phases, staff):
    card = make_card(phases[0])
    event = card.signal("Ping", {"why": "long " * 300}, by=actor(staff))
    told = read(workflow.business_id, event.sequence - 1, [workflow.pk]).boards[workflow.pk].did[card.number]
    (words,) = told.values()
    assert words.startswith("sent the event Ping (why: long long")
    assert len(words) < 200


def test_what_changes_no_revision_changes_the_mark(listen, owner, staff, workflow, phases):
    card = make_card(phases[0])
    stream = listen(owner, workflow)
    stream.next("beat")
    Comment.write(card, "Cut it shorter", by=actor(staff))
    mark = stream.next().cards[str(card.number)]["mark"]
    assert mark == Card.objects.get(pk=card.pk).mark
    assert mark.partition(".")[0] == card.mark.partition(".")[0]
    assert mark != "1.0.0.0"


def test_a_deleted_card_has_no_mark(listen, owner, workflow, phases):
    card = make_card(phases[0])
    card.archive(by=actor(owner))
    number, stream = str(card.number), listen(owner, workflow)
    stream.next("beat")
    card.delete_for_good(by=actor(owner))
    assert stream.next().cards[number]["mark"] is None


def test_other_boards_and_other_businesses_are_not_heard(listen, owner, stranger, workflow, phases):
    elsewhere = make_workflow(owner.business, "Repairs")
    theirs = make_workflow(stranger.business, "Theirs")
    stream = listen(owner, workflow)
    stream.next("beat")
    make_card(elsewhere.phases.first())
    make_card(theirs.phases.first())
    card = make_card(phases[0])
    assert list(stream.next().cards) == [str(card.number)]


@pytest.mark.parametrize(
    "change",
    [
        lambda workflow, by: workflow.phases.first().update(name="Hello", by=by),
        lambda workflow, by: workflow.update(name="Leads", by=by),
        lambda workflow, by: workflow.archive(by=by),
        lambda workflow, by: Label.create(workflow, name="Urgent", by=by).update(name="Hurry", by=by),
        lambda workflow, by: workflow.business.update(currency="USD", by=by),
    ],
    ids=["phase", "workflow", "archived", "label", "currency"],
)
def test_what_the_columns_show_redraws_the_board(listen, owner, viewer, workflow, change):
    stream = listen(viewer, workflow)
    stream.next("beat")
    change(workflow, actor(owner))
    assert stream.next().redraw is True


def test_a_contact_that_changes_its_name_changes_its_cards(listen, owner, business, workflow, phases):
    contact = make_contact(business)
    card, _ = make_card(phases[0], contact=contact), make_card(phases[0])
    stream = listen(owner, workflow)
    stream.next("beat")
    Contact.objects.get(pk=contact.pk).update(given_name="Inès", by=actor(owner))
    assert stream.next().cards == {str(card.number): {"mark": "", "by": {str(owner.user_id): "Maren Holt"}}}


def test_whoever_comes_back_is_told_what_was_missed(listen, owner, staff, workflow, phases):
    first, second = make_card(phases[0]), make_card(phases[0])
    stream = listen(owner, workflow)
    seen = stream.next("beat").id
    stream.close()
    first.move(phases[1], by=actor(staff))
    second.move(phases[2], by=actor(staff))
    again = listen(owner, workflow, **{"Last-Event-ID": str(seen)})
    assert set(again.next().cards) == {str(first.number), str(second.number)}
    drawn_before = listen(owner, workflow, path=f"/brightside/live/{workflow.pk}/?since={seen}")
    assert set(drawn_before.next().cards) == {str(first.number), str(second.number)}


def test_too_many_cards_are_told_as_the_board(listen, owner, workflow, phases):
    since = Business.objects.get(pk=owner.business_id).last_event
    Card.create_many(phases[0], [f"Line {n}" for n in range(MOST_CARDS)], by=actor(owner))
    path = f"/brightside/live/{workflow.pk}/?since={since}"
    assert len(listen(owner, workflow, path=path).next().cards) == MOST_CARDS
    make_card(phases[0])
    said = listen(owner, workflow, path=path).next()
    assert (said.cards, said.redraw) == ({}, True)


@pytest.mark.parametrize("since", [1, MOST_EVENTS * 4], ids=["long ago", "before a backup was put back"])
def test_whoever_read_another_ledger_draws_the_board_anew(listen, owner, business, workflow, since):
    Business.objects.filter(pk=business.pk).update(last_event=MOST_EVENTS * 3)
    assert listen(owner, workflow, path=f"/brightside/live/{workflow.pk}/?since={since}").next().redraw is True


@pytest.mark.parametrize("nonsense", ["", "abc", "-5", "9" * 40, "%00", "1e5"])
def test_nonsense_for_a_place_in_the_ledger_is_the_present(listen, owner, workflow, nonsense):
    stream = listen(owner, workflow, path=f"/brightside/live/{workflow.pk}/?since={nonsense}")
    assert stream.next("beat").id > 0


def test_a_page_that_reads_late_hears_all_of_it_in_one(listen, owner, staff, workflow, phases):
    cards = [make_card(phases[0]) for _ in range(5)]
    stream = listen(owner, workflow)
    stream.next("beat")
    for card in cards:
        for to in (1, 2, 3):
            card.move(phases[to], by=actor(staff))
    heard = {}
    while len(heard) < 5 or any(heard[str(card.number)] != card.mark for card in cards):
        heard |= {number: card["mark"] for number, card in stream.next().cards.items()}


# Many pages -------------------------------------------------------------------------------------------


def test_two_hundred_pages_all_hear_it_and_leave_nothing_behind(listen, owner, staff, workflow, phases):
    card = make_card(phases[0])
    listen(owner, workflow).next("beat")
    before = machines.memory(os.getpid())
    streams = [listen(member, workflow) for member in (owner, staff) for _ in range(100)]
    wait_until(lambda: listeners() == 201, "all are heard")
    assert machines.memory(os.getpid()) - before < 60_000_000
    card.move(phases[1], by=actor(staff))
    said = [stream.next() for stream in streams]
    assert {one.id for one in said} == {said[0].id}
    assert said[0].spread > 1000, "two hundred pages do not ask at once"
    for stream in streams:
        stream.close()
    wait_until(lambda: listeners() <= 1, "closed pages are forgotten")


def test_without_pages_nothing_is_watched(listen, owner, workflow):
    stream = listen(owner, workflow)
    stream.next("beat")
    assert any(crowd.tasks for crowd in live.Crowd._of_loops.values())
    stream.close()
    wait_until(lambda: not any(crowd.tasks for crowd in live.Crowd._of_loops.values()), "the watch ends")


# Without streams --------------------------------------------------------------------------------------


def test_a_server_without_streams_answers_once(browse, staff, stranger, workflow, phases):
    url = f"/brightside/live/{workflow.pk}/once/"
    card = make_card(phases[0])
    answer = browse(staff).get(url, {"since": "0"})
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    text = answer.content.decode()
    assert text.startswith("retry: 10000\n\n")
    assert str(card.number) in json.loads(text.partition("data: ")[2].partition("\n")[0])["cards"]
    assert "event: beat" in browse(staff).get(url).content.decode()
    assert browse(stranger).get(url).status_code == 404
    assert browse(staff).get(f"/brightside/live/{workflow.pk}/").status_code == 200
