"""The health page: who carries, what waits, what was set aside and is tried again; and what is set aside in the first place."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django_ox.models import OxTask

from accounts.models import Event, Untold
from accounts.verbs import Stale
from automations.health import in_words
from automations.models import Delivery, Notification, Rule, Run, Timer, Worker
from automations.models.timer import TRIES
from automations.running import fire_timers
from automations.tasks import forget, sweep
from boards.models import Card, Comment, Trigger
from boards.models.library import stock
from tests.factories import UserFactory, actor, make_card

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def at(business):
    """Return a function: the address of a page of the business."""
    return lambda name, *parts: reverse(name, args=[business.slug, *parts])


@pytest.fixture
def read(browse, manager, at):
    """Return a function: what the page says to a manager, its spaces made one."""
    client = browse(manager)
    return lambda name="health": " ".join(client.get(at(name)).content.decode().split())


@pytest.fixture
def again(browse, manager, at):
    """Return a function that presses a button of the page, and gives what the next page says."""
    client = browse(manager)
    return lambda **fields: client.post(at("health_again"), fields, follow=True).content.decode()


@pytest.fixture
def card(workflow):
    """Return a card in the first phase."""
    return make_card(workflow.phases.first(), "Oak table")


def given_up(business, card, kind=Delivery.MAIL, key="1", **what):
    about = {"to": "ines@x.test", "subject": f"Hello {key}", "body": "Hello", "card": card} | what
    delivery = Delivery.queue(business, kind, key, by=actor(business.memberships.first()), **about)
    gone = {"state": Delivery.GIVEN_UP, "finished_at": timezone.now(), "error": "550 No such mailbox"}
    Delivery.objects.filter(pk=delivery.pk).update(**gone)
    return delivery


def failing(owner, card):
    """Let a rule fail on a card, because the phase it moves to asks for a value; return its run."""
    phase = card.workflow.phases.all()[4]
    document = {"trigger": "archived", "actions": [{"type": "move_card", "to": phase.name}]}
    rule = Rule.create(card.business, document, name="Hasty", by=actor(owner))
    return rule.runs.create(business=card.business, card=card, card_name=card.name, due="x", state="failed", **FAILED)


FAILED = {"reason": "It asks for a value.", "actions": [{"type": "add_comment", "text": "There"}], "name": "Hasty"}


@pytest.fixture
def timer(business, card, manager):
    """Return a planned report whose time has come and whose trigger is not there any more."""
    stock(business)
    packed = Trigger.objects.get(business=business, key="packed")
    timer = Timer.plan(card, packed, timezone.now() - MINUTE, by=actor(manager))
    Trigger.objects.filter(pk=packed.pk).update(key="gone")
    return timer


# The worker -----------------------------------------------------------------------------------------------


def seen(ago: timedelta):
    """Let the worker be seen last so long ago."""
    sweep.func()
    Worker.objects.update(seen_at=F("seen_at") - ago)


def test_a_worker_signs_in_when_it_sweeps(read):
    assert "No worker has been seen yet" in read()
    sweep.func()
    sweep.func()
    assert Worker.objects.count() == 1
    assert "The worker was seen" in read()
    assert "rules and mails wait" not in read()


@pytest.mark.parametrize("page", ["health", "rules"])
def test_a_worker_that_is_away_is_missed_in_plain_words(read, page):
    seen(12 * MINUTE)
    assert "The worker has not been seen for 12 minutes; rules and mails wait." in read(page)


def test_where_none_ever_was_it_is_said_once_something_waits_for_it(read, business, card):
    assert "rules and mails wait" not in read("rules")
    about = {"to": "ines@x.test", "subject": "Hello", "body": "Hello"}
    Delivery.queue(business, Delivery.MAIL, "1", by=actor(business.memberships.first()), **about)
    assert "rules and mails wait" not in read("rules")
    Delivery.objects.update(due_at=timezone.now() - 4 * MINUTE)
    assert "No worker has been seen yet; rules and mails wait for it." in read("rules")


def test_workers_that_have_long_ended_are_forgotten():
    seen(timedelta(days=2))
    Worker.objects.update(name="another machine")
    sweep.func()
    assert Worker.objects.exclude(name="another machine").count() == Worker.objects.count() == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "a moment"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (7199, "119 minutes"),
        (7200, "2 hours"),
        (86_400 * 3, "3 days"),
    ],
)
def test_spans_are_said_as_people_say_them(seconds, words):
    assert in_words(timedelta(seconds=seconds)) == words


# What waits -----------------------------------------------------------------------------------------------


def test_what_is_due_is_counted_with_the_oldest(read, business, owner, card, timer):
    by = actor(owner)
    for number in range(2):
        about = {"to": "ines@x.test", "subject": "Hello", "body": "Hello"}
        Delivery.queue(business, Delivery.MAIL, f"{number}", by=by, delay=number * MINUTE, **about)
    Delivery.objects.update(due_at=F("due_at") - 5 * MINUTE)
    run = failing(owner, card)
    Run.objects.filter(pk=run.pk).update(state="waiting", wakes_at=timezone.now() - 7 * MINUTE)
    Event.objects.filter(pk=Event.objects.first().pk).update(told_at=None, at=timezone.now() - 3 * MINUTE)
    page = read()
    for name, count, oldest in [
        ("Mails", 2, "5 min ago"),
        ("Calls of webhooks", 0, "–"),
        ("Rules that go on", 1, "7 min ago"),
        ("Planned reports and events", 1, "1 min ago"),
        ("Events to be told", 1, "3 min ago"),
    ]:
        row = page.partition(f"<td>{name}</td>")[2].partition("</tr>")[0]
        assert f">{count}<" in row, name
        assert oldest in row, name


def test_tasks_that_were_done_are_forgotten_and_those_that_failed_stay_a_month():
    for days, status in [(0.5, "SUCCESSFUL"), (2, "SUCCESSFUL"), (29, "FAILED"), (29, "LOST"), (31, "FAILED")]:
        at = timezone.now() - timedelta(days=days)
        OxTask.objects.create(task_path="x", backend_name="default", enqueued_at=at, finished_at=at, status=status)
    forget.func()
    assert sorted(OxTask.objects.values_list("status", flat=True)) == ["FAILED", "LOST", "SUCCESSFUL"]


# What was set aside ---------------------------------------------------------------------------------------


def test_what_was_given_up_stands_there_with_the_reason_and_leaves_when_it_is_tried_again(
    read, again, business, card, owner
):
    mail = given_up(business, card)
    page = read()
    assert "Hello 1 to ines@x.test" in page
    assert "550 No such mailbox" in page
    assert "1 is tried again." in again(kind="mails", one=mail.pk)
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (Delivery.WAITING, 0)
    assert "550 No such mailbox" not in read()


def test_what_was_told_to_a_member_is_shown_without_a_page_of_its_own(read, business, card, owner):
    given_up(business, card, member=owner)
    assert "<b>Hello 1 to ines@x.test</b>" in read()


def test_all_of_a_kind_are_tried_again_behind_what_is_fresh(again, business, card):
    for number in range(3):
        given_up(business, card, key=str(number))
    OxTask.objects.all().delete()
    assert "3 are tried again." in again(kind="mails")
    assert Delivery.objects.open().count() == 3
    assert {task.priority < 0 for task in OxTask.objects.filter(task_path__endswith="deliver")} == {True}


def test_what_cannot_be_sent_again_says_why(again, business, card, owner):
    hook = business.webhooks.create(name="Shop", url="https://x.example/", events=[], disabled_at=timezone.now())
    call = given_up(business, card, Delivery.CALL, webhook=hook, to=hook.url)
    assert "The webhook is switched off. Switch it on first." in again(kind="calls", one=call.pk)


def test_a_run_that_failed_is_tried_again_from_where_it_stood(read, again, owner, card):
    run = failing(owner, card)
    assert "Hasty on Oak table" in read()
    assert "1 is tried again." in again(kind="runs", one=run.pk)
    run.refresh_from_db()
    assert run.state == "done"
    assert Comment.objects.get().text == "There"


def test_an_event_that_was_set_aside_is_told_again(read, again, owner, card):
    Rule.create(card.business, {"trigger": "card_created", "actions": FAILED["actions"]}, by=actor(owner))
    event = Event.objects.get(name="card.created")
    Event.objects.filter(pk=event.pk).update(told_at=None)
    Untold.objects.create(business=card.business, event=event, set_aside_at=timezone.now(), error="It went wrong.")
    assert "Card created: Oak table" in read()
    assert "It went wrong." in read()
    assert "1 is tried again." in again(kind="events")
    assert Comment.objects.get().text == "There"
    assert "It went wrong." not in read()


def test_a_planned_report_that_cannot_be_made_is_set_aside_and_told_and_can_be_made_later(
    read, again, business, timer, manager
):
    for _ in range(TRIES):
        assert fire_timers() == 1
    assert fire_timers() == 0
    assert "Something went wrong inside Phasewise (DoesNotExist)." in read()
    assert "Could not report packed as planned" in Notification.objects.filter(member=manager).get().text
    Trigger.objects.filter(key="gone").update(key="packed")
    assert "1 is tried again." in again(kind="reports", one=timer.pk)
    assert Event.objects.filter(name="card.reported").count() == 1
    timer.refresh_from_db()
    assert timer.fired_at
    with pytest.raises(Stale):
        timer.retry(by=actor(manager))


def test_a_planned_report_that_ends_every_worker_is_set_aside(timer):
    Timer.objects.update(attempts=TRIES)
    fire_timers()
    timer.refresh_from_db()
    assert timer.set_aside_at
    assert timer.reason == "Each attempt ended with the worker's own end."


def test_a_delivery_that_trips_us_up_is_tried_again_and_given_up_visibly(business, card, settings):
    mail = given_up(business, card, to="ines@x.test")
    settings.MAILERS = {"default": {"BACKEND": "no.such.backend"}}
    Delivery.objects.update(state=Delivery.WAITING, finished_at=None, attempts=6)
    Delivery.carry(mail.pk)
    mail.refresh_from_db()
    assert mail.state == Delivery.GIVEN_UP
    assert mail.error.startswith("Something went wrong inside Phasewise (")


@pytest.mark.parametrize("fields", [{}, {"kind": "hats"}, {"kind": "mails", "one": "7"}, {"kind": "mails"}])
def test_there_must_be_something_to_try_again(again, fields):
    answer = again(**fields)
    assert "There is nothing like that to try again." in answer or "It is not set aside any more." in answer


def test_what_belongs_to_others_is_not_tried_again(again, stranger, workflow):
    theirs = given_up(stranger.business, None)
    assert "It is not set aside any more." in again(kind="mails", one=theirs.pk)
    theirs.refresh_from_db()
    assert theirs.state == Delivery.GIVEN_UP


def test_staff_see_neither_the_page_nor_the_way_to_it(browse, staff, at):
    client = browse(staff)
    assert client.get(at("health")).status_code == 403
    assert at("health") not in client.get(at("rules")).content.decode()
    assert client.post(at("health_again"), {"kind": "mails"}).status_code == 403


def test_administrators_see_how_it_goes_everywhere(client, business, card):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    given_up(business, card)
    seen(12 * MINUTE)
    OxTask.objects.update(status=OxTask.Status.LOST)
    page = " ".join(client.get(reverse("admin:automations_worker_changelist")).content.decode().split())
    assert "The worker has not been seen for 12 minutes; rules and mails wait." in page
    assert "Deliveries given up</a></th><td>1</td>" in page
    assert f"Tasks: lost</a></th><td>{OxTask.objects.count()}</td>" in page
    assert Card.objects.count() == 1
