"""Members, tokens, the feed and the way in, as people meet them: with a mouse, keys alone, a phone, without scripts."""

import pytest
from playwright.sync_api import expect

from accounts.models import Token
from tests.factories import UserFactory, actor, make_contact

PAGES = ["members", "tokens", "settings", "feed"]


def test_every_page_can_be_used_by_everybody(open_page, owner, staff, business, assert_accessible):
    business.invite("nora@example.test", "staff", by=actor(owner))
    make_contact(business)
    page = open_page(owner.user)
    for name in PAGES:
        page.goto(f"/{business.slug}/{name}/")
        assert_accessible(page)
    page.goto("/accounts/profile/")
    assert_accessible(page)
    page.goto("/businesses/new/")
    assert_accessible(page)


def test_the_way_in_can_be_used_by_everybody(open_page, owner, business, assert_accessible):
    invitation, secret = business.invite("nora@example.test", "staff", by=actor(owner))
    page = open_page()
    for address in (f"/invitations/{secret}/", f"/accounts/signup/?next=/invitations/{secret}/", "/accounts/signup/"):
        page.goto(address)
        assert_accessible(page)
    other = open_page(UserFactory())
    for address in (f"/invitations/{secret}/", "/"):
        other.goto(address)
        assert_accessible(other)
    assert invitation.is_open


@pytest.mark.parametrize("phone", [False, True])
def test_nothing_sticks_out_of_the_page(open_page, owner, staff, business, phone):
    business.invite("a.very.long.address.of.somebody@a.very.long.domain.example", "staff", by=actor(owner))
    page = open_page(owner.user, phone=phone)
    for name in PAGES:
        page.goto(f"/{business.slug}/{name}/")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        assert page.evaluate("(s => s.scrollWidth <= s.clientWidth)(document.querySelector('.page__scroll'))"), name


def test_a_role_is_changed_by_keys_alone_and_the_keyboard_stays_in_the_row(open_page, owner, staff, business):
    page = open_page(owner.user)
    page.goto(f"/{business.slug}/members/")
    menu = page.get_by_label(f"change the role of {staff}")
    menu.focus()
    page.keyboard.press("Enter")
    for _ in range(4):  # owner, manager, staff, viewer
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator("#toasts")).to_contain_text(f"{staff} is viewer now.")
    expect(page.get_by_label(f"Viewer: change the role of {staff}")).to_be_focused()
    staff.refresh_from_db()
    assert staff.role == "viewer"


def test_a_refusal_is_told_and_the_page_stays_as_it_was(open_page, owner, business):
    page = open_page(owner.user)
    page.goto(f"/{business.slug}/members/")
    page.get_by_text("Leave", exact=True).first.click()
    page.get_by_role("button", name="Leave").click()
    expect(page.locator(".toast--error")).to_contain_text("A business needs an owner")


@pytest.mark.parametrize("javascript", [True, False])
def test_somebody_is_invited(open_page, owner, business, javascript):
    page = open_page(owner.user, javascript=javascript)
    page.goto(f"/{business.slug}/members/")
    page.get_by_label("Email", exact=True).fill("nora@example.test")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_text("Not here yet")).to_be_visible()
    expect(page.get_by_text("On its way", exact=True)).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_token_is_made_and_its_secret_can_be_taken_along(open_page, owner, business, javascript):
    permissions = {"permissions": ["clipboard-read", "clipboard-write"]} if javascript else {}
    page = open_page(owner.user, javascript=javascript, **permissions)
    page.goto(f"/{business.slug}/tokens/")
    page.get_by_label("Name").fill("Web shop")
    page.get_by_label("See cards").check()
    page.get_by_role("button", name="Make token").click()

    secret = page.get_by_label("The secret").input_value()
    assert Token.authenticate(secret)[0].name == "Web shop"
    copy = page.get_by_role("button", name="Copy")
    if not javascript:
        expect(copy).to_be_hidden()
        return
    copy.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret


def test_the_browser_proposes_the_time_zone(open_page, db):
    page = open_page(timezone_id="Asia/Tokyo")
    page.goto("/accounts/signup/")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")


def test_the_feed_is_filtered_as_one_chooses(open_page, owner, business):
    make_contact(business, by=actor(owner))
    page = open_page(owner.user)
    page.goto(f"/{business.slug}/feed/")
    expect(page.get_by_text("founded")).to_be_visible()
    page.get_by_label("What it is about").select_option("contact")
    expect(page.get_by_text("founded")).to_be_hidden()
    expect(page.get_by_text("to the contacts")).to_be_visible()
    assert "kind=contact" in page.url


def test_a_newcomer_joins_from_the_mail_to_the_first_page(open_page, owner, business):
    _, secret = business.invite("nora@example.test", "staff", by=actor(owner))
    page = open_page(phone=True)
    page.goto(f"/invitations/{secret}/")
    page.get_by_role("link", name="Sign up and join").click()
    page.get_by_label("Your name").fill("Nora Quist")
    page.get_by_label("Password").fill("a wholly different phrase")
    page.get_by_role("button", name="Join").click()
    page.wait_for_url(f"**/{business.slug}/")
    assert business.memberships.filter(user__email="nora@example.test", role="staff").exists()
