"""A workflow that was put away is read, not written: its pages say so, and every verb of its cards holds to it."""

import pytest
from django.core.exceptions import ValidationError

from automations.progress import move_on
from boards.models import Card, Comment, Item, Label
from boards.models.library import stock
from tests.factories import actor, make_card


@pytest.fixture
def card(workflow, staff):
    """Return a card whose workflow has been put away, with a line, a comment, a label."""
    stock(workflow.business)
    card = make_card(workflow.phases.first())
    Item.add(card, "Measure", by=actor(staff))
    Comment.write(card, "Hello", by=actor(staff))
    card.add_label(workflow.labels.first(), by=actor(staff))
    workflow.archive(by=actor(workflow.business.memberships.get(role="owner")))
    return Card.objects.get(pk=card.pk)


DEEDS = {
    "moved": lambda card, by: card.move(card.workflow.win_phase, by=by),
    "renamed": lambda card, by: card.update(name="Other", by=by),
    "filled in": lambda card, by: card.fill_fields({}, by=by),
    "assigned": lambda card, by: card.assign([], by=by),
    "labelled": lambda card, by: card.add_label(Label.objects.filter(workflow=card.workflow).last(), by=by),
    "unlabelled": lambda card, by: card.remove_label(card.labels.first(), by=by),
    "reported on": lambda card, by: card.report(card.business.trigger_library.first(), by=by),
    "commented": lambda card, by: Comment.write(card, "Too late", by=by),
    "given a line": lambda card, by: Item.add(card, "Cut", by=by),
    "ticked": lambda card, by: card.items.first().tick(True, by=by),
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_its_cards_cannot_be_changed(card, staff, deed):
    before = card.business.events.count()
    with pytest.raises(ValidationError) as caught:
        deed(card, actor(staff))
    assert caught.value.code == "workflow_archived"
    assert card.business.events.count() == before


def test_a_card_that_should_move_on_by_itself_stays_without_a_complaint(card):
    assert move_on(card, "24 hours") is False


def test_a_card_that_was_archived_meanwhile_does_not_stop_the_sweep(workflow, staff):
    card = make_card(workflow.phases.first())
    Card.objects.get(pk=card.pk).archive(by=actor(staff))
    assert move_on(card, "24 hours") is False
