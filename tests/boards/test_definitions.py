"""What is published is kept, version by version, and makes the board."""

from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError

from accounts.models import Event
from accounts.verbs import Stale
from boards import documents, publishing
from boards.definitions import Unfit
from boards.models import Card, Definition, Draft, Field, Phase, Workflow
from boards.models.definition import shelf_of
from boards.models.draft import design_of
from boards.models.library import stock
from tests.boards.ledger import assert_whole
from tests.factories import actor, make_card


@pytest.fixture
def by(manager):
    """Priya, who designs."""
    return actor(manager)


def status(name, category="BOOKING", entity="ORDER", **settings):
    said = {"name": name, "entityType": entity, "category": category}
    return said | ({"settings": settings} if settings else {})


def document(*statuses, **said):
    return {"entityType": "ORDER", "entitySubtype": "CC", "rulesets": [], "statuses": [*statuses], **said}


SEED = document(status("HDSTATUS"), status("CCSTATUS"), status("CREATED"), status("", entity=""))


def names(workflow):
    return list(Phase.objects.filter(workflow=workflow).values_list("name", flat=True))


def running(workflow):
    return Draft.running(Workflow.objects.get(pk=workflow.pk))


def test_a_document_makes_a_workflow_of_its_statuses_and_the_win_it_leaves_unsaid(business, by):
    definition = publishing.put(business, SEED, major=1, comment="Making minor change", by=by)
    workflow = definition.workflow
    assert (workflow.name, workflow.ref, definition.version) == ("ORDER::CC", "ORDER::CC", "1.0")
    assert names(workflow) == ["HDSTATUS", "CCSTATUS", "CREATED", "Win"]
    assert definition.document == SEED
    assert Event.objects.get(name="workflow.published").details["comment"] == "Making minor change"


def test_groups_stand_in_their_order_and_the_last_completed_status_is_the_win(business, by):
    said = document(
        status("Delivered", "DONE"), status("Packing", "FULFILMENT"), status("Lost", "CANCELLED"), status("Booked")
    )
    workflow = publishing.put(business, said, by=by).workflow
    assert names(workflow) == ["Booked", "Packing", "Delivered", "Lost"]
    assert [phase.section for phase in workflow.phases.all()] == [Phase.PATH, Phase.PATH, Phase.WIN, Phase.CANCELLED]


def test_each_publication_raises_the_minor_and_a_major_begins_anew(business, by):
    versions = [publishing.put(business, SEED, major=major, by=by).version for major in (1, 1, None, 2, 2)]
    assert versions == ["1.0", "1.1", "1.2", "2.0", "2.1"]
    for major, code in ((1, "version_stale"), (4, "version_skipped")):
        with pytest.raises(ValidationError) as refusal:
            publishing.put(business, SEED, major=major, by=by)
        assert refusal.value.code == code
    assert Definition.objects.count() == 5


def test_cards_of_a_status_that_vanishes_go_where_the_document_says_or_nowhere(business, by):
    workflow = publishing.put(business, SEED, by=by).workflow
    card = make_card(workflow.phases.get(name="HDSTATUS"))
    with pytest.raises(Unfit) as refusal:
        publishing.put(business, document(status("CCSTATUS")), by=by)
    (problem,) = [problem for problem in refusal.value.problems if problem.severity == "error"]
    assert (problem.code, problem.attributes) == ("CARDS_NEED_STEP", {"statuses": [{"name": "HDSTATUS", "cards": 1}]})
    assert names(workflow) == ["HDSTATUS", "CCSTATUS", "CREATED", "Win"]
    publishing.put(business, document(status("CCSTATUS")), moves={"HDSTATUS": "CCSTATUS"}, by=by)
    assert Card.objects.get(pk=card.pk).phase.name == "CCSTATUS"
    assert names(workflow) == ["CCSTATUS", "Win"]
    assert_whole(workflow)


def test_what_the_builder_publishes_is_a_document_that_means_the_same_board(business, workflow, by):
    stock(business)
    size = Field.create(workflow, name="Size", by=by)
    draft = Draft.begin(workflow, by=by)
    told = {"trigger": str(business.trigger_library.first().pk), "wip_limit": 3, "wip_policy": "hard"}
    told |= {"required": ["contact", f"field:{size.pk}"], "checklist_lines": ["Measure"], "stale_days": 4}
    first, second = draft.design["steps"][:2]
    draft.set_step(first["id"], **told, timeout_hours=24, timeout_to=second["id"], by=by)
    document = workflow.publish(draft, by=by).document
    workflow.refresh_from_db()
    assert document["statuses"][0]["settings"]["required"] == ["contact", "field:Size"]
    assert document["statuses"][0]["settings"]["timeoutTo"] == second["name"]
    again = Draft.of_document(Workflow.objects.get(pk=workflow.pk), document)
    assert again.design == again.based_on == design_of(workflow)


def test_a_document_is_refused_with_all_that_is_wrong_with_it_and_nothing_is_made(business, by):
    said = document(status("Booked"), status("Packing", "MOON"), rulesets=[{"name": "Pack it", "triggers": []}])
    with pytest.raises(Unfit) as refusal:
        publishing.put(business, said, by=by)
    told = {problem.code: problem for problem in refusal.value.problems}
    assert set(told) >= {"RULESET_NAME_INVALID", "KEY_MISSING", "CATEGORY_UNKNOWN"}
    with pytest.raises(Unfit):
        publishing.put(business, {"statuses": [7]}, by=by)
    assert not Workflow.objects.exists()


def test_what_is_wrong_twice_is_told_once_and_leads_to_its_steps(business, by):
    said = document(status("Booked", trigger="moon"), status("BOOKED"), rulesets=[])
    with pytest.raises(Unfit) as refusal:
        publishing.put(business, said, by=by)
    told = {problem.code: problem for problem in refusal.value.problems}
    assert [problem.code for problem in refusal.value.problems].count("DUPLICATE_STATUS") == 1
    assert told["DUPLICATE_STATUS"].attributes == {"entityType": "ORDER", "name": "Booked"}
    assert [name for _, name in told["TRIGGER_UNKNOWN"].steps] == ["Booked"]


def test_a_board_that_was_drawn_is_not_asked_for_rulesets_but_a_document_is(business, workflow, by):
    drawn = {problem.code for problem in running(workflow).problems()}
    assert drawn == {"NO_TRIGGER"}
    draft = Draft.begin(workflow, by=by)
    draft.set_ruleset({"name": "Look", "triggers": [], "rules": []}, by=by)
    of_other_systems = {"CREATE_RULESET_MISSING", "CREATED_STATUS_MISSING", "UNUSED_CATEGORY_FOUND"}
    assert not {problem.code for problem in draft.problems()} & of_other_systems
    put = publishing.put(business, document(status("Booked")), by=by)
    assert {"CREATE_RULESET_MISSING", "CREATED_STATUS_MISSING"} <= {problem.code for problem in put.warnings}


def test_a_design_does_not_take_the_name_that_programs_have_for_another(business, workflow, by):
    publishing.put(business, SEED, by=by)
    draft = Draft.of_document(workflow, SEED)
    assert "ENTITY_TAKEN" in {problem.code for problem in draft.problems()}
    with pytest.raises(Unfit):
        workflow.publish(draft, by=by)


def test_an_earlier_version_brought_back_differs_in_nothing_from_itself(business, workflow, by):
    first = workflow.publish(running(workflow), by=by)
    draft = Draft.begin(workflow, by=by)
    draft.add_step(name="Quality check", by=by)
    draft.remove_step(draft.design["steps"][0]["id"], by=by)
    second = workflow.publish(draft, by=by)
    assert documents.compare(first.document, second.document, shelf_of(workflow))
    back = workflow.publish(Draft.of_document(Workflow.objects.get(pk=workflow.pk), first.document), by=by)
    assert documents.compare(first.document, back.document, shelf_of(workflow)) == []
    assert back.version == "1.2"


def test_running_cards_finish_in_the_old_design_when_the_publisher_says_so(business, by):
    old = document(status("Booked"), status("Packing", "FULFILMENT"), status("Sent", "DONE"))
    workflow = publishing.put(business, old, by=by).workflow
    card = make_card(workflow.phases.get(name="Booked"))
    new = document(status("Booked"), status("Picking", "FULFILMENT"), status("Sent", "DONE"))
    publishing.put(business, new, major=2, finish_old=True, by=by)
    card = Card.objects.get(pk=card.pk)
    assert names(workflow) == ["Booked", "Packing", "Picking", "Sent"]  # which it has still to come through
    assert card.major == 1


def test_a_phase_on_its_way_out_takes_the_cards_of_its_design_and_goes_with_the_last(business, by):
    old = document(status("Booked"), status("Packing", "FULFILMENT"), status("Sent", "DONE"))
    workflow = publishing.put(business, old, by=by).workflow
    booked, packing, win = workflow.phases.all()
    early, packed = make_card(booked), make_card(packing)
    new = document(status("Booked"), status("Picking", "FULFILMENT"), status("Sent", "DONE"))
    publishing.put(business, new, major=2, finish_old=True, by=by)
    late = make_card(Phase.objects.get(pk=booked.pk))
    early = Card.objects.get(pk=early.pk)
    assert (early.major, late.major) == (1, 2)
    assert (early.next_phase.name, late.next_phase.name) == ("Packing", "Picking")
    packing.refresh_from_db()
    with pytest.raises(ValidationError) as refusal:
        late.move(packing, by=by)
    assert refusal.value.code == "phase_retired"
    assert Phase.let_go() == 0
    for card in (early, packed):
        Card.objects.get(pk=card.pk).move(win, by=by)
    assert Phase.let_go() == 1
    assert names(workflow) == ["Booked", "Picking", "Sent"]
    assert_whole(workflow)


# Changed in the builder -------------------------------------------------------------------------------


def ruled(business, by, *rulesets):
    """Return a draft of a workflow that has these rulesets over Booked and Packing."""
    said = document(status("Booked"), status("Packing", "FULFILMENT"), status("Sent", "DONE"), rulesets=[*rulesets])
    return Draft.begin(publishing.put(business, said, by=by).workflow, by=by)


LEAD = "FLUENTRETAIL.base.ChangeState"
DROPPED = {"do": "drop_rule", "with": {"place": 0, "name": "Pack", "rule": 7}}
PACK = {
    "name": "Pack",
    "triggers": [{"status": "BOOKED"}],
    "rules": [
        {"name": LEAD, "props": {"status": "packing"}},
        {"name": "add_comment", "props": {"text": "Booked"}},
        {"name": "move_card", "props": {"to": "booked"}},
    ],
}


def test_a_step_that_gets_another_name_keeps_its_rulesets(business, by):
    draft = ruled(business, by, PACK, {"name": "Other", "type": "ITEM", "triggers": [], "rules": []})
    booked, packing = (step["id"] for step in draft.design["steps"][:2])
    draft.set_step(booked, name="Ordered", by=by)
    draft.set_step(packing, name="In the box", by=by)
    pack = draft.design["rulesets"][0]
    assert pack["triggers"] == [{"status": "Ordered"}]
    assert [rule["props"] for rule in pack["rules"]] == [
        {"status": "In the box"},
        {"text": "Booked"},
        {"to": "Ordered"},
    ]
    assert not [problem for problem in draft.problems() if problem.severity == "error"]
    assert draft.workflow.publish(draft, by=by).version == "1.1"


def test_rulesets_and_rules_are_taken_out_unless_they_have_changed_meanwhile(business, by):
    draft = ruled(business, by, PACK, {"name": "Note", "triggers": [], "rules": []})
    draft.mend({"do": "drop_rule", "with": {"place": 0, "name": "Pack", "rule": 1}}, by=by)
    assert [rule["name"] for rule in draft.design["rulesets"][0]["rules"]] == [LEAD, "move_card"]
    draft.mend({"do": "drop_ruleset", "with": {"place": 1, "name": "Note"}}, by=by)
    assert [ruleset["name"] for ruleset in draft.design["rulesets"]] == ["Pack"]
    for gone in ({"do": "drop_ruleset", "with": {"place": 1, "name": "Note"}}, DROPPED):
        with pytest.raises(Stale):
            draft.mend(gone, by=by)
    with pytest.raises(ValueError, match="puts nothing right"):
        draft.mend({"do": "discard", "with": {}}, by=by)


def test_what_a_problem_offers_puts_it_right(business, workflow, by):
    stock(business)
    draft = Draft.begin(workflow, by=by)
    win = draft.design["steps"][-1]["id"]
    draft.set_step(win, trigger=str(business.trigger_library.first().pk), timeout_hours=5, by=by)
    offered = {problem.code: problem.fix for problem in draft.problems() if problem.fix}
    assert set(offered) == {"TRIGGER_WITHOUT_NEXT", "TIMEOUT_WITHOUT_NEXT"}
    for fix in offered.values():
        draft.mend(fix, by=by)
    assert not {problem.code for problem in draft.problems()} & set(offered)


# Phases that got another name beside the design ---------------------------------------------------------


def packed_when(*statuses):
    """Return a ruleset that leads cards from these statuses to Packing."""
    lead = {"name": "FLUENTRETAIL.base.ChangeState", "props": {"status": "Packing"}}
    return {"name": "Pack", "triggers": [{"status": one} for one in statuses], "rules": [lead]}


@pytest.fixture
def packing(business, by):
    """A workflow of Booked, Packing and Sent whose ruleset leads from Booked to Packing."""
    statuses = [status("Booked"), status("Packing", "FULFILMENT"), status("Sent", "DONE")]
    return publishing.put(business, document(*statuses, rulesets=[packed_when("Booked")]), by=by).workflow


def rename(workflow, by, **names):
    for before, after in names.items():
        workflow.phases.get(name=before).update(name=after, by=by)


def test_the_rulesets_of_a_design_follow_phases_to_names_they_got_beside_it(packing, by):
    rename(packing, by, Booked="Spare")
    rename(packing, by, Packing="Booked")
    rename(packing, by, Spare="Packing")  # the two have changed names
    draft = running(packing)
    assert draft.design["rulesets"][0]["triggers"] == [{"status": "Packing"}]
    assert draft.design["rulesets"][0]["rules"][0]["props"] == {"status": "Booked"}
    assert not [one for one in draft.problems() if one.severity == "error"]
    definition = packing.publish(Draft.begin(packing, by=by), by=by)
    assert definition.steps == {str(phase.pk): phase.name for phase in packing.phases.all()}


def test_older_versions_learn_which_phases_they_are_about_though_others_bear_their_names_now(packing):
    note_steps = import_module("boards.migrations.0013_definitions_know_their_phases").note_steps
    definition = packing.definitions.get()
    told = definition.steps
    booked = packing.phases.get(name="Booked")
    packing.phases.filter(pk=booked.pk).update(last_major=1)
    Phase.objects.create(business=packing.business, workflow=packing, name="Booked", position=9, first_major=2)
    Definition.objects.update(steps={})
    note_steps(apps, None)
    definition.refresh_from_db()
    assert str(booked.pk) in told
    assert definition.steps == told


def test_going_on_with_a_draft_lets_its_rulesets_follow_too(packing, by):
    draft = Draft.begin(packing, by=by)
    draft.set_ruleset(packed_when("Booked", "Sent"), 0, was=draft.design["rulesets"][0], by=by)
    draft.set_step(packing.phases.get(name="Sent").pk, name="Gone", by=by)
    rename(packing, by, Booked="Ordered", Sent="Shipped")
    draft = Draft.of(packing)
    draft.go_on(by=by)
    assert [step["name"] for step in draft.design["steps"]] == ["Ordered", "Packing", "Gone"]
    assert draft.design["rulesets"] == [packed_when("Ordered", "Gone")]
    packing.publish(draft, by=by)
