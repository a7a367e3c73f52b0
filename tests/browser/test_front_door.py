"""The door of the house: a stranger is asked who they are, on any device, without a word of complaint on the console."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.both_databases


def test_a_stranger_is_asked_to_sign_in(page, assert_accessible):
    page.goto("/")
    expect(page).to_have_url(re.compile(r"/accounts/login/"))
    expect(page.get_by_role("button", name=re.compile("sign in", re.IGNORECASE))).to_be_visible()
    assert_accessible(page)


def test_the_door_opens_on_a_phone_and_without_scripts(open_page):
    page = open_page(phone=True, javascript=False)
    page.goto("/")
    expect(page.get_by_role("button", name=re.compile("sign in", re.IGNORECASE))).to_be_visible()
