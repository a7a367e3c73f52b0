"""What sets two designs apart is said in plain words."""

import pytest

from boards.comparing import changes
from boards.definitions import blank_step
from boards.documents import Shelf, compare

ABOUT = {"name": "Orders", "type": "other", "description": "", "entity_type": "ORDER", "entity_subtype": "CC"}
CALLED = {"t1": "Quote accepted", "t2": "Payment received", "m1": "Tomás Rivera", "s1": "Quoted", "field:1": "Size"}


def step(name, stage="processing", **said):
    return blank_step(name.lower(), name, stage, **said)


BOOKED, PACKING, WON, LOST = (
    step("Booked", "new"),
    step("Packing"),
    step("Won", "completed", win=True),
    step("Lost", "cancelled"),
)


def design(*steps, removed=(), rulesets=(), settings=None, unplaced=(), **about):
    parts = {"rulesets": [*rulesets], "settings": settings or {}, "unplaced": [*unplaced]}
    return ABOUT | {"steps": [*(steps or (BOOKED, PACKING, WON))], "removed": [*removed], **parts} | about


def said(after, before=None, **known):
    return changes(before or design(), after, called=CALLED, **known)


def test_nothing_changed_is_nothing_said():
    assert said(design()) == []


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((BOOKED, PACKING, step("Check"), WON), "Added Check after Packing"),
        ((step("Check", "new"), BOOKED, PACKING, WON), "Added Check before Booked"),
        ((BOOKED, PACKING, WON, LOST), "Added Lost to Cancelled"),
        ((PACKING, WON), "Removed Booked"),
        ((BOOKED | {"name": "Hello"}, PACKING, WON), "Renamed Booked to Hello"),
        ((BOOKED, PACKING | {"stage": "new"}, WON), "Packing is New instead of Processing"),
    ],
)
def test_steps_come_go_and_move(steps, words):
    assert said(design(*steps)) == [words]


def test_a_step_is_said_to_move_once_and_where_to():
    before = design(BOOKED, PACKING, step("Check"), step("Sent"), WON)
    assert said(design(BOOKED, step("Sent"), PACKING, step("Check"), WON), before) == ["Moved Sent after Booked"]
    first = design(step("Sent", "new"), BOOKED, PACKING, step("Check"), WON)
    assert said(first, before) == ["Moved Sent to New, before Booked"]


def test_cards_of_a_step_that_goes_are_counted_and_followed():
    gone = {"id": "packing", "name": "Packing", "to": "booked"}
    assert said(design(BOOKED, WON), cards={"packing": 14}) == ["Removed Packing; 14 cards are in it"]
    moved = said(design(BOOKED, WON, removed=[gone]), cards={"packing": 1})
    assert moved == ["Removed Packing; its 1 card goes to Booked"]


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ({"wip_limit": 3}, {"wip_limit": 5}, "limit 5 instead of 3"),
        ({}, {"wip_limit": 5, "wip_policy": "hard"}, "limit 5, refuses cards at its limit"),
        ({"wip_limit": 5}, {}, "no limit any more, it was 5"),
        ({}, {"stale_days": 1}, "warns after 1 day"),
        ({"stale_days": 2}, {}, "warns no longer after 2 days"),
        ({}, {"trigger": "t1"}, "moves on when Quote accepted is reported"),
        ({"trigger": "t2"}, {"trigger": "t1"}, "moves on when Quote accepted is reported instead of Payment received"),
        ({"trigger": "t2"}, {}, "moves on no longer when Payment received is reported"),
        ({}, {"default_assignee": "m1"}, "cards go to Tomás Rivera"),
        ({"default_assignee": "m1"}, {}, "cards go to nobody instead of Tomás Rivera"),
        ({"required": ["value"]}, {"required": ["contact", "field:1"]}, "asks for a contact and Size and no longer for a value"),
        ({}, {"checklist_lines": ["Measure"]}, "checklist of 1 line"),
        ({"checklist_lines": ["Measure"]}, {"checklist_lines": ["Measure", "Offer"]}, "another checklist of 2 lines"),
        ({"checklist_lines": ["Measure"]}, {}, "no checklist any more"),
        ({}, {"timeout_hours": 48, "timeout_to": "booked"}, "moves on after 2 days, goes to Booked when time is up"),
        ({"timeout_hours": 1}, {"timeout_hours": 5}, "moves on after 5 hours instead of 1 hour"),
        ({"timeout_hours": 1}, {}, "no time limit any more, it was 1 hour"),
        ({"timeout_to": "booked"}, {}, "goes to the next step when time is up instead of Booked"),
        ({}, {"status": "s1"}, "Quoted of the library"),
        ({}, {"description": "Wrap it well"}, "description added"),
        ({}, {"category": "FULFILMENT"}, "category FULFILMENT"),
        ({"category": "FULFILMENT"}, {"category": "DELIVERY"}, "category DELIVERY instead of FULFILMENT"),
    ],
)  # fmt: skip
def test_settings_are_said_with_their_names(was, now, words):
    before, after = (design(BOOKED, PACKING | settings, WON) for settings in (was, now))
    assert said(after, before) == [f"Packing: {words}"]


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"name": "Jobs"}, "Renamed the workflow to Jobs"),
        ({"type": "sales"}, "The workflow is of the type Sales instead of Other"),
        ({"description": "How we work"}, "Added the description of the workflow"),
        ({"entity_subtype": "HD"}, "Programs call it ORDER::HD instead of ORDER::CC"),
        ({"settings": {"retry": "slow"}}, "Settings changed: retry"),
        ({"unplaced": [{"name": ""}, {"name": "Sent"}]}, "Statuses beside the board: one without a name, Sent"),
    ],
)
def test_the_workflow_itself(about, words):
    assert said(design(**about)) == [words]


def ruleset(name, **said):
    return {"name": name, "triggers": [], "rules": []} | said


def test_rulesets_come_go_and_change_in_parts():
    before = design(rulesets=[ruleset("Pack"), ruleset("Bill"), ruleset("Note")])
    rules = [{"name": "add_comment", "props": {"text": "Packed"}}]
    button = {"eventName": "Pack", "context": [{"label": "Packed"}]}
    changed = [
        ruleset("Pack", rules=rules, userActions=[button]),
        ruleset("Send"),
        ruleset("Note", eventType="NORMAL", userActions=[]),
    ]
    assert said(design(rulesets=changed), before) == [
        "Added the ruleset Send",
        "Removed the ruleset Bill",
        "Changed the ruleset Pack: what it does and its buttons",
    ]


def test_documents_are_compared_by_the_ids_of_their_statuses():
    def document(*names):
        statuses = [
            {"name": name, "entityType": "ORDER", "category": "BOOKING", "settings": {"id": str(at)}}
            for at, name in enumerate(names)
        ]
        return {"entityType": "ORDER", "entitySubtype": "CC", "rulesets": [], "statuses": statuses}

    assert compare(document("Booked", "Packing"), document("Hello", "Packing"), Shelf()) == ["Renamed Booked to Hello"]
    assert compare(document("Booked"), document("Booked"), Shelf()) == []
