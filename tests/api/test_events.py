"""The change feed: the ledger in order, from where a program left off, and nothing that its token may not see."""

import random
import uuid

import pytest
from django.db import transaction

from accounts.actor import Actor
from accounts.models import Business, Event
from accounts.verbs import writing
from boards.models import Card
from tests.api.program import Program, program_of
from tests.boards.test_concurrency import at_once
from tests.factories import make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db
EVENTS = "/events/v1/events"


@pytest.fixture
def card(workflow):
    """A card that was made."""
    return make_card(workflow.phases.first(), "Table")


def read(program, query="") -> list[dict]:
    return program.get(f"{EVENTS}{query}").body["events"]


def names(program, query="") -> list[str]:
    return [event["name"] for event in read(program, query)]


def all_of(program, limit=2, query="") -> list[int]:
    """Read the whole feed in parts, as a program does; return the sequence numbers."""
    seen, after = [], 0
    while True:
        page = program.get(f"{EVENTS}?after={after}&limit={limit}{query}").body
        seen += [event["sequence"] for event in page["events"]]
        assert page["next"] >= after
        after = page["next"]
        if not page["hasMore"]:
            return seen


# What is told -----------------------------------------------------------------------------------------


def test_an_event_tells_what_happened_to_what_by_whom(program, workflow, card, system):
    card.move(workflow.win_phase, by=system)
    made, moved = (one for one in read(program) if one["subject"]["id"] == str(card.pk))
    assert made["name"] == "card.created"
    assert set(moved) == {"sequence", "name", "at", "subject", "actor", "cause", "details"}
    assert moved["subject"] == {"kind": "card", "id": str(card.pk), "name": "Table"}
    assert moved["actor"] == {"kind": "system", "id": "", "name": "Phasewise"}
    assert moved["details"]["after"]["id"] == str(workflow.win_phase.pk)
    assert (moved["cause"], moved["at"][-1]) == (None, "Z")


def test_what_an_event_led_to_names_its_cause(program, card, system, workflow):
    moved = card.move(workflow.win_phase, by=system)
    card.update(name="Oak table", by=system.because_of(moved))
    assert read(program)[-1]["cause"] == moved.sequence


def test_what_a_program_does_itself_is_told_with_its_token(program, workflow):
    path = f"/workflows/v1/workflows/{workflow.pk}/phases/{workflow.phases.first().pk}/cards"
    program.post(path, {"card": {"name": "x"}})
    assert read(program)[-1]["actor"]["kind"] == "token"


# Order and parts --------------------------------------------------------------------------------------


def test_the_oldest_comes_first_and_each_part_goes_on_where_the_last_ended(program, workflow, system):
    for number in range(5):
        make_card(workflow.phases.first(), f"Card {number}").archive(by=system)
    whole = [event["sequence"] for event in read(program)]
    assert whole == sorted(whole)
    for limit in (1, 2, 3, 7, 500):
        assert all_of(program, limit) == whole


def test_where_there_is_nothing_new_next_stays(program, card):
    after = program.get(EVENTS).body["next"]
    again = program.get(f"{EVENTS}?after={after}").body
    assert again == {"events": [], "next": after, "hasMore": False}


def test_a_part_that_holds_nothing_of_interest_is_not_read_again(program, card, business):
    business.refresh_from_db()
    answer = program.get(f"{EVENTS}?name=card.moved").body
    assert answer == {"events": [], "next": business.last_event, "hasMore": False}


def test_a_part_that_ends_exactly_at_the_last_event_says_so(program, card):
    count = len(read(program))
    assert program.get(f"{EVENTS}?limit={count}").body["hasMore"] is False
    assert program.get(f"{EVENTS}?limit={count - 1}").body["hasMore"] is True


def test_a_number_that_was_never_given_is_kept(program, card):
    assert program.get(f"{EVENTS}?after=999999").body["next"] == 999999


@pytest.mark.parametrize("query", ["after=-1", "after=x", f"after={2**63}", "limit=0", "limit=501", "subjectId=x"])
def test_what_makes_no_sense_is_refused(program, query):
    answer = program.get(f"{EVENTS}?{query}")
    assert (answer.status, set(answer.fields)) == (400, {query.partition("=")[0]})


# Filters ----------------------------------------------------------------------------------------------


def test_the_feed_is_narrowed_by_names_and_by_beginnings_of_names(program, workflow, card, system, business):
    card.move(workflow.win_phase, by=system)
    make_contact(business)
    assert set(names(program, "?name=card.")) == {"card.created", "card.moved"}
    assert names(program, "?name=card.moved") == ["card.moved"]
    assert names(program, "?name=card.moved&name=contact.created") == ["card.moved", "contact.created"]
    assert names(program, "?name=card") == []
    assert names(program, "?name=nothing.") == []


def test_the_feed_is_narrowed_by_what_it_happened_to(program, workflow, card, system):
    other = make_card(workflow.phases.first())
    other.archive(by=system)
    assert names(program, f"?subjectId={other.pk}") == ["card.created", "card.archived"]
    assert names(program, f"?subjectId={uuid.uuid4()}") == []


# Who may see what -------------------------------------------------------------------------------------


def test_scopes_hide_events_and_hidden_ones_are_passed_over(owner, program, workflow, card, business, system):
    make_contact(business)
    card.archive(by=system)

    def kinds(*scopes):
        limited = program_of(owner, *scopes)
        told = {name.partition(".")[0] for name in names(limited)}
        assert all_of(limited, 1) == [event["sequence"] for event in read(limited)]
        return told

    assert kinds("CARD_VIEW") == {"card"}
    assert kinds("CARD_VIEW", "CONTACT_VIEW") == {"card", "contact"}
    assert kinds("CARD_VIEW", "WORKFLOW_VIEW") >= {"card", "workflow"}
    assert names(program_of(owner, "CARD_VIEW"), "?name=contact.created") == []
    assert program_of(owner, "CONTACT_VIEW").get(EVENTS).status == 403


def test_no_token_reads_of_people_tokens_and_settings(program, business, owner, system):
    from tests.factories import actor

    business.invite("new@example.test", "staff", by=actor(owner))
    business.update(name="Brighter", by=system)
    told = {name.partition(".")[0] for name in names(program)}
    assert not told & {"member", "token", "business"}
    assert Event.objects.filter(name__startswith="token.").exists()


def test_events_of_another_business_are_not_there(program, foreigner, card):
    assert names(foreigner, f"?subjectId={card.pk}") == []
    assert not [event for event in read(foreigner) if event["name"].startswith("card.")]


# Many at once -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_whoever_reads_while_many_write_misses_nothing_and_sees_nothing_twice(program, workflow, business):
    phase, by = workflow.phases.first(), Actor.system(business)
    seen, done = [], []

    def write():
        dice = random.Random(len(done))
        for number in range(12):
            with writing(), transaction.atomic():  # as whoever opens one around verbs must
                card = Card.create(phase, name=f"Card {number}", by=by)
                if dice.random() < 0.3:
                    transaction.set_rollback(True)
                    continue
            card.update(name="Changed", by=by)
        done.append(True)

    def follow():
        reader, after, rounds_left = Program(program.secret), 0, 2
        while rounds_left:
            page = reader.get(f"{EVENTS}?after={after}&limit=3&name=card.").body
            seen.extend(event["sequence"] for event in page["events"])
            after = page["next"]
            if len(done) == 4 and not page["hasMore"]:
                rounds_left -= 1

    answers = at_once(write, write, write, write, follow)
    assert answers == [None] * 5
    written = list(
        Event.objects.filter(name__startswith="card.").order_by("sequence").values_list("sequence", flat=True)
    )
    assert seen == written
    last = Business.objects.get(pk=business.pk).last_event
    assert Event.objects.filter(business=business).count() == last, "a number that was taken back is given again"


def test_every_workflow_keeps_its_place_in_the_feed(program, business):
    make_workflow(business, "One", None)
    make_workflow(business, "Two", None)
    told = [event["subject"]["name"] for event in read(program, "?name=workflow.created")]
    assert told == ["One", "Two"]
