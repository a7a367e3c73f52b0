"""Rules at work: what sets them off, what holds them back, what they leave behind."""

import pytest

from accounts.models import Event
from automations.models import Rule, Run
from boards.models import Card, Comment, Item, Phase, Trigger
from boards.models.library import stock
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


@pytest.fixture
def rule(business, owner):
    """Return a function that makes a rule."""

    def make(trigger, *actions, when=None, **options):
        document = {"trigger": trigger, "conditions": when or {}, "actions": list(actions)}
        return Rule.create(business, document, by=actor(owner), **options)

    return make


def here(card):
    return Card.objects.get(pk=card.pk)


def last(rule):
    return rule.runs.order_by("began_at").last()


SAY = {"type": "add_comment", "text": "Hello"}


def test_a_rule_acts_when_a_card_enters_the_phase_it_names(rule, phases, staff):
    greet = rule("state_changed", SAY, when={"new_state": "price_quote_sent"})
    card = make_card(phases[0])
    card.move(phases[1], by=actor(staff))
    assert not greet.runs.exists(), "another phase is not what it waits for"
    card.move(phases[2], by=actor(staff))
    assert (last(greet).state, last(greet).steps) == ("done", ["Added a comment"])
    said = Event.objects.about(card).first()
    assert (said.name, said.actor_kind, said.actor_name, said.cause.name) == (
        "card.commented",
        "rule",
        greet.name,
        "card.moved",
    )


def test_a_rule_whose_conditions_do_not_hold_says_why_and_keeps_its_turn(rule, phases, staff):
    when = [{"field": "new_state", "value": "Price quote sent"}, {"field": "value", "op": "over", "value": 1000}]
    chase = rule("state_changed", SAY, when=when)
    card = make_card(phases[0], value=24_000)
    card.move(phases[2], by=actor(staff))
    assert (last(chase).state, last(chase).reason) == ("skipped", "Value €240 is not over €1,000")
    card.update(value=100_100, by=actor(staff))
    card.move(phases[1], by=actor(staff))
    card.move(phases[2], by=actor(staff))
    assert last(chase).state == "done"


def test_being_told_twice_a_rule_acts_once(rule, phases, staff):
    from accounts.events import tell

    greet = rule("card_created", SAY)
    card = make_card(phases[0])
    tell(Event.objects.get(name="card.created", subject_id=card.pk))
    assert Comment.objects.filter(card=card).count() == 1
    assert greet.runs.count() == 1


def test_two_rules_that_chase_each_other_come_to_an_end(rule, phases, staff):
    there = rule("state_changed", {"type": "move_card", "to": phases[1].name}, when={"new_state": phases[0].name})
    back = rule("state_changed", {"type": "move_card", "to": phases[0].name}, when={"new_state": phases[1].name})
    card = make_card(phases[2])
    card.move(phases[0], by=actor(staff))
    assert here(card).phase == phases[0]
    assert [run.state for run in there.runs.order_by("began_at")] == ["done", "stopped"]
    assert [run.state for run in back.runs.order_by("began_at")] == ["done"]


def test_a_rule_that_fails_does_not_harm_the_move_and_can_be_retried_where_it_failed(rule, phases, staff, owner):
    phases[4].update(required=["value"], by=actor(owner))
    hasty = rule(
        "state_changed",
        SAY,
        {"type": "move_card", "to": phases[4].name},
        {"type": "add_comment", "text": "There"},
        when={"new_state": phases[2].name},
    )
    card = make_card(phases[0])
    card.move(phases[2], by=actor(staff))
    assert here(card).phase == phases[2]
    run = last(hasty)
    assert (run.state, run.step) == ("failed", 1)
    assert run.reason == "Invoice paid asks for a value."
    told = Event.objects.about(hasty).first()
    assert (told.name, told.details["error"], told.details["number"]) == ("rule.failed", run.reason, card.number)
    here(card).update(value=5, by=actor(staff))
    run.retry(by=actor(owner))
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("done", 2)
    assert here(card).phase == phases[4]
    assert [comment.text for comment in card.comments.all()] == ["Hello", "There"], "what was done is not repeated"


def test_a_rule_for_one_workflow_leaves_the_others_alone(rule, business, workflow, staff):
    other = make_workflow(business, "Repairs", "repair")
    greet = rule("card_created", SAY, workflow=workflow)
    make_card(other.phases.first())
    assert not greet.runs.exists()
    make_card(workflow.phases.first())
    assert last(greet).state == "done"


def test_a_rule_that_is_off_does_nothing_and_one_that_watches_says_what_it_would_do(rule, phases, owner):
    off = rule("card_created", SAY, state="off")
    watching = rule("card_created", SAY, state="watch")
    card = make_card(phases[0])
    assert not off.runs.exists()
    assert (last(watching).state, last(watching).steps) == ("watched", ["Added a comment"])
    assert not card.comments.exists()
    watching.switch("on", by=actor(owner))
    make_card(phases[0])
    assert last(watching).state == "done"


def test_a_reported_trigger_sets_a_rule_off_and_a_rule_may_report_one(rule, business, phases, staff, owner):
    stock(business)
    paid = Trigger.objects.get(business=business, key="payment_received")
    rule("state_changed", {"type": "report", "trigger": "payment_received"}, when={"new_state": phases[3].name})
    thank = rule("reported", SAY, when={"trigger": "payment_received"})
    phases[3].update(trigger=paid, by=actor(owner))
    card = make_card(phases[0])
    card.move(phases[3], by=actor(staff))
    assert last(thank).state == "done"
    assert here(card).phase == phases[4], "the phase waited for what the rule reported"
    moved = Event.objects.about(card).filter(name="card.moved").first()
    assert moved.root_id == Event.objects.about(card).filter(name="card.moved").last().pk


def test_the_phase_s_own_rule_leaves_runs_in_the_same_log(business, phases, staff, owner):
    stock(business)
    paid = Trigger.objects.get(business=business, key="payment_received")
    phases[3].update(trigger=paid, by=actor(owner))
    card = make_card(phases[3])
    card.report(paid, by=actor(staff))
    run = Run.objects.get(phase=phases[3])
    assert (run.state, run.name, run.rule) == ("done", "Payment received", None)


def test_rules_about_contacts_are_set_off_by_contacts(rule, business, phases):
    welcome = rule(
        "contact_created",
        {"type": "create_card", "phase": f"{phases[0].workflow.name} / {phases[0].name}", "name": "Say hello"},
    )
    contact = make_contact(business)
    assert last(welcome).state == "done", last(welcome).reason
    assert Card.objects.get(name="Say hello").contact == contact


def test_a_button_on_the_card_sets_off_its_own_rule_only(rule, phases, staff):
    one = rule({"type": "button", "label": "Call them"}, SAY)
    other = rule({"type": "button", "label": "Call us"}, SAY)
    card = make_card(phases[0])
    assert set(Rule.buttons_of(card)) == {one, other}
    one.press(card, by=actor(staff))
    assert last(one).state == "done"
    assert not other.runs.exists()


def test_no_rule_acts_more_than_the_settings_let_follow_from_one_event(rule, phases, staff, settings):
    settings.RULES_DEPTH = 2
    first = rule("state_changed", {"type": "move_card", "to": phases[1].name}, when={"new_state": phases[0].name})
    second = rule("state_changed", {"type": "move_card", "to": phases[2].name}, when={"new_state": phases[1].name})
    third = rule("state_changed", {"type": "move_card", "to": phases[3].name}, when={"new_state": phases[2].name})
    card = make_card(phases[4])
    card.move(phases[0], by=actor(staff))
    assert here(card).phase == phases[2]
    assert last(first).state == last(second).state == "done"
    assert (last(third).state, last(third).reason) == ("stopped", "2 rules have followed from one another.")
    assert Event.objects.about(third).first().name == "rule.stopped"


def test_the_actions_that_follow_from_one_event_are_counted(rule, phases, settings):
    settings.RULES_ACTIONS = 3
    busy = rule("card_created", *[{"type": "add_comment", "text": str(number)} for number in range(5)])
    card = make_card(phases[0])
    assert card.comments.count() == 3
    assert (last(busy).state, last(busy).step) == ("stopped", 3)


def test_a_card_that_was_cancelled_sets_off_with_its_reason(rule, workflow, phases, staff, owner, business):
    stock(business)
    lost = Phase.create(workflow, name="Lost", stage="cancelled", by=actor(owner))
    sorry = rule("cancelled", SAY, when={"reason": "Out of stock"})
    card = make_card(phases[0])
    card.move(lost, closing={"reason": business.reason_library.get(name="Delivery failed")}, by=actor(staff))
    assert last(sorry).reason == "Closing reason Delivery failed is not Out of stock"
    other = make_card(phases[0])
    other.move(lost, closing={"reason": business.reason_library.get(name="Out of stock")}, by=actor(staff))
    assert last(sorry).state == "done"


def test_a_rule_that_cannot_be_read_any_more_harms_nobody_and_says_so(rule, phases, staff):
    broken, well = rule("state_changed", SAY), rule("state_changed", SAY)
    Rule.objects.filter(pk=broken.pk).update(document={"trigger": "state_changed", "actions": [{"type": "gone"}]})
    card = make_card(phases[0])
    card.move(phases[1], by=actor(staff))
    assert here(card).phase == phases[1]
    assert last(broken).state == "failed"
    assert Event.objects.about(broken).first().name == "rule.failed"
    assert last(well).state == "done"


def test_labels_and_people_set_rules_off_by_name_or_id(rule, phases, workflow, staff, manager):
    label, other = workflow.labels.all()[:2]
    added = rule("label_added", SAY, when={"which_label": label.name})
    removed = rule("label_removed", SAY, when={"which_label": str(label.pk)})
    mine = rule("assigned", SAY, when={"new_assignee": "Priya Nair"})
    card = make_card(phases[0])
    card.add_label(other, by=actor(staff))
    assert not added.runs.exists()
    card.add_label(label, by=actor(staff))
    card.remove_label(label, by=actor(staff))
    assert last(added).state == last(removed).state == "done"
    card.assign([staff], by=actor(staff))
    assert not mine.runs.exists()
    card.assign([staff, manager], by=actor(staff))
    card.assign([manager], by=actor(staff))
    assert [run.state for run in mine.runs.all()] == ["done"]


def test_stage_groups_fields_comments_and_checklists_set_rules_off(rule, phases, workflow, staff):
    left = rule("state_changed", SAY, when={"old_stage": "new"})
    won = rule("won", SAY)
    changed = rule("card_updated", SAY, when={"changed": "due_date"})
    help_wanted = [{"field": "text", "op": "contains", "value": "help"}]
    asked = rule("commented", {"type": "set_field", "field": "source", "value": "x"}, when=help_wanted)
    ready = rule("checklist_complete", SAY)
    archived, restored = rule("archived", {"type": "wait", "for": "1h"}), rule("restored", SAY)
    by = actor(staff)
    card = make_card(phases[0])
    here(card).move(phases[2], by=by)
    here(card).move(phases[3], by=by)
    here(card).move(phases[-1], by=by)
    here(card).update(name="Other", by=by)
    assert not changed.runs.exists()
    here(card).update(due_date="2027-03-01", by=by)
    Comment.write(here(card), "Please Help", by=by)
    for item in Item.add_many(here(card), ["Saw", "Oil"], by=by):
        assert not ready.runs.exists()
        Item.objects.get(pk=item.pk).tick(True, by=by)
    here(card).archive(by=by)
    here(card).restore(by=by)
    told = {one.name: [run.state for run in one.runs.all()] for one in Rule.objects.all()}
    assert [run.state for run in left.runs.all()] == ["done"], told
    for one in (won, changed, ready, restored):
        assert [run.state for run in one.runs.all()] == ["done"], told
    assert asked.runs.filter(state="done").count() == 1
    assert archived.runs.get().state == "waiting"
