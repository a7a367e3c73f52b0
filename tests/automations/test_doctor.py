"""What a design would do by itself is looked at before it is published: what can never work, and what is hardly meant."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort

from automations.doctor import examine
from automations.models import MailTemplate, Rule
from boards import publishing
from boards.definitions import Unfit
from boards.models import Draft, Field, Workflow
from boards.models.library import stock
from tests.automations.test_rulesets import go, ruleset, say, send
from tests.boards.test_definitions import document, status
from tests.definitions import SAMPLE, documents
from tests.factories import actor, make_workflow

STATUSES = [
    status("Booked"),
    status("Packing", "FULFILMENT"),
    status("Checked", "DELIVERY"),
    status("Sent", "DONE"),
    status("Lost", "CANCELLED"),
]
ALONG = ruleset("Along", "Booked", rules=[go("Packing")]), ruleset("On", "Packing", "Checked", rules=[go("Sent")])


@pytest.fixture
def orders(business):
    """The workflow whose design is looked at."""
    stock(business)
    return Workflow.create(business, name="Orders", entity=("ORDER", "CC"), by=actor(business.memberships.get()))


@pytest.fixture
def found(orders):
    """Return a function: what is found in rulesets over Booked, Packing, Checked, Sent and Lost, by its code."""

    def look(*rulesets, statuses=STATUSES):
        problems = list(examine(orders, document(*statuses, rulesets=[*rulesets])))
        assert all(problem.text and problem.severity in ("error", "warning") for problem in problems)
        return {problem.code: problem for problem in problems}

    return look


def test_the_sample_of_the_wire_has_nothing_that_stands_in_the_way(orders):
    told = [(one.code, one.severity, one.attributes) for one in examine(orders, SAMPLE)]
    assert told == [("NO_TRIGGER", "warning", {"statuses": ["HDSTATUS", "CCSTATUS"]})]


def test_a_rule_that_is_not_there_is_told_once_by_its_name_also_where_it_is_about_something_else(found):
    strange = {"name": "ACME.base.Fly", "props": None}
    problem = found(ruleset("A", rules=[say(), strange, strange]), ruleset("B", rules=[strange], type="ITEM"))[
        "RULE_NOT_FOUND"
    ]
    assert (problem.severity, problem.attributes) == ("error", {"name": "ACME.base.Fly"})
    assert problem.fix == {
        "label": "Take the rule out",
        "do": "drop_rule",
        "with": {"place": 0, "name": "A", "rule": 1},
    }


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"name": "FLUENTRETAIL.base.ChangeState", "props": None}, "Phase is not filled in."),
        ({"name": "FLUENTRETAIL.base.ChangeState", "props": {"status": ["Sent"]}}, "does not fit"),
        ({"name": "FLUENTRETAIL.base.ChangeState", "props": {"status": "Sent", "speed": 3}}, "It knows no speed."),
        ({"name": "FLUENTRETAIL.base.ChangeState", "props": {"status": "Sent", "to": "Lost"}}, "It knows no to."),
        ({"name": "add_comment", "props": {"text": "Hello", "type": "moon"}}, "It knows no type."),
        ({"name": "add_comment", "props": {"type": "archive_card"}}, "It knows no type."),
        ({"name": "FLUENTRETAIL.base.SendEvent", "props": {}}, "Called is not filled in."),
        ({"name": "add_comment", "props": {"text": {"deep": 1}}}, "wants words"),
        ({"name": "wait", "props": {"for": "ever"}}, "ever"),
        ({"name": "send_email", "props": {"template": "delay_notification", "to": "nobody@"}}, "is no e-mail address"),
        ({"name": "webhook", "props": {"url": "ftp://x"}}, "http"),
        ({"name": "add_label", "props": {"label": 7}}, "does not fit"),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_a_rule_that_is_told_nonsense_cannot_be_published(found, rule, reason):
    problem = found(ruleset("A", "Booked", rules=[rule]))["RULE_PROPS_INVALID"]
    assert problem.severity == "error"
    assert reason in problem.attributes["reason"]
    assert (problem.attributes["ruleset"], problem.attributes["name"]) == ("A", rule["name"])


def test_a_ruleset_that_says_more_than_a_rule_can_keep_cannot_be_published(found):
    much = [say("A" * 7000)] * 3  # each of which would fit
    problem = found(ruleset("A", "Booked", rules=much))["TOO_LONG"]
    assert (problem.severity, problem.attributes) == ("error", {"path": "rulesets[0]", "max": 20_000})
    assert "TOO_LONG" not in found(ruleset("A", "Booked", rules=much[:2]))


def test_what_leads_to_a_status_that_is_not_declared_cannot_be_published(found):
    for rule in (go("Moon"), {"name": "move_card", "props": {"to": "Moon"}}):
        problem = found(ruleset("A", "Booked", rules=[rule]))["STATUS_UNDECLARED"]
        assert (problem.severity, problem.attributes) == ("error", {"ruleset": "A", "status": "Moon"})
        assert problem.fix["do"] == "add_step"
    for fine in ("next", "packing", "Elsewhere / Moon"):
        assert "STATUS_UNDECLARED" not in found(
            ruleset("A", "Booked", rules=[{"name": "move_card", "props": {"to": fine}}])
        )


def test_what_is_named_and_not_there_is_a_warning_for_it_may_come(found, business, orders, owner):
    other = make_workflow(business, "Repairs", "repair")
    rules = [
        {"name": "add_label", "props": {"label": other.labels.first().name}},  # a label of another workflow
        {"name": "send_email", "props": {"template": "nowhere", "to": "customer"}},
        {"name": "assign", "props": {"member": "tom@brightside.test"}},
        {"name": "create_card", "props": {"phase": "Repairs / Moon"}},
    ]
    problem = found(ruleset("A", "Booked", rules=rules))["NAMED_ROW_MISSING"]
    assert (problem.severity, problem.fix["do"]) == ("warning", "drop_rule")
    MailTemplate.stock(business, by=actor(owner))
    rules[1]["props"]["template"] = "delay_notification"
    rules[2]["props"]["member"] = owner.user.email
    rules[3]["props"]["phase"] = f"Repairs / {other.phases.first().name}"
    assert "NAMED_ROW_MISSING" not in found(ruleset("A", "Booked", rules=rules[1:]))


def test_work_that_ends_badly_wants_a_reason(found):
    lose = {"name": "FLUENTRETAIL.base.ChangeState", "props": {"status": "Lost"}}
    assert found(ruleset("A", "Booked", rules=[lose]))["REASON_MISSING"].severity == "warning"
    lose["props"]["reason"] = "Out of stock"
    assert "REASON_MISSING" not in found(ruleset("A", "Booked", rules=[lose]))


def test_more_rules_than_a_business_may_have_or_a_rule_may_do_are_too_many(found, business, orders, owner, settings):
    assert found(ruleset("A", rules=[say()] * 21))["TOO_MANY"].attributes == {
        "ruleset": "A",
        "path": "rulesets[0].rules",
        "max": 20,
    }
    settings.RULES_MOST = 2
    Rule.create(business, {"trigger": "won", "actions": [{"type": "archive_card"}]}, by=actor(owner))
    assert "TOO_MANY" not in found(ruleset("A", rules=[say()]), ruleset("B"), ruleset("C"))
    assert found(ruleset("A", rules=[say()]), ruleset("B", rules=[say()]))["TOO_MANY"].attributes["path"] == "rulesets"


def test_steps_that_nothing_moves_cards_on_from_are_told(found):
    assert "NO_TRIGGER" not in found(*ALONG)
    assert found(ALONG[0])["NO_TRIGGER"].attributes == {"statuses": ["Packing", "Checked"]}
    assert "NO_TRIGGER" not in found(ruleset("All", rules=[{"name": "move_card", "props": {"to": "next"}}]))
    timed = [*STATUSES[:2], status("Checked", "DELIVERY", timeoutHours=5), *STATUSES[3:]]
    assert found(ALONG[0], statuses=timed)["NO_TRIGGER"].attributes == {"statuses": ["Packing"]}


def test_steps_that_no_card_comes_to_by_itself_are_told(found):
    loop = ruleset("Back", "Checked", rules=[go("Packing")]), ruleset("Forth", "Packing", rules=[go("Checked")])
    assert found(*loop)["STATUS_UNREACHABLE"].attributes == {"statuses": ["Packing", "Checked"]}
    assert "STATUS_UNREACHABLE" not in found(*loop, ruleset("In", "Booked", rules=[go("Packing")]))


def test_rulesets_that_lead_a_card_to_two_places_on_one_occasion_fight(found):
    button = [{"eventName": "A", "context": []}]
    one, other = ruleset("A", "Booked", "Packing", rules=[go("Checked")]), ruleset("B", "Booked", rules=[go("Sent")])
    problem = found(one, other)["RULESETS_FIGHT"]
    assert problem.attributes == {"rulesets": ["A", "B"], "status": "Booked", "to": ["Checked", "Sent"]}
    assert problem.fix["with"] == {"place": 1, "name": "B"}
    assert "RULESETS_FIGHT" not in found(one | {"userActions": button}, other), "one waits for its button"
    assert "RULESETS_FIGHT" in found(ruleset("A", rules=[go("Checked")]), ruleset("A", "Booked", rules=[go("Sent")]))
    assert "RULESETS_FIGHT" not in found(one, ruleset("B", "Booked", rules=[go("Checked"), say()]))
    assert "RULESETS_FIGHT" not in found(one, ruleset("B", "Checked", rules=[go("Sent")]))


def test_rulesets_that_set_one_another_off_go_in_circles(found):
    there, back = (
        ruleset("There", "Booked", rules=[say(), go("Packing")]),
        ruleset("Back", "Packing", rules=[go("Booked")]),
    )
    problem = found(there, back)["RULESETS_CIRCLE"]
    assert problem.attributes == {"rulesets": ["There", "Back"]}
    assert problem.fix["with"] == {"place": 1, "name": "Back", "rule": 0}
    for circle in (
        [ruleset("A", rules=[send("B")]), ruleset("B", rules=[send("C")]), ruleset("C", "Sent", rules=[send("A")])],
        [ruleset("A", rules=[send("A")])],
        [ruleset("A", "Booked", "Packing", rules=[go("Booked"), go("Packing")])],
    ):
        assert found(*circle)["RULESETS_CIRCLE"].attributes == {"rulesets": [one["name"] for one in circle]}
    for straight in (
        ALONG,
        [ruleset("A", "Booked", rules=[send("B")]), ruleset("B", "Sent", rules=[send("A")])],
        [ruleset("A", "Booked", "Packing", rules=[go("Packing")])],
    ):
        assert "RULESETS_CIRCLE" not in found(*straight)


def test_a_trigger_that_nobody_can_report_any_more_is_told_with_its_step(found, business, owner):
    waits = [status("Booked", trigger="payment_received", id="7"), *STATUSES[1:]]
    assert "TRIGGER_RETIRED" not in found(statuses=waits)
    business.trigger_library.get(key="payment_received").retire(by=actor(owner))
    problem = found(statuses=waits)["TRIGGER_RETIRED"]
    assert problem.attributes == {"status": "Booked", "name": "payment_received"}
    assert problem.fix["with"] == {"step_id": "7", "trigger": None}


def test_a_fact_that_nothing_on_the_way_fills_in_is_told_where_cards_come_by_themselves(found, orders, owner):
    Field.create(orders, name="Wood", by=actor(owner))

    def asks(*rulesets, booked=(), **told):
        facts = ["value", "field:Wood", "assignee", "due_date"]
        statuses = [
            status("Booked", required=[*booked], **told),
            status("Packing", "FULFILMENT", required=facts, id="8"),
        ]
        return found(*rulesets, statuses=[*statuses, *STATUSES[2:]]).get("FACT_NOT_FILLED")

    assert asks() is None, "a person who moves it is asked"
    problem = asks(*ALONG)
    assert problem.attributes == {"status": "Packing", "facts": ["value", "field:Wood", "assignee", "due_date"]}
    assert problem.fix["with"] == {"step_id": "8", "required": []}
    fills = [
        {"name": "assign", "props": {"member": owner.user.email}},
        {"name": "set_due_date", "props": {"to": "today"}},
    ]
    asked = [{"eventName": "Pick", "context": [], "attributes": [{"name": "wood", "type": "STRING", "label": "Wood"}]}]
    filled = ruleset("Fill", "Booked", rules=fills, userActions=asked)
    assert asks(*ALONG, filled).attributes["facts"] == ["value"]
    assert asks(*ALONG, filled, booked=["value"]) is None
    assert asks(*ALONG, booked=["value", "field:wood", "due_date"], defaultAssignee=str(owner.pk)) is None


def test_what_is_wrong_stands_in_the_way_of_publishing_and_the_draft_can_jump_to_its_steps(business, orders, manager):
    told = document(*STATUSES, rulesets=[ruleset("A", "Booked", rules=[{"name": "Fly", "props": {}}])])
    with pytest.raises(Unfit) as refusal:
        publishing.put(business, told, by=actor(manager))
    assert [one.code for one in refusal.value.problems if one.severity == "error"] == ["RULE_NOT_FOUND"]
    told["rulesets"] = [*ALONG, ruleset("B", "Booked", rules=[go("Checked")])]
    publishing.put(business, told, by=actor(manager))
    draft = Draft.begin(Workflow.objects.get(pk=orders.pk), by=actor(manager))
    fight = next(one for one in draft.problems() if one.code == "RULESETS_FIGHT")
    assert [name for _, name in fight.steps] == ["Booked"]
    draft.mend(fight.fix, by=actor(manager))
    assert not [one for one in draft.problems() if one.code == "RULESETS_FIGHT"]


def test_the_questions_that_are_asked_do_not_grow_with_the_rulesets(orders, django_assert_max_num_queries):
    rules = [
        {"name": "add_label", "props": {"label": "Rush"}},
        {"name": "assign", "props": {"member": "somebody"}},
        {"name": "send_email", "props": {"template": "nowhere", "to": "assignee"}},
        go("Packing"),
    ]
    told = document(*STATUSES, rulesets=[ruleset(f"E{n}", "Booked", rules=rules) for n in range(30)])
    with django_assert_max_num_queries(12):
        list(examine(orders, told))


def test_the_largest_thicket_of_rulesets_is_looked_through_in_a_moment(found, settings):
    rules = [*(send(f"E{n}") for n in range(10)), *(go(one["name"]) for one in STATUSES[:4]), say()]
    thicket = [ruleset(f"E{n % 12}", *([] if n % 3 else ["Booked", "Checked"]), rules=rules) for n in range(190)]
    assert {"RULESETS_CIRCLE"} <= set(found(*thicket))


@effort(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=documents())
def test_any_valid_document_is_looked_at(orders, told):
    for problem in examine(orders, told):
        assert problem.severity == "warning", problem
