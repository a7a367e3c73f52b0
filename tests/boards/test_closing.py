"""Why a card ended: said at the door, over when work goes on, by whichever way the card came back."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from boards.models import Card, Phase, Reason
from boards.models.library import stock
from tests.factories import actor, make_card


@pytest.fixture
def endings(workflow, owner):
    """Return two phases in which work ends badly."""
    stock(workflow.business)
    return [Phase.create(workflow, name=name, stage="cancelled", by=actor(owner)) for name in ("Lost", "Refused")]


@pytest.fixture
def reason(business, endings):
    """Return a closing reason."""
    return business.reason_library.first()


@pytest.fixture
def cancelled(workflow, endings, reason, staff):
    """Return a card that was cancelled."""
    card = make_card(workflow.phases.first())
    card.move(endings[0], closing={"reason": reason}, by=actor(staff))
    return card


def _back_by_deleting_its_phase(card, workflow, endings, owner):
    endings[0].delete_to(workflow.phases.first(), by=actor(owner))


def _back_from_the_archive(card, workflow, endings, owner):
    card.archive(by=actor(owner))
    card.restore(workflow.phases.first(), by=actor(owner))


def _back_because_its_phase_became_a_step(card, workflow, endings, owner):
    card.archive(by=actor(owner))
    endings[0].update(stage="processing", by=actor(owner))
    Card.objects.get(pk=card.pk).restore(by=actor(owner))


def _back_by_a_move(card, workflow, endings, owner):
    card.move(workflow.phases.first(), by=actor(owner))


@pytest.mark.parametrize(
    "come_back",
    [
        _back_by_a_move,
        _back_from_the_archive,
        _back_by_deleting_its_phase,
        _back_because_its_phase_became_a_step,
    ],
)
def test_a_card_that_came_back_is_open_and_can_be_cancelled_again(
    cancelled, workflow, endings, reason, owner, come_back
):
    come_back(cancelled, workflow, endings, owner)
    card = Card.objects.get(pk=cancelled.pk)
    assert card.closing is None
    assert card.closings.get().reopened_by == owner.user
    card.move(endings[1], closing={"reason": reason}, by=actor(owner))
    assert Card.objects.get(pk=card.pk).closing.reason == reason


def test_the_ledger_and_the_history_say_why_it_ended_and_that_it_was_reopened(
    workflow, endings, reason, staff, owner, browse
):
    card = make_card(workflow.phases.first(), value=10000)
    told = {"reason": reason, "caused_by": "us", "refund": "part", "refund_amount": 1250, "note": "<b>Sorry</b>"}
    ended = card.move(endings[0], closing=told, by=actor(staff))
    kept = {"reason": reason.name, "caused_by": "us", "refund": "part", "refund_amount": 1250, "note": "<b>Sorry</b>"}
    assert ended.details["after"]["closing"] == kept
    reopened = Card.objects.get(pk=card.pk).move(workflow.phases.first(), by=actor(owner))
    assert reopened.details["before"]["closing"] == kept
    page = browse(staff).get(reverse("card", args=[card.business.slug, card.number])).content.decode()
    assert f"{reason.name}</bdi>, caused by us. Refund in part: €12.50. <bdi>&lt;b&gt;Sorry" in page
    assert f"Reopened. It had ended: <bdi>{reason.name}</bdi>." in page


def test_a_card_that_waits_in_the_archive_keeps_its_closing(cancelled, owner):
    cancelled.archive(by=actor(owner))
    cancelled.restore(by=actor(owner))
    assert Card.objects.get(pk=cancelled.pk).closing is not None


def test_a_phase_of_the_path_cannot_be_emptied_into_an_ending(workflow, endings, owner, browse):
    first = workflow.phases.first()
    card = make_card(first)
    with pytest.raises(ValidationError, match="Nobody said why"):
        first.delete_to(endings[0], by=actor(owner))
    page = reverse("phase_delete", args=[workflow.business.slug, workflow.slug, first.pk])
    assert str(endings[0].pk) not in browse(owner).get(page).content.decode()
    assert browse(owner).post(page, {"to": endings[0].pk}).status_code == 422
    assert Card.objects.get(pk=card.pk).phase == first


def test_an_ending_may_be_emptied_into_another(cancelled, endings, owner):
    endings[0].delete_to(endings[1], by=actor(owner))
    card = Card.objects.get(pk=cancelled.pk)
    assert (card.phase, card.closing.reopened_at) == (endings[1], None)


def test_a_reason_of_another_business_ends_nothing(workflow, endings, stranger, staff):
    stock(stranger.business)
    card = make_card(workflow.phases.first())
    foreign = Reason.objects.filter(business=stranger.business).first()
    with pytest.raises(ValidationError, match="choose a reason"):
        card.move(endings[0], closing={"reason": foreign}, by=actor(staff))
