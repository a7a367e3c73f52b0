"""What people and programs may send by mistake or on purpose: kept exactly, or refused in words; never half done."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.models import Event
from accounts.verbs import Stale
from boards.models import Card, Comment, Item, Label, Phase, Reason, Status, Workflow
from boards.models.library import stock
from contacts.models import Contact
from tests.every import every
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db

ODD = {
    "emoji": "🪑👩🏽‍🏭🇩🇪 chair",
    "right to left": "طاولة من خشب البلوط",
    "direction override": "oak \u202etxt.exe",
    "html": "<script>alert(1)</script><b onclick=x>bold</b>",
    "template code": "{{ user.password }}{% load x %}{0.__class__}%(x)s",
    "sql": "'; DROP TABLE boards_card; --",
    "combining": "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A",
    "quotes": '"it\'s" `so` \\ / & <',
}

# Where a person types a text: how it is sent, what it is called, and how it is read again.
TEXTS = {
    "card name": (lambda c, text, by: c.update(name=text, by=by), lambda c: c.name),
    "card description": (lambda c, text, by: c.update(description=text, by=by), lambda c: c.description),
    "card source": (lambda c, text, by: c.update(source=text[:100], by=by), lambda c: c.source),
    "comment": (lambda c, text, by: Comment.write(c, text, by=by), lambda c: c.comments.get().text),
    "item": (lambda c, text, by: Item.add(c, text, by=by), lambda c: c.items.get().text),
    "label": (
        lambda c, text, by: Label.create(c.workflow, name=text[:50], by=by),
        lambda c: c.workflow.labels.latest("created_at").name,
    ),
    "phase": (lambda c, text, by: c.phase.update(name=text, by=by), lambda c: c.phase.name),
    "workflow": (lambda c, text, by: c.workflow.update(name=text, by=by), lambda c: c.workflow.name),
    "contact": (
        lambda c, text, by: Contact.create(c.business, company=text, by=by),
        lambda c: c.business.contacts.get().company,
    ),
    "business": (lambda c, text, by: c.business.update(name=text, by=by), lambda c: c.business.name),
}


@pytest.fixture
def card(workflow):
    """A card in the first phase."""
    return make_card(workflow.phases.first(), "Oak table")


def fresh(card):
    return Card.objects.select_related("business", "workflow", "phase").get(pk=card.pk)


def ledger():
    return Event.objects.count()


@pytest.mark.parametrize("place", TEXTS)
def test_odd_text_is_kept_exactly_and_told_escaped(card, owner, place):
    send, read = TEXTS[place]

    def check(odd):
        send(fresh(card), ODD[odd], actor(owner))
        assert read(fresh(card)) == ODD[odd]
        told = str(Event.objects.order_by("pk").last().sentence)
        assert "<script" not in told
        assert "<b" not in told

    every(ODD, check)


@pytest.mark.parametrize("place", TEXTS)
def test_the_null_character_is_refused_everywhere(card, owner, place):
    before = ledger()
    with pytest.raises(ValidationError, match="null character"):
        TEXTS[place][0](fresh(card), "ta\x00ble", actor(owner))
    assert ledger() == before


@pytest.mark.parametrize("place", sorted(set(TEXTS) - {"card description", "card source", "label", "comment"}))
def test_ten_thousand_characters_are_too_many_for_a_name(card, owner, place):
    before = ledger()
    with pytest.raises(ValidationError, match="at most"):
        TEXTS[place][0](fresh(card), "x" * 10_000, actor(owner))
    assert ledger() == before


def test_ten_thousand_characters_fit_where_people_write(card, owner):
    card.update(description="x" * 10_000, by=actor(owner))
    Comment.write(card, "y" * 10_000, by=actor(owner))
    with pytest.raises(ValidationError, match="at most 10000"):
        Comment.write(card, "y" * 10_001, by=actor(owner))
    assert fresh(card).comments.count() == 1


@pytest.mark.parametrize("place", sorted(set(TEXTS) - {"card description", "card source"}))
def test_a_blank_name_is_refused(card, owner, place):
    before = ledger()
    for blank in ("", "   ", "\n\t "):
        with pytest.raises(ValidationError):
            TEXTS[place][0](fresh(card), blank, actor(owner))
    assert ledger() == before


@pytest.mark.parametrize("day", [dt.date(1900, 1, 1), dt.date(9999, 12, 31), dt.date(2028, 2, 29)])
def test_days_long_ago_and_far_ahead_are_kept(card, staff, day):
    card.update(due_date=day, due_time=dt.time(23, 59), by=actor(staff))
    assert fresh(card).due_date == day
    assert fresh(card).due_state in ("late", "soon", "later")


def test_a_time_without_a_day_is_refused_at_the_time(card, staff):
    with pytest.raises(ValidationError) as refusal:
        card.update(due_time=dt.time(9), by=actor(staff))
    assert "due_time" in refusal.value.message_dict


@pytest.mark.parametrize("value", [-1, 10**14 + 1, 10**30])
def test_money_nobody_has_is_refused_at_the_value(card, staff, value):
    with pytest.raises(ValidationError) as refusal:
        card.update(value=value, by=actor(staff))
    assert "value" in refusal.value.message_dict
    assert fresh(card).value is None


def test_a_contact_of_another_business_does_not_exist(card, staff, stranger):
    foreign = make_contact(stranger.business)
    with pytest.raises(ValidationError, match="does not exist"):
        card.update(contact=foreign, by=actor(staff))
    with pytest.raises(ValidationError, match="does not exist"):
        make_card(card.phase, contact=foreign)
    assert fresh(card).contact is None


def test_a_member_of_another_business_is_not_assigned(card, staff, stranger):
    with pytest.raises(ValidationError, match="Only members"):
        card.assign([stranger], by=actor(staff))
    with pytest.raises(ValidationError, match="Only members"):
        make_card(card.phase, assignees=[stranger])
    assert Card.objects.count() == 1


def test_a_label_of_another_workflow_is_not_worn(card, business, staff):
    other = make_workflow(business, "Repair", "repair").labels.first()
    with pytest.raises(ValidationError, match="another workflow"):
        card.add_label(other, by=actor(staff))
    with pytest.raises(ValidationError, match="another workflow"):
        make_card(card.phase, labels=[other])
    assert Card.objects.count() == 1


def test_an_external_id_is_given_once_in_a_business(card, staff, stranger):
    card.update(external_id="crm-1", by=actor(staff))
    make_card(make_workflow(stranger.business).phases.first(), external_id="crm-1")
    with pytest.raises(ValidationError) as refusal:
        make_card(card.phase, external_id="crm-1")
    assert "external_id" in refusal.value.message_dict


def test_fields_that_no_verb_changes_are_a_bug(card, staff):
    for field in ("rank", "number", "business_id", "archived_at"):
        with pytest.raises(ValueError, match="unknown fields"):
            card.update(**{field: 1}, by=actor(staff))


@pytest.mark.parametrize("lines", ["", "\n \n", "\n".join(["x"] * 201)])
def test_a_paste_of_nothing_or_too_much_makes_no_card(card, staff, lines):
    with pytest.raises(ValidationError):
        Card.create_many(card.phase, lines.splitlines(), by=actor(staff))
    assert Card.objects.count() == 1


def test_a_paste_with_one_bad_line_makes_no_card(card, staff):
    with pytest.raises(ValidationError):
        Card.create_many(card.phase, ["good", "x" * 301, "good too"], by=actor(staff))
    assert Card.objects.count() == 1
    assert fresh(card).business.last_card == 1


def test_what_is_gone_is_refused_as_stale_not_as_a_bug(card, manager):
    by = actor(manager)
    gone = Phase.create(card.workflow, name="Short lived", by=by)
    Phase.objects.get(pk=gone.pk).delete_to(None, by=by)
    label = Label.create(card.workflow, name="Short lived", by=by)
    Label.objects.get(pk=label.pk).delete_everywhere(by=by)
    comment, item = Comment.write(card, "Short lived", by=by), Item.add(card, "Short lived", by=by)
    Comment.objects.get(pk=comment.pk).remove(by=by)
    Item.objects.get(pk=item.pk).remove(by=by)
    contact = make_contact(card.business)
    contact.archive(by=by)
    Contact.objects.get(pk=contact.pk).delete_for_good(by=by)
    before = ledger()
    for deed in (
        lambda: make_card(gone, by=by),
        lambda: gone.update(name="Back", by=by),
        lambda: gone.move(0, by=by),
        lambda: gone.delete_to(None, by=by),
        lambda: label.update(name="Back", by=by),
        lambda: label.delete_everywhere(by=by),
        lambda: comment.update("Back", by=by),
        lambda: comment.remove(by=by),
        lambda: item.tick(True, by=by),
        lambda: item.rename("Back", by=by),
        lambda: item.remove(by=by),
        lambda: contact.update(company="Back", by=by),
        lambda: contact.archive(by=by),
        lambda: contact.restore(by=by),
        lambda: contact.delete_for_good(by=by),
    ):
        with pytest.raises(Stale, match="a moment ago"):
            deed()
    assert ledger() == before
    assert (fresh(card).comment_count, fresh(card).item_count) == (0, 0)


def test_a_workflow_that_is_gone_is_refused_as_stale(workflow, owner):
    by = actor(owner)
    workflow.archive(by=by)
    Workflow.objects.get(pk=workflow.pk).delete_for_good(by=by)
    for deed in (
        lambda: workflow.update(name="Back", by=by),
        lambda: workflow.archive(by=by),
        lambda: workflow.restore(by=by),
        lambda: workflow.delete_for_good(by=by),
        lambda: Phase.create(workflow, name="Back", by=by),
        lambda: Label.create(workflow, name="Back", by=by),
    ):
        with pytest.raises(Stale, match="a moment ago"):
            deed()


@pytest.mark.parametrize("place", ["phase", "workflow", "card name"])
def test_saving_what_already_stands_there_is_no_news(card, owner, place):
    send, read = TEXTS[place]
    before = ledger()
    send(fresh(card), f"  {read(fresh(card))} ", actor(owner))
    assert ledger() == before


def test_a_link_to_an_unknown_row_leads_nowhere(card, staff):
    card.phase.pk = uuid.uuid4()
    with pytest.raises(Stale):
        make_card(card.phase)


def test_no_verb_assigns_what_merely_was_sent(workflow, owner, staff, stranger):
    by, sent = actor(owner), {"business": stranger.business}
    stock(workflow.business)
    status, reason = workflow.business.status_library.first(), workflow.business.reason_library.first()
    for write in (
        workflow.business.update,
        workflow.update,
        workflow.phases.first().update,
        status.update,
        reason.update,
    ):
        with pytest.raises(ValueError, match="unknown"):
            write(**sent, by=by)
    for make in (Status.create, Reason.create):
        with pytest.raises(ValueError, match="unknown"):
            make(workflow.business, name="New", retired_at=None, by=by)
    with pytest.raises(ValueError, match="unknown"):
        make_card(workflow.phases.first(), revision=7)


@pytest.mark.parametrize("name", ["12345678123456781234567812345678", "12345678-1234-5678-1234-567812345678", "new"])
def test_a_workflow_is_found_whatever_it_is_called(business, owner, browse, name):
    workflow = make_workflow(business, name=name)
    assert browse(owner).get(reverse("board", args=[business.slug, workflow.slug])).status_code == 200
