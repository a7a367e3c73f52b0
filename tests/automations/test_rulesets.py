"""What a design's rulesets mean: rules that act on the cards of their major version, made when it is published."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from accounts.models import Event, Untold
from automations.models import Rule, Run
from automations.models.run import RUNNING
from automations.tasks import sweep
from boards import publishing
from boards.models import Card, Phase
from tests.boards.test_definitions import document, status
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db(transaction=True)
SEED_RULESETS = [
    {
        "name": name,
        "type": "ORDER",
        "subtype": name,
        "triggers": [{"status": "CREATED"}],
        "rules": [{"name": "FLUENTRETAIL.base.ChangeState", "props": {"status": f"{name}STATUS"}}],
    }
    for name in ("CC", "HD")
]
STATUSES = [
    status("Booked"),
    status("Packing", "FULFILMENT"),
    status("Checked", "DELIVERY"),
    status("Sent", "DONE"),
    status("Lost", "CANCELLED"),
]


def go(to):
    return {"name": "FLUENTRETAIL.base.ChangeState", "props": {"status": to}}


def send(event):
    return {"name": "FLUENTRETAIL.base.SendEvent", "props": {"eventName": event}}


def say(text="Hello"):
    return {"name": "add_comment", "props": {"text": text}}


def ruleset(name, *statuses, rules=(), **said):
    return {"name": name, "triggers": [{"status": one} for one in statuses], "rules": [*rules]} | said


@pytest.fixture
def publish(business, manager):
    """Return a function that publishes rulesets over the statuses Booked, Packing, Checked, Sent and Lost."""

    def put(*rulesets, **said):
        told = document(*STATUSES, rulesets=[*rulesets])
        return publishing.put(business, told, by=actor(manager), **said).workflow

    return put


def stands(card):
    return Card.objects.get(pk=card.pk).phase.name


def make(workflow, phase="Booked"):
    return make_card(workflow.phases.get(name=phase))


def move(card, to, by):
    card = Card.objects.get(pk=card.pk)
    card.move(Phase.objects.get(workflow=card.workflow_id, name=to), by=actor(by))


def comments(card):
    return [comment.text for comment in card.comments.order_by("created_at")]


# When they act ------------------------------------------------------------------------------------------


def test_the_sample_of_the_wire_takes_a_created_card_to_its_own_subtype_s_status(business, manager):
    statuses = [status(name) for name in ("HDSTATUS", "CCSTATUS", "CREATED")]
    told = document(*statuses, status("", entity=""), rulesets=SEED_RULESETS)
    workflow = publishing.put(business, told, by=actor(manager)).workflow
    assert stands(make(workflow, "CREATED")) == "CCSTATUS"
    assert stands(make(workflow, "HDSTATUS")) == "HDSTATUS"
    assert [rule.name for rule in Rule.objects.all()] == ["CC"], "HD is about orders of another subtype"


def test_an_event_of_its_name_sets_a_ruleset_off_where_its_statuses_say(publish, staff):
    own = [{"eventName": "Pack", "context": []}]  # a button decides: entering is not enough
    workflow = publish(ruleset("Pack", "Booked", "Checked", rules=[go("Packing")], userActions=own))
    card = make(workflow)
    card.signal("pack", by=actor(staff))
    assert stands(card) == "Booked", "another name"
    card.signal("Pack", by=actor(staff))
    assert stands(card) == "Packing"
    sent = make(workflow, "Sent")
    sent.signal("Pack", by=actor(staff))
    assert stands(sent) == "Sent", "no status of its"


def test_a_ruleset_that_names_no_status_heeds_events_everywhere_and_no_move(publish, staff):
    workflow = publish(ruleset("Note", rules=[say()]))
    card = make(workflow)
    move(card, "Sent", staff)
    assert comments(card) == []
    Card.objects.get(pk=card.pk).signal("Note", by=actor(staff))
    assert comments(card) == ["Hello"]


def test_entering_a_status_is_enough_also_by_being_created_in_it(publish, staff):
    workflow = publish(ruleset("Check", "Packing", "Checked", rules=[say("Seen")]))
    made, moved = make(workflow, "Packing"), make(workflow)
    assert comments(moved) == []
    move(moved, "Checked", staff)
    assert (comments(made), comments(moved)) == (["Seen"], ["Seen"])


def test_create_in_any_case_comes_by_itself_when_a_card_is_created_and_never_by_moving(publish, staff):
    workflow = publish(ruleset("CREATE", "Booked", rules=[say("New")]), ruleset("Create", rules=[say("Any")]))
    card, other = make(workflow), make(workflow, "Packing")
    assert (comments(card), comments(other)) == (["New", "Any"], ["Any"])
    move(other, "Booked", staff)
    assert comments(other) == ["Any"]


def test_all_that_match_act_in_the_order_of_the_document(publish, staff):
    first = publish(ruleset("A", "Packing", rules=[say("1"), say("2")]), ruleset("B", "Packing", rules=[say("3")]))
    publish(
        ruleset("B", "Packing", rules=[say("3")]),
        ruleset("New", "Packing", rules=[say("new")]),
        ruleset("A", "Packing", rules=[say("1"), say("2")]),
    )
    assert comments(make(first, "Packing")) == ["3", "new", "1", "2"]


def test_a_rule_sends_events_on_which_set_off_the_next(publish, staff):
    workflow = publish(ruleset("Start", "Booked", rules=[send("Next")]), ruleset("Next", rules=[go("Checked")]))
    card = make(workflow)
    assert stands(card) == "Checked"
    told = Event.objects.about(card).get(name="card.signalled")
    assert (told.actor_name, told.details["event"]) == ("Start", "Next")


def test_every_action_of_ours_is_called_by_its_plain_name(publish, staff):
    rules = [
        {"name": "set_field", "props": {"field": "source", "value": "shop"}},
        {"name": "move_card", "props": {"to": "next"}},
        {"name": "move_card", "props": {"to": "checked"}},
    ]
    card = make(publish(ruleset("Go", "Booked", rules=rules)))
    assert (stands(card), Card.objects.get(pk=card.pk).source) == ("Checked", "shop")


def test_a_phase_that_gets_another_name_is_still_the_one_that_is_meant(publish, manager):
    workflow = publish(ruleset("Go", "Booked", rules=[go("Packing")]))
    for name in ("Booked", "Packing"):
        workflow.phases.get(name=name).update(name=f"{name} anew", by=actor(manager))
    assert stands(make(workflow, "Booked anew")) == "Packing anew"


def test_an_event_that_no_ruleset_waits_for_leaves_a_line_in_the_log(publish, staff):
    card = make(publish(ruleset("Go", "Packing", rules=[say()])))
    card.signal("Elsewhere", by=actor(staff))
    run = Run.objects.get(event__name="card.signalled")
    assert (run.name, run.state, run.reason) == ("Elsewhere", "skipped", "No rule waits for this event in Booked.")


# Published ----------------------------------------------------------------------------------------------


def test_another_minor_changes_the_rules_that_are_there_and_their_state_stays(publish, staff, owner):
    publish(ruleset("A", "Packing", rules=[say("1")]), ruleset("B", "Packing", rules=[say("2")]))
    before = Rule.objects.get(name="A")
    before.switch("off", by=actor(owner))
    workflow = publish(ruleset("A", "Packing", rules=[say("changed")]), ruleset("C", "Packing", rules=[say("3")]))
    after = Rule.objects.get(name="A")
    assert (after.pk, after.state, after.version) == (before.pk, "off", 2)
    assert after.definition.version == "1.1"
    assert sorted(Rule.objects.values_list("name", flat=True)) == ["A", "C"]
    assert comments(make(workflow, "Packing")) == ["3"]


def test_published_again_unchanged_nothing_is_news_but_the_version(publish):
    publish(ruleset("A", "Packing", rules=[say()]))
    rule = Rule.objects.get()
    publish(ruleset("A", "Packing", rules=[say()]))
    again = Rule.objects.get()
    assert (again.pk, again.version, again.definition.version) == (rule.pk, 1, "1.1")
    assert not Event.objects.filter(name="rule.updated").exists()


def test_what_made_the_rules_is_told(publish, manager):
    publish(ruleset("A", "Packing", rules=[say()]))
    told = Event.objects.get(name="rule.created")
    assert (told.actor_name, told.cause.name) == ("Priya Nair", "workflow.published")


def test_rulesets_of_one_name_are_one_rule_each(publish, staff):
    publish(*(ruleset("A", one, rules=[say(one)]) for one in ("Booked", "Packing")))
    first = list(Rule.objects.in_order().values_list("pk", flat=True))
    workflow = publish(*(ruleset("A", one, rules=[say(one)]) for one in ("Booked", "Packing", "Sent")))
    assert list(Rule.objects.in_order().values_list("pk", flat=True))[:2] == first
    assert [comments(make(workflow, one)) for one in ("Booked", "Packing", "Sent")] == [
        ["Booked"],
        ["Packing"],
        ["Sent"],
    ]


def test_a_crash_before_the_rules_are_made_is_made_good_by_the_worker(publish):
    workflow = publish(ruleset("A", "Packing", rules=[say()]))
    Rule.objects.all().delete()  # as if whoever published had died before telling
    Event.objects.filter(name="workflow.published").update(told_at=None)
    assert Untold.tell_again(older_than=dt.timedelta(0)) >= 1
    assert comments(make(workflow, "Packing")) == ["Hello"]
    Event.objects.filter(name="workflow.published").update(told_at=None)
    Untold.tell_again(older_than=dt.timedelta(0))
    assert Rule.objects.count() == 1


def test_the_rules_of_an_older_major_act_on_its_cards_and_go_with_the_last_of_them(publish, staff, owner):
    workflow = publish(ruleset("A", "Packing", "Sent", rules=[say("old")]))
    Rule.objects.get().switch("watch", by=actor(owner))
    Rule.objects.get().switch("on", by=actor(owner))
    old, done = make(workflow), make(workflow, "Sent")
    publish(ruleset("A", "Packing", rules=[say("new")]), major=2, finish_old=True)
    new = make(workflow)
    for card in (old, new):
        move(card, "Packing", staff)
    assert (comments(old), comments(new)) == (["old"], ["new"])
    sweep.func()
    assert Rule.objects.count() == 2
    move(old, "Sent", staff)
    assert comments(old) == ["old", "old"], "it finishes as it began"
    sweep.func()
    assert [rule.definition.version for rule in Rule.objects.all()] == ["2.0"]
    assert {card.major for card in Card.objects.all()} == {2}, "no card is left without a design"
    assert done.comments.count() == 1


def test_a_new_major_that_takes_all_cards_along_leaves_no_older_rule_and_no_rule_switched_on(publish, owner):
    publish(ruleset("A", "Packing", rules=[say("old")]))
    Rule.objects.get().switch("off", by=actor(owner))
    workflow = publish(ruleset("A", "Packing", rules=[say("new")]), major=2)
    assert [(rule.definition.version, rule.state) for rule in Rule.objects.all()] == [("2.0", "off")]
    assert comments(make(workflow, "Packing")) == []


def test_an_older_rule_whose_run_waits_stays_until_it_has_gone_on(publish, staff):
    workflow = publish(ruleset("A", "Packing", rules=[{"name": "wait", "props": {"for": "1 hour"}}, say("late")]))
    card = make(workflow, "Packing")
    publish(ruleset("A", "Packing", rules=[say("new")]), major=2)
    assert Rule.objects.count() == 2
    Run.objects.filter(state="waiting").update(wakes_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    sweep.func()
    assert comments(card) == ["late"]
    assert [rule.definition.version for rule in Rule.objects.all()] == ["2.0"]


def test_a_workflow_of_another_kind_of_entity_is_a_board_like_any_other(business, manager):
    told = document(status("CREATED", entity="RETURN_ORDER"), status("Back", "FULFILMENT", entity="RETURN_ORDER"))
    told |= {"entityType": "RETURN_ORDER", "entitySubtype": "POST"}
    told["rulesets"] = [ruleset("Create", "CREATED", rules=[go("Back")], type="RETURN_ORDER", subtype="POST")]
    workflow = publishing.put(business, told, by=actor(manager)).workflow
    assert workflow.ref == "RETURN_ORDER::POST"
    assert stands(make(workflow, "CREATED")) == "Back"


# Kept from harm -----------------------------------------------------------------------------------------


def test_the_text_of_such_a_rule_is_changed_in_the_design_only(publish, owner, workflow):
    publish(ruleset("A", "Packing", rules=[say()]))
    rule, by = Rule.objects.get(), actor(owner)
    for deed in (lambda: rule.update(name="B", by=by), lambda: rule.delete_for_good(by=by)):
        with pytest.raises(ValidationError, match="part of the design of ORDER::CC") as refusal:
            deed()
        assert refusal.value.code == "of_design"
    copy = rule.copy(by=by)
    assert (copy.definition, copy.state, copy.document) == (None, "off", rule.document)
    copy.update(name="My own", by=by)
    copy.delete_for_good(by=by)


rules = st.one_of(
    st.builds(go, st.sampled_from([one["name"] for one in STATUSES[:4]])),
    st.builds(send, st.sampled_from("ABCDE")),
    st.just(say()),
    st.just({"name": "move_card", "props": {"to": "next"}}),
)
graphs = st.lists(
    st.builds(
        lambda name, statuses, rules: ruleset(name, *statuses, rules=rules),
        st.sampled_from(["A", "B", "C", "D", "Create"]),
        st.lists(st.sampled_from([one["name"] for one in STATUSES[:4]]), max_size=3, unique=True),
        st.lists(rules, min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=6,
)


@effort(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=graphs, event=st.sampled_from("ABCD"))
def test_every_graph_of_rulesets_comes_to_an_end(publish, owner, graph, event):
    Run.objects.all().delete()
    workflow = publish(*graph)
    card = make(workflow)
    Card.objects.get(pk=card.pk).signal(event, by=actor(owner))
    assert not Run.objects.filter(state=RUNNING).exists(), "somebody is still at it"
    turns = Run.objects.filter(rule__isnull=False, state="done").values_list("rule", "chain")
    assert len(turns) == len(set(turns)), "a rule acts once on what follows from one event"
