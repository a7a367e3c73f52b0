"""Events that are sent to a card, and the buttons by which its design lets people send them."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.actor import Actor
from accounts.models import Event
from boards import publishing
from boards.models import Card, Field, Phase
from tests.boards.test_definitions import document, status
from tests.factories import actor, make_card

REFUND = {
    "eventName": "Refund",
    "context": [{"label": "Give money back", "type": "SECONDARY", "confirm": True}],
    "attributes": [
        {"name": "amount", "type": "INTEGER", "label": "Amount", "mandatory": True},
        {"name": "paidOn", "type": "DATE", "label": "paid on"},
        {"name": "why", "type": "LIST", "label": "why", "source": "Broken, Late,,Late"},
        {"name": "inform", "type": "BOOLEAN", "label": ""},
    ],
}
PAY = {"eventName": "Pay", "context": [{"label": "Paid", "type": "PRIMARY"}]}


def ruleset(name, *statuses, actions=(), **said):
    return {
        "name": name,
        "triggers": [{"status": one} for one in statuses],
        "rules": [],
        "userActions": [*actions],
    } | said


@pytest.fixture
def design(business, manager):
    """Return a function that publishes rulesets over the statuses Booked, Packing, Sent and Lost."""

    def publish(*rulesets, **said):
        statuses = [
            status("Booked"),
            status("Packing", "FULFILMENT"),
            status("Sent", "DONE"),
            status("Lost", "CANCELLED"),
        ]
        told = document(*statuses, rulesets=[*rulesets])
        return publishing.put(business, told, by=actor(manager), **said).workflow

    return publish


def booked(workflow):
    return make_card(workflow.phases.get(name="Booked"))


def test_an_event_is_told_with_its_name_its_phase_and_what_it_says(workflow, staff):
    card = make_card(workflow.phases.first())
    card.signal(" Ping ", {"times": 3, "by": "phone", "odd": [True, 1.5], "nothing": None}, by=actor(staff))
    told = Event.objects.about(card).first()
    assert told.name == "card.signalled"
    assert told.details["event"] == "Ping"
    assert told.details["phase"]["name"] == card.phase.name
    assert told.details["attributes"] == {"times": 3, "by": "phone", "odd": [True, 1.5]}
    assert told.sentence == "sent the event Ping (times: 3, by: phone, odd: yes, 1.5)"


def test_a_design_puts_buttons_on_the_cards_that_stand_where_it_says(design, staff):
    workflow = design(
        ruleset("Ask", "Booked", actions=[REFUND, PAY]),
        ruleset("Any", actions=[PAY, {"eventName": "Help", "context": []}]),
    )
    card = booked(workflow)
    assert [(one.event, one.label, one.asks) for one in card.user_actions] == [
        ("Pay", "Paid", False),
        ("Refund", "Give money back", True),
        ("Help", "Help", False),
    ]
    card.move(workflow.phases.get(name="Packing"), by=actor(staff))
    assert [one.event for one in card.user_actions] == ["Pay", "Help"]


def test_buttons_of_another_type_or_subtype_are_not_for_these_cards(design):
    strange = [ruleset("A", actions=[PAY], subtype="HD"), ruleset("B", actions=[PAY], type="RETURN_ORDER")]
    assert (
        booked(design(*strange, ruleset("C", actions=[REFUND], type="ORDER", subtype="CC"))).user_actions[0].event
        == "Refund"
    )
    assert len(booked(design(*strange)).user_actions) == 0


def test_a_card_keeps_the_buttons_of_the_design_it_runs_under(design):
    old = booked(design(ruleset("One", actions=[PAY])))
    new = booked(design(ruleset("One", actions=[REFUND]), major=2, finish_old=True))
    assert [card.user_actions[0].event for card in (Card.objects.get(pk=old.pk), new)] == ["Pay", "Refund"]


def test_what_a_button_asks_is_kept_as_its_type_says(design, staff):
    card = booked(design(ruleset("Ask", actions=[REFUND])))
    card.signal("Refund", {"amount": "20", "paidOn": "2027-03-31", "why": "Late", "inform": "yes"}, by=actor(staff))
    told = Event.objects.about(card).first()
    assert told.details["attributes"] == {"amount": 20, "paidOn": "2027-03-31", "why": "Late", "inform": True}
    assert str(told.sentence) == (
        "sent the event Give money back (Amount: 20, paid on: 2027-03-31, why: Late, inform: yes)"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "2.5"},
        {"amount": True},
        {"paidOn": "yesterday"},
        {"why": "Lost"},
        {"inform": "perhaps"},
        {"more": {"deep": 1}},
        {"more": float("nan")},
        {"more": ["x"] * 51},
        {"more": "x" * 2001},
        {"": 1},
        {f"n{n}": n for n in range(51)},
        ["amount"],
    ],
    ids=lambda wrong: str(wrong)[:30],
)
def test_what_does_not_fit_is_refused_in_words_and_nothing_is_sent(design, staff, wrong):
    card = booked(design(ruleset("Ask", actions=[REFUND])))
    with pytest.raises(ValidationError) as refusal:
        card.signal("Refund", wrong, by=actor(staff))
    assert list(refusal.value.error_dict) == ["attributes"]
    assert not Event.objects.filter(name="card.signalled").exists()


def test_an_attribute_called_like_a_custom_field_fills_it_in_on_the_way(workflow, manager, staff):
    wood = Field.create(workflow, name="Wood", kind="choice", choices=["Oak", "Ash"], by=actor(manager))
    card = make_card(workflow.phases.first())
    card.signal("Chosen", {"wood": "Oak", "other": 1}, by=actor(staff))
    assert Card.objects.get(pk=card.pk).custom == {str(wood.pk): "Oak"}
    assert [event.name for event in Event.objects.about(card)[:2]] == ["card.signalled", "card.fields_filled"]
    with pytest.raises(ValidationError, match="choose one of Oak, Ash"):
        card.signal("Chosen", {"wood": "Pine"}, by=actor(staff))
    assert Event.objects.filter(name="card.signalled").count() == 1


def test_a_program_that_may_only_report_fills_nothing_in(workflow, manager):
    Field.create(workflow, name="Wood", by=actor(manager))
    card = make_card(workflow.phases.first())
    by = Actor("token", "1", "Shop", card.business_id, "owner", frozenset(["EVENT_REPORT"]))
    card.signal("Ping", {"colour": "red"}, by=by)
    with pytest.raises(PermissionDenied, match="CARD_MANAGE"):
        card.signal("Ping", {"wood": "Oak"}, by=by)


def test_an_archived_card_and_an_event_without_a_name_are_refused(workflow, staff):
    card = make_card(workflow.phases.first())
    for name in ("", "  ", "x" * 201, None, 7):
        with pytest.raises(ValidationError) as refusal:
            card.signal(name, by=actor(staff))
        assert list(refusal.value.error_dict) == ["name"]
    card.archive(by=actor(staff))
    with pytest.raises(ValidationError, match="is archived"):
        card.signal("Ping", by=actor(staff))


def test_a_list_is_chosen_from_what_it_names_and_an_unknown_type_is_a_text(design):
    strange = {
        "eventName": "Ask",
        "context": [],
        "attributes": [{"name": "n", "type": "WEIRD", "label": "N", "source": None}],
    }
    refund, ask = booked(design(ruleset("X", actions=[REFUND, strange]))).user_actions
    assert {one.name: one.choices for one in refund.questions if one.kind == "choice"} == {"why": ("Broken", "Late")}
    assert [(one.name, one.kind) for one in ask.questions] == [("n", "text")]


def test_a_workflow_that_was_never_published_has_no_buttons(workflow, django_assert_num_queries):
    card = Card.objects.select_related("workflow", "phase").get(
        pk=make_card(Phase.objects.filter(workflow=workflow)[0]).pk
    )
    with django_assert_num_queries(0):
        assert card.user_actions == []
