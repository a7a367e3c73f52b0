"""The shell in a real browser: theme, account menu, toasts, lost connections, ended sessions, phones, no scripts."""

import re

import pytest
from playwright.sync_api import expect

EMAIL = "/accounts/email/"


def theme(page):
    return page.evaluate("document.documentElement.dataset.theme ?? 'device'")


@pytest.mark.parametrize("phone", [False, True], ids=["laptop", "phone"])
def test_the_account_pages_are_accessible(open_page, owner, assert_accessible, phone):
    page = open_page(owner.user, phone=phone)
    for path in (EMAIL, "/accounts/password/change/", "/accounts/2fa/"):
        page.goto(path)
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".rail__account summary").click()
    assert_accessible(page)


@pytest.mark.parametrize("phone", [False, True], ids=["laptop", "phone"])
def test_the_public_pages_are_accessible(open_page, assert_accessible, phone):
    page = open_page(phone=phone)
    for path in ("/accounts/login/?signed_out=1", "/accounts/signup/", "/accounts/password/reset/"):
        page.goto(path)
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_theme_turns_at_once_and_stays(open_page, owner):
    page = open_page(owner.user, color_scheme="light")
    page.goto(EMAIL)
    with page.expect_response("**/theme/"):
        page.get_by_label("Switch between light and dark").click()
        assert theme(page) == "dark"
    page.reload()
    assert theme(page) == "dark"
    page.locator(".rail__account summary").click()
    with page.expect_response("**/theme/"):
        page.get_by_role("button", name="Device").click()
    assert theme(page) == "device"
    expect(page.get_by_role("button", name="Device")).to_have_attribute("aria-pressed", "true")


def test_the_account_menu_is_walked_and_closed_by_keys(open_page, owner):
    page = open_page(owner.user)
    page.goto(EMAIL)
    summary = page.locator(".rail__account summary")
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Brightside")).to_be_focused()
    page.keyboard.press("Escape")
    expect(summary).to_be_focused()
    expect(page.locator(".account-menu")).to_be_hidden()


def test_a_click_elsewhere_closes_the_menu(open_page, owner):
    page = open_page(owner.user)
    page.goto(EMAIL)
    page.locator(".rail__account summary").click()
    expect(page.locator(".account-menu")).to_be_visible()
    page.mouse.click(900, 600)
    expect(page.locator(".account-menu")).to_be_hidden()


def test_a_person_signs_out_from_the_menu_of_a_phone(open_page, owner):
    page = open_page(owner.user, phone=True)
    page.goto(EMAIL)
    page.locator(".rail__account summary").tap()
    page.get_by_role("button", name="Sign out").tap()
    expect(page).to_have_url(re.compile("/accounts/login/"))
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_everything_works_without_scripts(open_page, owner):
    page = open_page(owner.user, javascript=False)
    page.goto(EMAIL)
    page.get_by_label("Switch between light and dark").click()
    expect(page).to_have_url(re.compile(EMAIL))
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator(".rail__account summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/accounts/login/"))


def test_a_lost_connection_is_told_and_tried_again(open_page, owner):
    page = open_page(owner.user)
    page.goto(EMAIL)
    page.context.set_offline(True)
    page.get_by_label("Switch between light and dark").click()
    expect(page.locator(".toast--error")).to_contain_text("Nothing was changed")
    page.context.set_offline(False)
    with page.expect_response("**/theme/"):
        page.get_by_role("button", name="Try again").click()
    expect(page.locator(".toast--error")).to_have_count(0)
    open_page.complaints.clear()  # Chromium and htmx wrote down that the line was cut


def test_a_message_is_a_toast_that_waits_to_be_read(open_page, owner):
    page = open_page(owner.user)
    page.clock.install()
    page.goto("/accounts/profile/")
    page.get_by_role("button", name="Save").click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text("Saved.")
    toast.hover()
    page.clock.run_for(20_000)
    expect(toast).to_be_visible()
    page.mouse.move(10, 10)
    page.clock.run_for(7_000)
    expect(toast).to_have_count(0)


def test_at_most_three_toasts_and_errors_stay_longest(open_page, owner):
    page = open_page(owner.user)
    page.clock.install()
    page.goto(EMAIL)
    page.evaluate("""() => {
        const toasts = document.getElementById("toasts");
        for (const kind of ["toast--error", "", "", ""]) {
            const one = document.getElementById("toast-lost").content.firstElementChild.cloneNode(true);
            one.className = `toast ${kind}`;
            toasts.append(one);
        }
    }""")
    expect(page.locator(".toast")).to_have_count(3)
    page.clock.run_for(60_000)
    expect(page.locator(".toast")).to_have_count(1)
    expect(page.locator(".toast--error")).to_have_count(1)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".toast")).to_have_count(0)


def test_a_sentence_is_said_to_who_cannot_see(open_page, owner):
    page = open_page(owner.user)
    page.goto(EMAIL)
    page.evaluate("document.dispatchEvent(new CustomEvent('say', { detail: 'Oak kitchen moved to Won, 1 of 4' }))")
    expect(page.locator("#say")).to_have_text("Oak kitchen moved to Won, 1 of 4")


def test_targets_are_large_enough_for_a_thumb(open_page, owner):
    page = open_page(owner.user, phone=True)
    page.goto(EMAIL)
    page.locator(".rail__account summary").tap()
    small = page.evaluate("""() => [...document.querySelectorAll("a[href], button, summary, input:not([type=hidden])")]
        .filter((one) => one.offsetParent && !one.matches(".skip, p a, li p a"))
        .map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
        .filter(([, box]) => box.height && box.height < 43.5)
        .map(([html, box]) => `${html} ${box.height}`)""")
    assert not small
