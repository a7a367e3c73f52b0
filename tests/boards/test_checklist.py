"""The checklist of a card: lines added, ticked, renamed, removed, and counted."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Event
from accounts.verbs import Stale
from boards.models import Card, Item
from boards.models.checklist import MOST_ITEMS
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(workflow):
    return make_card(workflow.phases.first(), "Oak table")


def lines(card):
    return list(card.items.values_list("text", flat=True))


def counts(card):
    card = Card.objects.get(pk=card.pk)
    return card.item_count, card.done_count


def test_several_lines_make_several_items_in_their_order(card, staff):
    Item.add_many(card, ["Measure ", "", "  Saw", "Oil"], by=actor(staff))
    assert lines(card) == ["Measure", "Saw", "Oil"]
    assert counts(card) == (3, 0)


def test_lines_are_added_all_or_none(card, staff):
    with pytest.raises(ValidationError):
        Item.add_many(card, ["Measure", "x" * 301], by=actor(staff))
    with pytest.raises(ValidationError, match="at most 200"):
        Item.add_many(card, ["one more"] * (MOST_ITEMS + 1), by=actor(staff))
    assert lines(card) == []
    assert counts(card) == (0, 0)


def test_blank_lines_alone_are_refused_at_their_field(card, staff):
    with pytest.raises(ValidationError) as refusal:
        Item.add_many(card, ["", "  "], by=actor(staff))
    assert "text" in refusal.value.error_dict


def test_ticking_is_counted_and_told_once(card, staff):
    item = Item.add(card, "Measure", by=actor(staff))
    assert item.tick(True, by=actor(staff)).name == "card.item_checked"
    assert item.tick(True, by=actor(staff)) is None
    assert counts(card) == (1, 1)
    assert item.tick(False, by=actor(staff)).name == "card.item_unchecked"
    assert counts(card) == (1, 0)


def test_removing_a_ticked_line_uncounts_both(card, staff):
    item = Item.add(card, "Measure", by=actor(staff))
    item.tick(True, by=actor(staff))
    item.remove(by=actor(staff))
    assert counts(card) == (0, 0)


def test_renaming_to_the_same_words_is_no_news(card, staff):
    item = Item.add(card, "Measure", by=actor(staff))
    before = Event.objects.about(card).count()
    assert item.rename(" Measure ", by=actor(staff)) is None
    assert Event.objects.about(card).count() == before


def test_a_line_that_is_gone_is_told_so(card, staff):
    item = Item.add(card, "Measure", by=actor(staff))
    Item.objects.get(pk=item.pk).remove(by=actor(staff))
    for deed in (lambda: item.tick(True, by=actor(staff)), lambda: item.remove(by=actor(staff))):
        with pytest.raises(Stale):
            deed()
    assert counts(card) == (0, 0)


def test_an_archived_card_keeps_its_checklist_as_it_is(card, staff):
    item = Item.add(card, "Measure", by=actor(staff))
    card.archive(by=actor(staff))
    with pytest.raises(ValidationError, match="is archived"):
        item.tick(True, by=actor(staff))
