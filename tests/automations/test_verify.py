"""manage.py verify: silent about a whole database, and finds each kind of damage."""

import io
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Business, Event
from automations.models import Delivery, Rule, Run, Timer
from automations.occasion import Occasion
from automations.running import consider
from automations.wholeness import ask
from boards.models import Assignment, Attachment, Card, CardLabel, Closing, Comment, Content, Item, Phase, Trigger
from boards.models.library import stock
from contacts.models import Contact
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(workflow, staff):
    """A card with a past: moved, talked about, archived and restored, beside another one."""
    first, second, *_ = workflow.phases.all()
    by = actor(staff)
    make_card(first, "Beside it", by=by)
    card = make_card(first, "Oak kitchen", by=by, value=840_000, assignees=[staff])
    card.add_label(workflow.labels.first(), by=by)
    card.move(second, by=by)
    Comment.write(card, "Measured.", by=by)
    Item.add(card, "Quote", by=by).tick(True, by=by)
    Attachment.attach(card, [ContentFile(b"a drawing", "drawing.pdf")], by=by)
    card.archive(by=by)
    card.restore(by=by)
    return card


def verify(*args) -> str:
    out = io.StringIO()
    call_command("verify", *args, stdout=out)
    return out.getvalue()


def wrong(business) -> str:
    """Return the one thing that is wrong."""
    business.refresh_from_db()
    found = ask(business)
    assert len(found) == 1, found
    return found[0]


def test_all_is_well_and_it_says_so(business, card, stranger):
    assert "brightside: 2 cards" in verify()
    assert "other: 0 cards" in verify()
    assert "other" not in verify("brightside")


def test_a_deleted_card_phase_and_workflow_leave_nothing_wrong(business, card, owner, workflow):
    by = actor(owner)
    card.archive(by=by)
    card.delete_for_good(by=by)
    first, second, *_ = workflow.phases.all()
    first.delete_to(second, by=by)
    workflow.archive(by=by)
    workflow.delete_for_good(by=by)
    business.refresh_from_db()
    assert ask(business) == []


def test_damage_is_told_and_the_exit_code_says_so(business, card):
    Phase.objects.filter(pk=card.phase_id).update(card_count=7)
    out = io.StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("verify", "brightside", stdout=out)
    assert end.value.code == 1
    assert "says 7 cards, there are 1" in out.getvalue()


def test_an_unknown_business_is_told():
    with pytest.raises(CommandError, match="nowhere"):
        verify("nowhere")


def test_a_wrong_total_is_found(business, card):
    Phase.objects.filter(pk=card.phase_id).update(value_total=1)
    assert "says it is worth 1, it is 840000" in wrong(business)


def test_a_place_that_is_none_is_found(business, card):
    Card.objects.filter(pk=card.pk).update(rank="nonsense!")
    assert "stands at a place that is none" in wrong(business)


@pytest.mark.parametrize("count", ["comment_count", "file_count", "item_count", "done_count"])
def test_wrong_small_counts_are_found(business, card, count):
    Card.objects.filter(pk=card.pk).update(**{count: 9})
    assert f"says {count} is 9, it is 1" in wrong(business)


def test_a_file_that_lost_its_end_is_found(business, card):
    Content.objects.update(data=b"a draw")
    assert "a file of 9 bytes has 6" in wrong(business)


def test_bytes_that_no_file_has_are_found(business, card):
    Content.objects.create(business=business, size=3, data=b"abc")
    assert "3 bytes belong to no file" in wrong(business)


def test_a_gap_in_the_ledger_is_found(business, card):
    Event.objects.filter(name="card.commented").delete()
    assert "the ledger jumps" in wrong(business)


def test_an_end_of_the_ledger_that_was_cut_off_is_found(business, card):
    Business.objects.filter(pk=business.pk).update(last_event=business.events.count() + 3)
    assert "were given out" in wrong(business)


def test_a_card_that_was_moved_past_the_ledger_is_found(business, card, workflow):
    other = workflow.phases.all()[3]
    Card.objects.filter(pk=card.pk).update(phase=other)
    Phase.objects.filter(pk=card.phase_id).update(card_count=0, value_total=0)
    Phase.objects.filter(pk=other.pk).update(card_count=1, value_total=840_000)
    assert "is not in the phase of which the ledger tells" in wrong(business)


def test_a_card_that_was_archived_past_the_ledger_is_found(business, card):
    Card.objects.filter(pk=card.pk).update(archived_at=card.created_at)
    Phase.objects.filter(pk=card.phase_id).update(card_count=0, value_total=0)
    assert "the ledger tells otherwise" in wrong(business)


def test_a_card_that_vanished_is_found(business, card):
    Card.objects.filter(pk=card.pk).delete()
    Content.objects.all().delete()
    Phase.objects.filter(pk=card.phase_id).update(card_count=0, value_total=0)
    assert "which is not there" in wrong(business)


def test_a_card_of_which_nobody_told_is_found(business, card):
    Event.objects.filter(subject_kind="card", subject_id=card.pk).update(subject_kind="cart")
    assert "does not know of card" in wrong(business)


def test_a_path_with_a_gap_is_found(business, workflow):
    Phase.objects.filter(workflow=workflow, position=2).update(position=9)
    assert "are numbered [0, 1, 3, 4, 9]" in wrong(business)


def test_a_workflow_without_a_win_is_found(business, workflow):
    Phase.objects.filter(workflow=workflow, section=Phase.WIN).delete()
    assert "has 0 win phases" in wrong(business)


def test_a_label_of_another_workflow_is_found(business, card):
    other = make_workflow(business, "Repairs")
    CardLabel.objects.create(card=card, label=other.labels.first())
    assert "wears a label of another workflow" in wrong(business)


def test_a_contact_of_another_business_is_found(business, card, stranger):
    theirs = make_contact(stranger.business)
    Card.objects.filter(pk=card.pk).update(contact=theirs)
    assert "belongs to another business by its contact" in wrong(business)


def test_a_member_of_another_business_is_found(business, card, stranger):
    Assignment.objects.create(card=card, member=stranger)
    assert "belongs to another business by its member" in wrong(business)


def test_a_contact_wearing_a_strange_label_is_found(business, card, stranger):
    contact = make_contact(business)
    theirs = make_contact(stranger.business)
    label = theirs.business.contact_labels.create(key="vip", name="VIP")
    Contact.labels.through.objects.create(contact=contact, contactlabel=label)
    assert "belongs to another business" in wrong(business)


def test_long_lists_of_damage_are_cut_short(business, workflow, staff):
    first = workflow.phases.first()
    for _ in range(25):
        make_card(first, by=actor(staff))
    Card.objects.filter(phase=first).update(comment_count=3)
    business.refresh_from_db()
    found = ask(business)
    assert len(found) == 21
    assert found[-1] == "… and 5 more like this"


def test_a_closing_where_work_goes_on_is_found(business, card):
    Closing.objects.create(business=business, card=card, caused_by="us", reason_name="Out of stock")
    assert "stands where work goes on" in wrong(business)


# What happens by itself ---------------------------------------------------------------------------------


@pytest.fixture
def run(business, card, owner, time_machine):
    """A run that has done one of its actions and waits."""
    actions = [{"type": "add_comment", "text": "Hello"}, {"type": "wait", "for": "1 day"}]
    actions.append({"type": "add_comment", "text": "Again"})
    Rule.create(business, {"trigger": "card_updated", "actions": actions}, name="Greet", by=actor(owner))
    occasion = Occasion.at(card, "a sample", "sample")
    run = consider(Rule.objects.get(), occasion)
    assert (run.state, run.step) == ("waiting", 2)
    return run


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ({"step": 3}, "counts 3 actions of 3 and tells of 2"),
        ({"actions": []}, "counts 2 actions of 0 and tells of 2"),
        ({"state": "done"}, "is done after 2 actions of 3"),
        ({"wakes_at": None}, "waits for no time"),
    ],
)
def test_a_run_that_does_not_add_up_is_found(business, run, damage, says):
    Run.objects.update(**damage)
    assert says in wrong(business)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ({"state": "sent", "attempts": 1}, "is sent, but never ended"),
        ({"finished_at": timezone.now()}, "is waiting, but has an end"),
        ({"state": "sent", "finished_at": timezone.now()}, "is sent without an attempt"),
        ({"attempts": 9}, "was attempted 9 times of 7"),
    ],
)
def test_a_delivery_that_does_not_stand_as_it_says_is_found(business, owner, damage, says):
    mail = {"to": "ines@x.test", "subject": "Hello", "body": "Hello"}
    Delivery.queue(business, Delivery.MAIL, "once", by=actor(owner), **mail)
    Delivery.objects.update(**damage)
    assert says in wrong(business)


@pytest.fixture
def timer(business, card, owner):
    """A planned report that was made."""
    stock(business)
    packed = Trigger.objects.get(business=business, key="packed")
    timer = Timer.plan(card, packed, timezone.now() - timedelta(minutes=1), by=actor(owner))
    timer.fire()
    business.refresh_from_db()
    assert ask(business) == []
    return timer


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ({"cancelled_at": timezone.now()}, "was both reported and cancelled"),
        ({"at": timezone.now() + timedelta(days=9)}, "was reported before its time"),
    ],
)
def test_a_timer_that_contradicts_itself_is_found(business, timer, damage, says):
    Timer.objects.update(**damage)
    assert says in wrong(business)


@pytest.mark.parametrize(
    ("name", "says"),
    [("card.report_planned", "does not know of timer"), ("card.reported", "than the ledger tells of")],
)
def test_a_timer_of_which_the_ledger_does_not_tell_is_found(business, timer, name, says):
    Event.objects.filter(name=name).update(name="card.assigned")
    assert says in wrong(business)
