"""A worker killed between any two steps of its work: another one finishes, nothing is lost and nothing is done twice.

Only what leaves the building may leave twice, with the same id and the same bytes.
"""

import email
from datetime import timedelta

import pytest
from django.utils import timezone
from django_ox.models import OxTask

from accounts.actor import Actor
from accounts.models import Event, Untold
from automations.carrying import Outcome
from automations.models import Delivery, Rule, Run, Timer, Webhook
from automations.wholeness import ask
from boards.models import Card, Trigger
from boards.models.library import stock
from tests.automations.receiver import listening
from tests.factories import actor, make_card
from tests.faults import carrier
from tests.faults.stage import KILLED, Place, let_pass, perform, side_by_side, work

pytestmark = pytest.mark.django_db(transaction=True)

TASK = "django_ox.worker.Worker"
DELIVERY = "automations.models.delivery.Delivery"
RUN = "automations.models.run.Run"
TIMER = "automations.models.timer.Timer"


@pytest.fixture
def world():
    """Return the program that is told."""
    with listening() as receiver:
        yield receiver


@pytest.fixture
def place(world, tmp_path):
    """Return the test's own database, with mails as files and a world that may be called."""
    mailer = {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "OPTIONS": {"file_path": str(tmp_path)}}
    allowed = [f"127.0.0.1:{world.port}"]
    return Place.of_test(MAILERS={"default": mailer}, OUTBOUND_ALLOWED_HOSTS=allowed, OUTBOUND_HTTP=True)


@pytest.fixture
def card(workflow):
    """Return a card in the first phase."""
    return make_card(workflow.phases.first(), "Oak table")


@pytest.fixture
def finish(place, business):
    """Return a function: let somebody die at a point of a deed, and a second worker finish ten minutes later."""

    def finish(deed, point):
        code, _ = perform(place, deed, die=point)
        assert code == KILLED, "it was not there that it could die"
        let_pass(timedelta(minutes=10))
        assert perform(place, work)[0] == 0
        assert not Event.objects.filter(told_at=None).exists()
        assert not Untold.objects.exists()
        left = OxTask.objects.filter(status__in=["READY", "RUNNING"])
        assert not left.exclude(run_after__gt=timezone.now()).exists()
        business.refresh_from_db()
        assert ask(business) == []

    return finish


def say(text):
    return {"type": "add_comment", "text": text}


def said(card):
    return [comment.text for comment in card.comments.order_by("created_at", "pk")]


# What happened, and is told ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "point",
    [
        ("before", "accounts.events.tell"),
        ("before", "automations.models.webhook.Webhook.write"),
        ("after", f"{DELIVERY}.queue"),
        ("before", "automations.reactions.consider"),
        ("after", f"{RUN}.note"),
        ("after", f"{RUN}._count"),
        ("after", f"{RUN}.take_step"),
        ("after", "automations.reactions.consider"),
    ],
    ids=" ".join,
)
def test_what_happened_is_told_to_everybody_once(finish, world, card, owner, business, workflow, point):
    by = actor(owner)
    Webhook.objects.create(business=business, name="Shop", url=f"{world.url}/in", events=["card.moved"])
    Rule.create(business, {"trigger": "state_changed", "actions": [say("one"), say("two")]}, by=by)
    finish(carrier.move, point)
    assert Event.objects.filter(name="card.moved").count() == 1
    assert said(card) == ["one", "two"]
    assert [run.state for run in Run.objects.all()] == ["done"]
    assert len(world.got) == 1


# What leaves ------------------------------------------------------------------------------------------

SENDING = [
    ("before", f"{TASK}.execute"),
    ("before", f"{DELIVERY}.carry"),
    ("after", f"{DELIVERY}._claim"),
    ("before", f"{DELIVERY}._settle"),
    ("after", f"{DELIVERY}._settle"),
    ("before", f"{TASK}._write_outcome"),
]
UNKNOWN = ("before", f"{DELIVERY}._settle")  # it has left, and nobody knows


@pytest.mark.parametrize("point", SENDING, ids=" ".join)
def test_a_call_arrives_and_a_second_time_only_as_the_same(finish, world, business, owner, point):
    call = {"to": f"{world.url}/in", "subject": "Hello", "body": '{"a":1}'}
    Delivery.queue(business, Delivery.CALL, "once", by=actor(owner), **call)
    finish(work, point)
    assert Delivery.objects.get().state == Delivery.SENT
    assert len(world.got) == (2 if point == UNKNOWN else 1)
    assert len({(got.headers["webhook-id"], got.body) for got in world.got}) == 1


@pytest.mark.parametrize("point", SENDING, ids=" ".join)
def test_a_mail_arrives_and_a_second_time_only_as_the_same(finish, business, owner, tmp_path, point):
    mail = {"to": "ines@x.test", "subject": "Hello", "body": "Hello"}
    Delivery.queue(business, Delivery.MAIL, "once", by=actor(owner), **mail)
    finish(work, point)
    files = [path.read_text() for path in tmp_path.glob("*.log")]  # two workers in one second may write into one
    texts = [text.strip() for file in files for text in file.split("-" * 79)]
    letters = [email.message_from_string(text) for text in texts if text]
    assert Delivery.objects.get().state == Delivery.SENT
    assert len(letters) == (2 if point == UNKNOWN else 1)
    assert len({letter["Message-ID"] for letter in letters}) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_attempt_that_failed_is_made_again_once(finish, world, business, owner, when):
    world.answers = [(500, {}, "")] * (1 if when == "after" else 2) + [(200, {}, "")]
    call = {"to": f"{world.url}/in", "subject": "Hello", "body": "{}"}
    Delivery.queue(business, Delivery.CALL, "once", by=actor(owner), **call)
    finish(work, (when, f"{DELIVERY}._settle"))
    delivery = Delivery.objects.get()
    if when == "before":
        assert (delivery.state, delivery.attempts) == (Delivery.FAILED, 2)
    else:
        assert (delivery.state, delivery.attempts, len(world.got)) == (Delivery.SENT, 2, 2)


# What comes by the clock ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "point",
    [("after", f"{RUN}._take"), ("after", f"{RUN}._wake"), ("after", f"{RUN}.take_step"), ("before", f"{RUN}.go_on")],
    ids=" ".join,
)
def test_a_wait_that_is_over_is_gone_on_with_once(finish, business, owner, workflow, point):
    document = {"trigger": "card_created", "actions": [{"type": "wait", "for": "1 hour"}, say("one"), say("two")]}
    Rule.create(business, document, by=actor(owner))
    card = make_card(workflow.phases.first())
    let_pass(timedelta(hours=1))
    finish(work, point)
    assert said(card) == ["one", "two"]
    assert Run.objects.get().state == "done"


@pytest.mark.parametrize(
    "point",
    [
        ("before", f"{TIMER}._fire"),
        ("after", f"{TIMER}._fire"),
        ("before", "accounts.events.tell"),
        ("after", f"{TIMER}.fire"),
    ],
    ids=" ".join,
)
def test_a_planned_report_is_made_once(finish, world, business, card, owner, point):
    stock(business)
    packed = Trigger.objects.get(business=business, key="packed")
    Webhook.objects.create(business=business, name="Shop", url=f"{world.url}/in", events=["card.reported"])
    Timer.plan(card, packed, timezone.now() - timedelta(minutes=1), by=actor(owner))
    finish(work, point)
    assert Event.objects.filter(name="card.reported").count() == 1
    assert Timer.objects.get().fired_at
    assert len(world.got) == 1


@pytest.mark.parametrize(
    "point",
    [("before", "automations.running.consider"), ("after", f"{RUN}.note"), ("after", f"{RUN}.take_step")],
    ids=" ".join,
)
def test_a_moment_is_heeded_once(finish, business, owner, workflow, card, point):
    trigger = {"type": "waiting", "phase": workflow.phases.first().name, "for": "30 minutes"}
    Rule.create(business, {"trigger": trigger, "actions": [say("one"), say("two")]}, by=actor(owner))
    ago = timezone.now() - timedelta(hours=1)
    Rule.objects.update(armed_at=ago - timedelta(hours=1))
    Card.objects.update(entered_at=ago)
    finish(work, point)
    assert said(card) == ["one", "two"]


# Several workers ----------------------------------------------------------------------------------------


def test_several_workers_share_the_work_and_send_each_once(place, world, business):
    by = Actor.system(business)
    world.drip = 0.01  # so that one alone would need two seconds
    for number in range(30):
        call = {"to": f"{world.url}/in", "subject": "Hello", "body": f"{number}"}
        Delivery.queue(business, Delivery.CALL, f"call {number}", by=by, **call)
    for worker in side_by_side(place, [[work]] * 3):
        worker.join(60)
    assert sorted(int(got.body) for got in world.got) == list(range(30))
    assert set(Delivery.objects.values_list("state", "attempts")) == {(Delivery.SENT, 1)}
    tasks = OxTask.objects.filter(task_path__endswith="deliver").values_list("worker_ids", flat=True)
    assert len({worker for workers in tasks for worker in workers}) > 1, "one of them did it all"


def test_a_worker_that_slept_past_its_lease_writes_nothing_any_more(place, world, business, owner):
    call = {"to": f"{world.url}/in", "subject": "Hello", "body": "{}"}
    delivery = Delivery.queue(business, Delivery.CALL, "once", by=actor(owner), **call)
    assert perform(place, work, die=("after", f"{DELIVERY}._claim"))[0] == KILLED
    asleep = Delivery.objects.select_related("business", "webhook").get(pk=delivery.pk)
    let_pass(timedelta(minutes=10))
    perform(place, work)
    asleep._settle(Outcome(False, "It answered 500."))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (Delivery.SENT, "")
