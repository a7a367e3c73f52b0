"""Rules as they are written: kept as they came, refused where they make no sense, asked in words."""

import datetime as dt
import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from accounts.models import Event
from automations.actions.registry import actions
from automations.conditions import OPERATORS, WORDS, facts
from automations.exchange import export, export_one, import_all
from automations.models import Rule
from automations.occasion import Occasion
from automations.triggers import triggers
from automations.trying import matching_now, try_on
from boards.models import Card, Field
from contacts.models import ContactLabel
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db
SAY = {"type": "add_comment", "text": "Hello"}


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


@pytest.fixture
def why_not(business, owner):
    """Return a function that says why conditions do not hold for a card, "" when they do."""

    def ask(card, conditions, trigger="card_created"):
        document = {"trigger": trigger, "conditions": conditions, "actions": [SAY]}
        return try_on(Rule.create(business, document, by=actor(owner), state="off"), card).reason

    return ask


# Kept as they came ------------------------------------------------------------------------------------

WRITTEN = [
    {"trigger": "state_changed", "conditions": {"new_state": "delayed"}, "actions": [SAY]},
    {"trigger": "state_changed", "actions": [SAY]},
    {"trigger": {"type": "waiting", "phase": "Delayed", "for": "3 days"}, "conditions": {}, "actions": [SAY]},
    {"name": "Chase", "trigger": "won", "conditions": [{"field": "value", "op": "over", "value": 5}], "actions": [SAY]},
    {
        "trigger": "commented",
        "conditions": {"any": [{"field": "source", "value": "Shop"}, {"all": [{"field": "name", "value": "x"}]}]},
        "actions": [SAY, {"type": "wait", "for": "2h"}, {"type": "move_card", "to": "next"}],
    },
]


@pytest.mark.parametrize("written", WRITTEN)
def test_a_document_is_kept_and_given_back_as_it_came(business, owner, written):
    rule = Rule.create(business, json.loads(json.dumps(written)), by=actor(owner))
    assert Rule.objects.get(pk=rule.pk).document == written
    assert rule.exported()["rule"] == written


def test_all_rules_go_out_and_come_in_as_one_document(business, owner, stranger, workflow):
    for number, written in enumerate(WRITTEN):
        state = ("on", "watch", "off")[number % 3]
        Rule.create(business, written, workflow=workflow if number == 1 else None, state=state, by=actor(owner))
    out = export(business)
    make_workflow(stranger.business, workflow.name)
    made = import_all(stranger.business, json.loads(json.dumps(out)), by=actor(stranger))
    assert [rule.state for rule in made] == ["off"] * len(WRITTEN), "what comes from elsewhere is looked at first"
    there = export(stranger.business)
    assert [one["rule"] for one in there["rules"]] == [one["rule"] for one in out["rules"]]
    assert [one["name"] for one in there["rules"]] == [one["name"] for one in out["rules"]]


def test_rules_that_name_rows_by_id_are_understood_by_a_business_with_the_same_workflow(
    business, owner, staff, stranger, workflow, phases
):
    label, by = workflow.labels.first(), actor(owner)
    field = Field.create(workflow, name="Wood", by=by)
    is_second = {"field": "new_state", "op": "is_one_of", "value": [str(phases[1].pk), "Elsewhere"]}
    is_oak = {"field": f"field:{field.pk}", "op": "is", "value": "oak"}
    by_id = {
        "workflow": str(workflow.pk),
        "trigger": "state_changed",
        "conditions": {"all": [is_second, {"any": [is_oak, {"field": "assignee", "value": str(staff.pk)}]}]},
        "actions": [
            {"type": "add_label", "label": str(label.pk)},
            {"type": "set_field", "field": str(field.pk), "value": "ash"},
            {"type": "move_card", "to": str(phases[2].pk)},
        ],
    }
    rule = Rule.create(business, by_id, by=by)
    Rule.create(
        business, {"trigger": {"type": "waiting", "phase": str(phases[0].pk), "for": "1h"}, "actions": [SAY]}, by=by
    )
    out = json.loads(json.dumps(export(business)))
    carried, waits = (one["rule"] for one in out["rules"])
    second = f"{workflow.name} / {phases[1].name}"
    assert export_one(rule) == carried | {"workflow": workflow.name}, "also alone"
    assert carried["workflow"] == workflow.name
    assert carried["conditions"]["all"][0]["value"] == [second, "Elsewhere"]
    assert carried["conditions"]["all"][1]["any"][1]["value"] == staff.user.email
    assert [one.get("to") for one in carried["actions"]][2] == f"{workflow.name} / {phases[2].name}"
    assert waits["trigger"]["phase"] == f"{workflow.name} / {phases[0].name}"

    there = make_workflow(stranger.business, workflow.name)
    wood = Field.create(there, name="Wood", by=actor(stranger))
    made, _ = import_all(stranger.business, out, by=actor(stranger))
    assert made.problems == ["There is no phase “Elsewhere”.", f"There is no member “{staff.user.email}”."]
    card = make_card(there.phases.all()[1])
    card.fill_fields({wood: "oak"}, by=actor(stranger))
    trial = try_on(made, card)
    assert (trial.reason, trial.error) == ("", "")
    assert trial.steps == [f"Added the label {label.name}", "Set Wood to ash", f"Moved it to {phases[2].name}"]
    assert try_on(made, make_card(there.phases.first())).reason.startswith("Phase it entered ")


def test_a_phase_is_called_by_its_whole_name_also_where_names_hold_strokes(business, owner, workflow, phases, why_not):
    phases[0].update(name="In / out", by=actor(owner))
    other = make_workflow(business, "Repairs / spares")
    other.phases.first().update(name="In / out", by=actor(owner))
    card = make_card(phases[0])
    for called in (f"{workflow.name} / In / out", "In / out"):
        assert why_not(card, {"phase": called}) == ""
    assert why_not(card, {"phase": "Repairs / spares / In / out"}) == "Phase In / out is not In / out"
    assert why_not(card, [{"field": "phase", "op": "is_not", "value": "Repairs / spares / In / out"}]) == ""


def test_of_a_document_that_is_wrong_nothing_is_imported_and_each_rule_that_cannot_be_is_told(business, owner):
    elsewhere = {"workflow": "Repairs"}
    out = {
        "rules": [
            {"name": "A", "rule": WRITTEN[0]},
            {"name": "B", "rule": {"trigger": "nothing"}},
            {"name": "C", "rule": WRITTEN[0]} | elsewhere,
            {"name": "D", "rule": WRITTEN[0] | elsewhere},
            {"rule": WRITTEN[0] | elsewhere},
            7,
        ]
    }
    with pytest.raises(ValidationError) as refusal:
        import_all(business, out, by=actor(owner))
    names, told = zip(*(message.split(": ", 1) for message in refusal.value.messages), strict=True)
    assert names == ("B", "C", "D", "Rule 5", "Rule 6")
    assert told[0].startswith("“nothing” is no trigger.")
    assert told[1:4] == ("There is no workflow “Repairs”.",) * 3
    assert not Rule.objects.exists()
    (made,) = import_all(business, out, only_good=True, by=actor(owner))
    assert (made.name, made.state) == ("A", "off")


def test_of_a_document_of_more_rules_than_a_business_may_have_none_is_even_tried(
    business, owner, django_assert_num_queries
):
    by = actor(owner)
    for only_good in (False, True):
        with django_assert_num_queries(0), pytest.raises(ValidationError, match="at most 200 rules") as refusal:
            import_all(business, {"rules": [{}] * 201}, only_good=only_good, by=by)
        assert refusal.value.code == "too_many"


def test_what_a_rule_names_that_is_not_there_is_told_and_no_reason_to_refuse_it(business, owner, phases):
    rule = Rule.create(business, WRITTEN[0], by=actor(owner))
    assert rule.problems == ["There is no phase “delayed”."]
    phases[0].update(name="Delayed", by=actor(owner))
    assert Rule.objects.get(pk=rule.pk).problems == []


def test_a_rule_is_made_changed_switched_copied_and_deleted_and_the_ledger_tells(business, owner):
    rule = Rule.create(business, WRITTEN[0], name="Late", by=actor(owner))
    rule.update(document=WRITTEN[1], by=actor(owner))
    rule.update(document=WRITTEN[1], by=actor(owner))
    rule.switch("watch", by=actor(owner))
    copied = rule.copy(by=actor(owner))
    rule.delete_for_good(by=actor(owner))
    assert (copied.name, copied.state, copied.document) == ("Late (copy)", "off", WRITTEN[1])
    names = list(Event.objects.filter(name__startswith="rule.").order_by("sequence").values_list("name", flat=True))
    assert names == ["rule.created", "rule.updated", "rule.switched", "rule.created", "rule.deleted"]


def test_a_rule_is_renamed_also_where_its_document_says_its_name(business, owner, workflow):
    rule = Rule.create(business, {**WRITTEN[0], "name": "Late", "workflow": workflow.name}, by=actor(owner))
    rule.update(name="Delayed", workflow=None, by=actor(owner))
    rule = Rule.objects.get(pk=rule.pk)
    assert (rule.name, rule.document["name"], rule.workflow) == ("Delayed", "Delayed", None)
    rule.update(document={**rule.document, "name": "Too late"}, by=actor(owner))
    assert Rule.objects.get(pk=rule.pk).name == "Too late"


def test_only_managers_write_rules(business, staff):
    with pytest.raises(PermissionDenied):
        Rule.create(business, WRITTEN[0], by=actor(staff))


def test_a_business_has_so_many_rules_and_no_more(business, owner, settings):
    settings.RULES_MOST = 1
    Rule.create(business, WRITTEN[0], by=actor(owner))
    with pytest.raises(ValidationError, match="at most 1 rules"):
        Rule.create(business, WRITTEN[0], by=actor(owner))


# Refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "part"),
    [
        (None, None),
        ([], None),
        ({"trigger": "won", "actions": [SAY], "else": 1}, None),
        ({"trigger": "won", "actions": [SAY], "name": "x" * 30_000}, None),
        ({"trigger": "won", "actions": [SAY | {"text": "\x00"}]}, None),
        ({"trigger": "won", "actions": [SAY], "name": {"a": 1}}, "name"),
        ({"trigger": "won", "actions": [SAY], "workflow": 5}, "workflow"),
        ({"actions": [SAY]}, "trigger"),
        ({"trigger": "moon", "actions": [SAY]}, "trigger"),
        ({"trigger": ["won"], "actions": [SAY]}, "trigger"),
        ({"trigger": {"type": "won", "phase": "x"}, "actions": [SAY]}, "trigger"),
        ({"trigger": "waiting", "actions": [SAY]}, "trigger"),
        ({"trigger": {"type": "waiting", "phase": "x", "for": "soon"}, "actions": [SAY]}, "trigger"),
        ({"trigger": {"type": "schedule", "every": "week"}, "actions": [SAY]}, "trigger"),
        ({"trigger": {"type": "schedule", "every": "week", "on": ["someday"]}, "actions": [SAY]}, "trigger"),
        ({"trigger": {"type": "schedule", "every": "month", "on": ["32"]}, "actions": [SAY]}, "trigger"),
        ({"trigger": {"type": "schedule", "every": "year"}, "actions": [SAY]}, "trigger"),
        ({"trigger": "won"}, "actions"),
        ({"trigger": "won", "actions": []}, "actions"),
        ({"trigger": "won", "actions": ["add_comment"]}, "actions"),
        ({"trigger": "won", "actions": [{"type": "fly"}]}, "actions"),
        ({"trigger": "won", "actions": [{"type": ["wait"]}]}, "actions"),
        ({"trigger": "won", "actions": [{"type": "add_comment"}]}, "actions"),
        ({"trigger": "won", "actions": [{"type": "add_comment", "text": {"a": 1}}]}, "actions"),
        ({"trigger": "won", "actions": [SAY | {"colour": "red"}]}, "actions"),
        ({"trigger": "won", "actions": [SAY] * 21}, "actions"),
        ({"trigger": "won", "actions": [{"type": "wait", "for": []}]}, "actions"),
        ({"trigger": "won", "actions": [{"type": "set_due_date", "to": "someday"}]}, "actions"),
        ({"trigger": "won", "actions": [{"type": "set_due_date", "to": "in 3 hours"}]}, "actions"),
        ({"trigger": "won", "conditions": "always", "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": {"moon": 1}, "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": [{"op": "is"}], "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": [{"field": "name", "op": "is", "x": 1}], "actions": [SAY]}, "conditions"),
        (
            {"trigger": "won", "conditions": [{"field": "name", "op": "over", "value": 1}], "actions": [SAY]},
            "conditions",
        ),
        ({"trigger": "won", "conditions": [{"field": "value", "op": "over"}], "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": {"value": "much"}, "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": {"value": [1]}, "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": {"due_date": "someday"}, "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": {"archived": "perhaps"}, "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": {"name": {"a": 1}}, "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": {"label": {"a": 1}}, "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": {"phase": 5.5}, "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": {"changed": "value"}, "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": [{"field": "name", "value": "x"}] * 31, "actions": [SAY]}, "conditions"),
        ({"trigger": "won", "conditions": [[[[[[]]]]]], "actions": [SAY]}, "conditions"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_part(business, owner, written, part):
    with pytest.raises(ValidationError) as refused:
        Rule.create(business, written, by=actor(owner))
    assert part in getattr(refused.value, "error_dict", {None: 0})
    assert not Rule.objects.exists()


COMMENT = {"type": "add_comment", "text": "Hello"}


def test_half_a_character_anywhere_in_a_rule_is_refused_for_no_page_could_show_it(business, owner):
    for written in (
        {"name": "\ud800"},
        {"conditions": {"name": "\ud800"}},
        {"actions": [COMMENT | {"text": "\ud800"}]},
    ):
        with pytest.raises(ValidationError, match="null or half"):
            Rule.create(business, {"trigger": "card_created", "actions": [COMMENT], **written}, by=actor(owner))


@pytest.mark.parametrize("levels", [20, 900, 2500])
def test_a_rule_deeper_than_a_database_keeps_is_refused(business, owner, levels):
    deep = json.loads("[" * levels + "]" * levels)
    with pytest.raises(ValidationError, match="at most 20 levels"):
        Rule.create(
            business,
            {"trigger": "card_created", "actions": [{"type": "set_field", "field": "name", "value": deep}]},
            by=actor(owner),
        )


anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**400), 10**400),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from(
            ["nan", "today", "in 3 hours", "in 99999 weeks", "next", "1e999", "08:30+02:00", "3 days", "any"]
        ),
    ),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(["all", "any", "a"]), inside, max_size=2)
    ),
    max_leaves=6,
)
written_by_anybody = st.builds(
    lambda trigger, options, conditions, written: {
        "trigger": {"type": trigger, **options},
        "conditions": conditions,
        "actions": written,
    },
    st.sampled_from(sorted(triggers)),
    st.dictionaries(st.sampled_from(["phase", "for", "in", "by", "at", "every", "on", "label"]), anything, max_size=4),
    st.one_of(
        anything,
        st.dictionaries(st.sampled_from(sorted(facts)), anything, max_size=2),
        st.lists(
            st.fixed_dictionaries(
                {
                    "field": st.sampled_from(sorted(facts)),
                    "op": st.sampled_from(sorted(WORDS)) | anything,
                    "value": anything,
                }
            ),
            max_size=2,
        ),
    ),
    st.lists(
        st.builds(
            lambda key, values: {**values, "type": key},
            st.sampled_from(sorted(actions)),
            st.dictionaries(
                st.sampled_from(sorted({one.name for action in actions.values() for one in action.inputs})),
                anything,
                max_size=3,
            ),
        ),
        max_size=2,
    ),
)


@effort(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.one_of(written_by_anybody, anything))
def test_whatever_is_written_is_kept_and_can_be_asked_or_is_refused_in_words(business, owner, phases, written):
    Rule.objects.all().delete()
    try:
        rule = Rule.create(business, written, state="off", by=actor(owner))
    except ValidationError:
        return
    assert rule.read.why_not(Occasion.at(make_card(phases[0]))) is not None
    matching_now(rule)


def test_a_workflow_that_is_not_there_is_refused(business, owner, stranger):
    with pytest.raises(ValidationError, match="no workflow"):
        Rule.create(business, WRITTEN[0] | {"workflow": "Elsewhere"}, by=actor(owner))


# Asked in words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (("value", "over", 1000), "Value €240 is not over €1,000"),
        (("value", "over", 240), "Value €240 is not over €240"),
        (("value", "at_least", 240), ""),
        (("value", "at_most", "239.99"), "Value €240 is more than €239.99"),
        (("value", "under", 1000), ""),
        (("value", "is", 240), ""),
        (("value", "is_empty", None), "Value €240 is not empty"),
        (("due_date", "before", "2027-03-10"), "Due date 10 Mar is not before 10 Mar"),
        (("due_date", "after", "today"), ""),
        (("due_date", "is", "in 6 days"), ""),
        (("name", "contains", "OAK"), ""),
        (("name", "contains_not", "oak"), "Name “Oak table” contains “oak”"),
        (("name", "begins_with", "table"), "Name “Oak table” does not begin with “table”"),
        (("source", "is", "Shop"), "Source is empty"),
        (("source", "is_not", "Shop"), ""),
        (("source", "is_not_empty", None), "Source is empty"),
        (("phase", "is", "customer_contacted_me"), ""),
        (("phase", "is_not", "Customer contacted me"), "Phase Customer contacted me is Customer contacted me"),
        (("phase", "is_one_of", ["Won", "Invoice paid"]), "Phase Customer contacted me is none of Won or Invoice paid"),
        (("stage", "is", "new"), ""),
        (("workflow", "is", "lead-funnel"), ""),
        (("label", "has", "Repair"), "Repair is not among its labels"),
        (("label", "is_empty", None), ""),
        (("assignee", "has", "Tomás Rivera"), ""),
        (("assignee", "has_not", "tomas@example.test"), ""),
        (("assignee", "has_any", ["Ife", "Tomás Rivera"]), ""),
        (("contact.name", "is", "ines brunet"), ""),
        (("contact.email", "is_empty", None), ""),
        (("contact.label", "has", "vip"), ""),
        (("archived", "is", "no"), ""),
        (("archived", "is", "yes"), "Archived no is not yes"),
        (("checklist_open", "is", 0), ""),
        (("Wood", "is", "Oak"), ""),
        (("field:Size", "over", 3), "Size 2.5 is not over 3"),
        (("field:Nothing", "is", 3), "There is no “field:Nothing” here"),
    ],
)
def test_conditions_say_why_they_do_not_hold(
    why_not, business, workflow, owner, staff, time_machine, condition, reason
):
    time_machine.move_to("2027-03-04 09:00Z", tick=False)
    wood = Field.create(workflow, name="Wood", kind="choice", choices=["Oak"], by=actor(owner))
    size = Field.create(workflow, name="Size", kind="number", by=actor(owner))
    vip = ContactLabel.find_or_create(business, "VIP", by=actor(owner))
    contact = make_contact(business, labels=[vip])
    card = make_card(
        workflow.phases.first(),
        "Oak table",
        value=24_000,
        due_date=dt.date(2027, 3, 10),
        contact=contact,
        assignees=[staff],
    )
    card.fill_fields({wood: "Oak", size: 2.5}, by=actor(owner))
    field, op, value = condition
    written = {"field": field, "op": op} | ({} if value is None else {"value": value})
    assert why_not(Card.objects.get(pk=card.pk), [written]) == reason


def test_of_all_conditions_the_first_that_fails_is_said_of_any_each(why_not, phases):
    card = make_card(phases[0], value=24_000)
    two = [{"field": "value", "op": "over", "value": 1000}, {"field": "source", "value": "Shop"}]
    assert why_not(card, two) == "Value €240 is not over €1,000"
    assert why_not(card, {"any": two}) == "Value €240 is not over €1,000; Source is empty"
    assert why_not(card, {"any": [*two, {"field": "name", "op": "is_not_empty"}]}) == ""
    assert (
        why_not(card, [{"any": two}, {"field": "value", "value": 240}])
        == "Value €240 is not over €1,000; Source is empty"
    )


def test_compared_with_what_is_gone_nothing_is_different(why_not, phases, workflow, owner):
    gone = str(phases[1].pk)
    card = make_card(phases[0])
    assert why_not(card, [{"field": "phase", "op": "is_not", "value": gone}]) == ""
    phases[1].delete_to(None, by=actor(owner))
    assert why_not(card, [{"field": "phase", "op": "is_not", "value": gone}]) == f"There is no phase “{gone}”."


def test_a_list_means_any_of_it(why_not, phases):
    assert why_not(make_card(phases[0], source="Fair"), {"source": ["Shop", "Fair"]}) == ""


# Described for an editor ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", sorted(triggers))
def test_every_trigger_describes_itself(key):
    trigger = triggers[key]
    assert trigger.label[0].islower(), "it is said after “When”"
    assert bool(trigger.events) != bool(trigger.moments)
    assert all(fact.operators for fact in trigger.facts.values())


@pytest.mark.parametrize("fact", facts.values(), ids=lambda fact: fact.name)
def test_every_fact_can_be_asked_of_a_bare_card_and_of_none(fact, phases):
    fact.ask(Occasion.at(make_card(phases[0])))
    assert fact.ask(Occasion(phases[0].business_id)) is None
    assert set(OPERATORS[fact.kind]) <= set(WORDS)
