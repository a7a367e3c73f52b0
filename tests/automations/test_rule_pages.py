"""The pages of rules: listed, written as a sentence, tried, carried in and out; with htmx and without."""

import json

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from automations.actions.registry import actions
from automations.forms.rule import Sheet
from automations.inputs import Input, Where
from automations.models import Rule, Run
from automations.offers import OFFERS, Offers
from automations.recipes import RECIPES, recipes_for
from automations.triggers import triggers
from boards import publishing
from boards.models import Card, Comment, Phase
from boards.models.library import stock
from tests.boards.test_definitions import document, status
from tests.factories import actor, make_card, make_contact

pytestmark = pytest.mark.django_db(transaction=True)

SEED = {
    "trigger": "state_changed",
    "conditions": {"new_state": "delayed"},
    "actions": [
        {"type": "send_email", "template": "delay_notification", "to": "customer"},
        {"type": "webhook", "url": "https://api.example.com/notify"},
    ],
}
GREET = {
    "trigger": "state_changed",
    "conditions": [{"field": "new_state", "op": "is", "value": "Price quote sent"}],
    "actions": [{"type": "add_comment", "text": "Quoted"}],
}


@pytest.fixture
def rule(business, owner, workflow):
    return Rule.create(business, GREET, name="Greet", workflow=workflow, by=actor(owner))


@pytest.fixture
def page(browse, manager):
    return browse(manager)


def to(name, *args):
    return reverse(name, args=["brightside", *args])


def form(**sent):
    """Return what the editor sends of a small rule."""
    return {
        "name": "Welcome",
        "workflow": "",
        "when": "card_created",
        "then-0-type": "add_comment",
        "then-0-text": "Welcome!",
        "do": "save",
    } | sent


def read(answer):
    return answer.content.decode()


# Reading and writing ----------------------------------------------------------------------------------


def test_the_list_says_each_rule_in_words_and_what_it_did(page, rule, workflow, staff):
    card = make_card(workflow.phases.all()[0], "Oak kitchen")
    card.move(workflow.phases.all()[2], by=actor(staff))
    text = read(page.get(to("rules")))
    assert "if phase it entered is <b>Price quote sent</b>, then add a comment saying <b>“Quoted”</b>" in text
    assert "1 on, 1 run this week" in text
    assert "1 run in 30 days" in text
    assert "Oak kitchen" in text


def test_what_an_address_holds_in_secret_is_shown_to_those_alone_who_may_write_rules(browse, viewer, page, rule, owner):
    call = {"type": "webhook", "url": "https://example.com/hooks/T0KEN"}
    rule.update(document={"trigger": "card_created", "actions": [call]}, by=actor(owner))
    reader = browse(viewer)
    text = read(reader.get(to("rule", rule.pk)))
    assert "https://example.com" in text
    assert "T0KEN" not in text + read(reader.get(to("rules")))
    assert "T0KEN" in read(page.get(to("rule", rule.pk)))
    for address in (to("rule_export_all"), to("rule_export", rule.pk)):
        assert address not in text
        assert reader.get(address).status_code == 403
        assert "T0KEN" in read(page.get(address))


def test_a_viewer_reads_the_rule_but_gets_no_form(browse, viewer, rule):
    text = read(browse(viewer).get(to("rule", rule.pk)))
    assert "When a card changes its phase" in text
    assert 'id="rule-editor"' not in text


@pytest.mark.parametrize("key", sorted(triggers))
def test_every_trigger_is_drawn_with_its_inputs(page, key):
    text = read(page.post(to("rule_new"), form(when=key, do="draw")))
    for one in triggers[key].inputs:
        assert f'name="when-{one.name}"' in text


@pytest.mark.parametrize("key", sorted(actions))
def test_every_action_is_drawn_with_its_inputs(page, key):
    text = read(page.post(to("rule_new"), form(**{"then-0-type": key, "do": "draw"})))
    for one in actions[key].inputs:
        assert f'name="then-0-{one.name}"' in text


def test_what_is_typed_becomes_a_rule(page, business, workflow):
    phase = workflow.phases.get(name="Price quote sent")
    sent = form(
        **{
            "name": "Chase quiet quotes",
            "workflow": workflow.slug,
            "when": "waiting",
            "when-phase": str(phase.pk),
            "when-for": "3 days",
            "mode": "any",
            "if-0-field": "value",
            "if-0-op": "over",
            "if-0-value": "1000",
            "if-1-field": "label",
            "if-1-op": "has_not",
            "if-1-value": str(workflow.labels.get(name="Rush").pk),
            "then-1-type": "set_due_date",
            "then-1-to": "in 1 working day",
            "then-1-at": "",
        }
    )
    answer = page.post(to("rule_new"), sent)
    made = business.rules.get()
    assert (answer.status_code, answer.url) == (302, to("rule", made.pk))
    assert (made.name, made.workflow) == ("Chase quiet quotes", workflow)
    assert made.document == {
        "trigger": {"type": "waiting", "phase": str(phase.pk), "for": "3 days"},
        "conditions": {
            "any": [
                {"field": "value", "op": "over", "value": "1000"},
                {"field": "label", "op": "has_not", "value": str(workflow.labels.get(name="Rush").pk)},
            ]
        },
        "actions": [{"type": "add_comment", "text": "Welcome!"}, {"type": "set_due_date", "to": "in 1 working day"}],
    }
    assert "if value is over <b>€1,000</b> or labels do not include <b>Rush</b>" in read(page.get(answer.url))


def test_htmx_is_sent_on_to_the_page_of_the_new_rule(browse, manager, business):
    answer = browse(manager, hx_request="true").post(to("rule_new"), form())
    assert answer["HX-Redirect"] == to("rule", business.rules.get().pk)


def test_rows_are_added_taken_out_and_moved_and_keep_what_was_typed(page):
    sent = form(**{"then-1-type": "archive_card", "if-0-field": "name", "if-0-op": "contains", "if-0-value": "oak"})
    text = read(page.post(to("rule_new"), sent | {"do": "if:add"}))
    assert 'name="if-1-field"' in text
    assert 'value="oak"' in text
    assert "Welcome!" in text
    text = read(page.post(to("rule_new"), sent | {"do": "then:up:1"}))
    assert 'name="then-1-text"' in text
    assert Rule.objects.count() == 0
    text = read(page.post(to("rule_new"), sent | {"do": "if:out:0"}))
    assert 'name="if-0-field"' not in text
    assert "always" in text


def test_what_was_typed_before_another_action_was_chosen_is_there_again(page):
    text = read(page.post(to("rule_new"), form(**{"then-0-type": "archive_card", "do": "draw"})))
    assert '<input type="hidden" name="then-0-text" value="Welcome!">' in text


def test_each_mistake_stands_at_its_field_and_nothing_typed_is_lost(page, business):
    sent = form(
        **{"when": "waiting", "when-for": "soon", "then-0-text": "", "if-0-field": "value", "if-0-value": "much"}
    )
    answer = page.post(to("rule_new"), sent)
    text = read(answer)
    assert answer.status_code == 422
    for name in ("when-phase", "when-for", "if-0-value", "then-0-text"):
        assert f'id="wrong-{name}"' in text
    assert 'value="soon"' in text
    assert 'value="much"' in text
    assert not business.rules.exists()


def test_what_is_not_there_is_said_and_no_reason_to_refuse(page, business, workflow):
    rule = business.rules.get(pk=_imported(page, business, SEED).pk)
    text = read(page.get(to("rule", rule.pk)))
    assert "There is no phase “delayed”." in text
    assert page.post(to("rule_change", rule.pk), _sent(rule)).status_code == 302


@pytest.mark.parametrize("kind", sorted(OFFERS))
def test_whatever_is_offered_is_understood(business, workflow, manager, kind):
    stock(business)
    offered = Offers(business).of(kind)
    for one in offered:
        for written in (one.value, *one.names):
            Input("x", kind, "x").read(written, Where(business, one.workflow_id))


# What nobody touched ----------------------------------------------------------------------------------


def _sent(rule, **changes):
    """Return what the editor sends when nobody touched it."""
    sheet = Sheet.of(rule.document, Offers(rule.business), name=rule.name, workflow=rule.workflow)
    sent = {
        "name": rule.name,
        "workflow": rule.workflow.slug if rule.workflow else "",
        "do": "save",
        "mode": sheet.mode,
    }
    sent |= {"version": str(rule.version), "when": sheet.when.key}
    for row in sheet.ifs:
        sent |= (
            {f"{row.name}-group": row.group} if row.group else {f"{row.name}-field": row.key, f"{row.name}-op": row.op}
        )
    for row in sheet.thens:
        sent[f"{row.name}-type"] = row.key
    for row in sheet.rows:
        for blank in row.blanks:
            sent[blank.name] = ["", *blank.values] if blank.widget == "tick" else blank.values or [""]
    return sent | changes


@pytest.mark.parametrize(
    "document",
    [
        SEED,
        GREET,
        {"trigger": {"type": "won"}, "actions": [{"type": "add_checklist", "lines": ["a", "b"]}]},
        {
            "trigger": "card_created",
            "conditions": {
                "any": [{"field": "value", "op": "over", "value": 100}, {"all": [{"field": "name", "value": "x"}]}]
            },
            "actions": [
                {"type": "wait", "for": "2 hours", "even_if_moved": True},
                {"type": "create_card", "phase": "Won"},
            ],
        },
        {"name": "Mine", "trigger": "won", "conditions": [], "actions": [{"type": "move_card", "to": "next"}]},
        {"trigger": "won", "conditions": {"source": ["fair", "web"]}, "actions": [{"type": "archive_card"}]},
    ],
    ids=["seed", "greet", "lines", "groups", "named", "several"],
)
def test_saved_untouched_a_document_stays_as_it_was_written(page, business, document, owner, workflow):
    rule = Rule.create(business, document, by=actor(owner))
    assert page.post(to("rule_change", rule.pk), _sent(rule)).status_code == 302
    rule.refresh_from_db()
    assert (rule.document, rule.version) == (document, 1)


def test_one_place_is_changed_and_the_rest_stays(page, business, owner):
    rule = Rule.create(business, SEED, by=actor(owner))
    page.post(to("rule_change", rule.pk), _sent(rule, **{"then-1-url": "https://api.example.com/other"}))
    rule.refresh_from_db()
    assert rule.document["conditions"] == {"new_state": "delayed"}
    assert rule.document["actions"][1] == {"type": "webhook", "url": "https://api.example.com/other"}


def test_somebody_else_was_faster_and_both_versions_are_shown(page, rule, owner):
    sent = _sent(rule, **{"then-0-text": "Mine"})
    rule.update(document=GREET | {"actions": [{"type": "add_comment", "text": "Theirs"}]}, by=actor(owner))
    answer = page.post(to("rule_change", rule.pk), sent)
    assert answer.status_code == 409
    assert "Theirs" in read(answer)
    assert "Mine" in read(answer)
    page.post(to("rule_change", rule.pk), sent | {"version": "2"})
    rule.refresh_from_db()
    assert rule.document["actions"][0]["text"] == "Mine"


# Switching, copying, deleting -------------------------------------------------------------------------


def test_a_rule_is_switched_off_on_and_to_watching(browse, manager, rule):
    page = browse(manager, hx_request="true")
    for sent, state in (({}, "off"), ({"state": "watch"}, "watch"), ({"state": "on"}, "on")):
        answer = page.post(to("rule_switch", rule.pk), sent)
        rule.refresh_from_db()
        assert (answer.status_code, rule.state) == (200, state)
        assert f'id="rule-{rule.pk}"' in read(answer)
        assert 'id="rules-totals"' in read(answer)
        assert 'id="rule-state"' not in read(answer), "the rule beside the list may be another one"
    assert 'id="rule-state"' in read(page.post(to("rule_switch", rule.pk), {"state": "off", "shown": "1"}))


def test_a_copy_is_off_and_a_deleted_rule_is_gone_but_its_runs_stay(page, business, rule, workflow, staff):
    make_card(workflow.phases.all()[0]).move(workflow.phases.all()[2], by=actor(staff))
    page.post(to("rule_copy", rule.pk))
    assert business.rules.get(name="Greet (copy)").state == "off"
    assert "Delete Greet?" in read(page.get(to("rule_delete", rule.pk)))
    assert page.post(to("rule_delete", rule.pk)).url == to("rules")
    assert not business.rules.filter(pk=rule.pk).exists()
    assert "Greet" in read(page.get(to("runs")))


# Recipes, in and out ----------------------------------------------------------------------------------


ODD = ["\\ud800", "\\u0000"]  # half a character, and the null character: JSON allows them, no database keeps them


def _imported(page, business, document):
    page.post(to("rule_import"), {"document": json.dumps(document)})
    return business.rules.get()


def test_the_seeds_document_comes_in_and_goes_out_unchanged(page, business):
    rule = _imported(page, business, SEED)
    assert (rule.document, rule.state) == (SEED, "off")
    answer = page.get(to("rule_export", rule.pk))
    assert json.loads(answer.content) == SEED
    assert "attachment" in answer["Content-Disposition"]


def test_one_rule_comes_in_under_the_name_and_in_the_workflow_it_went_out_with(page, business, rule):
    told = page.get(to("rule_export", rule.pk)).content.decode()
    page.post(to("rule_import"), {"document": told})
    assert [(one.name, one.workflow, one.document) for one in business.rules.all()] == [
        ("Greet", rule.workflow, GREET)
    ] * 2


def test_all_rules_go_out_and_come_in_as_one_document(page, business, rule):
    told = page.get(to("rule_export_all")).content.decode()
    page.post(to("rule_import"), {"document": told})
    assert [one.document for one in business.rules.all()] == [GREET, GREET]


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "7", '{"trigger": "nope", "actions": []}'),
        *(f'{{"{key}": "{sign}", "rule": {json.dumps(SEED)}}}' for key in ("name", "workflow") for sign in ODD),
        f'{{"rule": {"[" * 900}{"]" * 900}}}',
    ],
)
def test_what_makes_no_sense_is_not_imported_and_stays_in_the_field(page, business, text):
    answer = page.post(to("rule_import"), {"document": text})
    assert answer.status_code == 422
    assert "id_document_error" in read(answer)
    assert not business.rules.exists()


def test_rules_that_cannot_be_taken_are_told_and_the_others_are_taken_where_that_is_wished(page, business):
    rules = [{"name": "Good", "rule": SEED}] + [{"name": name, "workflow": "Moon", "rule": SEED} for name in "AB"]
    file = ContentFile(json.dumps({"rules": rules}).encode(), "rules.json")
    answer = page.post(to("rule_import"), {"file": file})
    text = read(answer)
    assert answer.status_code == 422
    assert "A: There is no workflow “Moon”." in text
    assert "B: There is no workflow “Moon”." in text
    assert "2 rules cannot be taken. Nothing was imported." in text
    assert "Import only the other one" in text
    assert not business.rules.exists()
    kept = answer.context["form"]["document"].value()
    answer = page.post(to("rule_import"), {"document": kept, "do": "only_good"}, follow=True)
    assert "Imported Good: it is off until you switch it on" in read(answer)
    assert business.rules.get().name == "Good"


@pytest.mark.parametrize("key", [one.key for one in recipes_for()])
def test_each_recipe_opens_in_the_editor_and_can_be_kept(page, business, key):
    assert page.get(to("rule_recipes")).status_code == 200
    text = read(page.get(f"{to('rule_new')}?recipe={key}"))
    recipe = next(one for one in RECIPES if one.key == key)
    assert recipe.name in text
    sheet = Sheet.of(recipe.document, Offers(business), name=recipe.name)
    assert sheet.is_valid(), sheet.mistakes
    assert sheet.document == recipe.document


# Trying -----------------------------------------------------------------------------------------------


def test_what_lies_in_the_editor_is_tried_on_a_card_and_nothing_of_it_stays(page, rule, workflow, business):
    contact = make_contact(business, emails=[("ines@example.test", "")])
    card = make_card(workflow.phases.get(name="Price quote sent"), "Oak kitchen", contact=contact)
    sent = _sent(rule, **{"do": "try", "card": str(card.number), "then-0-text": "Not saved"})
    sent |= {"then-1-type": "send_email", "then-1-template": "quote_reminder", "then-1-to": "customer"}
    text = read(page.post(to("rule_change", rule.pk), sent))
    assert "Added a comment" in text
    assert "ines@example.test" in text
    assert "Our quote for Oak kitchen" in text
    assert (Comment.objects.count(), Run.objects.count()) == (0, 0)
    rule.refresh_from_db()
    assert rule.document == GREET


def test_a_trial_says_why_it_would_do_nothing_and_which_card_is_not_there(page, rule, workflow):
    card = make_card(workflow.phases.all()[0], "Sash repair")
    text = read(page.post(to("rule_change", rule.pk), _sent(rule, do="try", card="sash")))
    assert "it would do nothing: Phase it entered" in text
    answer = page.post(to("rule_change", rule.pk), _sent(rule, do="try", card="nowhere"))
    assert (answer.status_code, "There is no such card here." in read(answer)) == (422, True)
    assert Card.objects.get().phase_id == card.phase_id


def test_a_rule_that_is_not_saved_yet_is_tried_too(page, workflow):
    make_card(workflow.phases.all()[0], "Oak kitchen")
    text = read(page.post(to("rule_new"), form(do="try", card="")))
    assert "Added a comment" in text
    assert Comment.objects.count() == 0


def test_the_page_says_what_would_match_now_and_in_the_past(page, rule, workflow, staff):
    card = make_card(workflow.phases.all()[0], "Oak kitchen")
    rule.switch("off", by=actor(staff.business.memberships.get(role="owner")))
    card.move(workflow.phases.get(name="Price quote sent"), by=actor(staff))
    assert "<b>1 card</b> stands" in read(page.get(to("rule_matches", rule.pk)))
    text = read(page.get(to("rule_past", rule.pk)))
    assert "<b>1 time</b> on <b>1 card</b>" in text
    assert "Oak kitchen" in text


# The log ----------------------------------------------------------------------------------------------


def test_the_log_tells_why_and_a_failed_run_is_tried_again(page, business, owner, workflow, staff):
    document = {
        "trigger": "state_changed",
        "conditions": [{"field": "value", "op": "over", "value": 1000}],
        "actions": [GREET["actions"][0], {"type": "send_email", "template": "quote_reminder", "to": "customer"}],
    }
    rule = Rule.create(business, document, name="Chase", by=actor(owner))
    contact = make_contact(business)
    make_card(workflow.phases.all()[0], "Pine shelf", value=24_000).move(workflow.phases.all()[2], by=actor(staff))
    card = make_card(workflow.phases.all()[0], "Oak kitchen", value=240_000, contact=contact)
    card.move(workflow.phases.all()[2], by=actor(staff))
    text = read(page.get(to("runs")))
    for said in ("Value €240 is not over €1,000", "has no e-mail address", "Retry"):
        assert said in text
    assert "Pine shelf" not in read(page.get(to("runs") + "?state=failed&q=oak"))
    assert "No run is like that" in read(page.get(to("runs") + "?q=nowhere"))
    run = rule.runs.get(state="failed")
    text = read(page.get(to("run", run.pk)))
    for said in ("Added a comment", "Retry from where it failed", "Tomás Rivera moved"):
        assert said in text
    contact.update(emails=[("ines@example.test", "")], by=actor(staff))
    assert "Chase: done" in read(page.post(to("run_retry", run.pk), follow=True))
    assert rule.runs.get(pk=run.pk).state == "done"
    assert Comment.objects.filter(card=card).count() == 1


def test_a_run_that_waits_is_stopped_from_its_page(page, business, owner, workflow):
    wait = [{"type": "wait", "for": "2 hours"}, {"type": "archive_card"}]
    rule = Rule.create(business, {"trigger": "card_created", "actions": wait}, by=actor(owner))
    make_card(workflow.phases.all()[0])
    run = rule.runs.get()
    assert "Goes on" in read(page.get(to("run", run.pk)))
    page.post(to("run_stop", run.pk))
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_what_a_limit_stopped_is_seen_at_once(page, business, owner, workflow, settings):
    settings.RULES_AN_HOUR = 0
    Rule.create(business, {"trigger": "card_created", "actions": [{"type": "archive_card"}]}, by=actor(owner))
    make_card(workflow.phases.all()[0])
    assert "a limit stopped rules 1 time" in read(page.get(to("rules")))
    assert "acted 0 times within an hour" in read(page.get(to("runs") + "?state=stopped"))


def test_rules_of_one_workflow_are_reached_from_its_board(page, rule, workflow):
    text = read(page.get(reverse("board", args=["brightside", workflow.slug])))
    assert f"{to('rules')}?workflow={workflow.slug}" in text
    assert f"Rules of {workflow.name}" in read(page.get(f"{to('rules')}?workflow={workflow.slug}"))
    assert Phase.objects.exists()


# On the card and in the feed --------------------------------------------------------------------------


def test_the_card_and_the_feed_say_what_a_rule_did_and_because_of_what(page, rule, workflow, staff):
    card = make_card(workflow.phases.all()[0], "Oak kitchen")
    card.move(workflow.phases.all()[2], by=actor(staff))
    for address in (reverse("card", args=["brightside", card.number]), reverse("feed", args=["brightside"])):
        text = read(page.get(address))
        assert f'<a href="{to("rule", rule.pk)}"><b>Greet</b></a>' in text
        assert "Rule, because: Tomás Rivera moved" in text


def test_a_deleted_rule_is_named_without_a_link(page, rule, workflow, staff, owner):
    card = make_card(workflow.phases.all()[0], "Oak kitchen")
    card.move(workflow.phases.all()[2], by=actor(staff))
    pk = rule.pk
    rule.delete_for_good(by=actor(owner))
    text = read(page.get(reverse("card", args=["brightside", card.number])))
    assert "<b>Greet</b>" in text
    assert to("rule", pk) not in text


def test_a_failed_run_in_the_feed_leads_to_its_rule(page, business, owner, workflow):
    broken = [{"type": "add_label", "label": "nowhere"}]
    rule = Rule.create(business, {"trigger": "card_created", "actions": broken}, name="Broken", by=actor(owner))
    make_card(workflow.phases.all()[0], "Oak kitchen")
    text = read(page.get(reverse("feed", args=["brightside"])))
    assert "could not finish on Oak kitchen" in text
    assert to("rule", rule.pk) in text


def test_a_new_rule_is_on_unless_it_is_to_watch_or_be_off(page):
    text = read(page.get(to("rule_new")))
    for state, words in (("on", "On"), ("watch", "Watches only"), ("off", "Off")):
        assert f'<option value="{state}">{words}</option>' in text


# Of a design ------------------------------------------------------------------------------------------


@pytest.fixture
def of_design(business, manager):
    """A rule that the design of ORDER::CC brought along."""
    greet = {"name": "Greet", "triggers": [{"status": "Booked"}]}
    greet["rules"] = [{"name": "add_comment", "props": {"text": "Seen"}}]
    told = document(status("Booked"), status("Sent", "DONE"), rulesets=[greet])
    return publishing.put(business, told, by=actor(manager)).workflow.rules.get()


def test_a_rule_of_a_design_is_listed_under_it_and_says_where_it_is_changed(page, rule, of_design):
    text = read(page.get(to("rules")))
    assert f'From the design of <a class="link" href="{to("builder", "ordercc")}">ORDER::CC</a>, version 1.0' in text
    text = read(page.get(to("rule", of_design.pk)))
    assert (
        "When a card gets an event called <b>“Greet”</b> or enters the phase, if phase is one of <b>Booked</b>" in text
    )
    assert "This is a ruleset of the design of ORDER::CC, version 1.0." in text
    assert "rule-editor__name" not in text
    assert to("rule_delete", of_design.pk) not in text


def test_a_rule_of_a_design_is_tried_switched_and_copied_but_not_written(page, of_design):
    card = make_card(of_design.workflow.phases.first(), "Oak desk")
    answer = page.post(to("rule_change", of_design.pk), {"do": "try", "card": str(card.number)})
    assert "this is what would come of it" in read(answer)
    assert page.post(to("rule_change", of_design.pk), {"do": "try", "card": "nothing"}).status_code == 422
    assert "Oak desk" in read(page.get(to("rule_matches", of_design.pk)))
    answer = page.post(to("rule_change", of_design.pk), form(name="Mine"), follow=True)
    assert "Greet is part of the design of ORDER::CC. Change it there." in read(answer)
    assert page.post(to("rule_delete", of_design.pk)).status_code == 404
    page.post(to("rule_switch", of_design.pk), {"state": "off"})
    page.post(to("rule_copy", of_design.pk))
    of_design.refresh_from_db()
    assert (of_design.name, of_design.state) == ("Greet", "off")
    assert Rule.objects.get(definition=None).name == "Greet (copy)"


def test_a_rule_of_a_design_goes_out_alone_with_names_that_another_business_can_read(page, of_design):
    told = page.get(to("rule_export", of_design.pk)).json()
    assert told["workflow"] == "ORDER::CC"
    assert told["rule"]["conditions"] == [{"field": "signalled_in", "op": "is_one_of", "value": ["ORDER::CC / Booked"]}]
    page.post(to("rule_import"), {"document": json.dumps(told)})
    assert Rule.objects.get(definition=None).problems == []


def test_rules_of_designs_do_not_travel_with_the_others(page, rule, of_design):
    assert [one["name"] for one in page.get(to("rule_export_all")).json()["rules"]] == ["Greet"]
