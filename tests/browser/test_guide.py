"""The guide "Design your workflow", followed word by word in a browser: by mouse, keyboard, phone and without scripts."""

import re

import pytest
from playwright.sync_api import expect

from boards.models import Status, Trigger, Workflow
from tests.factories import actor, make_workflow

WORKFLOWS = "/brightside/workflows/"
NEW = "/brightside/workflows/new/"
LIBRARY = [
    ("Pending pickup", "new"),
    ("In production", "processing"),
    ("Packing", "processing"),
    ("Delivered", "completed"),
    ("Lost", "cancelled"),
]
TRIGGERS = ("Picked up", "Work finished", "Packed")


@pytest.fixture
def library(business, owner):
    """The status library of the previous guide, and what can be reported."""
    for name, stage in LIBRARY:
        if not Status.objects.filter(business=business, name=name).exists():
            Status.create(business, name=name, stage=stage, by=actor(owner))
    for name in TRIGGERS:
        if not Trigger.objects.filter(business=business, name=name).exists():
            Trigger.create(business, name=name, by=actor(owner))
    return business


def add_step(page, name, trigger=None):
    page.get_by_label("Add status").select_option(label=name)
    if trigger:
        page.get_by_label("Auto progress trigger").select_option(label=trigger)
    page.get_by_role("button", name="Add step").click()
    expect(page.locator("#draft h3", has_text=re.compile(f"^{name}$")).first).to_be_visible()


def expect_steps(page, *names):
    """Wait until the steps stand in this order."""
    expect(page.locator("#draft .step[data-id] h3")).to_have_text(names, use_inner_text=True)


def made():
    workflow = Workflow.objects.get(name="Repair Service Intake")
    return [(phase.name, str(phase.trigger or "")) for phase in workflow.phases.select_related("trigger")]


def fill_in(page):
    """Fill in what the guide asks for, up to three steps."""
    page.get_by_label("Workflow name").fill("Repair Service Intake")
    page.get_by_label("Workflow type").select_option(label="Intake")
    add_step(page, "Pending pickup", "Picked up")
    add_step(page, "Packing", "Packed")
    add_step(page, "In production", "Work finished")
    # The answer is in place and has put the focus where it wants it.
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)


def middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_access_the_workflows_tab_by_the_menu(open_page, manager, library):
    page = open_page(manager)
    page.goto("/brightside/")
    page.get_by_label("Account and businesses: Priya Nair").click()
    page.get_by_role("link", name="Library").click()
    tabs = page.get_by_role("navigation", name="Order management")
    expect(tabs.get_by_role("link", name="Statuses")).to_have_attribute("aria-current", "page")
    tabs.get_by_role("link", name="Workflows").click()
    page.get_by_role("link", name="Add workflow").first.click()
    expect(page).to_have_url(re.compile(NEW))


def test_configure_your_workflow_step_by_step(open_page, manager, library):
    page = open_page(manager)
    page.goto(WORKFLOWS)
    page.get_by_role("link", name="Add workflow").first.click()
    # 1 and 2: name and type
    page.get_by_label("Workflow name").fill("Repair Service Intake")
    page.get_by_label("Workflow type").select_option(label="Intake")
    # 3 and 4: a popup appears when a status is selected, and asks for the trigger
    trigger = page.get_by_label("Auto progress trigger")
    expect(trigger).to_be_hidden()
    page.get_by_label("Add status").select_option(label="Pending pickup")
    expect(trigger).to_be_visible()
    trigger.select_option(label="Picked up")
    page.get_by_role("button", name="Add step").click()
    # 5: a new step appears; continue
    expect(page.locator("#draft .step[data-id] h3")).to_have_text(["Pending pickup"])
    expect(page.get_by_label("Add status")).to_be_focused()
    expect(page.get_by_label("Workflow name")).to_have_value("Repair Service Intake")
    add_step(page, "In production", "Work finished")
    add_step(page, "Delivered")
    expect(page.locator(".step", has_text="Every card ends here")).to_be_visible()
    assert not Workflow.objects.filter(business=library).exists()
    # 6: a success message at the bottom right, and the row in the table
    page.get_by_role("button", name="Create", exact=True).click()
    toast = page.locator("toast-note", has_text="Made the workflow Repair Service Intake.")
    expect(toast).to_be_visible()
    box, size = toast.bounding_box(), page.viewport_size
    assert box["x"] + box["width"] > size["width"] - 60
    assert box["y"] + box["height"] > size["height"] - 60
    row = page.locator("table tr", has_text="Repair Service Intake")
    expect(row).to_contain_text("Intake")
    assert made() == [("Pending pickup", "Picked up"), ("In production", "Work finished"), ("Delivered", "")]


def test_not_seeing_the_status_you_need(open_page, manager, library):
    page = open_page(manager)
    page.goto(NEW)
    page.get_by_label("Workflow name").fill("Repair Service Intake")
    page.get_by_label("Add status").select_option(label="Create a new status…")
    page.get_by_label("Name of the new status").fill("Sanding")
    page.keyboard.press("Enter")
    expect(page.locator("#draft .step[data-id] h3")).to_have_text(["Sanding"])
    page.get_by_label("Find or create a status").fill("Varnish")
    page.locator("#picker").get_by_role("button", name="Processing").click()
    expect(page.get_by_label("Name of the new status")).to_have_value("Varnish")
    expect(page.get_by_label("Auto progress trigger")).to_be_focused()
    page.get_by_role("button", name="Add step").click()
    expect(page.locator("#draft .step[data-id] h3")).to_have_text(["Sanding", "Varnish"])
    page.get_by_label("Find or create a status").fill("pack")
    page.locator("#picker").get_by_role("button", name="Packing").click()
    page.get_by_role("button", name="Add step").click()
    expect(page.locator("#draft .step[data-id] h3")).to_have_text(["Sanding", "Varnish", "Packing"])
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("table")).to_contain_text("Repair Service Intake")
    assert [name for name, _ in made()] == ["Sanding", "Varnish", "Packing", "Win"]
    assert Status.objects.filter(business=library, name__in=["Sanding", "Varnish"]).count() == 2


def test_tip_click_and_drag_the_dot_handle(open_page, manager, library):
    page = open_page(manager)
    page.goto(NEW)
    fill_in(page)
    handle = page.get_by_role("button", name="Reorder In production.")
    handle.hover()  # scrolls until nothing lies over it, such as the row with Create
    x, y = middle(handle)
    _, to = middle(page.locator(".step[data-name=Packing]"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 20, steps=3)
    page.mouse.move(x, to - 10, steps=5)
    expect(page.locator(".drop-line")).to_be_visible()
    page.mouse.up()
    expect(page.locator("#say")).to_have_text("In production moved to place 2 of 3")
    expect_steps(page, "Pending pickup", "In production", "Packing")
    expect(page.get_by_label("Workflow type")).to_have_value("intake")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("table")).to_contain_text("Repair Service Intake")
    assert made()[1:3] == [("In production", "Work finished"), ("Packing", "Packed")]


def test_tip_the_keyboard_reorders_too(open_page, manager, library):
    page = open_page(manager)
    page.goto(NEW)
    fill_in(page)
    page.get_by_role("button", name="Reorder Pending pickup.").focus()
    for key in ("Space", "ArrowDown", "ArrowDown", "Space"):
        page.keyboard.press(key)
    expect(page.locator("#say")).to_have_text("Pending pickup moved to place 3 of 3")
    expect_steps(page, "Packing", "In production", "Pending pickup")
    expect(page.get_by_role("button", name="Reorder Pending pickup.")).to_be_focused()
    page.get_by_role("button", name="Move Pending pickup up").click()
    expect(page.locator("#draft .step[data-id] h3")).to_have_text(["Packing", "Pending pickup", "In production"])
    page.get_by_role("button", name="Remove Packing").click()
    expect(page.locator("#draft .step[data-id] h3")).to_have_text(["Pending pickup", "In production"])


def test_the_guide_with_the_keyboard_alone(open_page, manager, library):
    page = open_page(manager)
    page.goto(NEW)
    page.get_by_label("Workflow name").focus()
    page.keyboard.type("Repair Service Intake")
    page.keyboard.press("Tab")
    page.keyboard.type("Intake")
    status = page.get_by_label("Add status")
    while not status.evaluate("e => e === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type("Pending")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Auto progress trigger")).to_be_focused()
    page.keyboard.type("Picked")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#draft .step[data-id] h3")).to_have_text(["Pending pickup"])
    expect(status).to_be_focused()
    page.get_by_label("Workflow name").focus()
    page.keyboard.press("Enter")
    expect(page.locator("table")).to_contain_text("Repair Service Intake")
    assert made() == [("Pending pickup", "Picked up"), ("Win", "")]


def test_the_guide_on_a_phone(open_page, manager, library):
    page = open_page(manager, phone=True)
    page.goto(NEW)
    fill_in(page)
    handle = page.get_by_role("button", name="Reorder Packing.")
    handle.scroll_into_view_if_needed()
    x, y = middle(handle)
    _, to = middle(page.locator(".step[data-name='Pending pickup']"))
    touch = page.context.new_cdp_session(page)
    point = lambda py: [{"x": x, "y": py}]  # noqa: E731
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": point(y)})
    for part in range(1, 6):
        touch.send(
            "Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": point(y + (to - 12 - y) * part / 5)}
        )
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator("#say")).to_have_text("Packing moved to place 1 of 3")
    expect(page.locator("#draft .step[data-id='0'] h3")).to_have_text("Packing")  # the answer is there
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("table")).to_contain_text("Repair Service Intake")
    assert [name for name, _ in made()] == ["Packing", "Pending pickup", "In production", "Win"]


def test_the_guide_without_scripts(open_page, manager, library):
    page = open_page(manager, javascript=False)
    page.goto(NEW)
    fill_in(page)
    page.get_by_role("button", name="Move In production up").click()
    expect_steps(page, "Pending pickup", "In production", "Packing")
    page.get_by_label("Find or create a status").fill("deliv")
    page.get_by_role("button", name="Find", exact=True).click()
    page.locator("#picker").get_by_role("button", name="Delivered").click()
    page.get_by_role("button", name="Add step").click()
    expect(page.get_by_label("Workflow name")).to_have_value("Repair Service Intake")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_text("Made the workflow Repair Service Intake.")).to_be_visible()
    expect(page.locator("table")).to_contain_text("Repair Service Intake")
    assert [name for name, _ in made()] == ["Pending pickup", "In production", "Packing", "Delivered"]


def test_the_status_library_is_searched_and_grown(open_page, manager, library):
    page = open_page(manager)
    page.goto("/brightside/library/statuses/")
    new = page.get_by_role("region", name="Processing").get_by_role("textbox")
    new.fill("Sanding")
    page.keyboard.press("Enter")
    expect(page.locator(".entry", has_text="Sanding")).to_be_visible()
    expect(page.get_by_role("region", name="Processing").get_by_role("textbox")).to_be_focused()
    page.get_by_label("Search statuses").fill("sand")
    expect(page.locator(".entry", has_text="Packing")).to_have_count(0)
    expect(page).to_have_url(re.compile("q=sand"))
    page.get_by_role("link", name="Change Sanding").click()
    page.locator(".entry__more").get_by_label("Name").fill("Sanded twice")
    page.keyboard.press("Enter")
    expect(page.locator(".entry", has_text="Sanded twice")).to_be_visible()
    page.get_by_role("button", name="Retire Sanded twice").click()
    expect(page.locator("toast-note", has_text="offered no more")).to_be_visible()
    page.get_by_role("link", name=re.compile("Retired statuses")).click()
    page.get_by_role("button", name="Bring back Sanded twice").click()
    expect(page.locator("toast-note", has_text="Sanded twice is offered again.")).to_be_visible()


@pytest.mark.parametrize("phone", [False, True])
def test_the_pages_are_accessible_and_fit(open_page, owner, library, assert_accessible, phone):
    first = make_workflow(library).phases.first()
    first.update(trigger=Trigger.objects.filter(business=library).first(), wip_limit=3, by=actor(owner))
    statuses = {status.name: status for status in Status.objects.filter(business=library)}
    steps = "&".join(f"step={statuses[name].pk}" for name, _ in LIBRARY)
    old = Status.create(library, name="Old one", by=actor(owner))
    old.retire(by=actor(owner))
    page = open_page(owner, phone=phone)
    for url in (
        f"{WORKFLOWS}?view=table",
        f"{WORKFLOWS}?view=tiles",
        NEW,
        f"{NEW}?starter=repair",
        f"{NEW}?{steps}&do=pick:new:Sanding&find=e",
        "/brightside/library/statuses/",
        f"/brightside/library/statuses/?open={statuses['Packing'].pk}",
        "/brightside/library/statuses/?q=zebra",
        "/brightside/library/statuses/?show=retired",
        "/brightside/library/triggers/",
        "/brightside/library/triggers/?show=retired",
        "/brightside/library/reasons/",
        f"{WORKFLOWS}lead-funnel/?open={first.pk}",
    ):
        page.goto(url)
        assert_accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{url} is {wide} px too wide"
        inner = page.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('.page__scroll'))")
        assert inner <= 0, f"{url} scrolls {inner} px sideways"
