"""The main job: cards move by mouse, finger, keyboard, menu and plain form, and come back with a reason when they may not."""

import re

import pytest
from playwright.sync_api import expect

from boards.models import Card, Phase
from boards.models.library import stock
from tests.factories import actor, make_card, make_workflow


@pytest.fixture
def board(business, owner, staff):
    """Return a function that says what stands in a phase, in order, as the database has it."""
    workflow = make_workflow(business)
    phases = list(workflow.phases.all())
    for name in ("Oak kitchen", "Garden bench", "Loft stairs", "Shelves"):
        make_card(phases[0], name, value=100_000)
    make_card(phases[1], "Wardrobe")

    def stands(index):
        return list(Card.objects.on_board().filter(phase=phases[index]).order_by("rank").values_list("name", flat=True))

    stands.workflow, stands.phases = workflow, phases
    return stands


def visit(open_page, person, board, **options):
    page = open_page(person.user, **options)
    page.goto(f"/brightside/boards/{board.workflow.slug}/")
    expect(page.get_by_role("heading", name="Oak kitchen")).to_be_visible()
    return page


def column(page, board, index):
    return page.locator(f"#phase-{board.phases[index].pk}")


def names(page, board, index):
    return column(page, board, index).locator(".card__title").all_inner_texts()


def card(page, name):
    return page.locator(".card", has_text=name)


def center(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, what, x, y, release=True):
    page.mouse.move(*center(what))
    page.mouse.down()
    page.mouse.move(x - 30, y - 10, steps=4)
    page.mouse.move(x, y, steps=4)
    if release:
        page.mouse.up()


def test_a_card_dropped_between_two_others_stands_between_them(open_page, staff, board):
    page = visit(open_page, staff, board)
    box = card(page, "Garden bench").bounding_box()
    drag(page, card(page, "Shelves"), box["x"] + 60, box["y"] + 4)
    expect(page.get_by_text("Moved Shelves to another place")).to_be_visible()
    assert names(page, board, 0) == board(0) == ["Oak kitchen", "Shelves", "Garden bench", "Loft stairs"]


def test_a_card_dragged_to_the_next_column_moves_there_and_can_be_taken_back(open_page, staff, board):
    page = visit(open_page, staff, board)
    x, y = center(card(page, "Wardrobe"))
    drag(page, card(page, "Garden bench"), x, y + 30)
    expect(page.get_by_text("Moved Garden bench to Contact made with customer")).to_be_visible()
    expect(column(page, board, 1).locator(".count")).to_have_text("2")
    assert names(page, board, 1) == board(1) == ["Wardrobe", "Garden bench"]
    page.get_by_role("button", name="Undo").click()
    expect(column(page, board, 0).locator(".card")).to_have_count(4)
    assert names(page, board, 0) == board(0) == ["Oak kitchen", "Garden bench", "Loft stairs", "Shelves"]
    expect(column(page, board, 0).locator(".column__sum")).to_have_text("€4,000")


def test_while_dragging_a_slot_shows_the_landing_and_escape_puts_the_card_back(open_page, staff, board):
    page = visit(open_page, staff, board)
    x, y = center(column(page, board, 2))
    drag(page, card(page, "Garden bench"), x, y, release=False)
    expect(column(page, board, 2).locator(".slot")).to_be_visible()
    expect(column(page, board, 2)).to_have_class(re.compile("is-over"))
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".slot")).to_have_count(0)
    assert names(page, board, 0) == ["Oak kitchen", "Garden bench", "Loft stairs", "Shelves"]
    assert board(2) == []


def test_a_drop_opens_nothing_and_a_click_still_opens_the_card(open_page, staff, board):
    page = visit(open_page, staff, board)
    x, y = center(column(page, board, 2))
    drag(page, card(page, "Garden bench"), x, y)
    expect(page.get_by_text("Moved Garden bench")).to_be_visible()
    expect(page.locator("#panel")).to_be_empty()
    card(page, "Loft stairs").click()
    expect(page).to_have_url(re.compile(r"/cards/\d+/$"))


def test_a_card_dropped_on_a_folded_column_goes_there(open_page, staff, owner, board):
    stock(board.workflow.business)
    lost = Phase.create(board.workflow, name="Lost", stage="cancelled", by=actor(owner))
    page = visit(open_page, staff, board)
    folded = page.locator(f"#phase-{lost.pk}")
    drag(page, card(page, "Garden bench"), *center(folded), release=False)
    expect(folded).to_have_class(re.compile("is-over"))
    expect(page.locator(".slot")).to_be_hidden()
    page.mouse.up()
    dialog = page.get_by_role("dialog", name="Close Garden bench")
    expect(dialog).to_be_visible()
    assert names(page, board, 0) == ["Oak kitchen", "Garden bench", "Loft stairs", "Shelves"]
    dialog.get_by_label("Why does it end?").select_option(label="Out of stock")
    dialog.get_by_role("button", name="Close it").click()
    expect(page.get_by_text("Moved Garden bench to Lost")).to_be_visible()
    expect(card(page, "Garden bench")).to_have_count(0)
    assert Card.objects.get(name="Garden bench").phase == lost


def test_on_a_phone_a_folded_column_leaves_the_others_their_width(open_page, staff, owner, board):
    Phase.create(board.workflow, name="Lost", stage="cancelled", by=actor(owner))
    page = visit(open_page, staff, board, phone=True)
    assert column(page, board, 0).bounding_box()["width"] > 300
    page.get_by_role("navigation", name="Phases").get_by_role("link", name="Lost").tap()
    expect(page.get_by_role("button", name="Unfold Lost")).to_be_in_viewport(ratio=1)


def test_a_stale_move_is_put_back_with_the_reason_and_shows_where_the_card_is(open_page, staff, owner, board):
    page = visit(open_page, staff, board)
    page.evaluate("document.querySelector('board-live').leave()")  # else it would know
    bench = Card.objects.get(name="Garden bench")
    bench.move(board.phases[3], by=actor(owner))
    x, y = center(column(page, board, 1))
    drag(page, card(page, "Garden bench"), x, y)
    expect(page.get_by_role("alert")).to_contain_text("Maren Holt moved it to Invoice sent a moment ago.")
    expect(column(page, board, 3).locator(".card", has_text="Garden bench")).to_be_visible()
    assert names(page, board, 1) == ["Wardrobe"]
    assert board(3) == ["Garden bench"]


def test_without_a_connection_the_card_goes_back_and_try_again_moves_it(open_page, staff, board):
    page = visit(open_page, staff, board)
    page.context.set_offline(True)
    x, y = center(column(page, board, 2))
    drag(page, card(page, "Garden bench"), x, y)
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    assert names(page, board, 0) == ["Oak kitchen", "Garden bench", "Loft stairs", "Shelves"]
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Moved Garden bench to Price quote sent")).to_be_visible()
    expect(column(page, board, 2).locator(".card")).to_have_count(1)
    assert board(2) == ["Garden bench"]
    open_page.complaints.clear()  # Chromium's own word for the cut connection


def test_three_quick_moves_of_one_card_all_count(open_page, staff, board):
    page = visit(open_page, staff, board)
    title = card(page, "Garden bench").get_by_role("link", name="Garden bench")
    title.focus()
    for key in "245":
        page.keyboard.press(key)
    expect(page.get_by_text("Moved Garden bench to Invoice paid")).to_be_visible()
    expect(column(page, board, 4).locator(".card")).to_have_count(1)
    assert board(4) == ["Garden bench"]


def test_the_keyboard_picks_up_moves_and_drops_and_the_focus_follows(open_page, staff, board):
    page = visit(open_page, staff, board)
    card(page, "Garden bench").get_by_role("link", name="Garden bench").focus()
    say = page.locator("#say")
    page.keyboard.press("Space")
    expect(say).to_contain_text("Garden bench picked up")
    page.keyboard.press("ArrowRight")
    expect(say).to_have_text("Contact made with customer, 2 of 2")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    expect(say).to_have_text("Garden bench moved to Contact made with customer, 1 of 2")
    expect(page.get_by_text("Moved Garden bench to Contact made with customer", exact=True).last).to_be_visible()
    expect(page.get_by_role("link", name="Garden bench", exact=True)).to_be_focused()
    assert names(page, board, 1) == board(1) == ["Garden bench", "Wardrobe"]


def test_escape_puts_a_card_in_hand_back(open_page, staff, board):
    page = visit(open_page, staff, board)
    card(page, "Garden bench").get_by_role("link", name="Garden bench").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.locator("#say")).to_contain_text("is back in Customer contacted me")
    assert names(page, board, 0) == board(0) == ["Oak kitchen", "Garden bench", "Loft stairs", "Shelves"]


def test_the_menu_moves_by_mouse_and_by_number(open_page, staff, board):
    page = visit(open_page, staff, board)
    card(page, "Garden bench").hover()
    card(page, "Garden bench").get_by_role("button", name="Move or edit Garden bench").click()
    page.locator("#card-menu").get_by_role("button", name="Price quote sent").click()
    expect(page.get_by_text("Moved Garden bench to Price quote sent")).to_be_visible()
    expect(column(page, board, 2).locator(".card")).to_have_count(1)
    page.get_by_role("link", name="Loft stairs", exact=True).focus()
    page.keyboard.press("m")
    expect(page.locator("#card-menu")).to_be_visible()
    page.keyboard.press("3")
    expect(page.get_by_text("Moved Loft stairs to Price quote sent")).to_be_visible()
    assert board(2) == ["Loft stairs", "Garden bench"]


def test_a_win_glows_once_and_is_celebrated(open_page, staff, board):
    page = visit(open_page, staff, board)
    card(page, "Garden bench").get_by_role("link", name="Garden bench").focus()
    page.keyboard.press("6")
    expect(page.locator(".toast--win")).to_contain_text("Won: Garden bench")
    expect(column(page, board, 5).locator(".card--won.is-fresh")).to_be_visible()
    expect(column(page, board, 5)).to_contain_text("€1,000 in")


def touch(page, kind, x=None, y=None):
    points = [] if x is None else [{"x": x, "y": y}]
    page.context.cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.fixture
def phone(open_page, staff, board):
    """Return a page on a phone whose finger is driven through Chromium's own touch input."""
    page = visit(open_page, staff, board, phone=True)
    page.context.cdp = page.context.new_cdp_session(page)
    return page


def test_on_a_phone_a_held_card_follows_the_finger(phone, board):
    x, y = center(card(phone, "Shelves"))
    box = card(phone, "Oak kitchen").bounding_box()
    touch(phone, "touchStart", x, y)
    phone.wait_for_timeout(320)
    expect(card(phone, "Shelves")).to_have_class(re.compile("is-dragging"))
    for step in range(1, 7):
        touch(phone, "touchMove", x, y + (box["y"] + 5 - y) * step / 6)
    touch(phone, "touchEnd")
    expect(phone.get_by_text("Moved Shelves")).to_be_visible()
    assert names(phone, board, 0) == board(0) == ["Shelves", "Oak kitchen", "Garden bench", "Loft stairs"]


def test_on_a_phone_a_swipe_scrolls_and_moves_nothing(phone, board):
    x, y = center(card(phone, "Garden bench"))
    touch(phone, "touchStart", x, y)
    for step in range(1, 9):
        touch(phone, "touchMove", x - 30 * step, y)
        phone.wait_for_timeout(12)
    touch(phone, "touchEnd")
    phone.wait_for_timeout(500)
    assert phone.locator(".board").evaluate("(board) => board.scrollLeft") > 100
    assert phone.locator(".is-dragging").count() == 0
    assert board(0) == ["Oak kitchen", "Garden bench", "Loft stairs", "Shelves"]


def test_on_a_phone_the_board_scrolls_when_a_card_is_held_at_its_edge(phone, board):
    x, y = center(card(phone, "Garden bench"))
    touch(phone, "touchStart", x, y)
    phone.wait_for_timeout(320)
    for step in range(1, 6):
        touch(phone, "touchMove", x + (384 - x) * step / 5, y)
    for _ in range(50):
        if phone.locator(".board").evaluate("(board) => board.scrollLeft") > 250:
            break
        phone.wait_for_timeout(60)
    touch(phone, "touchMove", 200, y)
    phone.wait_for_timeout(100)
    touch(phone, "touchEnd")
    expect(phone.get_by_text("Moved Garden bench to")).to_be_visible()
    assert "Garden bench" not in board(0)


def test_without_scripts_the_card_page_moves_it(open_page, staff, board):
    page = open_page(staff.user, javascript=False)
    page.goto(f"/brightside/boards/{board.workflow.slug}/")
    page.get_by_role("link", name="Garden bench", exact=True).click()
    page.locator("#move").get_by_role("button", name=re.compile("Price quote sent")).click()
    expect(page.get_by_text("Moved Garden bench to Price quote sent")).to_be_visible()
    assert board(2) == ["Garden bench"]


def test_a_viewer_sees_the_board_and_cannot_lift_a_card(open_page, viewer, board):
    page = visit(open_page, viewer, board)
    x, y = center(column(page, board, 2))
    drag(page, card(page, "Garden bench"), x, y)
    assert names(page, board, 0) == ["Oak kitchen", "Garden bench", "Loft stairs", "Shelves"]
    expect(page.get_by_text("Add a card")).to_have_count(0)


def test_removed_in_the_middle_of_a_drag_nothing_is_moved_and_it_is_said(open_page, staff, board):
    page = visit(open_page, staff, board)
    x, y = center(column(page, board, 2))
    drag(page, card(page, "Garden bench"), x, y, release=False)
    page.context.clear_cookies(name="session")
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"/accounts/login/"))
    expect(page.get_by_text("signed out")).to_be_visible()
    assert board(2) == []
    open_page.complaints.clear()


def test_the_board_is_accessible(open_page, staff, board, assert_accessible):
    assert_accessible(visit(open_page, staff, board))


def test_a_long_column_loads_on_scroll_and_a_card_can_be_dropped_at_its_end(open_page, staff, board):
    for number in range(40):
        make_card(board.phases[3], f"Line {number:02}")
    page = visit(open_page, staff, board)
    long = column(page, board, 3)
    expect(long.locator(".card")).to_have_count(20)
    long.locator(".column__cards").evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
    expect(long.locator(".card")).to_have_count(40)
    expect(long.locator(".more")).to_have_count(0)


def test_quick_add_takes_several_lines_and_keeps_the_focus(open_page, staff, board):
    page = visit(open_page, staff, board)
    column(page, board, 2).get_by_text("Add a card").click()
    field = column(page, board, 2).get_by_role("textbox")
    field.fill("Front door\nBack door\n\nSide door")
    field.press("Enter")
    expect(page.get_by_text("Added 3 cards to Price quote sent")).to_be_visible()
    expect(column(page, board, 2).locator(".card")).to_have_count(3)
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    assert names(page, board, 2) == board(2) == ["Front door", "Back door", "Side door"]


def test_a_folded_column_stays_folded_after_a_reload(open_page, staff, board):
    page = visit(open_page, staff, board)
    second = column(page, board, 1)
    second.hover()
    second.get_by_role("button", name="Fold Contact made").click()
    expect(second).to_have_class(re.compile("is-folded"))
    expect(card(page, "Wardrobe")).to_have_count(0)
    page.reload()
    expect(second).to_have_class(re.compile("is-folded"))
    second.get_by_role("button", name="Unfold Contact made").click()
    expect(card(page, "Wardrobe")).to_be_visible()


def test_filters_narrow_the_columns_and_can_be_cleared(open_page, staff, board):
    page = visit(open_page, staff, board)
    page.get_by_role("searchbox").fill("bench")
    expect(page.locator(".card")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=bench"))
    page.get_by_role("searchbox").fill("")
    expect(page.locator(".card")).to_have_count(5)
