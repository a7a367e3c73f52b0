"""The steps of a workflow are reordered by mouse, finger, keyboard and arrows; home, lists and steps are accessible."""

import re

import pytest
from playwright.sync_api import expect

from boards.models import Phase, Workflow
from tests.factories import actor, make_card, make_workflow

STEPS = "/brightside/workflows/lead-funnel/"
NAMES = [
    "Customer contacted me",
    "Contact made with customer",
    "Price quote sent",
    "Invoice sent",
    "Invoice paid",
    "Won",
]


@pytest.fixture
def names(business):
    """Return a function that says how the phases stand in the database."""
    workflow = make_workflow(business)
    return lambda: list(Phase.objects.filter(workflow=workflow).values_list("name", flat=True))


def visit(open_page, person, url=STEPS, **options):
    page = open_page(person.user, **options)
    page.goto(url)
    return page


def expect_steps(page, *names):
    """Wait until the steps stand in this order."""
    expect(page.locator("#steps .step h3")).to_have_text(names, use_inner_text=True)


def grip(page, name):
    return page.get_by_role("button", name=f"Reorder {name}.")


def middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_step_is_dragged_by_its_handle(open_page, manager, names):
    page = visit(open_page, manager)
    x, y = middle(grip(page, "Invoice sent"))
    _, to = middle(page.locator(".step", has_text="Contact made"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 30, steps=3)
    expect(page.locator(".step.is-dragging h3")).to_have_text("Invoice sent")
    page.mouse.move(x, to - 10, steps=5)
    expect(page.locator(".drop-line")).to_be_visible()
    page.mouse.up()
    expect(page.locator("toast-note")).to_contain_text("Invoice sent stands at place 2.")
    order = [NAMES[0], NAMES[3], NAMES[1], NAMES[2], *NAMES[4:]]
    assert names() == order
    expect_steps(page, *order)
    assert page.locator(".drop-line").count() == 0


def test_a_drag_that_is_given_up_changes_nothing(open_page, manager, names):
    page = visit(open_page, manager)
    x, y = middle(grip(page, "Invoice sent"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 120, steps=4)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".is-dragging")).to_have_count(0)
    expect_steps(page, *NAMES)
    assert names() == NAMES


def test_a_finger_drags_the_handle_and_scrolls_elsewhere(open_page, manager, names):
    page = visit(open_page, manager, phone=True)
    handle = grip(page, "Contact made with customer")
    handle.scroll_into_view_if_needed()
    assert handle.evaluate("e => getComputedStyle(e).touchAction") == "none"
    x, y = middle(handle)
    _, to = middle(page.locator(".step", has_text="Price quote sent"))
    touch = page.context.new_cdp_session(page)
    point = lambda py: [{"x": x, "y": py}]  # noqa: E731
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": point(y)})
    for part in range(1, 6):
        touch.send(
            "Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": point(y + (to + 12 - y) * part / 5)}
        )
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator("toast-note")).to_contain_text("stands at place 3.")
    assert names()[1:3] == ["Price quote sent", "Contact made with customer"]


def test_the_keyboard_picks_up_moves_and_drops(open_page, manager, names):
    page = visit(open_page, manager)
    handle = grip(page, "Customer contacted me")
    handle.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#say")).to_have_text("Place 3 of 5")
    page.keyboard.press("Space")
    expect(page.locator("toast-note")).to_contain_text("stands at place 3.")
    assert names() == [*NAMES[1:3], NAMES[0], *NAMES[3:]]
    expect(grip(page, "Customer contacted me")).to_be_focused()


def test_escape_puts_a_picked_up_step_back(open_page, manager, names):
    page = visit(open_page, manager)
    grip(page, "Invoice paid").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#steps .step h3").nth(3)).to_have_text("Invoice paid")
    page.keyboard.press("Escape")
    expect_steps(page, *NAMES)
    assert names() == NAMES
    expect(grip(page, "Invoice paid")).to_be_focused()


def test_a_step_goes_back_when_the_server_cannot_be_reached(open_page, manager, names):
    page = visit(open_page, manager)
    page.route("**/phases/move/", lambda route: route.abort())
    grip(page, "Invoice paid").focus()
    for key in ("Space", "ArrowUp", "Space"):
        page.keyboard.press(key)
    expect(page.locator("toast-note")).to_contain_text("Not saved: the connection was lost.")
    expect_steps(page, *NAMES)
    assert names() == NAMES
    open_page.complaints.clear()


def test_the_arrows_do_without_scripts(open_page, manager, names):
    page = visit(open_page, manager, javascript=False)
    page.get_by_role("button", name="Move Invoice paid up").click()
    expect(page.get_by_text("Invoice paid stands at place 4.")).to_be_visible()
    assert names()[3:5] == ["Invoice paid", "Invoice sent"]


def test_a_step_and_a_label_are_changed_in_place(open_page, manager, names):
    page = visit(open_page, manager)
    page.get_by_role("link", name="Change Price quote sent").click()
    expect(page.locator("#steps").get_by_label("Name").first).to_be_focused()
    page.locator("#steps").get_by_label("Name").first.fill("")
    page.keyboard.press("Enter")
    expect(page.locator("#steps [aria-invalid=true]")).to_be_focused()
    page.locator("#steps [aria-invalid=true]").fill("Quote sent")
    page.keyboard.press("Enter")
    expect(page.locator("#steps h3", has_text=re.compile("^Quote sent$"))).to_be_visible()
    expect(page.get_by_role("link", name="Change Quote sent")).to_be_focused()
    assert names()[2] == "Quote sent"
    page.get_by_text("Make a label").click()
    page.locator("#labels").get_by_label("Name").fill("Kitchen")
    page.locator("#labels").get_by_role("button", name="Make the label").click()
    expect(page.locator("#labels .label", has_text="Kitchen")).to_be_visible()


def test_what_is_typed_in_one_box_outlives_a_change_in_another(open_page, manager, names):
    page = visit(open_page, manager)
    page.get_by_label("Description").first.fill("Half a sentence")
    page.get_by_role("button", name="Move Invoice paid up").click()
    expect(page.locator("toast-note")).to_contain_text("stands at place 4.")
    expect(page.get_by_label("Description").first).to_have_value("Half a sentence")


@pytest.mark.parametrize("phone", [False, True])
def test_the_pages_are_accessible_and_fit(open_page, owner, manager, names, assert_accessible, phone):
    workflow = Workflow.objects.get()
    first, second, *_, win = workflow.phases.all()
    make_card(first, "Oak kitchen", value=100, due_date="2020-01-01", assignees=[owner])
    away = make_card(second, "Tree house", by=actor(manager))
    away.archive(by=actor(manager))
    make_card(first, value=10_000).move(win, by=actor(manager))
    make_workflow(workflow.business, "Old one").archive(by=actor(manager))
    label = workflow.labels.first()
    page = open_page(owner.user, phone=phone)
    for url in (
        "/brightside/",
        "/brightside/workflows/",
        "/brightside/workflows/?show=archived",
        "/brightside/workflows/new/",
        STEPS,
        f"{STEPS}?open={second.pk}",
        f"{STEPS}?open={label.pk}",
        f"{STEPS}phases/{first.pk}/delete/",
        "/brightside/workflows/old-one/",
        "/brightside/workflows/old-one/delete/",
        "/brightside/boards/lead-funnel/archive/",
        f"/brightside/boards/lead-funnel/archive/{away.number}/delete/",
    ):
        page.goto(url)
        assert_accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{url} is {wide} px too wide"
        inner = page.evaluate("(e => e ? e.scrollWidth - e.clientWidth : 0)(document.querySelector('.page__scroll'))")
        assert inner <= 0, f"{url} scrolls {inner} px sideways"


def test_an_empty_home_is_accessible_and_starts_a_workflow(open_page, owner, business, assert_accessible):
    page = visit(open_page, owner, "/brightside/")
    assert_accessible(page)
    page.get_by_role("button", name="Repair").click()
    expect(page).to_have_url(re.compile("/brightside/boards/repair/"))
