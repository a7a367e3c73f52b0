"""A new workflow is thought up in its page, step by step, and made at one stroke; nothing is written before."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Event
from boards.models import OrderType, Phase, Status, Trigger, Workflow
from tests.factories import actor, make_card, make_workflow

LIST = "/brightside/workflows/"
NEW = "/brightside/workflows/new/"
HTMX = {"HX-Request": "true", "HX-Target": "draft"}


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def library(business, owner):
    """Some statuses and triggers, by name."""
    rows = [("Pending pickup", "new"), ("Packing", "processing"), ("Delivered", "completed"), ("Lost", "cancelled")]
    made = {name: Status.create(business, name=name, stage=stage, by=actor(owner)) for name, stage in rows}
    for name in ("Picked up", "Packed"):
        made[name] = Trigger.create(business, name=name, by=actor(owner))
    return made


@pytest.fixture
def client(manager, browse):
    return browse(manager)


def sent(library, *steps, **others):
    """Return a form with steps: names of statuses, or (name, trigger)."""
    pairs = [step if isinstance(step, tuple) else (step, None) for step in steps]
    return {
        "name": "Pickups",
        "type": "intake",
        "step": [str(library[name].pk) if name in library else f"processing:{name}" for name, _ in pairs],
        "when": [str(library[trigger].pk) if trigger else "" for _, trigger in pairs],
    } | others


def shown(answer):
    """Return the names of the steps in the order of the page."""
    page = said(answer).split('id="draft"')[1]
    return [piece.split('"')[0] for piece in page.split('data-name="')[1:]]


# The verb ---------------------------------------------------------------------------------------------


def test_the_steps_become_phases_with_their_triggers_in_one_go(business, manager, library):
    steps = [
        {"status": library["Pending pickup"], "trigger": library["Picked up"]},
        {"name": "Sanding", "stage": "processing", "trigger": None},
        {"status": library["Lost"], "trigger": library["Packed"]},
        {"status": library["Delivered"], "trigger": library["Packed"]},
    ]
    workflow = Workflow.create(business, name="Pickups", steps=steps, by=actor(manager))
    told = [(phase.name, phase.section, phase.position, str(phase.trigger or "")) for phase in workflow.phases.all()]
    assert told == [
        ("Pending pickup", Phase.PATH, 0, "Picked up"),
        ("Sanding", Phase.PATH, 1, ""),
        ("Delivered", Phase.WIN, 0, ""),
        ("Lost", Phase.CANCELLED, 0, ""),
    ]
    assert all(phase.status.name == phase.name for phase in workflow.phases.all())
    assert [event.name for event in Event.objects.about(workflow)] == ["workflow.created"]
    assert Status.objects.get(name="Sanding").stage == "processing"


def test_without_a_completed_step_at_the_end_a_win_is_added(business, manager, library):
    steps = [{"status": library["Delivered"]}, {"status": library["Packing"]}]
    workflow = Workflow.create(business, name="Pickups", steps=steps, by=actor(manager))
    assert [phase.name for phase in workflow.phases.all()] == ["Delivered", "Packing", "Win"]


def test_a_name_that_the_library_has_in_any_spelling_is_taken_from_it(business, manager, library):
    steps = [{"name": "PACKING", "stage": "new"}]
    workflow = Workflow.create(business, name="Pickups", steps=steps, by=actor(manager))
    assert workflow.phases.first().status == library["Packing"]
    assert workflow.phases.first().stage == "processing"


def test_what_belongs_to_others_stands_twice_or_is_too_much_is_refused_whole(business, manager, stranger, library):
    theirs = Status.create(stranger.business, name="Theirs", by=actor(stranger))
    trigger = Trigger.create(stranger.business, name="Theirs", by=actor(stranger))
    packing = {"status": library["Packing"]}
    for steps in (
        [{"status": theirs}],
        [packing | {"trigger": trigger}],
        [packing, packing],
        [{"name": "", "stage": "new"}],
        [{"name": "A", "stage": "circus"}],
        [{"name": "Fresh", "stage": "new"}, *({"name": f"S{i}", "stage": "new"} for i in range(60))],
    ):
        with pytest.raises(ValidationError):
            Workflow.create(business, name="Pickups", steps=steps, by=actor(manager))
    assert not business.workflows.exists()
    assert not Status.objects.filter(name="Fresh").exists()


# The page ---------------------------------------------------------------------------------------------


def test_the_form_offers_the_library_by_stage_group_and_its_triggers(client, library, manager):
    library["Packing"].retire(by=actor(manager))
    library["Packed"].retire(by=actor(manager))
    page = said(client.get(NEW))
    for word in ("Workflow name", "Workflow type", "Add status", "Auto progress trigger", "Workflow steps", "Create"):
        assert word in page
    assert '<optgroup label="New"> <option value="' in page
    assert "Create a new status…" in page
    assert "Picked up</option>" in page
    assert "Packing</option>" not in page
    assert "Packed</option>" not in page


def test_adding_a_step_shows_it_with_all_that_was_typed_and_writes_nothing(business, client, library):
    typed = sent(library, ("Pending pickup", "Picked up"), description="Kept", do="add")
    adding = {"add-status": str(library["Packing"].pk), "add-trigger": str(library["Packed"].pk)}
    for headers in ({}, HTMX):
        answer = client.post(NEW, typed | adding, headers=headers)
        assert answer.status_code == 200
        assert shown(answer) == ["Pending pickup", "Packing"]
        page = said(answer)
        assert page.count("selected>Packed<") == 1
        assert page.count("selected>Picked up<") == 1
        if headers:
            assert page.startswith('<div class="split draft" id="draft">')
            assert "Packing is step 2." in page
        else:
            assert 'value="Pickups"' in page
            assert "Kept</textarea>" in page
            assert '<option value="intake" selected>' in page
    assert not business.workflows.exists()
    assert Event.objects.filter(business=business, name__startswith="workflow.").count() == 0


def test_a_status_is_made_on_the_fly_and_written_with_the_workflow(business, client, library):
    adding = {"do": "add", "add-status": "new", "add-name": "Sanding", "add-stage": "new"}
    answer = client.post(NEW, sent(library, "Packing") | adding)
    assert shown(answer) == ["Packing", "Sanding"]
    assert "New in the library" in said(answer)
    assert not Status.objects.filter(name="Sanding").exists()
    client.post(NEW, sent(library, "Packing") | {"step": [str(library["Packing"].pk), "new:Sanding"], "when": ["", ""]})
    assert Status.objects.get(business=business, name="Sanding").stage == "new"
    assert business.workflows.get().phases.filter(name="Sanding", status__name="Sanding").exists()


@pytest.mark.parametrize(
    ("adding", "wrong"),
    [
        ({"add-status": ""}, "Choose a status first."),
        ({"add-status": "new", "add-name": " "}, "Give the new status a name."),
        ({"add-status": "new", "add-name": "x" * 81}, "At most 80 characters fit here; this has 81."),
        ({"add-status": "new", "add-name": "packing"}, "Packing is a step already."),
        ({"add-status": "nonsense"}, "Select a valid choice"),
        ({"add-status": "new", "add-name": "A", "add-stage": "circus"}, "Select a valid choice"),
        ({"add-status": "new", "add-name": "A", "add-trigger": "nonsense"}, "Select a valid choice"),
    ],
)
def test_a_bad_step_is_told_at_its_field(client, library, adding, wrong):
    answer = client.post(NEW, sent(library, "Packing", do="add") | adding)
    assert answer.status_code == 422
    assert wrong in said(answer)
    assert shown(answer) == ["Packing"]


def test_steps_are_moved_and_removed_without_scripts(client, library):
    names = ["Pending pickup", "Packing", "Delivered"]

    def after(do, **others):
        return shown(client.post(NEW, sent(library, *names, do=do, **others)))

    assert after("down:0") == ["Packing", "Pending pickup", "Delivered"]
    assert after("up:2") == ["Pending pickup", "Delivered", "Packing"]
    assert after("up:0") == after("down:2") == names
    assert after("remove:1") == ["Pending pickup", "Delivered"]
    assert after("sort", phase="2", position="0") == names  # what was dragged was sent in its new order
    for nonsense in ("up:99", "down:-1", "remove:x", "circus", "pick:nobody"):
        assert after(nonsense) == names


def test_the_trigger_goes_with_its_step(client, library):
    answer = client.post(NEW, sent(library, ("Pending pickup", "Picked up"), ("Packing", "Packed"), do="down:0"))
    page = said(answer)
    assert page.index("selected>Packed<") < page.index("selected>Picked up<")


def test_the_library_is_searched_and_a_status_picked(client, library):
    headers = {"HX-Request": "true", "HX-Target": "picker"}
    found = said(client.get(NEW, {"find": "pack", "step": str(library["Packing"].pk)}, headers=headers))
    assert 'class="status is-used">Packing' in found
    assert "Delivered" not in found
    assert "Create “pack” in" in found
    page = said(client.post(NEW, sent(library, do=f"pick:{library['Packing'].pk}")))
    assert f'<option value="{library["Packing"].pk}" selected>Packing</option>' in page
    page = said(client.post(NEW, sent(library, do="pick:new:Sanding: fine")))
    assert '<option value="new" selected>' in page
    assert 'value="Sanding: fine"' in page


def test_create_makes_it_and_shows_it_in_the_table(business, client, library):
    answer = client.post(NEW, sent(library, ("Pending pickup", "Picked up"), "Delivered", do="create"), follow=True)
    assert answer.redirect_chain == [(f"{LIST}?view=table", 302)]
    page = said(answer)
    assert "Made the workflow Pickups." in page
    assert '<table class="table table--workflows">' in page
    workflow = business.workflows.get()
    assert (workflow.name, workflow.type) == ("Pickups", "intake")
    assert [phase.name for phase in workflow.phases.all()] == ["Pending pickup", "Delivered"]
    assert workflow.win_phase.name == "Delivered"


def test_coming_back_and_sending_it_again_makes_no_second_one(business, client, library):
    client.post(NEW, sent(library, "Packing", do="create"))
    answer = client.post(NEW, sent(library, "Packing", do="create", name="pickups "))
    assert answer.status_code == 422
    assert "There is a workflow pickups already. Give this one another name." in said(answer)
    assert shown(answer) == ["Packing"]
    assert business.workflows.count() == 1


def test_the_steps_stand_in_the_address_so_that_coming_back_loses_none(business, client, library):
    steps = sent(library, ("Pending pickup", "Picked up"), "Sanding: & fine")
    adding = {"do": "add", "add-status": str(library["Delivered"].pk)}
    answer = client.post(NEW, steps | adding, headers=HTMX)
    page = client.get(answer["HX-Replace-Url"])
    assert shown(page) == ["Pending pickup", "Sanding: &amp; fine", "Delivered"]
    assert f'value="{library["Picked up"].pk}" selected' in said(page)


def test_a_status_that_was_chosen_but_not_added_is_meant_too(business, client, library):
    client.post(NEW, sent(library, "Packing", do="create") | {"add-status": str(library["Delivered"].pk)})
    assert [phase.name for phase in business.workflows.get().phases.all()] == ["Packing", "Delivered"]


def test_enter_adds_the_chosen_step_first(business, client, library):
    adding = {"do": "enter", "add-status": str(library["Delivered"].pk)}
    assert shown(client.post(NEW, sent(library, "Packing") | adding)) == ["Packing", "Delivered"]
    assert client.post(NEW, sent(library, "Packing", do="enter")).status_code == 302


def test_a_nameless_workflow_keeps_its_steps(business, client, library):
    answer = client.post(NEW, sent(library, "Packing", ("Pending pickup", "Picked up"), do="create", name=" "))
    assert answer.status_code == 422
    assert "Give the workflow a name." in said(answer)
    assert shown(answer) == ["Packing", "Pending pickup"]
    assert not business.workflows.exists()


def test_a_starter_goes_before_steps(business, client, library):
    answer = client.post(NEW, sent(library, "Packing", starter="repair", do="create"))
    assert answer.url == "/brightside/boards/pickups/"
    assert business.workflows.get().phases.first().name == "Reported"


def test_nonsense_in_the_form_is_left_out(client, library, stranger):
    theirs = Status.create(stranger.business, name="Theirs", by=actor(stranger))
    page = client.post(NEW, sent(library, do="find") | {"step": [str(theirs.pk), "", "circus:A", "x" * 999, "\x00"]})
    assert page.status_code == 200
    assert shown(page) == []
    assert client.post(NEW, {"step": ["new:A"] * 500, "do": "find", "name": "x\x00"}).status_code == 200


def test_staff_may_not(staff, browse, business):
    assert browse(staff).get(NEW).status_code == 403
    assert browse(staff).post(NEW, {"name": "A", "do": "create"}).status_code == 403
    assert not business.workflows.exists()


def test_many_steps_cost_what_few_cost(client, library, business, owner):
    def queries(*steps):
        with CaptureQueriesContext(connection) as counted:
            client.post(NEW, sent(library, *steps, do="find"))
        return len(counted)

    queries()
    assert queries("Packing") == queries("Packing", "Pending pickup", "Delivered", "Lost", "A", "B", "C")


# The table --------------------------------------------------------------------------------------------


def test_the_table_says_type_steps_cards_who_uses_it_and_is_remembered(business, owner, staff, workflow, browse):
    make_card(workflow.phases.first())
    OrderType.create(business, name="Made to order", code="MTO", workflows=[workflow], by=actor(owner))
    client = browse(staff)
    tiles = said(client.get(LIST))
    assert "<table" not in tiles
    assert "Sales · used by Made to order · changed" in tiles
    assert "· 6 steps" in tiles
    page = said(client.get(LIST, {"view": "table"}))
    for word in ("Lead funnel", "Sales", "Made to order", "1 card", "just now"):
        assert word in page
    assert "<table" in said(client.get(LIST))
    assert "<table" not in said(client.get(LIST, {"show": "archived"}))
    assert "<table" not in said(client.get(LIST, {"view": "tiles"}))
    assert "<table" not in said(client.get(LIST, {"view": "circus"}))


def test_the_table_costs_the_same_for_many(business, owner, workflow, browse):
    client = browse(owner)

    def queries():
        with CaptureQueriesContext(connection) as counted:
            client.get(LIST, {"view": "table"})
        return len(counted)

    OrderType.create(business, name="A", code="A", workflows=[workflow], by=actor(owner))
    queries()
    little = queries()
    more = [make_workflow(business, f"W {number}") for number in range(6)]
    OrderType.create(business, name="B", code="B", workflows=more, by=actor(owner))
    assert queries() == little


def test_a_change_of_a_phase_is_a_change_of_the_workflow(workflow, owner):
    def last():
        return Workflow.objects.get(pk=workflow.pk).updated_at

    first = last()
    phase = Phase.create(workflow, name="Packing", by=actor(owner))
    made = last()
    phase.update(name="Wrapping", by=actor(owner))
    changed = last()
    phase.move(0, by=actor(owner))
    moved = last()
    phase.delete_to(None, by=actor(owner))
    assert first < made < changed < moved < last()
