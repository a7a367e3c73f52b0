"""The card's panel in a real browser: opened over the board, worked by mouse, keys and finger, never losing what is typed."""

import re

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from playwright.sync_api import expect

from accounts.models import Event
from boards.models import Attachment, Card, Comment, Item
from tests.factories import actor, make_card, make_contact


@pytest.fixture
def card(site, workflow, owner):
    """A card with something of everything, between two others."""
    phase = workflow.phases.first()
    make_card(phase, "Above")
    card = make_card(phase, "Oak kitchen", value=840000, description="Painted in **Sea Glass**.", source="Website")
    card.update(contact=make_contact(card.business, emails=[("ines@brunet.test", "")]), by=actor(owner))
    Item.add_many(card, ["Measure", "Draw"], by=actor(owner))
    Comment.write(card, "She wants the old worktop. @Maren", by=actor(owner))
    Attachment.attach(card, [ContentFile(b"a drawing", "drawing.pdf")], by=actor(owner))
    make_card(phase, "Below")
    return card


@pytest.fixture
def open_card(open_page, card, staff):
    """Return a page with the card open over its board."""

    def opened(person=staff, **options):
        page = open_page(person.user, **options)
        page.goto(f"/brightside/boards/{card.workflow.slug}/")
        page.locator(".card__title a", has_text="Oak kitchen").click()
        expect(page.get_by_role("dialog", name="Oak kitchen")).to_be_visible()
        return page

    return opened


def fresh(card):
    return Card.objects.get(pk=card.pk)


def test_a_click_opens_it_over_the_board_and_escape_leads_back_to_the_card(open_card, card):
    page = open_card()
    assert page.url.endswith(f"/cards/{card.number}/")
    assert page.title().startswith("Oak kitchen")
    expect(page.locator(".board")).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.wait_for_url(f"**/boards/{card.workflow.slug}/")
    expect(page.locator(".card__title a", has_text="Oak kitchen")).to_be_focused()
    assert page.title().startswith("Lead funnel")


def test_back_and_forward_reload_and_the_scrim(open_card, card):
    page = open_card()
    page.evaluate("window.notReloaded = true")
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("window.notReloaded"), "the board was still there"
    page.go_forward()
    expect(page.get_by_role("dialog", name="Oak kitchen")).to_be_visible()
    page.reload()
    expect(page.get_by_role("dialog", name="Oak kitchen")).to_be_visible()
    expect(page.locator(".board")).to_be_visible()
    page.locator(".scrim").click(position={"x": 20, "y": 300})
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.wait_for_url(f"**/boards/{card.workflow.slug}/")


@pytest.mark.parametrize("is_slow", [False, True])
def test_a_double_click_opens_it_once_and_presses_nothing_in_it(open_page, card, staff, is_slow):
    page = open_page(staff.user)
    page.goto(f"/brightside/boards/{card.workflow.slug}/")
    steps = page.evaluate("history.length")
    page.locator(".card__title a", has_text="Oak kitchen").hover()
    page.mouse.down()
    page.mouse.up()
    if is_slow:  # the panel is there before the second click, which falls on its scrim
        expect(page.get_by_role("dialog", name="Oak kitchen")).to_be_visible()
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    page.wait_for_timeout(400)  # for a second answer, or a way back
    expect(page.get_by_role("dialog", name="Oak kitchen")).to_be_visible()
    assert page.evaluate("history.length") == steps + 1
    page.locator(".scrim").click(position={"x": 20, "y": 500})
    page.wait_for_url(f"**/boards/{card.workflow.slug}/")


def test_what_lies_behind_is_out_of_reach_but_a_toast_is_not(open_card, card):
    page = open_card()
    for _ in range(60):
        page.keyboard.press("Tab")
        inside = page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('#card-panel, #toasts')"
        )
        assert inside
    page.get_by_role("dialog").press("2")
    undo = page.get_by_role("button", name="Undo")
    undo.click()
    expect(page.locator("#card-where")).to_have_text("Customer contacted me")
    assert fresh(card).phase.name == "Customer contacted me"


def test_the_name_is_changed_where_it_stands(open_card, card):
    page = open_card()
    page.locator("#card-title").click()
    box = page.get_by_role("textbox", name="Name")
    expect(box).to_be_focused()
    box.fill("Ash kitchen")
    box.press("Enter")
    expect(page.get_by_role("dialog", name="Ash kitchen")).to_be_visible()
    expect(page.locator("#edit-name")).to_be_focused()
    expect(page.locator(f"#card-{card.number} .card__title")).to_have_text("Ash kitchen")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("dialog", name="Oak kitchen")).to_be_visible()
    expect(page.locator(f"#card-{card.number} .card__title")).to_have_text("Oak kitchen")


def test_a_refused_name_stays_in_its_box_with_the_reason(open_card, card):
    page = open_card()
    page.locator("#card-title").click()
    box = page.get_by_role("textbox", name="Name")
    box.fill("x" * 400)
    box.press("Enter")
    expect(page.get_by_text("At most 300 characters fit here; this has 400.")).to_be_visible()
    expect(box).to_be_focused()
    expect(box).to_have_value("x" * 400)
    box.press("Escape")
    expect(page.get_by_role("dialog", name="Oak kitchen")).to_be_visible()


def test_lines_are_ticked_added_by_the_paste_and_removed(open_card, card):
    page = open_card()
    page.get_by_label("Measure", exact=True).check()
    expect(page.locator("#card-progress .count")).to_have_text("1 of 2")
    expect(page.locator(f"#card-{card.number}").get_by_title("Checklist")).to_have_text("1/2")
    box = page.get_by_label("New checklist line")
    box.fill("Saw\nOil")
    box.press("Enter")
    expect(page.locator(".items .check")).to_have_text(["Measure", "Draw", "Saw", "Oil"])
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    page.locator(".items__line", has_text="Draw").hover()
    page.get_by_label("Change or remove Draw").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".items .check")).to_have_text(["Measure", "Saw", "Oil"])
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".items .check")).to_have_text(["Measure", "Draw", "Saw", "Oil"])
    assert fresh(card).done_count == 1


def test_a_tick_that_was_not_saved_goes_back(open_card, card, open_page):
    page = open_card()
    page.route("**/tick/", lambda route: route.abort())
    page.get_by_label("Measure", exact=True).click()
    expect(page.get_by_text("Not saved: the connection was lost")).to_be_visible()
    expect(page.get_by_label("Measure", exact=True)).not_to_be_checked()
    open_page.complaints.clear()


def test_a_comment_mentions_somebody_by_keys_alone(open_card, card, manager):
    page = open_card()
    box = page.get_by_role("textbox", name="Comment", exact=True)
    box.focus()
    page.keyboard.type("Please look @pri")
    expect(page.get_by_role("option", name="Priya Nair")).to_be_visible()
    page.keyboard.press("Enter")
    expect(box).to_have_value("Please look @Priya Nair ")
    page.keyboard.type("today")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".bubble").first).to_have_text("Please look @Priya Nair today")
    expect(page.locator(".mention").first).to_have_text("@Priya Nair")
    expect(box).to_have_value("")
    expect(box).to_be_focused()
    assert Event.objects.filter(name="card.commented").first().details["mentions"] == [str(manager.user_id)]


def test_what_is_being_written_survives_changes_beside_it_and_a_closed_card(open_card, card, manager):
    page = open_card()
    page.get_by_role("textbox", name="Comment", exact=True).fill("Half a thought")
    page.get_by_text("Edit the description").click()
    page.get_by_role("textbox", name="Description").fill("A better text")
    page.get_by_label("Measure", exact=True).check()
    expect(page.locator("#card-progress .count")).to_have_text("1 of 2")
    page.get_by_role("dialog").press("2")
    expect(page.locator("#card-where")).to_have_text("Contact made with customer")
    expect(page.get_by_role("textbox", name="Description")).to_have_value("A better text")
    page.get_by_label("Close card").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator(".card__title a", has_text="Oak kitchen").click()
    expect(page.get_by_role("textbox", name="Comment", exact=True)).to_have_value("Half a thought")
    expect(page.get_by_role("textbox", name="Description")).to_have_value("A better text")
    page.get_by_role("textbox", name="Description").press("Control+Enter")
    expect(page.locator("#card-description-part .prose")).to_have_text("A better text")
    page.reload()
    expect(page.get_by_role("textbox", name="Comment", exact=True)).to_have_value("Half a thought")
    expect(page.get_by_role("textbox", name="Description")).to_be_hidden()


def test_two_people_write_the_same_field_and_neither_text_is_lost(open_card, card, manager):
    page = open_card()
    page.locator("#edit-source").click()
    fresh(card).update(source="Fair", by=actor(manager))
    page.get_by_role("textbox", name="Source").fill("Referral")
    page.get_by_role("textbox", name="Source").press("Enter")
    expect(page.get_by_text("Priya Nair changed the source to “Fair” while you were writing.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Source")).to_have_value("Referral")
    assert fresh(card).source == "Fair"
    page.get_by_role("textbox", name="Source").press("Enter")
    expect(page.locator("#edit-source")).to_contain_text("Referral")
    assert fresh(card).source == "Referral"


def test_labels_are_worn_made_and_coloured_in_place(open_card, card):
    page = open_card()
    page.locator("#labels-open").click()
    page.get_by_role("button", name="Rush", exact=True).click()
    expect(page.locator("#card-labels > .labels")).to_have_text("Rush")
    expect(page.get_by_role("button", name="Rush", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Rush", exact=True)).to_be_focused()
    page.locator("#label-make").click()
    page.get_by_role("textbox", name="Name").fill("Kitchen")
    page.get_by_label("Yellow").check(force=True)
    page.get_by_role("button", name="Make and put on").click()
    expect(page.locator("#card-labels > .labels > .label")).to_have_text(["Kitchen", "Rush"])
    expect(page.locator("#card-labels > .labels > .h-3")).to_have_text("Kitchen")
    page.get_by_label("Change label Kitchen").click()
    page.locator(".label-menu__row .editor").get_by_label("Blue").check(force=True)
    page.get_by_role("button", name="Save for every card").click()
    expect(page.locator("#card-labels > .labels > .h-6")).to_have_text("Kitchen")
    expect(page.locator(f"#card-{card.number} .labels .h-6")).to_have_text("Kitchen")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Rush", exact=True)).to_be_hidden()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_contact_is_found_and_made_while_typing(open_card, card):
    make_contact(card.business, "Nadia", "Osei")
    page = open_card()
    page.locator("#edit-contact").click()
    page.get_by_label("Find or make a contact").press_sequentially("nad")
    page.get_by_role("button", name="Nadia Osei").click()
    expect(page.locator("#card-contact-part .person")).to_contain_text("Nadia Osei")
    page.locator("#edit-contact").click()
    page.get_by_label("Find or make a contact").press_sequentially("Zoë Quist")
    page.get_by_role("button", name=re.compile("Create")).click()
    expect(page.locator("#card-contact-part .person")).to_contain_text("Zoë Quist")
    assert fresh(card).contact.name == "Zoë Quist"


def test_facts_are_changed_by_keys_alone(open_card, card, staff):
    page = open_card()
    page.locator("#edit-value").focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("textbox", name="Value in EUR")
    expect(box).to_have_value("8400")
    page.keyboard.type("1.950,50")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-value")).to_contain_text("€1,950.50")
    expect(page.locator("#edit-value")).to_be_focused()
    page.locator("#edit-due").press("Enter")
    page.get_by_label("Day", exact=True).fill("2026-11-25")
    page.get_by_label("Time", exact=True).fill("17:00")
    page.get_by_label("Time", exact=True).press("Enter")
    expect(page.locator("#edit-due")).to_contain_text("17:00")
    page.locator("#edit-people").press("Enter")
    expect(page.locator("#card-people-part input[type=checkbox]").first).to_be_focused()
    page.locator("#card-people-part").get_by_label("Tomás Rivera").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-people")).to_contain_text("Tomás Rivera")
    assert [row.member for row in fresh(card).assignments.all()] == [staff]


def test_m_shows_where_it_can_go_and_figures_move_it(open_card, card):
    page = open_card()
    page.keyboard.press("m")
    expect(page.locator("#move [aria-current]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#card-where")).to_have_text("Contact made with customer")
    page.keyboard.press("6")
    expect(page.locator("#card-where")).to_have_text("Won")
    expect(page.locator(".toast--win")).to_be_visible()
    expect(page.locator(f".column--win #card-{card.number}")).to_be_attached()


def test_it_is_archived_read_and_restored(open_card, card):
    page = open_card()
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("This card is archived.")).to_be_visible()
    expect(page.locator(f".board #card-{card.number}")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Comment", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("This card is archived.")).to_have_count(0)
    expect(page.locator(f".board #card-{card.number}")).to_be_attached()


def test_a_comment_written_while_the_card_is_archived_elsewhere_is_not_lost(open_card, card, manager):
    page = open_card()
    page.get_by_role("textbox", name="Comment", exact=True).fill("A long and careful answer")
    fresh(card).archive(by=actor(manager))
    page.get_by_role("button", name="Post").click()
    expect(page.get_by_text("Oak kitchen is archived. Restore it first.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Comment", exact=True)).to_have_value("A long and careful answer")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("This card is archived.")).to_have_count(0)
    page.get_by_role("button", name="Post").click()
    expect(page.locator(".bubble").first).to_have_text("A long and careful answer")


def test_a_session_that_ended_keeps_the_comment_for_afterwards(open_card, card, open_page):
    page = open_card()
    page.get_by_role("textbox", name="Comment", exact=True).fill("Written too late")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_role("button", name="Post").click()
    page.wait_for_url("**/accounts/login/**")
    page.get_by_label("Email").fill(card.business.memberships.get(role="staff").user.email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cards/{card.number}/")
    expect(page.get_by_role("textbox", name="Comment", exact=True)).to_have_value("Written too late")
    assert fresh(card).comment_count == 1
    open_page.complaints.clear()


def test_on_a_phone_it_fills_the_screen_with_the_next_action_first(open_card, card):
    page = open_card(phone=True)
    page.wait_for_timeout(500)
    box = page.get_by_role("dialog").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    tops = [
        page.locator(part).bounding_box()["y"]
        for part in ("#card-next", "#card-contact-part", "#card-description-part")
    ]
    assert tops == sorted(tops)
    page.get_by_role("link", name="Move to…").tap()
    expect(page.locator("#move")).to_be_in_viewport()
    page.locator("#move").get_by_role("button", name="Price quote sent").tap()
    expect(page.locator("#card-where")).to_have_text("Price quote sent")


def test_without_scripts_every_part_is_a_plain_form(open_page, card, staff):
    page = open_page(staff.user, javascript=False)
    page.goto(f"/brightside/cards/{card.number}/")
    page.locator("#edit-name").click()
    page.get_by_role("textbox", name="Name").first.fill("Ash kitchen")
    page.locator("#card-name-part").get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog", name="Ash kitchen")).to_be_visible()
    page.get_by_label("Measure", exact=True).check()
    page.locator(".items__line", has_text="Measure").get_by_role("button", name="Save").first.click()
    expect(page.locator("#card-progress .count")).to_have_text("1 of 2")
    page.get_by_role("textbox", name="Comment", exact=True).fill("Plain words")
    page.get_by_role("button", name="Post").click()
    expect(page.locator(".bubble").first).to_have_text("Plain words")
    page.get_by_role("link", name="Close card").click()
    expect(page).to_have_url(re.compile(f"/boards/{card.workflow.slug}/$"))


def photo(name="photo.jpg", size=2000):
    return {"name": name, "mimeType": "image/jpeg", "buffer": b"x" * size}


def test_files_are_sent_when_they_are_chosen_and_come_back_as_they_were(open_card, card):
    page = open_card()
    page.get_by_label("Attach files").set_input_files([photo(), photo("sill.jpg")])
    expect(page.locator(".files__name")).to_have_text(["drawing.pdf", "photo.jpg", "sill.jpg"])
    expect(page.locator(f"#card-{card.number} [title=Files]")).to_have_text("3")
    with page.expect_download() as saved:
        page.get_by_role("link", name="sill.jpg").click()
    assert saved.value.suggested_filename == "sill.jpg"
    page.get_by_label("Attach files").set_input_files(photo("film.jpg", size=11 * 1024 * 1024))
    expect(page.locator("#files-error")).to_have_text("film.jpg is too large: a file may have at most 10 MB.")
    page.get_by_label("Delete photo.jpg").press("Enter")
    page.get_by_role("button", name="Delete file").click()
    expect(page.locator(".files__name")).to_have_text(["drawing.pdf", "sill.jpg"])


def test_files_are_attached_without_scripts(open_card, card):
    page = open_card(javascript=False, phone=True)
    page.get_by_label("Attach files").set_input_files(photo())
    page.get_by_role("button", name="Attach", exact=True).click()
    expect(page.locator(".files__name")).to_have_text(["drawing.pdf", "photo.jpg"])


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
def test_everybody_can_read_and_reach_it(open_card, card, assert_accessible, phone):
    page = open_card(phone=phone, reduced_motion="reduce")
    assert_accessible(page)
    page.locator("#labels-open").click()
    page.locator("#label-make").click()
    assert_accessible(page)
    page.keyboard.press("Escape")
    for editor in (
        "#edit-name",
        "#edit-description",
        "#edit-due",
        "#edit-value",
        "#edit-people",
        "#edit-source",
        "#edit-contact",
    ):
        page.locator(editor).click()
    page.get_by_label("Change or remove Measure").click()
    page.get_by_label("Attach files").set_input_files(photo("film.jpg", size=11 * 1024 * 1024))
    page.get_by_role("textbox", name="Comment", exact=True).fill("@")
    assert_accessible(page)


def test_a_viewer_reads_it(open_card, viewer, assert_accessible):
    page = open_card(viewer)
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_have_count(0)
    assert_accessible(page)
