"""Orders in a real browser: opened, won by keyboard, gone on to the next board; chains put in order; every page by axe."""

import re

import pytest
from playwright.sync_api import expect

from boards.models import Order, OrderType
from tests.factories import actor, make_contact, make_workflow


@pytest.fixture
def chain(business):
    """Return three workflows: intake, workshop, delivery."""
    return [
        make_workflow(business, name=name, starter=kind)
        for name, kind in (("Intake", "sales"), ("Workshop", "repair"), ("Delivery", "order"))
    ]


@pytest.fixture
def kind(business, owner, chain):
    """Return the order type that runs through them."""
    return OrderType.create(business, name="Made to order", code="MTO", workflows=chain, by=actor(owner))


def visit(open_page, person, url, **options):
    page = open_page(person, **options)
    page.goto(url)
    return page


def saved(kind):
    return [stage.workflow.name for stage in kind.stages.select_related("workflow")]


def test_an_order_is_opened_won_by_keyboard_and_goes_on_on_the_next_board(open_page, business, staff, chain, kind):
    make_contact(business)
    page = visit(open_page, staff, "/brightside/orders/new/")
    page.get_by_label("What is it?").fill("Oak kitchen")
    page.get_by_label("Contact").fill("brun")
    page.get_by_role("button", name="Ines Brunet").click()
    expect(page.locator(".picker__chosen")).to_contain_text("Ines Brunet")
    expect(page.get_by_label("What is it?")).to_have_value("Oak kitchen")
    page.get_by_role("button", name="Open the order").click()
    expect(page.get_by_role("heading", name="Oak kitchen")).to_be_visible()
    expect(page.get_by_text("Step 1 of 3: Intake, Customer contacted me")).to_be_visible()

    page.goto(f"/brightside/boards/{chain[0].slug}/")
    page.locator(".card a").first.focus()
    page.keyboard.press("6")  # the win phase
    expect(page.locator(f"#phase-{chain[0].win_phase.pk} .card")).to_contain_text("Oak kitchen")

    page.goto(f"/brightside/boards/{chain[1].slug}/")
    expect(page.locator(f"#phase-{chain[1].phases.first().pk} .card")).to_contain_text("Oak kitchen")
    page.locator(".card__title a", has_text="Oak kitchen").click()
    expect(page.locator("#card-order")).to_contain_text("step 2 of 3")
    page.locator("#card-order a").click()
    expect(page).to_have_url(re.compile(r"/orders/\d+/$"))
    expect(page.get_by_text("Step 2 of 3: Workshop, Reported")).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text(
        f"{kind.name} moved the order {Order.objects.get().code} on to Workshop"
    )


def test_a_chain_is_put_in_order_by_keyboard_and_by_mouse_and_saved(open_page, owner, kind):
    page = visit(open_page, owner, f"/brightside/orders/types/{kind.pk}/")
    page.get_by_label("Name").fill("Bespoke")
    page.get_by_role("button", name="Reorder Delivery.").focus()
    for key in ("Space", "ArrowUp", "ArrowUp", "Space"):
        page.keyboard.press(key)
    expect(page.locator(".order-stage__place").first).to_have_text("1")
    expect(page.locator("#chain .step h3").first).to_have_text("Delivery")
    expect(page.get_by_role("button", name="Reorder Delivery.")).to_be_focused()
    handle = page.get_by_role("button", name="Reorder Intake.").bounding_box()
    last = page.locator(".step", has_text="Workshop").bounding_box()
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.mouse.move(handle["x"] + 8, handle["y"] + 8)
        page.mouse.down()
        page.mouse.move(handle["x"] + 8, handle["y"] + 40, steps=3)
        page.mouse.move(handle["x"] + 8, last["y"] + last["height"] - 4, steps=4)
        page.mouse.up()
    expect(page.locator("#chain .step h3").last).to_have_text("Intake")
    assert saved(kind) == ["Intake", "Workshop", "Delivery"]
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_text("Bespoke is saved.")).to_be_visible()
    assert saved(kind) == ["Delivery", "Workshop", "Intake"]


def test_without_scripts_a_type_is_made_and_an_order_runs(open_page, business, owner, chain):
    page = visit(open_page, owner, "/brightside/orders/types/new/", javascript=False)
    page.get_by_label("Name").fill("Repair")
    page.get_by_label("Code").fill("rep")
    for name in ("Workshop", "Delivery", "Intake"):
        page.get_by_label("Workflow to add").select_option(label=name)
        page.get_by_role("button", name="Add to the chain").click()
    page.get_by_role("button", name="Move Delivery up").click()
    page.get_by_role("button", name="Take Intake out of the chain").click()
    expect(page.locator("#chain .step h3")).to_have_text(["Delivery", "Workshop"], use_inner_text=True)
    page.get_by_role("button", name="Make the order type").click()
    expect(page.get_by_text("Repair is saved")).to_be_visible()
    assert saved(OrderType.objects.get()) == ["Delivery", "Workshop"]
    page.goto("/brightside/orders/new/")
    page.get_by_label("What is it?").fill("Chair leg")
    page.get_by_label("Contact").fill("Nadia Osei")
    page.get_by_role("button", name="Open the order").click()
    expect(page.get_by_text("Step 1 of 2: Delivery")).to_be_visible()
    skip = page.locator(".leg__skip").first
    stood = skip.bounding_box()
    page.get_by_text("Skip Delivery").click()
    expect(page.get_by_role("button", name="Leave Delivery out")).to_be_visible()
    assert skip.bounding_box() == stood, "it asks without pushing its row"
    page.get_by_role("button", name="Leave Delivery out").click()
    expect(page.get_by_text("Step 2 of 2: Workshop")).to_be_visible()
    page.get_by_text("Cancel the order…").click()
    page.get_by_role("button", name="Cancel REP-1").click()
    expect(page.get_by_text("REP-1 is cancelled")).to_be_visible()
    assert Order.objects.get().cancelled_at


@pytest.mark.parametrize("phone", [False, True])
def test_every_page_of_orders_is_accessible_and_fits(open_page, assert_accessible, owner, chain, kind, phone):
    order = Order.open(kind, name="Oak kitchen with a very long name " * 6, by=actor(owner))
    order.skip(order.steps.get(position=1), by=actor(owner))
    chain[0].phases.first().update(stale_days=1, by=actor(owner))
    page = open_page(owner, phone=phone)
    card = order.cards.get()
    for url in (
        "/brightside/",
        "/brightside/orders/types/",
        f"/brightside/orders/types/{kind.pk}/",
        "/brightside/orders/",
        "/brightside/orders/new/",
        f"/brightside/orders/{order.number}/",
        f"/brightside/cards/{card.number}/",
    ):
        page.goto(url)
        for summary in page.locator("main summary").all() if "/orders/" in url else []:
            summary.click()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), url
