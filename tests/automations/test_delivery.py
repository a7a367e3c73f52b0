"""What leaves the building leaves at least once, under one id, with growing pauses, and is given up visibly."""

import threading
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone
from django_ox.models import OxTask

from accounts.actor import Actor
from accounts.models import Event
from accounts.verbs import Stale
from automations.carrying import Outcome
from automations.models import Delivery
from automations.models.delivery import ATTEMPTS, PAUSES
from automations.tasks import sweep
from tests.factories import actor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def by(business):
    """Return a rule as an actor."""
    return Actor("rule", "7", "Order delayed", business.pk)


@pytest.fixture
def queue(business, by, receiver):
    """Return a function that queues a call of the receiver."""

    def queue(key="run 1", **what):
        what = {"to": f"{receiver.url}/notify", "subject": "Order delayed", "body": '{"a":1}'} | what
        return Delivery.queue(business, Delivery.CALL, key, by=by, **what)

    return queue


def again(delivery, **changes):
    """Let an attempt be due and made; return the row."""
    Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now(), **changes)
    Delivery.carry(delivery.pk)
    delivery.refresh_from_db()
    return delivery


# Queueing ---------------------------------------------------------------------------------------------


def test_it_is_queued_with_its_cause_or_not_at_all(queue):
    with transaction.atomic():
        queue()
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()
    assert not OxTask.objects.filter(task_path__endswith="deliver").exists()


def test_one_reason_queues_once(queue):
    assert queue("run 1 action 0") == queue("run 1 action 0")
    assert queue("run 1 action 1") != queue("run 1 action 0")
    assert Delivery.objects.count() == 2


def test_a_subject_is_one_line(queue):
    assert queue(subject="Hello\r\nBcc: everybody@example.test").subject == "Hello Bcc: everybody@example.test"


def test_who_caused_it_is_kept_as_they_were(queue):
    delivery = queue()
    assert (delivery.by_kind, delivery.by_id, delivery.by_name) == ("rule", "7", "Order delayed")


def test_one_that_waits_does_not_leave_before_its_time(queue, receiver):
    delivery = queue(delay=timedelta(minutes=10))
    Delivery.carry(delivery.pk)
    assert not receiver.got
    assert again(delivery).state == Delivery.SENT


# Attempts ---------------------------------------------------------------------------------------------


def test_each_repeat_has_the_same_id_and_the_same_bytes_and_a_signature_of_its_own_time(queue, receiver):
    receiver.answers = [(500, {}, ""), (503, {}, ""), (200, {}, "")]
    delivery = queue()
    for _ in range(3):
        again(delivery)
    assert delivery.state == Delivery.SENT
    assert {got.headers["webhook-id"] for got in receiver.got} == {delivery.message_id}
    assert {got.body for got in receiver.got} == {b'{"a":1}'}


def test_pauses_grow_by_the_plan_give_or_take_a_fifth(queue, receiver):
    receiver.answers = [(500, {}, "")]
    delivery = queue()
    for pause in PAUSES:
        before = timezone.now()
        again(delivery)
        assert delivery.state == Delivery.FAILED
        assert before + pause * 0.8 <= delivery.due_at <= timezone.now() + pause * 1.2
    assert again(delivery).state == Delivery.GIVEN_UP
    assert (delivery.attempts, len(delivery.log)) == (ATTEMPTS, ATTEMPTS)


def test_giving_up_is_told_in_the_ledger_without_the_secret_part_of_the_address(queue, receiver):
    receiver.answers = [(500, {}, "")]
    delivery = again(queue(to=f"{receiver.url}/in?token=hush"), attempts=ATTEMPTS - 1)
    assert delivery.state == Delivery.GIVEN_UP
    event = Event.objects.get(name="delivery.given_up")
    assert event.details["why"] == "It answered 500."
    assert "hush" not in str(event.details)


@pytest.mark.parametrize(
    ("status", "retry_after", "least", "most"),
    [
        (503, "", 240, 360),
        (503, "500", 480, 720),
        (503, "3", 240, 360),
        (503, "3000000", 480, 720),
        (503, "-5", 240, 360),
        (503, "soon", 240, 360),
        (503, "DATE", 480, 720),
        (503, "9" * 400, 480, 720),
        (503, "Fri, 99 Foo 2026 25:61:61", 240, 360),
    ],
)
def test_a_receiver_may_ask_for_up_to_twice_the_pause(queue, receiver, status, retry_after, least, most):
    if retry_after == "DATE":
        retry_after = format_datetime(timezone.now() + timedelta(days=3), usegmt=False)
    receiver.answers = [(status, {"Retry-After": retry_after} if retry_after else {}, "")]
    before = timezone.now()
    delivery = again(queue(), attempts=1)
    assert before + timedelta(seconds=least) <= delivery.due_at <= timezone.now() + timedelta(seconds=most)


@pytest.mark.parametrize("status", [429, 502, 504])
def test_whoever_asks_us_to_slow_down_has_a_minute_at_least(queue, receiver, status):
    receiver.answers = [(status, {"Retry-After": "3"}, "")]
    before = timezone.now()
    assert again(queue()).due_at >= before + timedelta(seconds=60)


def test_an_address_that_turned_private_is_never_called_and_the_log_says_so(queue, receiver, settings):
    delivery = queue()
    settings.OUTBOUND_ALLOWED_HOSTS = []
    again(delivery)
    assert (receiver.connections, delivery.state) == (0, Delivery.FAILED)
    assert "private network" in delivery.error
    assert "127.0.0.1" not in delivery.error


@pytest.mark.parametrize("status", [301, 302, 307, 500])
def test_a_receiver_that_sends_us_elsewhere_or_fails_is_called_again_where_it_was(queue, receiver, status):
    receiver.answers = [(status, {"Location": f"{receiver.url}/elsewhere"}, ""), (200, {}, "")]
    delivery = again(queue())
    assert (delivery.state, delivery.error) == (Delivery.FAILED, f"It answered {status}.")
    assert again(delivery).state == Delivery.SENT
    assert [got.path for got in receiver.got] == ["/notify", "/notify"]


def test_a_receiver_that_hangs_up_or_is_not_there_is_called_again(queue, receiver):
    receiver.vanishes = True
    delivery = again(queue())
    assert (delivery.state, delivery.error) == (Delivery.FAILED, "It did not answer in HTTP.")
    receiver.vanishes = False
    assert again(delivery).state == Delivery.SENT
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1


def test_the_log_keeps_what_was_said_but_no_signature(queue, receiver):
    receiver.answers = [(400, {}, "<b>no</b>" * 1000)]
    (attempt,) = again(queue()).log
    assert attempt["status"] == 400
    assert len(attempt["answer"]) == 2000
    assert "webhook-id" in attempt["headers"]
    assert "webhook-signature" not in str(attempt)


# Workers ----------------------------------------------------------------------------------------------


def test_another_worker_does_not_take_what_one_holds(queue, receiver):
    delivery = queue()
    held = Delivery._claim(delivery.pk)
    assert held
    Delivery.carry(delivery.pk)
    assert not receiver.got


def test_what_a_dead_worker_held_is_taken_over_and_its_attempt_counts(queue, receiver):
    delivery = queue()
    Delivery._claim(delivery.pk)
    again(delivery, leased_until=timezone.now() - timedelta(seconds=1))
    assert (delivery.state, delivery.attempts) == (Delivery.SENT, 2)


def test_a_worker_that_was_taken_over_writes_nothing_any_more(queue, receiver):
    delivery = queue()
    paused = Delivery._claim(delivery.pk)
    again(delivery, leased_until=timezone.now() - timedelta(seconds=1))
    paused._settle(Outcome(False, "I was asleep"))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (Delivery.SENT, "")


def test_nor_into_what_somebody_sends_again_meanwhile(queue, manager):
    delivery = queue()
    paused = Delivery._claim(delivery.pk)
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.GIVEN_UP, leased_until=None)
    Delivery.objects.get(pk=delivery.pk).resend(by=actor(manager))
    held = Delivery._claim(delivery.pk)
    paused._settle(Outcome(False, "I was asleep"))
    held._settle(Outcome(True))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (Delivery.SENT, "")


def test_one_that_ends_every_worker_is_set_aside(queue, receiver):
    delivery = again(queue(), attempts=ATTEMPTS)
    assert (delivery.state, receiver.got) == (Delivery.GIVEN_UP, [])
    assert "worker" in delivery.error


def test_the_sweep_carries_on_with_what_a_crash_left(queue):
    delivery = queue()
    OxTask.objects.all().delete()
    sweep.func()
    assert not OxTask.objects.filter(task_path__endswith="deliver").exists()  # it may just be on its way
    Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    sweep.func()
    assert OxTask.objects.filter(task_path__endswith="deliver").count() == 1


def test_many_workers_send_each_once(queue, receiver):
    deliveries = [queue(f"run {number}") for number in range(20)]

    def work():
        for delivery in deliveries:
            Delivery.carry(delivery.pk)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sent = [got.headers["webhook-id"] for got in receiver.got]
    assert sorted(sent) == sorted(delivery.message_id for delivery in deliveries)
    assert set(Delivery.objects.values_list("state", "attempts")) == {(Delivery.SENT, 1)}


# What people do ---------------------------------------------------------------------------------------


def test_one_that_waits_can_leave_at_once_or_never(queue, receiver, staff):
    first, second = queue("1", delay=timedelta(minutes=8)), queue("2", delay=timedelta(minutes=8))
    first.send_now(by=actor(staff))
    second.stop(by=actor(staff))
    for delivery in (first, second):
        Delivery.carry(delivery.pk)
        delivery.refresh_from_db()
    assert (first.state, second.state, len(receiver.got)) == (Delivery.SENT, Delivery.STOPPED, 1)
    assert second.error == "Stopped by Tomás Rivera"
    assert second.stop(by=actor(staff)) is None


def test_what_has_left_cannot_be_stopped(queue, receiver, staff):
    delivery = again(queue())
    with pytest.raises(Stale):
        delivery.stop(by=actor(staff))
    with pytest.raises(Stale):
        delivery.send_now(by=actor(staff))


def test_what_is_leaving_cannot_be_stopped(queue, staff):
    delivery = queue()
    Delivery._claim(delivery.pk)
    with pytest.raises(Stale, match="very moment"):
        delivery.stop(by=actor(staff))


def test_what_was_given_up_can_be_sent_again_under_the_same_id(queue, receiver, manager, staff):
    receiver.answers = [(500, {}, ""), (200, {}, "")]
    delivery = again(queue(), attempts=ATTEMPTS - 1)
    with pytest.raises(PermissionDenied):
        delivery.resend(by=actor(staff))
    delivery.resend(by=actor(manager))
    Delivery.carry(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.error) == (Delivery.SENT, 1, "")
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert [attempt["status"] for attempt in delivery.log] == [500, 200]
