"""A real Chromium against the real server, on the test's own database."""

import os
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect, sync_playwright

from tests import machines

# Chromium reports every refused request as an error; these two answers are ours: "look at your form", "the world moved on".
EXPECTED = re.compile(r"Failed to load resource: .* status of (409|422)|Response Status Error Code (409|422)")

PATIENCE = 30_000  # ms for whatever is expected of a page, on a machine that has much else to do
# How many times slower than this machine the browser is to think: `SLOWER=8 bin/test tests/browser` finds tests that race.
SLOWER = float(os.environ.get("SLOWER") or 1)

# The rules of axe that the second scheme can break; the others look at what is the same in both.
OF_COLOURS = ["color-contrast", "link-in-text-block"]

# Whether something on the page still moves that will come to rest.
MOVING = """() => document.getAnimations().some(
    (one) => one.playState === "running" && one.effect.getComputedTiming().endTime !== Infinity
)"""


@pytest.fixture(scope="session")
def browser():
    """Return one Chromium for the whole run."""
    path = machines.chromium()
    if not path:
        (pytest.fail if machines.all_required() else pytest.skip)("Chromium is missing")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=machines.CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def site(server):
    """Return the address that pages are opened at."""
    return server


@pytest.fixture
def open_page(browser, site):
    """Open pages, each in a browser of its own: `open_page(owner)`, `open_page(staff, phone=True, javascript=False)`.

    The person is a user or a member; other options go to Playwright's `new_context`.

    The test fails when a page complains: an error on the console, a broken script, something the content policy forbids.
    What a test provokes on purpose it may take from `open_page.complaints`.
    """
    contexts = []

    def open_one(person=None, *, phone=False, javascript=True, **options):
        if phone:
            options |= {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
        context = browser.new_context(base_url=site, java_script_enabled=javascript, locale="en-GB", **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        if person:
            client = Client()
            client.force_login(getattr(person, "user", person))
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
        context.on("console", lambda message: message.type == "error" and complain(_said(message)))
        context.on("weberror", lambda error: complain(str(error.error)))
        page = context.new_page()
        if SLOWER > 1:
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        return page

    def complain(text):
        if not EXPECTED.search(text):
            open_one.complaints.append(text)

    open_one.complaints = []
    yield open_one
    for context in contexts:
        context.close()
    assert not open_one.complaints, "the page complained:\n" + "\n".join(open_one.complaints)


def _said(message):
    return f"{message.text} ({message.location['url']})" if message.text.startswith("Failed to load") else message.text


@pytest.fixture
def page(open_page):
    """Return one page of a visitor nobody knows."""
    return open_page()


@pytest.fixture
def assert_accessible():
    """Check a page with axe-core, in light and in dark: `assert_accessible(page)`; a long one in one of them."""

    def check(page, schemes=("light", "dark")):
        for at, scheme in enumerate(schemes):
            page.emulate_media(color_scheme=scheme)
            # What is still fading in would be measured half transparent.
            for _ in range(40):
                if not page.evaluate(MOVING):
                    break
                page.wait_for_timeout(50)
            results = Axe().run(page, options={"runOnly": OF_COLOURS} if at else {})
            assert results.violations_count == 0, f"{scheme}: {results.generate_report()}"

    return check
