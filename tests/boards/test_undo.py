"""Undo: every event of a card that has an opposite, and when it must not be undone."""

import datetime as dt

import pytest
from django.db import connection

from accounts.actor import Actor
from accounts.models import Event
from accounts.verbs import Stale
from boards.models import Card, Field, Item, Label, Phase
from boards.models.library import stock
from boards.ordering import Place
from boards.undoing import OPPOSITES, undo
from tests.at_once import at_once, bugs
from tests.factories import actor, make_card, make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(workflow):
    """The phases of the workflow, in order."""
    return list(workflow.phases.all())


@pytest.fixture
def card(path):
    """A card between two others."""
    make_card(path[0], "above")
    card = make_card(path[0], "Oak table", value=100)
    Item.add_many(card, ["Measure", "Saw", "Oil"], by=Actor.system(card.business))
    make_card(path[0], "below")
    return card


def fresh(card):
    return Card.objects.get(pk=card.pk)


def state(card):
    """Return all that an undo must bring back."""
    card = fresh(card)
    neighbours = list(Card.objects.on_board().filter(phase=card.phase).order_by("rank").values_list("name", flat=True))
    fields = {field: getattr(card, field) for field in Card.FIELDS}
    fields |= {field: value for field, value in card.custom.items() if value is not None}
    labels = set(card.labels.values_list("name", flat=True))
    people = set(card.assignments.values_list("member_id", flat=True))
    items = [(item.text, bool(item.done_at)) for item in card.items.all()]
    return (
        card.phase_id,
        neighbours,
        bool(card.archived_at),
        fields,
        labels,
        people,
        items,
        card.item_count,
        card.done_count,
    )


DEEDS = {
    "card.moved": lambda card, path, staff, by: card.move(path[2], by=by),
    "card.reordered": lambda card, path, staff, by: card.move(path[0], Place(index=0), by=by),
    "card.updated": lambda card, path, staff, by: card.update(
        name="Ash table",
        description="**Longer**",
        value=None,
        due_date=dt.date(2026, 12, 24),
        due_time=dt.time(9, 30),
        contact=make_contact(card.business),
        by=by,
    ),
    "card.assigned": lambda card, path, staff, by: card.assign([staff], by=by),
    "card.label_added": lambda card, path, staff, by: card.add_label(card.workflow.labels.first(), by=by),
    "card.fields_filled": lambda card, path, staff, by: card.fill_fields(
        {Field.create(card.workflow, name="Wood", by=Actor.system(card.business)): "Oak"}, by=by
    ),
    "card.archived": lambda card, path, staff, by: card.archive(by=by),
    "card.item_checked": lambda card, path, staff, by: card.items.first().tick(True, by=by),
    "card.item_changed": lambda card, path, staff, by: card.items.first().rename("Measure twice", by=by),
    "card.item_removed": lambda card, path, staff, by: card.items.all()[1].remove(by=by),
}
ELSEWHERE = {"card.created", "card.restored", "card.label_removed", "card.item_added", "card.item_unchecked"}


@pytest.mark.parametrize("name", DEEDS)
def test_what_was_done_is_undone_and_can_be_undone_again(card, path, staff, name):
    by, before = actor(staff), state(card)
    event = DEEDS[name](card, path, staff, by)
    done = state(card)
    assert event.name == name
    assert done != before
    undo(event, by=by)
    assert state(card) == before
    undo(Event.objects.about(card).first(), by=by)
    if name not in ("card.moved", "card.reordered"):  # redone, a card stands before whoever took its place
        assert state(card) == done


def test_creating_is_undone_into_the_archive(path, staff):
    card = make_card(path[0])
    created = Event.objects.about(card).get(name="card.created")
    undo(created, by=actor(staff))
    assert fresh(card).archived_at


def test_restoring_is_undone_into_the_archive(card, staff):
    card.archive(by=actor(staff))
    undo(card.restore(by=actor(staff)), by=actor(staff))
    assert fresh(card).archived_at


def test_taking_a_label_off_is_undone(card, staff):
    label = card.workflow.labels.first()
    card.add_label(label, by=actor(staff))
    undo(card.remove_label(label, by=actor(staff)), by=actor(staff))
    assert list(fresh(card).labels.all()) == [label]


def test_a_line_that_was_ticked_comes_back_ticked(card, staff):
    card.items.all()[1].tick(True, by=actor(staff))
    before = state(card)
    undo(card.items.all()[1].remove(by=actor(staff)), by=actor(staff))
    assert state(card) == before


def test_a_line_that_is_gone_cannot_be_ticked_again(card, staff):
    item = card.items.first()
    event = item.tick(True, by=actor(staff))
    Item.objects.filter(pk=item.pk).delete()
    with pytest.raises(Stale, match="line was removed"):
        undo(event, by=actor(staff))


def test_every_opposite_is_tested_here():
    assert set(DEEDS) | ELSEWHERE == set(OPPOSITES)


def test_a_card_that_was_touched_since_is_left_alone(card, path, staff, manager):
    event = card.move(path[1], by=actor(staff))
    card.update(name="Renamed", by=actor(manager))
    with pytest.raises(Stale, match="Priya Nair changed Renamed since"):
        undo(event, by=actor(staff))
    assert fresh(card).phase_id == path[1].pk


def test_what_a_phase_hands_out_goes_back_with_the_move(card, path, staff, owner):
    path[1].update(default_assignee=staff, checklist_lines=["Call", "Saw"], by=actor(owner))
    before = state(card)
    event = card.move(path[1], by=actor(staff))
    assert "Call" in {item.text for item in card.items.all()}
    undo(event, by=actor(staff))
    assert state(card) == before


def test_what_somebody_ticked_of_it_stands_in_the_way(card, path, staff, owner):
    path[1].update(checklist_lines=["Call"], by=actor(owner))
    event = card.move(path[1], by=actor(staff))
    card.items.get(text="Call").tick(True, by=actor(staff))
    with pytest.raises(Stale, match="Tomás Rivera changed Oak table since"):
        undo(event, by=actor(staff))
    assert fresh(card).phase_id == path[1].pk


def test_a_reopened_card_ends_again_as_it_had_ended(card, path, staff, owner):
    stock(card.business)
    lost = Phase.create(card.workflow, name="Lost", stage="cancelled", by=actor(owner))
    reason = card.business.reason_library.get(name="Out of stock")
    told = {"reason": reason, "refund": "part", "refund_amount": 50, "note": "No oak"}
    card.move(lost, closing=told, by=actor(staff))
    event = fresh(card).move(path[0], by=actor(owner))
    undo(event, by=actor(owner))
    ended = fresh(card).closing
    assert (ended.reason, ended.refund_amount, ended.note) == (reason, 50, "No oak")


def test_an_undo_is_not_done_twice(card, path, staff):
    event = card.move(path[1], by=actor(staff))
    undo(event, by=actor(staff))
    with pytest.raises(Stale):
        undo(event, by=actor(staff))
    assert fresh(card).phase_id == path[0].pk


@pytest.mark.django_db(transaction=True)
def test_what_somebody_changes_while_it_is_looked_at_is_not_overwritten(card, path, staff, owner):
    event = card.move(path[1], facts={"value": 300}, by=actor(staff))
    theirs = [lambda: fresh(card).update(value=999, by=actor(owner))]

    def step_in(execute, sql, params, many, context):
        found = execute(sql, params, many, context)
        if theirs and Event._meta.db_table in sql:  # it has just looked what happened since
            assert not bugs(at_once(theirs.pop()))
        return found

    with connection.execute_wrapper(step_in), pytest.raises(Stale, match="changed"):
        undo(event, by=actor(staff))
    assert (fresh(card).phase_id, fresh(card).value) == (path[1].pk, 999)


def test_what_somebody_changed_since_of_what_a_phase_asked_for_is_not_overwritten(card, path, staff, owner):
    event = card.move(path[1], facts={"value": 300}, by=actor(staff))
    fresh(card).update(value=999, by=actor(owner))
    with pytest.raises(Stale, match="Nothing was undone"):
        undo(event, by=actor(staff))
    assert (fresh(card).phase_id, fresh(card).value) == (path[1].pk, 999)


def test_a_comment_since_does_not_stand_in_the_way(card, path, staff):
    from boards.models import Comment

    event = card.move(path[1], by=actor(staff))
    Comment.write(card, "Is this right?", by=actor(staff))
    undo(event, by=actor(staff))
    assert fresh(card).phase_id == path[0].pk


def test_a_phase_that_was_deleted_takes_no_card_back(card, path, staff, manager):
    event = card.move(path[1], by=actor(staff))
    type(path[0]).objects.get(pk=path[0].pk).delete_to(path[2], by=actor(manager))
    with pytest.raises(Stale, match="was deleted"):
        undo(event, by=actor(staff))
    assert fresh(card).phase_id == path[1].pk


def test_a_label_that_was_deleted_is_not_put_back(card, staff, manager):
    label = card.workflow.labels.first()
    card.add_label(label, by=actor(staff))
    event = card.remove_label(label, by=actor(staff))
    Label.objects.get(pk=label.pk).delete_everywhere(by=actor(manager))
    with pytest.raises(Stale, match="label was deleted"):
        undo(event, by=actor(staff))


def test_a_contact_that_was_deleted_is_not_put_back(card, staff, manager):
    contact = make_contact(card.business)
    card.update(contact=contact, by=actor(staff))
    event = card.update(contact=None, by=actor(staff))
    contact.archive(by=actor(manager))
    contact.delete_for_good(by=actor(manager))
    with pytest.raises(Stale, match="Ines Brunet was deleted"):
        undo(event, by=actor(staff))


def test_a_card_that_was_deleted_is_gone(card, path, manager):
    event = card.move(path[1], by=actor(manager))
    card.archive(by=actor(manager))
    card.delete_for_good(by=actor(manager))
    with pytest.raises(Stale, match="deleted"):
        undo(event, by=actor(manager))


def test_an_event_without_an_opposite_is_a_bug(card, manager):
    card.archive(by=actor(manager))
    card.delete_for_good(by=actor(manager))
    with pytest.raises(KeyError):
        undo(Event.objects.get(name="card.deleted"), by=actor(manager))


def test_a_viewer_cannot_undo(card, path, staff, viewer):
    from django.core.exceptions import PermissionDenied

    event = card.move(path[1], by=actor(staff))
    with pytest.raises(PermissionDenied):
        undo(event, by=actor(viewer))
