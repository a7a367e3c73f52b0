"""What a phase asks of a card before it may come in, and what it hands out: on every path the same."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from accounts.actor import Actor
from accounts.models import Event
from boards.models import Card, Field, Phase, Reason
from boards.models.library import stock
from tests.factories import actor, make_card, make_contact


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


@pytest.fixture
def lost(workflow, owner):
    """Return a Cancelled phase behind the win."""
    stock(workflow.business)
    return Phase.create(workflow, name="Lost", stage="cancelled", by=actor(owner))


def refusal(card, to, by, **more):
    with pytest.raises(ValidationError) as caught:
        card.move(to, by=by, **more)
    return caught.value


def test_a_cancelled_phase_stands_behind_the_win_and_is_not_on_the_path(workflow, phases, lost):
    assert [phase.name for phase in workflow.phases.all()][-2:] == ["Won", "Lost"]
    assert lost.section == Phase.CANCELLED


def test_a_phase_asks_for_facts_and_lets_in_who_brings_them(business, owner, staff, phases):
    phases[3].update(required=["contact", "due_date", "value", "assignee", "checklist"], by=actor(owner))
    card = make_card(phases[0], "Oak")
    error = refusal(card, phases[3], actor(staff))
    assert error.code == "missing_facts"
    assert error.params["missing"] == ["contact", "due_date", "value", "assignee", "checklist"]
    assert "a contact, a due date, a value, somebody assigned, a complete checklist" in error.messages[0]
    assert Card.objects.get(pk=card.pk).phase == phases[0]
    facts = {"contact": make_contact(business), "due_date": date(2027, 1, 5), "value": 100, "assignees": [staff]}
    error = refusal(card, phases[3], actor(staff), facts=facts)
    assert error.params["missing"] == ["checklist"]
    assert Card.objects.get(pk=card.pk).contact is None, "all or nothing"
    item = card.items.model.add(card, "Measure", by=actor(staff))
    item.tick(True, by=actor(staff))
    card.move(phases[3], facts=facts, by=actor(staff))
    card = Card.objects.get(pk=card.pk)
    assert (card.phase, card.value, card.contact.name) == (phases[3], 100, "Ines Brunet")


def test_the_same_facts_are_asked_of_programs_rules_and_new_cards(owner, phases):
    phases[2].update(required=["value"], by=actor(owner))
    card = make_card(phases[0])
    rule = Actor("rule", "", "A rule", card.business_id)
    assert refusal(card, phases[2], rule).code == "missing_facts"
    with pytest.raises(ValidationError, match="asks for a value"):
        Card.create(phases[2], name="New", by=actor(owner))
    assert Card.create(phases[2], name="New", value=0, by=actor(owner)).phase == phases[2]


def test_a_custom_field_can_be_asked_for(workflow, owner, staff, phases):
    wood = Field.create(workflow, name="Wood", kind="choice", choices=["Oak", "Ash"], by=actor(owner))
    phases[1].update(required=[f"field:{wood.pk}"], by=actor(owner))
    card = make_card(phases[0])
    error = refusal(card, phases[1], actor(staff))
    assert "asks for Wood" in error.messages[0]
    assert refusal(card, phases[1], actor(staff), facts={"custom": {wood: "Pine"}}).code == "field"
    card.move(phases[1], facts={"custom": {wood: "Ash"}}, by=actor(staff))
    assert Card.objects.get(pk=card.pk).custom == {str(wood.pk): "Ash"}
    wood.remove(by=actor(owner))
    make_card(phases[0]).move(phases[1], by=actor(staff))


def test_a_hard_limit_refuses_and_a_soft_one_lets_in(owner, staff, phases):
    phases[1].update(wip_limit=1, wip_policy="hard", by=actor(owner))
    make_card(phases[0]).move(phases[1], by=actor(staff))
    error = refusal(make_card(phases[0]), phases[1], actor(staff))
    assert (error.code, error.messages) == ("wip_limit", ["Contact made with customer is full: 1 of 1 cards."])
    with pytest.raises(ValidationError, match="is full"):
        Card.create(phases[1], name="New", by=actor(staff))
    phases[1].update(wip_policy="soft", by=actor(owner))
    make_card(phases[0]).move(phases[1], by=actor(staff))
    assert Phase.objects.get(pk=phases[1].pk).card_count == 2
    assert Phase.objects.get(pk=phases[1].pk).is_full


def test_a_full_phase_can_still_be_put_in_order_and_refuses_a_restored_card(owner, staff, phases):
    card, other = make_card(phases[1]), make_card(phases[1])
    away = make_card(phases[1])
    away.archive(by=actor(staff))
    phases[1].update(wip_limit=2, wip_policy="hard", by=actor(owner))
    other.move(phases[1], by=actor(staff))
    with pytest.raises(ValidationError, match="is full"):
        away.restore(by=actor(staff))
    card.refresh_from_db()
    assert card.phase == phases[1]


def test_entering_hands_out_an_assignee_and_a_checklist_once(owner, staff, phases):
    phases[1].update(default_assignee=staff, checklist_lines=["Measure", "Photos", "Measure"], by=actor(owner))
    card = make_card(phases[0])
    card.move(phases[1], by=actor(owner))
    card.move(phases[0], by=actor(owner))
    card.move(phases[1], by=actor(owner))
    card.refresh_from_db()
    assert [row.member for row in card.assignments.all()] == [staff]
    assert [item.text for item in card.items.all()] == ["Measure", "Photos"]
    assert card.item_count == 2
    handed = Event.objects.about(card).filter(name="card.item_added").first()
    assert handed.cause.name == "card.moved"


def test_a_card_that_ends_badly_says_why(business, owner, staff, phases, lost):
    card = make_card(phases[0], value=5_000)
    assert refusal(card, lost, actor(staff)).code == "closing"
    reason = Reason.objects.get(business=business, name="Out of stock")
    wrong = {"reason": reason, "refund": "part", "refund_amount": 9_000}
    assert "more than the card's value" in refusal(card, lost, actor(staff), closing=wrong).messages[0]
    card.move(
        lost, closing={"reason": reason, "refund": "part", "refund_amount": 900, "note": "Sorry"}, by=actor(staff)
    )
    closing = Card.objects.get(pk=card.pk).closing
    assert (closing.reason_name, closing.caused_by, closing.refund_amount) == ("Out of stock", "us", 900)
    assert closing.closed_by_name == "Tomás Rivera"


def test_reopening_is_a_move_back_and_is_kept(business, staff, phases, lost):
    card = make_card(phases[0])
    reason = Reason.objects.filter(business=business).first()
    card.move(lost, closing={"reason": reason}, by=actor(staff))
    card.move(phases[1], by=actor(staff))
    card = Card.objects.get(pk=card.pk)
    assert card.closing is None
    assert card.closings.get().reopened_by == staff.user
    card.move(lost, closing={"reason": reason}, by=actor(staff))
    assert card.closings.count() == 2


def test_a_closing_never_takes_a_reason_of_another_business(stranger, staff, phases, lost):
    stock(stranger.business)
    theirs = Reason.objects.filter(business=stranger.business).first()
    assert refusal(make_card(phases[0]), lost, actor(staff), closing={"reason": theirs}).code == "closing"


def test_a_phase_with_cards_does_not_become_cancelled(owner, phases):
    make_card(phases[1])
    with pytest.raises(ValidationError, match="nobody said why they ended"):
        phases[1].update(stage="cancelled", by=actor(owner))
    phases[2].update(stage="cancelled", by=actor(owner))
    assert Phase.objects.get(pk=phases[2].pk).section == Phase.CANCELLED


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"wip_limit": 0}, None),
        ({"wip_policy": "maybe"}, None),
        ({"stale_days": -1}, None),
        ({"required": ["everything"]}, "required_facts"),
        ({"required": "contact"}, "required_facts"),
    ],
)
def test_senseless_settings_are_refused(owner, phases, settings, code):
    with pytest.raises(ValidationError):
        phases[0].update(by=actor(owner), **settings)
    assert Phase.objects.get(pk=phases[0].pk).wip_limit is None


def test_settings_never_point_into_another_business(stranger, owner, phases):
    stock(stranger.business)
    theirs = stranger.business.trigger_library.first()
    for settings in ({"trigger": theirs}, {"default_assignee": stranger}):
        with pytest.raises(ValidationError):
            phases[0].update(by=actor(owner), **settings)


def test_staleness_counts_from_entering_the_phase_never_from_a_touch(owner, staff, phases, time_machine):
    phases[0].update(stale_days=3, by=actor(owner))
    time_machine.move_to("2027-03-01 09:00Z", tick=False)
    card = make_card(phases[0])
    time_machine.move_to("2027-03-03 09:00Z", tick=False)
    card.update(name="Touched", by=actor(staff))
    assert not Card.objects.get(pk=card.pk).is_stale
    time_machine.move_to("2027-03-04 09:00Z", tick=False)
    assert Card.objects.get(pk=card.pk).is_stale
    card.move(phases[1], by=actor(staff))
    assert not Card.objects.get(pk=card.pk).is_stale
