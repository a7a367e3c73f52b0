"""Rulesets written in the builder: when they act, what they do, which buttons they put on cards and what those ask."""

import html

import pytest

from boards.models import Draft
from boards.models.draft import design_of
from tests.automations.test_rulesets import ruleset
from tests.factories import actor, make_card, make_workflow

HERE = "/brightside/workflows/lead-funnel/"
ADD, FIRST = f"{HERE}builder/rulesets/add/", f"{HERE}builder/rulesets/0/"
CHANGE_STATE, SEND_EVENT = "FLUENTRETAIL.base.ChangeState", "FLUENTRETAIL.base.SendEvent"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def by(manager):
    """Priya, who designs."""
    return actor(manager)


@pytest.fixture
def client(manager, browse):
    """The browser of Priya."""
    return browse(manager)


def said(answer):
    return html.unescape(answer.content.decode())


def sent(*then, buttons=(), do="save", **more):
    """Return what the editor sends: its actions, and its buttons, each with its questions under "asks"."""
    form = {"name": "Pack", "event_type": "NORMAL", "triggers": ["Price quote sent"], "do": do}
    for at, row in enumerate(then):
        form |= {f"then-{at}-{key}": value for key, value in row.items()}
    for at, button in enumerate(buttons):
        form |= {f"button-{at}-{key}": value for key, value in button.items() if key != "asks"}
        for n, ask in enumerate(button["asks"]):
            form |= {f"button-{at}-ask-{n}-{key}": value for key, value in ask.items()}
    return form | more


LEAD = {"type": "move_card", "to": "Invoice sent"}
WIDTH = {"label": "Width in mm", "kind": "integer", "needed": "on"}
BOX = {"label": "Box", "kind": "choice", "choices": "S, M"}
BUTTON = {"label": "Pack it", "rank": "SECONDARY", "confirm": "on", "asks": [WIDTH, BOX]}


def written(workflow):
    (only,) = Draft.of(workflow).design["rulesets"]
    return only


def drawn(client):
    """Return what the editor of the first ruleset would send as it is drawn."""
    sheet = client.get(FIRST).context["sheet"]
    form = dict(sheet.when.initial)
    for row in sheet.then.thens:
        form[f"{row.name}-type"] = row.key
        form |= {blank.name: blank.values for blank in row.blanks}
    for one in (form for button in sheet.buttons for form in button.forms):
        told = {key: one.initial.get(key) for key in one.fields}
        form |= {
            f"{one.prefix}-{key}": value for key, value in told.items() if value is not None and value is not False
        }
    return form | {"do": "save", "was": sheet.mark}


def test_a_ruleset_is_written_in_plain_words_and_works_once_it_is_published(workflow, client, by):
    comment = {"type": "add_comment", "text": "Packed: with care"}
    told = sent(LEAD, comment, {"type": "send_event", "event": "Next"}, buttons=[BUTTON], description="Into boxes")
    assert "Noted in the draft." in said(client.post(ADD, told, follow=True))
    assert written(workflow) == {
        "name": "Pack",
        "description": "Into boxes",
        "type": "CARD",
        "subtype": "LEAD_FUNNEL",
        "triggers": [{"status": "Price quote sent"}],
        "rules": [
            {"name": CHANGE_STATE, "props": {"status": "Invoice sent"}},
            {"name": "add_comment", "props": {"text": "Packed: with care"}},
            {"name": SEND_EVENT, "props": {"eventName": "Next"}},
        ],
        "userActions": [
            {
                "eventName": "Pack",
                "context": [{"label": "Pack it", "type": "SECONDARY", "confirm": True, "modules": []}],
                "attributes": [
                    {"name": "Width in mm", "label": "Width in mm", "type": "INTEGER", "mandatory": True},
                    {"name": "Box", "label": "Box", "type": "LIST", "mandatory": False, "source": "S,M"},
                ],
            }
        ],
    }
    workflow.publish(Draft.of(workflow), by=by)
    card = make_card(workflow.phases.get(name="Price quote sent"))
    assert "Pack it" in said(client.get(f"/brightside/cards/{card.number}/"))


def test_a_step_that_only_the_draft_has_can_be_gone_to(workflow, client, by):
    Draft.begin(workflow, by=by).add_step(name="Quality check", by=by)
    page = said(client.post(ADD, sent(LEAD, do="draw:")))
    assert '<option value="Quality check">Quality check</option>' in page
    answer = client.post(ADD, sent(LEAD | {"to": "Quality check"}))
    assert answer.status_code == 302, said(answer)
    assert written(workflow)["rules"][0]["props"] == {"status": "Quality check"}


def test_what_is_of_other_places_is_named_so_that_another_business_can_read_it(workflow, business, client, owner):
    other = make_workflow(business, "Repairs", "repair")
    label = workflow.labels.first()
    rows = [
        {"type": "create_card", "phase": str(other.phases.first().pk)},
        {"type": "add_label", "label": str(label.pk)},
        {"type": "assign", "member": str(owner.pk)},
    ]
    assert client.post(ADD, sent(*rows)).status_code == 302
    props = [rule["props"] for rule in written(workflow)["rules"]]
    assert props == [
        {"phase": f"Repairs / {other.phases.first().name}"},
        {"label": label.name},
        {"member": owner.user.email},
    ]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_what_is_wrong_is_said_at_its_place_and_nothing_is_kept(workflow, client, headers):
    for wrong, words in (
        (sent(LEAD, name="two words"), "One word: no spaces."),
        (sent({"type": ""}), "Choose what is done, or take this line out."),
        (sent({"type": "move_card"}), "Phase is not filled in."),
        (sent({"type": "add_label", "label": ""}), "Label is not filled in."),
        (sent(*[LEAD] * 21), "At most 20 things fit into a ruleset."),
        (sent(LEAD, buttons=[BUTTON | {"label": ""}]), "Write what the button says, or take it out."),
        (sent(LEAD, buttons=[BUTTON | {"event": "two words"}]), "One word: no spaces."),
        (sent(LEAD, buttons=[BUTTON | {"asks": [WIDTH | {"label": ""}]}]), "Write what is asked, or take it out."),
        (sent(LEAD, buttons=[BUTTON | {"asks": [BOX | {"choices": ""}]}]), "Write what can be chosen"),
        (sent(LEAD, buttons=[BUTTON | {"asks": [WIDTH | {"kind": "moon"}]}]), "Select a valid choice."),
        (sent(LEAD, event_type="MOON"), "Select a valid choice."),
        (sent(LEAD, triggers=["Nowhere"]), "Select a valid choice."),
        (sent(LEAD | {"to": "Nowhere"}), "leads cards to “Nowhere”, which is no status of this workflow."),
    ):
        answer = client.post(ADD, wrong, headers=headers)
        assert answer.status_code == 422
        assert words in said(answer)
        assert 'role="alert"' in said(answer)
    assert Draft.of(workflow).design == design_of(workflow)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_rows_come_and_go_without_scripts_and_nothing_that_was_typed_is_lost(workflow, client, headers):
    typed = {"type": "add_comment", "text": "Typed with care"}

    def after(do):
        answer = client.post(ADD, sent(typed, LEAD, buttons=[BUTTON], name="", do=do), headers=headers)
        assert answer.status_code == 200
        assert 'class="error"' not in said(answer)
        return said(answer)

    for do, there, gone in (
        ("then:add", ["then-2-type", "Typed with care"], []),
        ("then:out:0", ["then-0-to"], ["Typed with care", "then-1-type"]),
        ("button:add", ["button-1-label", "Pack it"], []),
        ("button:out:0", ["Typed with care"], ["Pack it"]),
        ("ask:add:0", ["button-0-ask-2-label", "Width in mm"], []),
        ("ask:out:0:0", ["button-0-ask-0-choices"], ["Width in mm", "button-0-ask-1-label"]),
        ("ask:out:7:7", ["Typed with care", "Pack it"], []),
        ("moon", ["Typed with care", "Pack it"], []),
    ):
        page = after(do)
        assert all(words in page for words in there), do
        assert not any(words in page for words in gone), do
    assert Draft.of(workflow).design["rulesets"] == []


def test_what_no_browser_sends_is_answered_too(workflow, client):
    for odd in (
        sent(LEAD, workflow="\x00"),
        sent(LEAD | {"to": "\x00"}),
        sent({"type": "add_label", "label": "\x00"}),
        sent({"type": "moon"}),
        sent(LEAD, was="\x00", name="\x00"),
        sent(LEAD, buttons=[BUTTON | {"was": "9" * 20}]),
        sent(LEAD, do="then:up:" + "9" * 5000),
        sent(LEAD, do="ask:add:²"),
        sent(*[LEAD] * 90),
    ):
        assert client.post(ADD, odd).status_code in (200, 302, 422)


def test_a_ruleset_is_changed_and_taken_out(workflow, client):
    client.post(ADD, sent(LEAD, buttons=[BUTTON]))
    form = drawn(client)
    assert (form["button-0-label"], form["button-0-ask-1-choices"]) == ("Pack it", "S, M")
    assert client.post(FIRST, form | {"then-0-to": "Invoice paid", "name": "Wrap"}).status_code == 302
    changed = written(workflow)
    assert changed["rules"] == [{"name": CHANGE_STATE, "props": {"status": "Invoice paid"}}]
    assert changed["userActions"][0]["eventName"] == "Wrap"
    assert client.get(f"{HERE}builder/rulesets/1/").status_code == 404
    client.post(f"{FIRST}remove/", {"name": "Wrap"})
    assert Draft.of(workflow).design["rulesets"] == []


def test_what_the_editor_does_not_show_of_a_ruleset_stays_word_for_word(workflow, client, by):
    asked = {"name": "w", "type": "DECIMAL", "label": "Width", "defaultValue": 7, "mandatory": True}
    shown = {"label": "Measure", "type": "primary", "modules": ["servicepoint"]}
    odd = ruleset(
        "Odd",
        "won",
        rules=[
            {"name": "add_comment", "props": {"text": "{odd}"}},
            {"name": "move_card", "props": {"to": "next"}},
            {"name": CHANGE_STATE, "props": {"status": "invoice SENT"}},
            {"name": "wait", "props": {"for": "3 days", "even_if_moved": True}},
            {"name": "archive_card", "props": None},
        ],
        userActions=[{"eventName": "Measured", "context": [shown, {"label": "Elsewhere"}], "attributes": [asked]}],
        type="CARD",
    )
    Draft.begin(workflow, by=by).set_ruleset(odd, by=by)
    assert client.post(FIRST, drawn(client)).status_code == 302
    assert written(workflow) == odd
    form = drawn(client) | {"button-0-confirm": "on", "button-0-ask-0-label": "Breadth"}
    assert client.post(FIRST, form).status_code == 302
    button = written(workflow)["userActions"][0]
    assert button["context"] == [shown | {"confirm": True}, {"label": "Elsewhere"}]
    assert button["attributes"] == [asked | {"label": "Breadth"}]


def test_a_ruleset_that_another_has_taken_the_place_of_is_not_overwritten(workflow, client):
    for name in ("Pack", "Send"):
        client.post(ADD, sent(LEAD, name=name))
    form = drawn(client)
    client.post(f"{FIRST}remove/", {"name": "Pack"})
    answer = client.post(FIRST, form)
    assert answer.status_code == 409
    assert f'name="was" value="{form["was"]}"' in said(answer)
    assert [one["name"] for one in Draft.of(workflow).design["rulesets"]] == ["Send"]


def test_a_question_with_as_many_choices_as_a_document_may_hold_can_be_kept(workflow, client, by):
    sizes = {
        "name": "s",
        "type": "LIST",
        "label": "Size",
        "source": ",".join(str(one) for one in range(10000, 10050)),
    }
    buttons = [{"eventName": "Sized", "context": [{"label": "Size it"}], "attributes": [sizes]}]
    sized = ruleset("Sized", "won", rules=[], userActions=buttons, type="CARD")
    Draft.begin(workflow, by=by).set_ruleset(sized, by=by)
    assert client.post(FIRST, drawn(client) | {"description": "By size"}).status_code == 302
    assert written(workflow) == sized | {"description": "By size"}
    (choices,) = (one for one in drawn(client) if one.endswith("choices"))
    answer = client.post(FIRST, drawn(client) | {choices: "x" * 301})
    assert answer.status_code == 422


def test_what_somebody_changed_meanwhile_in_a_ruleset_of_the_same_name_is_not_overwritten(
    workflow, client, owner, browse
):
    client.post(ADD, sent(LEAD, buttons=[BUTTON, BUTTON | {"label": "Weigh it", "event": "Weighed", "asks": []}]))
    form = drawn(client)
    other = drawn(client) | {"then-0-to": "Invoice paid"}
    other = {key: value for key, value in other.items() if not key.startswith("button-0")}  # the first button goes
    assert browse(owner).post(FIRST, other).status_code == 302
    theirs = written(workflow)
    answer = client.post(FIRST, form | {"description": "Mine"})
    assert answer.status_code == 409
    assert "was changed a moment ago" in said(answer)
    assert 'value="Mine"' in said(answer)
    assert written(workflow) == theirs
    assert client.post(FIRST, drawn(client) | {"description": "Mine"}).status_code == 302
    assert written(workflow) == theirs | {"description": "Mine"}
