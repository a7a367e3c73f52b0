"""What a colleague moves moves on my screen: two browsers on one board."""

import re
import time

import pytest
from playwright.sync_api import expect

from accounts.models import Event
from automations.models import Rule
from boards.models import Card, Comment
from tests.factories import actor, make_card, make_workflow

pytestmark = pytest.mark.both_databases


@pytest.fixture
def board(business, owner, staff):
    """A board with cards; its phases are `board.phases`."""
    workflow = make_workflow(business)
    workflow.first, workflow.second, workflow.third, *_ = workflow.phases.all()
    for name in ("Oak kitchen", "Garden bench", "Loft stairs", "Shelves"):
        make_card(workflow.first, name, value=100_000)
    make_card(workflow.second, "Wardrobe")
    return workflow


@pytest.fixture
def visit(open_page, board):
    """Open the board as a person, and wait until it listens: `visit(staff)`."""

    def open_board(person, query="", **options):
        page = open_page(person.user, **options)
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(f"/brightside/boards/{board.slug}/{query}")
        wait_until(page, "live.source?.readyState === EventSource.OPEN")
        return page

    return open_board


def wait_until(page, holds):
    """Wait until something holds of the page's `live` element; the content policy forbids Playwright's own way."""
    patience = time.monotonic() + 30
    while not page.evaluate(f"() => {{ const live = document.querySelector('board-live'); return {holds}; }}"):
        assert time.monotonic() < patience, f"not within 30 s: {holds}"
        page.wait_for_timeout(20)


def column(page, phase):
    return page.locator(f"#phase-{phase.pk}")


def card(page, name):
    return page.locator(".card", has_text=name)


def names(page, phase):
    return column(page, phase).locator(".card__title").all_inner_texts()


def center(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, what, to, release=True):
    page.mouse.move(*center(what))
    page.mouse.down()
    x, y = center(to)
    page.mouse.move(x - 30, y - 10, steps=4)
    page.mouse.move(x, y, steps=4)
    if release:
        page.mouse.up()


def test_a_card_dragged_in_one_browser_moves_in_the_other(visit, staff, owner, board):
    mine, theirs = visit(owner), visit(staff)
    drag(theirs, card(theirs, "Garden bench"), card(theirs, "Wardrobe"))
    expect(theirs.get_by_text("Moved Garden bench")).to_be_visible()
    expect(column(mine, board.second).locator(".card")).to_have_count(2)
    assert names(mine, board.second) == names(theirs, board.second)
    assert names(mine, board.first) == ["Oak kitchen", "Loft stairs", "Shelves"]
    expect(column(mine, board.second).locator(".count")).to_have_text("2")
    expect(column(mine, board.first).locator(".column__sum")).to_have_text("€3,000")
    assert not [url for url in theirs.asked if "/fresh/" in url], "one's own move is not fetched again"


def test_what_is_created_renamed_commented_and_archived_is_seen(visit, staff, owner, board):
    page, by = visit(owner), actor(staff)
    new = make_card(board.third, "Front door", by=by)
    expect(column(page, board.third).get_by_role("link", name="Front door", exact=True)).to_be_visible()
    new.update(name="Back door", by=by)
    expect(card(page, "Back door")).to_be_visible()
    expect(card(page, "Front door")).to_have_count(0)
    Comment.write(new, "Painted?", by=by)
    expect(card(page, "Back door").get_by_title("Comments")).to_have_text("1")
    new.archive(by=by)
    expect(card(page, "Back door")).to_have_count(0)
    expect(column(page, board.third).locator(".count")).to_have_text("0")
    new.restore(by=by)
    expect(card(page, "Back door")).to_be_visible()


def test_cards_that_come_in_any_order_stand_in_order(visit, staff, owner, board):
    page = visit(owner)
    by = actor(staff)
    shelves, bench, oak = (Card.objects.get(name=name) for name in ("Shelves", "Garden bench", "Oak kitchen"))
    for one in (shelves, bench, oak, shelves):
        one.move(board.second, by=by)
        one.move(board.first, by=by)
    bench.move(board.second, by=by)
    expect(column(page, board.second).locator(".card")).to_have_count(2)
    page.wait_for_timeout(600)
    for phase in (board.first, board.second):
        standing = Card.objects.on_board().filter(phase=phase).order_by("rank")
        expect(column(page, phase).locator(".card__title")).to_have_text([one.name for one in standing])


def test_while_a_card_is_in_hand_nothing_moves_and_then_everything_does(visit, staff, owner, board):
    page = visit(owner)
    drag(page, card(page, "Garden bench"), column(page, board.third), release=False)
    Card.objects.get(name="Wardrobe").move(board.first, by=actor(staff))
    Card.objects.get(name="Oak kitchen").archive(by=actor(staff))
    page.wait_for_timeout(1200)
    assert names(page, board.second) == ["Wardrobe"]
    assert "Oak kitchen" in names(page, board.first)
    page.mouse.up()
    expect(column(page, board.first).locator(".card__title")).to_have_text(["Wardrobe", "Loft stairs", "Shelves"])
    expect(column(page, board.third).locator(".card__title")).to_have_text(["Garden bench"])


def test_a_card_held_by_keys_waits_too_and_keeps_the_focus(visit, staff, owner, board):
    page = visit(owner)
    link = page.get_by_role("link", name="Garden bench", exact=True)
    link.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    Card.objects.get(name="Wardrobe").move(board.first, by=actor(staff))
    page.wait_for_timeout(1000)
    assert names(page, board.second) == ["Wardrobe"]
    expect(link).to_be_focused()
    page.keyboard.press("Escape")
    expect(column(page, board.first).locator(".card")).to_have_count(5)
    expect(link).to_be_focused()


def test_the_focus_stays_on_a_card_that_others_change_and_nothing_scrolls(visit, staff, owner, board):
    for number in range(30):
        make_card(board.first, f"Line {number:02}")
    page = visit(owner, viewport={"width": 900, "height": 700})
    link = page.get_by_role("link", name="Shelves", exact=True)
    link.focus()
    across = page.locator(".board").evaluate("(board) => board.scrollLeft")
    shelves = Card.objects.get(name="Shelves")
    shelves.update(value=5, by=actor(staff))
    expect(card(page, "Shelves").locator(".money")).to_have_text("€0.05")
    expect(link).to_be_focused()
    shelves.move(board.phases.last(), by=actor(staff))
    expect(column(page, board.phases.last()).locator(".card")).to_have_count(1)
    expect(link).to_be_focused()
    assert page.locator(".board").evaluate("(board) => board.scrollLeft") == across
    shelves.archive(by=actor(staff))
    expect(card(page, "Shelves")).to_have_count(0)
    assert page.evaluate("document.activeElement !== null")


def test_the_focus_goes_to_a_neighbour_when_somebody_archives_the_card(visit, staff, owner, board):
    page = visit(owner)
    page.get_by_role("link", name="Garden bench", exact=True).focus()
    Card.objects.get(name="Garden bench").archive(by=actor(staff))
    expect(card(page, "Garden bench")).to_have_count(0)
    expect(page.get_by_role("link", name="Loft stairs", exact=True)).to_be_focused()


def test_a_filtered_board_shows_only_what_matches(visit, staff, owner, board):
    page = visit(owner, "?q=bench")
    expect(page.locator(".card")).to_have_count(1)
    make_card(board.first, "Front door", by=actor(staff))
    new = make_card(board.third, "Park bench", by=actor(staff))
    expect(card(page, "Park bench")).to_be_visible()
    expect(page.locator(".card")).to_have_count(2)
    expect(column(page, board.first).locator(".count")).to_have_text("1 of 5")
    new.update(name="Park table", by=actor(staff))
    expect(page.locator(".card")).to_have_count(1)


def test_phases_and_labels_are_drawn_anew_where_the_person_looks(visit, staff, owner, board):
    page = visit(owner, viewport={"width": 900, "height": 700})
    link = page.get_by_role("link", name="Loft stairs", exact=True)
    link.focus()
    page.locator(".board").evaluate("(board) => (board.scrollLeft = 120)")
    board.second.update(name="First call", by=actor(owner))
    expect(page.get_by_role("heading", name="First call")).to_be_visible()
    expect(link).to_be_focused()
    assert page.locator(".board").evaluate("(board) => board.scrollLeft") == 120
    board.update(name="Leads of spring", by=actor(owner))
    expect(page.get_by_role("heading", name="Leads of spring")).to_be_visible()


def test_the_columns_wait_while_a_new_card_is_written(visit, owner, board):
    page = visit(owner)
    column(page, board.first).get_by_text("Add a card").click()
    field = column(page, board.first).get_by_role("textbox")
    field.fill("Half a na")
    board.second.update(name="First call", by=actor(owner))
    page.wait_for_timeout(1000)
    expect(field).to_have_value("Half a na")
    field.fill("")
    field.press("Escape")
    expect(page.get_by_role("heading", name="First call")).to_be_visible()


def test_an_open_card_says_who_changed_it_and_keeps_what_is_written(visit, staff, owner, board):
    page = visit(owner)
    page.get_by_role("link", name="Garden bench", exact=True).click()
    comment = page.get_by_role("textbox", name="Comment")
    comment.fill("I was about to")
    bench = Card.objects.get(name="Garden bench")
    bench.update(name="Park bench", by=actor(staff))
    note = page.locator(".panel__news")
    expect(note).to_contain_text("Tomás Rivera changed this card.")
    expect(comment).to_have_value("I was about to")
    note.get_by_role("link", name="Show").click()
    expect(page.get_by_role("dialog").get_by_role("heading", name="Park bench")).to_be_visible()
    expect(note).to_have_count(0)


def test_an_open_card_says_which_button_somebody_pressed(visit, staff, owner, board):
    says = {
        "trigger": {"type": "button", "label": "Deposit is in"},
        "actions": [{"type": "add_comment", "text": "Hello"}],
    }
    rule = Rule.create(board.business, says, name="Deposit", by=actor(owner))
    page = visit(owner)
    page.get_by_role("link", name="Garden bench", exact=True).click()
    expect(page.get_by_role("textbox", name="Comment")).to_be_visible()
    rule.press(Card.objects.get(name="Garden bench"), by=actor(staff))
    expect(page.locator(".panel__news")).to_contain_text("Tomás Rivera pressed “Deposit is in”.")


def test_a_card_that_was_opened_by_its_address_still_closes_to_its_board(open_page, staff, owner, board):
    page = open_page(owner.user)
    bench = Card.objects.get(name="Garden bench")
    page.goto(f"/brightside/cards/{bench.number}/")
    bench.update(name="Park bench", by=actor(staff))
    page.locator(".panel__news").get_by_role("link", name="Show").click()
    expect(page.get_by_role("dialog").get_by_role("heading", name="Park bench")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(f"/boards/{board.slug}/$"))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_redraw_waits_until_the_open_card_is_closed(visit, owner, board):
    page = visit(owner)
    page.get_by_role("link", name="Garden bench", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    board.second.update(name="First call", by=actor(owner))
    page.wait_for_timeout(1000)
    expect(page.locator(".column h2", has_text="First call")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="First call")).to_be_visible()


def test_ones_own_change_of_an_open_card_is_no_news(visit, owner, board):
    page = visit(owner)
    page.get_by_role("link", name="Garden bench", exact=True).click()
    page.get_by_role("textbox", name="Comment").fill("Done")
    page.get_by_role("button", name="Post").click()
    expect(page.locator("#card-activity .bubble")).to_have_text("Done")
    page.wait_for_timeout(1000)
    expect(page.locator(".panel__news")).to_have_count(0)
    assert not [url for url in page.asked if "/fresh/" in url]


def test_what_was_missed_without_a_connection_is_there_when_it_is_back(visit, staff, owner, board, open_page):
    page = visit(owner)
    page.evaluate("document.querySelector('board-live').close()")
    Card.objects.get(name="Garden bench").move(board.second, by=actor(staff))
    page.wait_for_timeout(500)
    assert names(page, board.second) == ["Wardrobe"]
    page.evaluate("document.querySelector('board-live').open()")
    expect(column(page, board.second).locator(".card")).to_have_count(2)


def test_what_happened_while_the_page_was_on_its_way_is_told(open_page, staff, owner, board):
    page = open_page(owner.user)
    page.route("**/live/**", lambda route: (_move(board, staff), route.continue_()))
    page.goto(f"/brightside/boards/{board.slug}/")
    expect(column(page, board.second).locator(".card")).to_have_count(2)


def _move(board, staff):
    if not Event.objects.filter(name="card.moved").exists():
        Card.objects.get(name="Garden bench").move(board.second, by=actor(staff))


def test_where_streams_do_not_get_through_the_page_asks_now_and_then(open_page, staff, owner, board):
    page = open_page(owner.user)
    page.route(re.compile(r"/live/[^/]+/\?"), lambda route: route.abort())
    page.goto(f"/brightside/boards/{board.slug}/")
    with page.expect_request(re.compile("/once/")):
        page.evaluate("(live) => (live.close(), (live.failures = 3), live.open())", page.query_selector("board-live"))
    Card.objects.get(name="Garden bench").move(board.second, by=actor(staff))
    page.evaluate("(live) => (live.close(), live.open())", page.query_selector("board-live"))
    expect(column(page, board.second).locator(".card")).to_have_count(2)
    open_page.complaints.clear()  # Chromium's own word for the connections that were cut


def test_a_person_who_is_removed_is_left_alone(visit, staff, owner, board):
    page = visit(staff)
    staff.remove(by=actor(owner))
    wait_until(page, "live.isOver")
    expect(card(page, "Garden bench")).to_be_visible()
