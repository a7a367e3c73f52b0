"""What @verb promises for every verb, and who an actor is."""

import threading
from dataclasses import FrozenInstanceError

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError, connection, connections, transaction

from accounts.actor import Actor
from accounts.models import Business, Event, Token
from accounts.verbs import TRIES, Again, Stale, verb
from tests.factories import actor

pytestmark = pytest.mark.django_db


class Thing:
    """Something with a verb, for want of a row."""

    DoesNotExist = type("DoesNotExist", (Exception,), {})
    _meta = Business._meta

    def __init__(self, business, *fates):
        self.business_id, self.fates, self.calls = business.pk, list(fates), 0

    @verb("business.update")
    def deed(self, text="", *, by, **more):
        """Meet the next fate."""
        self.calls += 1
        assert connection.in_atomic_block
        fate = self.fates.pop(0) if self.fates else "done"
        if isinstance(fate, Exception):
            raise fate
        return fate


def deadlock():
    cause = Exception("deadlock detected")
    cause.sqlstate = "40P01"
    error = OperationalError("deadlock detected")
    error.__cause__ = cause
    return error


# The guard --------------------------------------------------------------------------------------------


def test_an_actor_of_another_business_is_a_bug_of_ours(business, stranger):
    thing = Thing(business)
    with pytest.raises(ValueError, match="acts in another business"):
        thing.deed(by=actor(stranger))
    with pytest.raises(ValueError, match="acts in another business"):
        Token.create(business, name="x", scopes=["CARD_VIEW"], maker=stranger.user, by=actor(stranger))
    assert thing.calls == 0


def test_the_policy_is_asked_before_anything_happens(business, manager):
    thing = Thing(business)
    with pytest.raises(PermissionDenied, match="change the business's settings"):
        thing.deed(by=actor(manager))
    assert thing.calls == 0


def test_nobody_can_act_without_saying_who(business):
    with pytest.raises(TypeError):
        Thing(business).deed()


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [(["a\x00"], {}), ([], {"more": "\x00"}), ([], {"more": [("x\x00", "tag")]}), ([], {"more": {"key": "\x00"}})],
)
def test_the_null_character_is_refused_wherever_it_hides(business, owner, args, kwargs):
    thing = Thing(business)
    with pytest.raises(ValidationError, match="null character"):
        thing.deed(*args, by=actor(owner), **kwargs)
    assert thing.calls == 0


def test_the_name_of_a_verb_can_be_read(business):
    assert Thing.deed.verb == "business.update"
    assert Thing.deed.__doc__ == "Meet the next fate."


# Trying again -----------------------------------------------------------------------------------------


def test_what_locked_the_wrong_rows_begins_again(business, owner):
    thing = Thing(business, Again(), Again(), "done")
    assert thing.deed(by=actor(owner)) == "done"
    assert thing.calls == 3


def test_after_some_tries_the_person_is_told(business, owner):
    thing = Thing(business, *[Again() for _ in range(TRIES)])
    with pytest.raises(Stale, match="same moment"):
        thing.deed(by=actor(owner))
    assert thing.calls == TRIES


def test_what_was_written_before_a_new_try_is_gone(business, owner):
    class Twice(Thing):
        @verb("business.update")
        def deed(self, *, by):
            self.calls += 1
            Business.objects.filter(pk=self.business_id).update(name=f"Try {self.calls}")
            seen = Business.objects.get(pk=self.business_id).last_event
            Business.objects.filter(pk=self.business_id).update(last_event=seen + 1)
            if self.calls < 3:
                raise Again

    before = Business.objects.get(pk=business.pk).last_event
    Twice(business).deed(by=actor(owner))
    business.refresh_from_db()
    assert (business.name, business.last_event) == ("Try 3", before + 1)


@pytest.mark.django_db(transaction=True)
def test_a_deadlock_is_tried_again(business, owner):
    thing = Thing(business, deadlock(), deadlock(), "done")
    assert thing.deed(by=actor(owner)) == "done"


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_gone_is_not_tried_again(business, owner):
    thing = Thing(business, OperationalError("the server closed the connection"), "done")
    with pytest.raises(OperationalError, match="closed"):
        thing.deed(by=actor(owner))
    assert thing.calls == 1


def test_a_row_that_was_deleted_meanwhile_is_told_in_words(business, owner):
    with pytest.raises(Stale, match="This business was deleted a moment ago"):
        Thing(business, Thing.DoesNotExist()).deed(by=actor(owner))


def test_a_refusal_leaves_nothing_behind(business, owner):
    before = Event.objects.count()
    with pytest.raises(ValidationError):
        business.update(name="Renamed", currency="XXX", by=actor(owner))
    business.refresh_from_db()
    assert (business.name, Event.objects.count()) == ("Brightside Joinery", before)


@pytest.mark.django_db(transaction=True)
def test_on_sqlite_writers_of_a_process_queue(business, owner):
    if connection.vendor != "sqlite":
        return
    inside, most = [], []

    class Slow(Thing):
        @verb("business.update")
        def deed(self, *, by):
            inside.append(1)
            most.append(len(inside))
            threading.Event().wait(0.01)
            inside.pop()

    def write():
        Slow(business).deed(by=actor(owner))
        connections.close_all()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1


# Actors -----------------------------------------------------------------------------------------------


def test_a_member_acts_with_the_role_of_now(business, staff):
    assert Actor.member(staff).role == "staff"
    assert Actor.member(staff).user_id == staff.user_id


def test_a_program_acts_with_its_scopes_and_its_makers_role(token, owner):
    row, _secret = token
    by = Actor.token(row, owner)
    assert (by.kind, by.name, by.role, by.user_id) == ("token", "Test", "owner", None)
    assert by.scopes == frozenset(row.scopes)


def test_an_administrator_is_named_as_one(business, stranger):
    by = Actor.admin(stranger.user, business.pk)
    assert (by.kind, by.name, by.business_id) == ("admin", "Charlie Stranger (administrator)", business.pk)


def test_an_actor_cannot_be_changed_only_continued(business, owner):
    by = actor(owner)
    with pytest.raises(FrozenInstanceError):
        by.role = "owner"
    event = Event.objects.last()
    assert by.because_of(event).cause == event
    assert by.cause is None


def test_a_verb_inside_a_verb_is_one_transaction(business, owner):
    with transaction.atomic():
        business.update(name="Inner", by=actor(owner))
        transaction.set_rollback(True)
    business.refresh_from_db()
    assert business.name == "Brightside Joinery"
