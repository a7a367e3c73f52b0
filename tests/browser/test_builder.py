"""The builder in a browser: by mouse, finger and keyboard, from the library to the board, and without scripts."""

import pytest
from playwright.sync_api import expect

from boards.models import Draft, Phase, Trigger
from boards.models.library import stock
from tests.factories import actor, make_card, make_workflow

PAGE = "/brightside/workflows/lead-funnel/builder/"
NAMES = [
    "Customer contacted me",
    "Contact made with customer",
    "Price quote sent",
    "Invoice sent",
    "Invoice paid",
    "Won",
]


@pytest.fixture
def workflow(business):
    """The lead funnel, with filled libraries."""
    stock(business)
    return make_workflow(business)


def visit(open_page, person, url=PAGE, **options):
    page = open_page(person, **options)
    page.goto(url)
    return page


def expect_steps(page, *names):
    """Wait until the steps stand in this order."""
    expect(page.locator("#builder .step h3")).to_have_text(names, use_inner_text=True)


def drafted(workflow):
    return [(step["name"], step["stage"]) for step in Draft.of(workflow).design["steps"]]


def publish(page):
    """Press Publish, and again where it says what changes."""
    page.locator("#builder-publish").click()
    page.get_by_role("button", name="Publish", exact=True).click()


def running(workflow):
    return list(Phase.objects.filter(workflow=workflow).values_list("name", flat=True))


def grip(page, name):
    return page.get_by_role("button", name=f"Reorder {name}.")


def middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_step_is_dragged_into_another_stage_group(open_page, manager, workflow):
    page = visit(open_page, manager)
    x, y = middle(grip(page, "Invoice sent"))
    _, to = middle(page.locator(".stop", has_text="Customer contacted me"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 30, steps=3)
    expect(page.locator(".stop.is-dragging h3")).to_have_text("Invoice sent")
    page.mouse.move(x, to + 12, steps=6)
    expect(page.locator(".drop-line")).to_be_visible()
    page.mouse.up()
    expect(page.locator("toast-note")).to_contain_text("Invoice sent stands at place 2 of the draft.")
    assert drafted(workflow)[:3] == [(NAMES[0], "new"), (NAMES[3], "new"), (NAMES[1], "processing")]
    expect_steps(page, NAMES[0], NAMES[3], NAMES[1], NAMES[2], *NAMES[4:])
    assert running(workflow) == NAMES
    expect(page.locator("#draft")).to_contain_text("Moved Invoice sent to New")


def test_the_keyboard_picks_up_moves_through_the_groups_and_drops(open_page, manager, workflow):
    page = visit(open_page, manager)
    grip(page, "Customer contacted me").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#say")).to_have_text("Place 1 of 5, Processing")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#say")).to_have_text("Place 2 of 5, Processing")
    page.keyboard.press("Space")
    expect(page.locator("toast-note")).to_contain_text("stands at place 2 of the draft.")
    assert drafted(workflow)[:2] == [(NAMES[1], "processing"), (NAMES[0], "processing")]
    expect(grip(page, "Customer contacted me")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    expect_steps(page, NAMES[1], NAMES[0], *NAMES[2:])


def test_a_finger_drags_the_handle(open_page, manager, workflow):
    page = visit(open_page, manager, phone=True)
    handle = grip(page, "Contact made with customer")
    handle.scroll_into_view_if_needed()
    x, y = middle(handle)
    _, to = middle(page.locator(".stop", has_text="Price quote sent"))
    touch = page.context.new_cdp_session(page)

    def send(kind, *points):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": at} for at in points]})

    send("touchStart", y)
    for part in range(1, 6):
        send("touchMove", y + (to + 20 - y) * part / 5)
    send("touchEnd")
    expect(page.locator("toast-note")).to_contain_text("stands at place 3 of the draft.")
    assert [name for name, _ in drafted(workflow)][1:3] == [NAMES[2], NAMES[1]]


def test_from_the_library_to_the_board(open_page, manager, workflow, assert_accessible):
    card = make_card(workflow.phases.get(name="Invoice sent"), "Oak table")
    page = visit(open_page, manager)
    find = page.get_by_role("searchbox", name="Find or create a status")
    find.fill("quality")
    page.get_by_role("button", name="Quality check").click()
    trigger = page.get_by_label("Auto-progress when")
    expect(trigger).to_be_focused()
    trigger.select_option("Work finished")
    page.get_by_label("Card limit").fill("3")
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.locator(".stop", has_text="Quality check").locator(".trigger")).to_contain_text(
        "Work finished is reported"
    )
    find.fill("Site visit")
    expect(page.get_by_text("Create “Site visit” in")).to_be_visible()
    page.locator("#make-new").click()
    expect(page.locator(".stop", has_text="Site visit")).to_be_visible()

    page.get_by_label("Options for Invoice sent").click()
    page.get_by_role("link", name="Delete the step").click()
    page.get_by_label("Where should its cards go?").select_option("Quality check")
    page.get_by_role("button", name="Delete in the draft").click()
    expect(page.get_by_text("Its 1 card goes to Quality check", exact=True)).to_be_visible()
    assert running(workflow) == NAMES

    page.locator("#builder-publish").click()
    dialog = page.get_by_role("dialog", name="Publish version 1.0?")
    expect(dialog).to_contain_text("Added Quality check after")
    expect(dialog.get_by_label("Comment")).to_be_focused()
    page.keyboard.type("Look twice before it leaves")
    assert_accessible(page)
    dialog.get_by_role("button", name="Publish").click()
    expect(page.locator("toast-note").last).to_contain_text("Published version 1.0.")
    expect(dialog).to_be_hidden()
    expect(page.locator("#draft")).to_have_count(0)
    expect(page.locator("#builder-publish")).to_have_count(0)
    expect(page.locator("#builder-name")).to_contain_text("v1.0")
    page.get_by_role("navigation", name="View").get_by_role("link", name="Board").click()
    column = page.locator(".column", has=page.get_by_role("heading", name="Quality check"))
    expect(column).to_contain_text("Oak table")
    card.refresh_from_db()
    assert card.phase.trigger == Trigger.objects.get(key="work_finished")
    assert running(workflow) == [NAMES[0], "Site visit", *NAMES[1:3], NAMES[4], "Quality check", "Won"]


def test_what_was_typed_into_an_open_step_survives_other_edits(open_page, manager, workflow):
    page = visit(open_page, manager)
    page.get_by_label("Options for Price quote sent").click()
    page.get_by_role("link", name="Settings of the step").click()
    page.locator(".step.is-open").get_by_label("Description").fill("Waiting for a yes")
    page.get_by_label("Options for Invoice sent").click()
    page.get_by_role("button", name="Move up").click()
    expect(page.locator("toast-note")).to_contain_text("Invoice sent stands at place 3")
    expect(page.locator(".step.is-open").get_by_label("Description")).to_have_value("Waiting for a yes")
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.locator(".stop", has_text="Price quote sent")).to_contain_text("Waiting for a yes")


def test_two_people_and_a_running_board_that_changes(open_page, manager, owner, workflow):
    page = visit(open_page, manager)
    page.get_by_label("Options for Invoice sent").click()
    page.get_by_role("button", name="Move up").click()
    expect(page.locator("#versions")).to_contain_text("1 change not published")
    workflow.phases.first().update(name="Hello", by=actor(owner))
    publish(page)
    expect(page.locator("#stale")).to_contain_text("Renamed Customer contacted me to Hello")
    page.get_by_role("button", name="Put my changes on top of it").click()
    expect(page.locator("#stale")).to_have_count(0)
    publish(page)
    expect(page.locator("#draft")).to_have_count(0)
    assert running(workflow)[:3] == ["Hello", NAMES[1], NAMES[3]]


def test_without_scripts_the_same_forms_do_it(open_page, manager, workflow):
    page = visit(open_page, manager, javascript=False)
    page.get_by_label("Options for Invoice sent").click()
    page.get_by_role("button", name="Move up").click()
    expect(page.locator("#versions")).to_contain_text("1 change not published")
    assert [name for name, _ in drafted(workflow)][2:4] == [NAMES[3], NAMES[2]]
    page.get_by_role("searchbox", name="Find or create a status").fill("packing")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Packing").click()
    page.get_by_label("Auto-progress when").select_option("Packed")
    page.get_by_role("button", name="Keep in the draft").nth(1).click()
    page.get_by_label("Options for Invoice paid").click()
    page.get_by_role("link", name="Delete the step").click()
    page.get_by_role("button", name="Delete in the draft").click()
    publish(page)
    expect(page.locator("#draft")).to_have_count(0)
    assert running(workflow) == [*NAMES[:2], NAMES[3], NAMES[2], "Packing", "Won"]
    page.get_by_label("Options for Packing").click()
    page.get_by_role("button", name="Move up").click()
    page.get_by_text("Discard draft").first.click()
    page.get_by_role("button", name="Throw the draft away").click()
    expect(page.locator("#draft")).to_have_count(0)
    assert not Draft.objects.exists()


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
def test_it_is_accessible_and_fits(open_page, manager, workflow, assert_accessible, phone):
    by = actor(manager)
    phases = list(workflow.phases.all())
    make_card(phases[1])
    draft = Draft.begin(workflow, by=by)
    draft.remove_step(phases[1].pk, by=by)
    draft.add_step(name="Lost", stage="cancelled", by=by)
    draft.set_step(phases[2].pk, wip_limit=3, by=by)
    page = visit(open_page, manager, phone=phone)
    assert_accessible(page)
    page.goto(f"{PAGE}?open={phases[2].pk}&find=Varnish")
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    page.goto(f"{PAGE}{phases[2].pk}/remove/")
    assert_accessible(page)
    page.goto(f"{PAGE}publish/")
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_who_may_not_design_reads_it(open_page, viewer, workflow, assert_accessible):
    page = visit(open_page, viewer)
    expect_steps(page, *NAMES)
    assert page.locator("#builder form, #builder .handle:not(.handle--none)").count() == 0
    assert_accessible(page)
