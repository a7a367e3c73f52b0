"""At the door of a phase: a dialog asks, the card waits, and goes in when it may."""

import re

import pytest
from playwright.sync_api import expect

from boards.models import Card, Phase, Trigger
from boards.models.library import stock
from tests.factories import actor, make_card, make_workflow


@pytest.fixture
def board(business, owner):
    """Return the phases of a workflow with one card, and a Cancelled phase at its end."""
    stock(business)
    workflow = make_workflow(business)
    make_card(workflow.phases.first(), "Oak kitchen", value=500_000)
    Phase.create(workflow, name="Lost", stage="cancelled", by=actor(owner))
    return list(workflow.phases.all())


def visit(open_page, person, **options):
    page = open_page(person.user, **options)
    page.goto("/brightside/boards/lead-funnel/")
    return page


def where():
    return Card.objects.get(name="Oak kitchen").phase.name


def test_a_drop_into_a_phase_that_asks_opens_a_dialog_and_then_moves(open_page, owner, staff, board, assert_accessible):
    board[1].update(required=["due_date"], by=actor(owner))
    page = visit(open_page, staff)
    page.get_by_role("link", name="Oak kitchen", exact=True).focus()
    page.keyboard.press("2")
    dialog = page.get_by_role("dialog", name="Contact made with customer asks for a little more")
    expect(dialog).to_be_visible()
    assert_accessible(page)
    expect(dialog.get_by_label("Due date")).to_be_focused()
    dialog.get_by_label("Due date").fill("2027-03-01")
    dialog.get_by_role("button", name="Fill in and move").click()
    expect(page.get_by_text("Moved Oak kitchen to Contact made with customer")).to_be_visible()
    expect(dialog).to_be_hidden()
    expect(page.locator(f"#phase-{board[1].pk} .card")).to_have_count(1)
    assert where() == "Contact made with customer"


def test_leaving_the_dialog_leaves_the_card_where_it_was(open_page, owner, staff, board):
    board[1].update(required=["due_date"], by=actor(owner))
    page = visit(open_page, staff)
    for leave in ("button", "Escape"):
        page.get_by_role("link", name="Oak kitchen", exact=True).focus()
        page.keyboard.press("2")
        dialog = page.locator("#ask")
        expect(dialog).to_be_visible()
        if leave == "Escape":
            page.keyboard.press("Escape")
        else:
            dialog.get_by_role("link", name="Leave it where it is").click()
        expect(dialog).to_be_hidden()
        expect(page.locator(f"#phase-{board[0].pk} .card")).to_have_count(1)
    assert where() == "Customer contacted me"


def test_closing_a_card_asks_why_and_it_leaves_the_board(open_page, staff, board):
    page = visit(open_page, staff)
    page.get_by_role("link", name="Oak kitchen", exact=True).focus()
    page.keyboard.press("7")
    dialog = page.get_by_role("dialog", name="Close Oak kitchen")
    dialog.get_by_label("Why does it end?").select_option(label="Out of stock")
    dialog.get_by_role("button", name="Close it").click()
    expect(page.get_by_text("Moved Oak kitchen to Lost")).to_be_visible()
    expect(page.locator(".card")).to_have_count(0)
    assert where() == "Lost"


def test_the_next_box_says_where_it_goes_and_goes_there(open_page, owner, staff, board):
    paid = Trigger.objects.get(key="payment_received", business=board[0].business)
    board[0].update(trigger=paid, by=actor(owner))
    page = visit(open_page, staff)
    page.get_by_role("link", name="Oak kitchen", exact=True).click()
    panel = page.locator("#card-panel")
    expect(panel.locator("#card-next")).to_contain_text("Payment received moves this card to")
    panel.get_by_role("button", name="Payment received").click()
    expect(page.get_by_text("Payment received: moved to Contact made with customer")).to_be_visible()
    expect(panel.locator("#card-where")).to_contain_text("Contact made with customer")
    assert where() == "Contact made with customer"


def test_without_scripts_the_questions_are_a_page(open_page, owner, staff, board):
    board[1].update(required=["value", "due_date"], by=actor(owner))
    page = open_page(staff.user, javascript=False)
    page.goto(f"/brightside/cards/{Card.objects.get().number}/")
    page.locator("#card-moves").get_by_role("button", name=re.compile("Contact made")).click()
    page.get_by_label("Due date").fill("2027-03-01")
    page.get_by_role("button", name="Fill in and move").click()
    expect(page.get_by_text("Moved Oak kitchen to Contact made with customer")).to_be_visible()
    assert where() == "Contact made with customer"
