"""The ledger's rules: what `record` refuses, how listeners are told, and told again."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import catalogue, record, recorded, wants
from accounts.models import Business, Event, Untold
from accounts.models.untold import TRIES
from accounts.verbs import Stale
from tests.factories import actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard():
    """What listeners heard, as (sequence, told before)."""
    found = []

    def listen(event, **_):
        found.append(event.sequence)

    recorded.connect(listen)
    yield found
    recorded.disconnect(listen)


@pytest.fixture
def deaf():
    """A listener that always fails, until what this gives is called."""

    def fail(event, **_):
        raise RuntimeError("I cannot hear you")

    recorded.connect(fail)
    yield lambda: recorded.disconnect(fail)
    recorded.disconnect(fail)


@pytest.fixture
def last(business):
    """The number of the last event before the test."""
    Event.objects.update(told_at=timezone.now())
    return business.events.first().sequence


def untold():
    return Event.objects.filter(told_at=None).count()


# Recording --------------------------------------------------------------------------------------------


def test_an_undeclared_name_is_refused(business, owner):
    with pytest.raises(KeyError):
        record("business.renamed", business, actor(owner), name="x")


@pytest.mark.parametrize("details", [{}, {"nam": "x"}, {"name": "x", "more": "y"}])
def test_missing_wrong_or_further_details_are_refused(business, owner, details):
    before = Event.objects.count()
    with pytest.raises(ValueError, match=r"business\.founded wants \['name'\]"):
        record("business.founded", business, actor(owner), **details)
    assert Event.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_recorded(business, owner):
    before = Event.objects.count()
    with pytest.raises(ValueError, match="outside a transaction"):
        record("business.founded", business, actor(owner), name="x")
    assert Event.objects.count() == before


def test_an_event_knows_who_did_what_to_whom_in_which_order(business, owner, last):
    event = record("business.founded", business, actor(owner), name="x")
    assert (event.sequence, event.business) == (last + 1, business)
    assert (event.subject_kind, event.subject_id, event.subject_name) == ("business", business.pk, "Brightside Joinery")
    assert (event.actor_kind, event.actor_id, event.actor_name) == ("member", str(owner.user_id), "Maren Holt")


def test_names_stay_as_they_were(business, owner):
    event = record("business.founded", business, actor(owner), name="x")
    owner.user.name = "Maren Schmidt"
    owner.user.save()
    event.refresh_from_db()
    assert event.actor_name == "Maren Holt"


def test_names_of_any_length_fit_into_the_ledger(business, owner):
    business.name = "x" * 500
    by = Actor("token", "1", "y" * 500, business.pk)
    event = record("business.founded", business, by, name="x" * 500)
    event.refresh_from_db()
    assert (len(event.subject_name), len(event.actor_name)) == (300, 200)


def test_a_change_that_is_rolled_back_leaves_neither_event_nor_gap(business, owner, last):
    with transaction.atomic():
        record("business.founded", business, actor(owner), name="x")
        transaction.set_rollback(True)
    assert record("business.founded", business, actor(owner), name="y").sequence == last + 1


def test_each_business_counts_for_itself(business, owner, last, stranger):
    record("business.founded", stranger.business, actor(stranger), name="x")
    assert record("business.founded", business, actor(owner), name="x").sequence == last + 1
    assert Business.objects.get(pk=business.pk).last_event == last + 1


def test_what_follows_from_an_event_knows_its_cause_and_the_root_of_the_chain(business, owner):
    first = record("business.founded", business, actor(owner), name="1")
    second = record("business.founded", business, Actor.system(business).because_of(first), name="2")
    third = record("business.founded", business, Actor.system(business).because_of(second), name="3")
    assert (first.cause, first.root) == (None, None)
    assert (second.cause, second.root) == (first, first)
    assert (third.cause, third.root) == (second, first)


def test_the_history_of_a_row_is_newest_first_and_nobody_elses(business, owner, manager):
    for name in "ab":
        record("business.founded", business, actor(owner), name=name)
    owner.change_role("owner", by=actor(owner))
    record("member.left", manager, actor(manager), role="manager")
    history = list(Event.objects.about(business))
    assert history == sorted(history, key=lambda event: -event.sequence)
    assert [event.details["name"] for event in history[:2]] == ["b", "a"]
    assert {event.subject_id for event in history} == {business.pk}


# Telling ----------------------------------------------------------------------------------------------


def test_listeners_are_told_after_the_commit(business, owner, last, heard, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as waiting:
        business.update(name="Brightside", by=actor(owner))
        assert heard == []
        assert untold() == 1
    for callback in waiting:
        callback()
    assert heard == [last + 1]
    assert untold() == 0


def test_an_event_without_listeners_needs_no_telling(business, owner, last):
    listeners, recorded.receivers = recorded.receivers, []
    recorded.sender_receivers_cache.clear()
    try:
        business.update(name="Brightside", by=actor(owner))
    finally:
        recorded.receivers = listeners
        recorded.sender_receivers_cache.clear()
    assert untold() == 0


def test_a_listener_hears_only_what_it_wants_and_the_rest_needs_no_telling(
    business, owner, last, django_capture_on_commit_callbacks
):
    heard = []

    @wants(lambda event: event.details["after"].get("name") == "Brightside")
    def listen(sender, event, **_):
        heard.append((sender.name, event.sequence))

    recorded.connect(listen, sender=catalogue["business.updated"])
    try:
        for name in ("Nightside", "Brightside"):
            with django_capture_on_commit_callbacks(execute=True) as told:
                business.update(name=name, by=actor(owner))
            assert len(told) == (name == "Brightside")
            assert untold() == 0
    finally:
        recorded.disconnect(listen, sender=catalogue["business.updated"])
    assert heard == [("business.updated", last + 2)]


def test_a_listener_that_fails_neither_stops_the_change_nor_the_others(
    business, owner, last, deaf, heard, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        business.update(name="Brightside", by=actor(owner))
    assert heard == [last + 1]
    assert untold() == 1, "it is told again"
    business.refresh_from_db()
    assert business.name == "Brightside"


def test_what_is_untold_is_told_again_oldest_first_and_then_no_more(business, owner, last, heard):
    for name in ("a", "b"):
        business.update(name=name, by=actor(owner))  # the test's transaction never commits, as in a crash
    assert Untold.tell_again(timedelta(0)) == 2
    assert heard == [last + 1, last + 2]
    assert Untold.tell_again(timedelta(0)) == 0


def test_what_is_fresh_is_left_to_the_process_that_made_it(business, owner, last, heard):
    business.update(name="Brightside", by=actor(owner))
    assert Untold.tell_again() == 0
    assert heard == []


# What cannot be told ----------------------------------------------------------------------------------


def again(**changes):
    """Let the pauses be over, and the worker tell again; return how many events it tried."""
    Untold.objects.update(due_at=timezone.now() - timedelta(seconds=1), **changes)
    return Untold.tell_again(timedelta(0))


@pytest.fixture
def poison(business, owner, last, deaf):
    """An event that was tried as often as any is, and set aside."""
    business.update(name="Brightside", by=actor(owner))
    for _ in range(TRIES):
        assert again() == 1
    Event.objects.filter(name="event.set_aside").update(told_at=timezone.now())
    return Untold.objects.get()


def test_a_deaf_listener_is_asked_again_after_a_pause(business, owner, last, deaf):
    business.update(name="Brightside", by=actor(owner))
    assert Untold.tell_again(timedelta(0)) == 1
    assert Untold.tell_again(timedelta(0)) == 0, "its pause is not over"
    assert again() == 1
    row = Untold.objects.get()
    assert (row.attempts, row.set_aside_at) == (2, None)
    assert row.error == "Something went wrong inside Phasewise: fail (RuntimeError)."


def test_once_it_is_told_nothing_is_left_of_it(business, owner, last, heard):
    business.update(name="Brightside", by=actor(owner))
    assert Untold.tell_again(timedelta(0)) == 1
    assert not Untold.objects.exists()
    assert untold() == 0


def test_what_cannot_be_told_is_set_aside_and_the_ledger_says_so_once(poison, last):
    assert poison.set_aside_at
    assert again() == 0
    (event,) = Event.objects.filter(name="event.set_aside")
    assert event.details == {"what": "Business settings changed", "number": last + 1, "why": poison.error}


def test_what_is_set_aside_does_not_hold_up_the_others(poison, business, owner, heard):
    business.update(name="Brightside & Sons", by=actor(owner))
    Untold.tell_again(timedelta(0))
    assert heard == [business.events.first().sequence]


def test_one_that_ends_every_worker_is_set_aside_too(business, owner, last, heard):
    business.update(name="Brightside", by=actor(owner))
    event = Event.objects.get(told_at=None)
    for _ in range(TRIES):
        Untold.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        assert Untold._take(event), "as a worker does before it dies"
    assert again() == 1
    assert heard == []
    assert Untold.objects.get().error == "Each attempt ended with the worker's own end."


def test_of_two_workers_one_tells_it(business, owner, last, heard):
    business.update(name="Brightside", by=actor(owner))
    event = Event.objects.get(told_at=None)
    assert Untold._take(event)
    assert Untold._take(event) is None


def test_it_can_be_told_again_when_the_reason_is_mended(
    poison, manager, staff, deaf, heard, last, django_capture_on_commit_callbacks
):
    with pytest.raises(PermissionDenied):
        poison.retell(by=actor(staff))
    deaf()
    with django_capture_on_commit_callbacks(execute=True):
        poison.retell(by=actor(manager))
    assert heard[0] == last + 1
    assert not Untold.objects.exists()
    assert Event.objects.get(name="event.retold").details["number"] == last + 1


def test_told_again_in_vain_it_has_attempts_of_its_own(poison, manager, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        poison.retell(by=actor(manager))
    row = Untold.objects.get()
    assert (row.attempts, row.set_aside_at) == (1, None)
    with pytest.raises(Stale):
        row.retell(by=actor(manager))


def test_an_event_that_this_version_does_not_know_waits_for_the_one_that_does(business, owner, last, heard):
    business.update(name="Brightside", by=actor(owner))
    Event.objects.filter(told_at=None).update(name="business.painted")
    assert Untold.tell_again(timedelta(0)) == 0
    assert untold() == 1
