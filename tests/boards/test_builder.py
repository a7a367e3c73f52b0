"""A design is drafted in peace and published at one stroke."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Event
from accounts.verbs import Stale
from boards import definitions
from boards.models import Draft, Field, Phase, Status, Trigger
from boards.models.draft import design_of
from boards.models.library import stock
from tests.boards.ledger import assert_whole
from tests.factories import actor, make_card, make_workflow

NAMES = [
    "Customer contacted me",
    "Contact made with customer",
    "Price quote sent",
    "Invoice sent",
    "Invoice paid",
    "Won",
]


@pytest.fixture
def by(manager):
    """Priya, who designs."""
    return actor(manager)


@pytest.fixture
def library(business):
    """Brightside with what a new business finds in its libraries."""
    stock(business)
    return business


@pytest.fixture
def draft(workflow, by):
    """A draft of the lead funnel in which nothing is different yet."""
    return Draft.begin(workflow, by=by)


@pytest.fixture
def phases(workflow):
    """The phases of the lead funnel as they run."""
    return list(workflow.phases.all())


def names(workflow):
    return list(Phase.objects.filter(workflow=workflow).values_list("name", flat=True))


def drafted(draft):
    return [step["name"] for step in draft.design["steps"]]


def found(draft):
    return {problem.code: problem for problem in draft.problems()}


# Drafting ---------------------------------------------------------------------------------------------


def test_a_workflow_has_one_draft_and_beginning_again_goes_on_with_it(workflow, draft, owner):
    assert Draft.begin(workflow, by=actor(owner)).pk == draft.pk
    assert drafted(draft) == NAMES
    assert draft.changes == []


def test_nothing_of_the_running_board_changes_before_saving(workflow, phases, draft, by):
    events = Event.objects.count()
    card = make_card(phases[1])
    before = design_of(workflow)
    draft.add_step(name="Site visit", by=by)
    draft.move_step(phases[3].pk, 0, by=by)
    draft.set_step(phases[2].pk, name="Quote", wip_limit=3, wip_policy="hard", by=by)
    draft.remove_step(phases[1].pk, to=phases[0].pk, by=by)
    assert design_of(workflow) == before
    assert names(workflow) == NAMES
    card.refresh_from_db()
    assert card.phase == phases[1]
    assert Event.objects.count() == events + 1, "only the card is news"
    assert_whole(workflow)


def test_a_new_step_stands_at_the_end_of_its_stage_group(draft, by):
    draft.add_step(name="Site visit", stage="new", by=by)
    draft.add_step(name="Lost", stage="cancelled", by=by)
    assert drafted(draft) == [NAMES[0], "Site visit", *NAMES[1:], "Lost"]


def test_a_step_from_the_library_remembers_its_status(library, draft, by):
    status = Status.objects.get(business=library, name="Quality check")
    step = draft.step(draft.add_step(name=status.name, stage=status.stage, status=status, by=by))
    assert (step["name"], step["status"], step["stage"]) == ("Quality check", str(status.pk), "processing")


@pytest.mark.parametrize(
    ("which", "to", "order"),
    [(0, 1, "BACDE"), (4, 0, "EABCD"), (1, 4, "ACDEB"), (1, 999, "ACDEB"), (2, 2, "ABCDE")],
)
def test_a_step_goes_where_it_is_put_and_the_win_stays_last(phases, draft, by, which, to, order):
    draft.move_step(phases[which].pk, to, by=by)
    by_letter = dict(zip("ABCDE", NAMES, strict=False))
    assert drafted(draft) == [*(by_letter[letter] for letter in order), "Won"]


def test_a_step_takes_the_stage_group_it_is_dropped_in_or_that_of_its_neighbours(phases, draft, by):
    draft.set_step(phases[4].pk, stage="completed", by=by)
    draft.move_step(phases[1].pk, 4, by=by)
    assert draft.step(phases[1].pk)["stage"] == "completed", "behind one that is Completed"
    draft.move_step(phases[1].pk, 0, stage="processing", by=by)
    assert draft.step(phases[1].pk)["stage"] == "processing"
    for wrong in ("cancelled", "nonsense"):
        with pytest.raises(ValidationError):
            draft.move_step(phases[1].pk, 0, stage=wrong, by=by)


def test_a_changed_stage_group_takes_the_step_there(phases, draft, by):
    draft.set_step(phases[3].pk, stage="new", by=by)
    assert drafted(draft) == [NAMES[0], NAMES[3], NAMES[1], NAMES[2], *NAMES[4:]]
    draft.set_step(phases[0].pk, stage="cancelled", by=by)
    assert drafted(draft)[-1] == NAMES[0]
    draft.set_step(phases[0].pk, stage="new", by=by)
    assert drafted(draft)[:2] == [NAMES[3], NAMES[0]]


def test_what_a_phase_would_refuse_the_draft_refuses(phases, draft, by):
    for wrong in (
        {"name": ""},
        {"name": "x" * 81},
        {"stage": "someday"},
        {"wip_limit": 0},
        {"stale_days": 99999},
        {"required": ["field:nonsense"]},
        {"timeout_hours": 0},
    ):
        with pytest.raises(ValidationError):
            draft.set_step(phases[1].pk, **wrong, by=by)
    win = phases[-1].pk
    for refused in (
        lambda: draft.set_step(win, stage="new", by=by),
        lambda: draft.move_step(win, 0, by=by),
        lambda: draft.remove_step(win, by=by),
        lambda: draft.move_step(phases[0].pk, -1, by=by),
        lambda: draft.remove_step(phases[0].pk, to=phases[0].pk, by=by),
    ):
        with pytest.raises(ValidationError):
            refused()
    with pytest.raises(ValueError, match="unknown settings"):
        draft.set_step(phases[1].pk, card_count=3, by=by)


def test_the_edits_of_two_people_both_count(workflow, phases, draft, by, owner):
    draft.set_step(phases[3].pk, name="Bill", by=by)
    theirs = Draft.of(workflow)
    draft.set_step(phases[0].pk, name="Hello", by=by)
    theirs.set_step(phases[1].pk, name="Talk", by=actor(owner))
    now = Draft.of(workflow)
    assert drafted(now)[:2] == ["Hello", "Talk"]
    assert now.changed_by == owner.user
    draft.remove_step(phases[2].pk, by=by)
    with pytest.raises(Stale):
        theirs.set_step(phases[2].pk, name="Gone", by=actor(owner))


def test_a_draft_that_says_what_runs_is_no_draft(workflow, phases, draft, by):
    draft.set_step(phases[0].pk, name="Hello", by=by)
    draft.set_step(phases[0].pk, name=NAMES[0], by=by)
    assert not Draft.of(workflow).is_begun


def test_a_removal_is_taken_back_to_where_the_step_stood(workflow, phases, draft, by):
    draft.remove_step(phases[1].pk, to=phases[0].pk, by=by)
    draft.remove_step(phases[2].pk, by=by)
    assert draft.changes == [f"Removed {NAMES[1]}", f"Removed {NAMES[2]}"]
    draft.keep_step(phases[2].pk, by=by)
    assert drafted(draft) == [NAMES[0], *NAMES[2:]]
    draft.keep_step(phases[1].pk, by=by)
    assert not Draft.objects.exists()


def test_a_new_step_that_is_removed_again_leaves_nothing(draft, by):
    new = draft.add_step(name="Site visit", by=by)
    draft.remove_step(new, by=by)
    assert draft.design["removed"] == []
    assert not Draft.objects.exists()


def test_a_discarded_draft_is_gone_and_the_board_as_it_was(workflow, phases, draft, by):
    draft.remove_step(phases[1].pk, by=by)
    draft.discard(by=by)
    draft.discard(by=by)
    assert drafted(Draft.of(workflow)) == names(workflow) == NAMES
    with pytest.raises(Stale):
        draft.set_step(phases[0].pk, name="Late", by=by)


def test_only_designers_draft_and_save(workflow, draft, staff):
    for refused in (
        lambda: Draft.begin(workflow, by=actor(staff)),
        lambda: draft.add_step(name="Ours", by=actor(staff)),
        lambda: draft.discard(by=actor(staff)),
        lambda: workflow.publish(draft, by=actor(staff)),
    ):
        with pytest.raises(PermissionDenied):
            refused()


def test_an_archived_workflow_takes_no_draft(workflow, by):
    workflow.archive(by=by)
    with pytest.raises(ValidationError):
        Draft.begin(workflow, by=by)


# Saving -----------------------------------------------------------------------------------------------


def test_saving_applies_all_of_it_at_one_stroke(library, workflow, phases, draft, by, manager):
    cards = [make_card(phases[1], name, value=100) for name in ("First", "Second")]
    stays = make_card(phases[0], "Stays")
    trigger = Trigger.objects.get(business=library, key="quote_accepted")
    size = Field.create(workflow, name="Size", by=by)
    new = draft.add_step(name="Site visit", stage="new", by=by)
    draft.add_step(name="Lost", stage="cancelled", by=by)
    draft.describe(name="Leads", type="intake", by=by)
    draft.move_step(phases[3].pk, 0, stage="new", by=by)
    draft.set_step(
        phases[2].pk,
        name="Quote",
        trigger=str(trigger.pk),
        wip_limit=3,
        wip_policy="hard",
        stale_days=5,
        required=["contact", f"field:{size.pk}"],
        default_assignee=str(manager.pk),
        checklist_lines=["Measure", " ", "Measure"],
        timeout_hours=48,
        timeout_to=new,
        description="Waiting for a yes",
        by=by,
    )
    draft.remove_step(phases[1].pk, to=new, by=by)
    changes = draft.changes
    definition = workflow.publish(draft, by=by)

    assert names(workflow) == [NAMES[3], NAMES[0], "Site visit", "Quote", "Invoice paid", "Won", "Lost"]
    quote, visit = Phase.objects.get(pk=phases[2].pk), Phase.objects.get(name="Site visit")
    assert (quote.trigger, quote.wip_limit, quote.wip_policy, quote.stale_days) == (trigger, 3, "hard", 5)
    assert (quote.default_assignee, quote.checklist_lines, quote.description) == (
        manager,
        ["Measure"],
        "Waiting for a yes",
    )
    assert (quote.timeout_hours, quote.timeout_to, quote.required) == (48, visit, ["contact", f"field:{size.pk}"])
    assert Phase.objects.get(pk=phases[3].pk).stage == "new"
    assert list(visit.cards.order_by("rank")) == cards
    assert list(phases[0].cards.all()) == [stays]
    workflow.refresh_from_db()
    assert (workflow.name, workflow.type) == ("Leads", "intake")
    assert not Draft.objects.exists()
    event = Event.objects.get(name="workflow.published")
    assert event.details["changes"] == changes
    assert (definition.version, event.details["version"]) == ("1.0", "1.0")
    assert "Renamed the workflow to Leads" in changes
    assert f"Removed {NAMES[1]}; its 2 cards go to Site visit" in changes
    assert Draft.of(workflow).changes == []
    assert_whole(workflow)


def test_as_few_phases_as_possible_are_moved(workflow, phases, draft, by):
    draft.move_step(phases[0].pk, 4, by=by)
    workflow.publish(draft, by=by)
    assert names(workflow) == [*NAMES[1:5], NAMES[0], "Won"]
    assert Event.objects.filter(name="phase.moved").count() == 1


def test_an_error_stops_the_saving_before_anything_is_written(workflow, phases, draft, by):
    make_card(phases[1])
    draft.set_step(phases[0].pk, name="Hello", by=by)
    draft.remove_step(phases[1].pk, by=by)
    with pytest.raises(ValidationError, match="Choose where they should go"):
        workflow.publish(draft, by=by)
    assert names(workflow) == NAMES
    assert Draft.of(workflow).is_begun


def test_a_refusal_in_the_middle_leaves_nothing_behind(business, workflow, phases, draft, by):
    trigger = Trigger.create(business, name="Odd", by=by)
    draft.set_step(phases[0].pk, name="Hello", by=by)
    draft.set_step(phases[1].pk, trigger=str(trigger.pk), by=by)
    Trigger.objects.filter(pk=trigger.pk).delete()
    with pytest.raises(ValidationError, match="trigger of a step is gone"):
        workflow.publish(draft, by=by)
    assert names(workflow) == NAMES
    assert not Event.objects.filter(name__in=["phase.updated", "workflow.published"]).exists()


def test_rows_of_another_business_are_never_pointed_to(workflow, phases, draft, by, stranger):
    theirs = Trigger.create(stranger.business, name="Theirs", by=actor(stranger))
    draft.set_step(phases[1].pk, trigger=str(theirs.pk), by=by)
    with pytest.raises(ValidationError, match="gone"):
        workflow.publish(draft, by=by)


def test_a_draft_of_an_older_design_is_stale_and_says_what_changed(workflow, phases, draft, by, owner):
    draft.set_step(phases[0].pk, name="Hello", by=by)
    phases[2].update(name="Quote", by=actor(owner))
    stale = Draft.of(workflow)
    assert stale.is_stale
    assert stale.changes_meanwhile == ["Renamed Price quote sent to Quote"]
    with pytest.raises(Stale):
        workflow.publish(draft, by=by)
    assert names(workflow)[0] == NAMES[0]


def test_going_on_puts_the_drafts_changes_onto_the_new_design(workflow, phases, draft, by, owner):
    draft.set_step(phases[0].pk, name="Hello", by=by)
    mine = draft.add_step(name="Site visit", stage="new", by=by)
    phases[0].update(stale_days=9, by=actor(owner))
    phases[3].move(0, by=actor(owner))
    phases[1].delete_to(None, by=actor(owner))
    Phase.create(workflow, name="Theirs", position=2, by=actor(owner))
    draft.go_on(by=by)
    assert drafted(draft) == [
        "Invoice sent",
        "Hello",
        "Site visit",
        "Theirs",
        "Price quote sent",
        "Invoice paid",
        "Won",
    ]
    assert draft.step(phases[0].pk)["stale_days"] == 9
    assert draft.step(mine)["name"] == "Site visit"
    assert not draft.is_stale
    assert draft.changes == ["Added Site visit after Hello", "Renamed Customer contacted me to Hello"]
    workflow.publish(draft, by=by)
    assert_whole(workflow)


def test_a_deleted_field_is_asked_for_by_neither_draft_nor_board(workflow, phases, by):
    size = Field.create(workflow, name="Size", by=by)
    phases[2].update(required=["contact", f"field:{size.pk}"], by=by)
    draft = Draft.begin(workflow, by=by)
    draft.set_step(phases[0].pk, name="Hello", by=by)
    size.remove(by=by)
    phases[2].refresh_from_db()
    assert phases[2].required == ["contact"]
    draft = Draft.of(workflow)
    assert not draft.is_stale
    assert draft.step(phases[2].pk)["required"] == ["contact"]
    workflow.publish(draft, by=by)


# Problems ---------------------------------------------------------------------------------------------


def test_a_design_with_triggers_everywhere_has_no_problems(library, phases, draft, by):
    trigger = str(Trigger.objects.filter(business=library).first().pk)
    for phase in phases[:-1]:
        draft.set_step(phase.pk, trigger=trigger, by=by)
    assert draft.problems() == []


def test_steps_without_a_trigger_are_named(library, phases, draft, by):
    trigger = str(Trigger.objects.filter(business=library).first().pk)
    for phase in phases[:-1]:
        if phase != phases[1]:
            draft.set_step(phase.pk, trigger=trigger, by=by)
    problem = found(draft)["NO_TRIGGER"]
    said = "Contact made with customer has no trigger, so cards wait there until someone moves them."
    assert (problem.severity, problem.text) == ("warning", said)
    assert problem.steps == ((str(phases[1].pk), NAMES[1]),)
    draft.set_step(phases[1].pk, timeout_hours=24, by=by)
    assert "NO_TRIGGER" not in found(draft)


def test_a_workflow_without_a_path_cannot_be_saved(business, by):
    workflow = make_workflow(business, "Empty", starter=None)
    draft = Draft.begin(workflow, by=by)
    draft.set_step(workflow.win_phase.pk, name="Done", by=by)
    assert found(draft)["NOTHING_BEFORE_WIN"].severity == "error"
    with pytest.raises(ValidationError, match="nowhere to start"):
        workflow.publish(draft, by=by)


def test_names_that_nobody_can_tell_apart_stand_in_the_way(phases, draft, by):
    draft.set_step(phases[1].pk, name="INVOICE SENT", by=by)
    problem = found(draft)["DUPLICATE_STATUS"]
    assert problem.severity == "error"
    assert {step for step, _ in problem.steps} == {str(phases[1].pk), str(phases[3].pk)}


def test_a_hard_limit_below_the_cards_that_will_stand_there_is_a_warning(phases, draft, by):
    for phase in (phases[1], phases[2], phases[2]):
        make_card(phase)
    draft.set_step(phases[2].pk, wip_limit=2, wip_policy="hard", by=by)
    assert "LIMIT_BELOW_CARDS" not in found(draft)
    draft.remove_step(phases[1].pk, to=phases[2].pk, by=by)
    assert "will hold 3 cards, its limit is 2" in found(draft)["LIMIT_BELOW_CARDS"].text
    draft.set_step(phases[2].pk, wip_policy="soft", by=by)
    assert "LIMIT_BELOW_CARDS" not in found(draft)


def test_a_time_limit_leads_somewhere_else(phases, draft, by):
    draft.set_step(phases[1].pk, timeout_hours=24, timeout_to=str(phases[1].pk), by=by)
    assert found(draft)["TIMEOUT_TO_SELF"].severity == "error"
    draft.set_step(phases[1].pk, timeout_to=str(phases[2].pk), by=by)
    assert "TIMEOUT_TO_SELF" not in found(draft)
    draft.remove_step(phases[2].pk, by=by)
    assert draft.step(phases[1].pk)["timeout_to"] is None
    draft.set_step(phases[-1].pk, timeout_hours=24, by=by)
    assert found(draft)["TIMEOUT_WITHOUT_NEXT"].severity == "warning"


def test_a_trigger_on_the_last_step_moves_nothing(library, phases, draft, by):
    draft.set_step(phases[-1].pk, trigger=str(library.trigger_library.first().pk), by=by)
    assert found(draft)["TRIGGER_WITHOUT_NEXT"].severity == "warning"


def test_a_removed_step_with_cards_needs_a_destination_also_for_archived_ones(phases, draft, by):
    make_card(phases[1]).archive(by=by)
    draft.remove_step(phases[1].pk, by=by)
    assert "holds 1 card." in found(draft)["CARDS_NEED_STEP"].text
    draft.keep_step(phases[1].pk, by=by)


def test_a_destination_that_is_removed_too_hands_its_cards_on(workflow, phases, by):
    card = make_card(phases[1])
    draft = Draft.begin(workflow, by=by)
    draft.remove_step(phases[1].pk, to=phases[2].pk, by=by)
    draft.remove_step(phases[2].pk, to=phases[3].pk, by=by)
    workflow.publish(draft, by=by)
    card.refresh_from_db()
    assert card.phase == phases[3]
    assert_whole(workflow)


def test_a_step_with_cards_does_not_become_cancelled(workflow, phases, draft, by):
    make_card(phases[1])
    draft.set_step(phases[1].pk, stage="cancelled", by=by)
    assert found(draft)["CARDS_INSIDE"].severity == "error"
    with pytest.raises(ValidationError):
        workflow.publish(draft, by=by)


def test_errors_come_before_warnings(phases, draft, by):
    make_card(phases[1])
    draft.remove_step(phases[1].pk, by=by)
    assert [problem.severity for problem in draft.problems()] == ["error", "warning"]


# Pure ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [("ABCDE", "BCDEA", "A"), ("ABCDE", "EABCD", "E"), ("ABC", "ABC", ""), ("ABC", "CXB", "B"), ("", "AB", "")],
)
def test_the_fewest_steps_are_said_to_have_moved(before, after, moved):
    assert len(definitions.movers(list(before), list(after))) == len(moved)


def test_mine_is_kept_where_both_changed_the_same():
    def design(*steps):
        win = definitions.blank_step("w", "Won", "completed", win=True)
        about = dict.fromkeys(["name", "rulesets", *definitions.ABOUT], "the same")
        return about | {"removed": [], "steps": [*steps, win]}

    one, two = definitions.blank_step("1", "One", "new"), definitions.blank_step("2", "Two", "new")
    base, mine = design(one, two), design({**two, "name": "Mine"}, one)
    theirs = design(one, {**two, "name": "Theirs", "wip_limit": 4}, definitions.blank_step("3", "Three", "new"))
    result = definitions.merged(base, mine, theirs)
    assert [(s["name"], s["wip_limit"]) for s in result["steps"]] == [
        ("Mine", 4),
        ("Three", None),
        ("One", None),
        ("Won", None),
    ]
