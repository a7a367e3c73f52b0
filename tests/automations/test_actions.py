"""What rules do to cards and ask of people: each action, what it refuses, and that doing it again is no news."""

import datetime as dt

import pytest

from automations.actions.registry import actions
from automations.models import Rule
from automations.trying import try_on
from boards.models import Card, Field, Item, Phase, Trigger
from boards.models.library import stock
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


@pytest.fixture
def do(business, owner, workflow):
    """Return a function that lets a rule do actions with a card, and returns the Run."""

    def make(card, *written):
        document = {"trigger": {"type": "button", "label": "Go"}, "actions": list(written)}
        rule = Rule.create(business, document, by=actor(owner))
        rule.press(Card.objects.get(pk=card.pk), by=actor(owner))
        return rule.runs.get()

    return make


def fresh(card):
    return Card.objects.get(pk=card.pk)


# Moving -----------------------------------------------------------------------------------------------


def test_a_card_is_moved_to_a_phase_by_its_name_or_id_and_to_the_next(do, phases):
    card = make_card(phases[0])
    for to, there in ((phases[2].name.upper(), 2), (str(phases[1].pk), 1), ("next", 2)):
        run = do(card, {"type": "move_card", "to": to})
        assert run.steps == [f"Moved it to {phases[there].name}"]
        assert fresh(card).phase == phases[there]


def test_a_card_that_is_there_already_stays(do, phases):
    card = make_card(phases[0])
    assert do(card, {"type": "move_card", "to": phases[0].name}).steps == [f"It is in {phases[0].name} already"]
    won = make_card(phases[-1])
    assert do(won, {"type": "move_card", "to": "next"}).steps == ["Won is the end of the path: it stayed there"]


def test_a_cancelled_phase_asks_for_a_reason(do, phases, workflow, business, owner):
    stock(business)
    Phase.create(workflow, name="Lost", stage="cancelled", by=actor(owner))
    card = make_card(phases[0])
    run = do(card, {"type": "move_card", "to": "Lost"})
    assert (run.state, run.reason) == ("failed", "Say why it ends: choose a reason.")
    run = do(card, {"type": "move_card", "to": "Lost", "reason": "Payment not received in time"})
    assert run.state == "done"
    assert fresh(card).closing.reason_name == "Payment not received in time"


def test_to_another_workflow_goes_a_new_card_with_the_facts_of_this_one(do, phases, business):
    other = make_workflow(business, "Workshop", "order")
    contact = make_contact(business)
    card = make_card(phases[0], "Oak table", contact=contact, value=195_000, due_date=dt.date(2027, 3, 10))
    do(card, {"type": "move_card", "to": f"Workshop / {other.phases.first().name}"})
    new = other.cards.get()
    assert (new.name, new.contact, new.value, new.due_date) == ("Oak table", contact, 195_000, dt.date(2027, 3, 10))
    assert fresh(card).phase == phases[0]


def test_a_phase_that_is_gone_is_said_and_nothing_is_done(do, phases, owner):
    card = make_card(phases[0])
    run = do(card, {"type": "move_card", "to": "Nowhere"})
    assert (run.state, run.reason) == ("failed", "There is no phase in this workflow “Nowhere”.")


def test_a_card_is_created_beside_this_one(do, phases):
    card = make_card(phases[0], "Oak table", value=5)
    run = do(card, {"type": "create_card", "phase": phases[1].name, "name": "Replacement", "carry": "no"})
    new = Card.objects.get(name="Replacement")
    assert (new.phase, new.value) == (phases[1], None)
    assert run.steps == [f"Created card {new.number}, Replacement, in {phases[1].name} of Lead funnel"]


# Labels, dates, fields --------------------------------------------------------------------------------


def test_labels_are_put_on_and_taken_off(do, phases, workflow):
    label = workflow.labels.first()
    card = make_card(phases[0])
    assert do(card, {"type": "add_label", "label": label.name}).steps == [f"Added the label {label.name}"]
    assert do(card, {"type": "add_label", "label": label.name}).steps == [f"It has the label {label.name} already"]
    assert do(card, {"type": "remove_label", "label": str(label.pk)}).steps == [f"Took off the label {label.name}"]
    assert not card.labels.exists()


@pytest.mark.parametrize(
    ("to", "due"),
    [
        ("2027-05-01", dt.date(2027, 5, 1)),
        ("today", dt.date(2027, 3, 4)),
        ("in 3 working days", dt.date(2027, 3, 9)),
        ("in 2 weeks", dt.date(2027, 3, 18)),
        ("", None),
    ],
)
def test_a_due_date_is_a_day_or_reckoned_from_today(do, phases, time_machine, to, due):
    time_machine.move_to("2027-03-04 09:00Z", tick=False)  # a Thursday
    card = make_card(phases[0], due_date=dt.date(2027, 1, 1))
    do(card, {"type": "set_due_date", "to": to, "at": "15:30"})
    assert (fresh(card).due_date, fresh(card).due_time) == (due, dt.time(15, 30) if due else None)


def test_today_is_the_day_in_the_zone_of_the_business(do, phases, business, owner, time_machine):
    business.update(time_zone="Asia/Tokyo", by=actor(owner))
    time_machine.move_to("2027-03-04 20:00Z", tick=False)
    card = make_card(phases[0])
    do(card, {"type": "set_due_date", "to": "today"})
    assert fresh(card).due_date == dt.date(2027, 3, 5)


def test_fields_of_all_cards_and_of_the_workflow_are_filled_in(do, phases, workflow, owner):
    wood = Field.create(workflow, name="Wood", kind="choice", choices=["Oak", "Ash"], by=actor(owner))
    card = make_card(phases[0])
    run = do(
        card,
        {"type": "set_field", "field": "value", "value": 1950.5},
        {"type": "set_field", "field": "source", "value": "Fair"},
        {"type": "set_field", "field": "Wood", "value": "Oak"},
    )
    assert run.state == "done", run.reason
    assert (fresh(card).value, fresh(card).source, fresh(card).custom) == (195_050, "Fair", {str(wood.pk): "Oak"})
    assert do(card, {"type": "set_field", "field": f"field:{wood.pk}", "value": "Elm"}).reason == (
        "Wood: choose one of Oak, Ash."
    )
    do(card, {"type": "set_field", "field": "value", "value": ""})
    assert fresh(card).value is None


def test_a_card_is_archived(do, phases):
    card = make_card(phases[0])
    run = do(card, {"type": "archive_card"}, {"type": "add_comment", "text": "Bye"})
    assert fresh(card).archived_at
    assert (run.state, run.step) == ("failed", 1), "what comes after it is refused in words"


# Words ------------------------------------------------------------------------------------------------


def test_a_comment_is_written_and_a_checklist_completed(do, phases):
    card = make_card(phases[0])
    Item.add(card, "Saw", by=card_actor(card))
    run = do(
        card,
        {"type": "add_comment", "text": "Followed up by rule"},
        {"type": "add_checklist", "lines": "Measure\n\nSaw\nOil"},
        {"type": "add_checklist", "lines": ["Oil"]},
    )
    assert run.steps == ["Added a comment", "Added 2 lines to the checklist", "Added 0 lines to the checklist"]
    assert [item.text for item in card.items.all()] == ["Saw", "Measure", "Oil"]


def test_something_is_reported_about_the_card(do, phases, business, owner):
    stock(business)
    phases[0].update(trigger=Trigger.objects.get(business=business, key="quote_sent"), by=actor(owner))
    card = make_card(phases[0])
    do(card, {"type": "report", "trigger": "quote_sent"})
    assert fresh(card).phase == phases[1]


# People -----------------------------------------------------------------------------------------------


def test_members_are_assigned_beside_or_instead_of_others(do, phases, staff, manager):
    card = make_card(phases[0], assignees=[staff])

    def team():
        return {row.member for row in card.assignments.all()}

    do(card, {"type": "assign", "member": manager.user.email})
    assert team() == {staff, manager}
    do(card, {"type": "assign", "member": str(manager.pk), "instead": "yes"})
    assert team() == {manager}
    assert do(card, {"type": "assign", "member": "Priya Nair"}).steps == ["Priya Nair is assigned already"]
    do(card, {"type": "assign", "member": "nobody"})
    assert team() == set()


def test_a_member_who_left_cannot_be_assigned(do, phases, staff, owner):
    card = make_card(phases[0])
    staff.remove(by=actor(owner))
    assert do(card, {"type": "assign", "member": "Tomás Rivera"}).reason == "There is no member “Tomás Rivera”."


# All of them ------------------------------------------------------------------------------------------

SAMPLES = {
    "move_card": {"to": "next"},
    "create_card": {"phase": "Customer contacted me"},
    "add_label": {"label": "Rush"},
    "remove_label": {"label": "Rush"},
    "set_due_date": {"to": "in 3 working days"},
    "set_field": {"field": "source", "value": "Rule"},
    "add_comment": {"text": "Hello"},
    "add_checklist": {"lines": ["Measure"]},
    "report": {"trigger": "payment_received"},
    "send_event": {"event": "Ping"},
    "wait": {"for": "3 days"},
    "assign": {"member": "maren@brightside.test"},
}


@pytest.mark.parametrize("key", sorted(key for key, action in actions.items() if not action.leaves))
def test_every_action_can_be_tried_and_says_what_it_would_do(business, owner, phases, workflow, key):
    stock(business)
    SAMPLES["add_label"]["label"] = SAMPLES["remove_label"]["label"] = workflow.labels.first().name
    written = {"type": key, **SAMPLES.get(key, {})}
    rule = Rule.create(business, {"trigger": "card_created", "actions": [written]}, by=actor(owner))
    assert rule.problems == []
    trial = try_on(rule, make_card(phases[0]))
    assert not trial.error
    assert len(trial.steps) == 1
    assert trial.steps[0]


@pytest.mark.parametrize("key", sorted(actions))
def test_every_action_describes_its_fields_for_an_editor(key):
    action = actions[key]
    assert action.label[0].islower(), "it is said after “then”"
    assert len({one.name for one in action.inputs}) == len(action.inputs)
    assert all(one.label for one in action.inputs)


def card_actor(card):
    from accounts.actor import Actor

    return Actor.system(card.business)
