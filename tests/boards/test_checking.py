"""What is wrong with a document is told all at once, in words and with what locates it; no document breaks the reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boards import documents
from boards.checking import MOST_TOLD, check, sound
from boards.documents import Shelf
from tests.definitions import HOSTILE, SAMPLE, anything, patient
from tests.definitions import documents as valid_documents

RUNNING = {
    "name": "Leads",
    "type": "other",
    "description": "",
    "steps": [documents.blank_step("win", "Win", "completed", win=True)],
}


def codes(document, severity="error") -> set[str]:
    return {problem.code for problem in check(document) if problem.severity == severity}


def of(document, code, shelf=None) -> list[dict]:
    return [problem.attributes for problem in check(document, shelf) if problem.code == code]


def test_the_sample_may_be_published_and_is_warned_of_what_leads_nowhere():
    assert codes(SAMPLE) == set()
    assert [(problem.code, problem.attributes) for problem in check(SAMPLE)] == [
        ("UNUSED_CATEGORY_FOUND", {"categories": [{"name": "", "entityType": "", "category": "BOOKING"}]}),
        ("CREATE_RULESET_MISSING", {"entityType": "ORDER"}),
    ]


@pytest.mark.parametrize(("document", "code"), HOSTILE, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_wrong_has_a_code_of_its_own(document, code):
    problems = check(document)
    found = [problem for problem in problems if problem.code == code and problem.severity == "error"]
    assert found, problems
    for problem in problems:
        said = f"{problem.text}{problem.attributes}"
        assert len(said) < 40_000
        said.encode()  # it can be sent
    documents.read(sound(document), RUNNING, Shelf())


def test_everything_that_is_wrong_is_told_at_once():
    ruleset = {"name": "Pack it", "eventType": "LOUD", "triggers": [{"status": "MOON"}], "rules": [{"props": 7}]}
    status = {"name": "PACKED", "entityType": "ORDER", "category": "MOON"}
    told = check(SAMPLE | {"entityType": "MOON", "rulesets": [ruleset], "statuses": [status, status], "colour": "red"})
    assert [problem.code for problem in told] == [
        "RULESET_NAME_INVALID",
        "EVENT_TYPE_UNKNOWN",
        "KEY_MISSING",
        "TYPE_INVALID",
        "CATEGORY_UNKNOWN",
        "CATEGORY_UNKNOWN",
        "KEY_UNKNOWN",
        "ENTITY_TYPE_UNKNOWN",
    ]


def test_each_is_found_again_by_its_path_or_its_names():
    document = SAMPLE | {"rulesets": [SAMPLE["rulesets"][0], {"name": "Late", "triggers": [{"status": "MOON"}]}]}
    assert of(document, "KEY_MISSING") == [{"key": "rules", "path": "rulesets[1]"}]
    document["rulesets"][1]["rules"] = []
    assert of(document, "STATUS_UNDECLARED") == [
        {"ruleset": "Late", "status": "MOON", "path": "rulesets[1].triggers[0]"}
    ]
    assert of(SAMPLE | {"name": "A" * 121}, "TOO_LONG") == [{"path": "name", "max": 120}]


def test_a_status_is_used_when_something_leads_to_it():
    def unused(*statuses, **ruleset):
        rows = [{"name": name, "entityType": "ORDER", "category": "NEW", "settings": said} for name, said in statuses]
        rulesets = [{"name": "Create", "triggers": [], "rules": []} | ruleset] if ruleset else []
        told = of(
            {"entityType": "ORDER", "entitySubtype": "CC", "statuses": rows, "rulesets": rulesets},
            "UNUSED_CATEGORY_FOUND",
        )
        return [row["name"] for row in told[0]["categories"]] if told else []

    names = [("A", {}), ("B", {}), ("C", {})]
    waits, rule = {"triggers": [{"status": "A"}]}, "FLUENTRETAIL.base.ChangeState"
    assert unused(*names) == []
    assert unused(*names, **waits) == ["B", "C"]
    assert unused(*names, **waits, rules=[{"name": rule, "props": {"status": "b"}}]) == ["C"]
    assert unused(*names, **waits, rules=[{"name": "move_card", "props": {"to": "next"}}]) == ["C"]
    assert unused(*names, **waits, rules=[{"name": rule, "props": None}]) == ["B", "C"]
    assert unused(("A", {"trigger": "paid"}), *names[1:], **waits) == ["C"]
    assert unused(("A", {"timeoutHours": 2, "timeoutTo": "C"}), *names[1:], **waits) == ["B"]


def test_what_a_step_names_and_the_business_lacks_is_a_warning():
    said = {
        "trigger": "paid",
        "status": "Packing",
        "required": ["contact", "moon", "field:Size"],
        "defaultAssignee": "x",
    }
    document = SAMPLE | {"statuses": [SAMPLE["statuses"][2] | {"settings": said}], "rulesets": []}
    told = {problem.code: problem for problem in check(document, Shelf(triggers={"1": "PAID"}))}
    lacking = {"LIBRARY_STATUS_UNKNOWN", "FACT_UNKNOWN", "ASSIGNEE_UNKNOWN"}
    assert lacking <= set(told)
    assert "TRIGGER_UNKNOWN" not in told
    assert {told[code].severity for code in lacking} == {"warning"}
    assert of(document, "TRIGGER_UNKNOWN", Shelf()) == [{"status": "CREATED", "name": "paid"}]
    assert [one["name"] for one in of(document, "FACT_UNKNOWN", Shelf())] == ["moon", "field:Size"]
    assert of(document, "TRIGGER_UNKNOWN") == []  # who does not say what there is


def test_much_that_is_wrong_is_not_told_for_ever():
    told = check({"statuses": [{}] * 500, "rulesets": [{str(n): n for n in range(100)}] * 500})
    assert len(told) == MOST_TOLD
    snake = {}
    snake["in"] = snake
    assert codes(SAMPLE | {"settings": snake}) == {"TOO_DEEP"}


@patient
@given(document=valid_documents())
def test_nothing_is_wrong_with_what_is_valid(document):
    assert codes(document) == set()
    design = documents.read(sound(document), RUNNING, Shelf())
    assert [step["name"] for step in design["steps"] if step["name"] == "CREATED"]


odd = st.recursive(
    anything | st.text() | st.floats() | st.sampled_from(["ORDER", "CC", "NEW"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*SAMPLE, "name", "triggers", "status", "category", "rules", "props", "context"])
            | st.text(),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@patient
@given(said=odd, key=st.sampled_from(["statuses", "rulesets", "settings", "entityType", "name"]))
def test_no_document_breaks_the_reading(said, key):
    for document in (said, SAMPLE | {key: said}, SAMPLE | {key: [said, *SAMPLE["statuses"]]}):
        for problem in check(document, Shelf()):
            assert problem.text
            f"{problem.text}{problem.attributes}".encode()
        documents.read(sound(document), RUNNING, Shelf())
