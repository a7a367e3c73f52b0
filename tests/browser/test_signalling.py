"""Buttons of a design on the card: pressed, answered in a dialog, and on a phone without scripts."""

import pytest
from playwright.sync_api import expect

from boards.models import Card
from tests.automations.test_rulesets import go
from tests.boards.test_signal import PAY, REFUND, booked, design, ruleset  # noqa: F401 (design is a fixture)


@pytest.fixture
def card(design):  # noqa: F811
    """A booked card that can be paid, which packs it, and refunded."""
    rules = [ruleset("Pay", "Booked", rules=[go("Packing")], actions=[PAY])]
    return booked(design(*rules, ruleset("Refund", "Booked", rules=[go("Sent")], actions=[REFUND])))


def where(card):
    return Card.objects.get(pk=card.pk).phase.name


def test_a_button_asks_in_a_dialog_and_the_card_goes_where_its_rules_take_it(open_page, staff, card, assert_accessible):
    page = open_page(staff.user)
    page.goto(f"/brightside/cards/{card.number}/")
    page.get_by_role("button", name="Give money back…").click()
    dialog = page.get_by_role("dialog", name="Give money back")
    expect(dialog.get_by_label("Amount")).to_be_focused()
    assert_accessible(page)
    dialog.get_by_label("Amount").fill("much")
    dialog.get_by_role("button", name="Give money back").click()
    expect(dialog.get_by_text("Amount: give a number.").first).to_be_visible()
    dialog.get_by_label("Amount").fill("20")
    dialog.get_by_role("button", name="Give money back").click()
    expect(page.get_by_text("Give money back: moved to Sent")).to_be_visible()
    expect(dialog).to_be_hidden()
    assert where(card) == "Sent"


def test_on_a_phone_without_scripts_it_is_asked_on_a_page(open_page, staff, card):
    page = open_page(staff.user, phone=True, javascript=False)
    page.goto(f"/brightside/cards/{card.number}/")
    page.get_by_role("button", name="Give money back…").click()
    page.get_by_label("Amount").fill("20")
    page.get_by_role("button", name="Give money back").click()
    expect(page.get_by_text("Give money back: moved to Sent")).to_be_visible()
    assert where(card) == "Sent"


def test_the_menu_of_a_card_on_the_board_has_its_buttons(open_page, staff, card):
    page = open_page(staff.user)
    page.goto(f"/brightside/boards/{card.workflow.slug}/")
    page.get_by_role("link", name=card.name, exact=True).focus()
    page.keyboard.press("m")
    page.get_by_role("button", name="Paid").click()
    expect(page.get_by_text("Paid: moved to Packing")).to_be_visible()
    assert where(card) == "Packing"
