"""The pages for programmers in a real browser: read, copied from, and the forms with which operations are tried."""

import json

import pytest
from playwright.sync_api import expect

from boards.models import Workflow
from config.views.guides import NAMES

API = "/docs/api/"


@pytest.fixture
def trying(open_page, token):
    """Return a function that opens the form of an operation, with the token typed in."""

    def open_form(operation, secret=token[1], **options):
        page = open_page(**options)
        page.goto(f"{API}#{operation}")
        page.get_by_label("API token").fill(secret)
        return page, page.locator(f"#{operation} form")

    return open_form


def test_a_request_is_sent_and_its_answer_shown(trying, workflow):
    page, form = trying("getWorkflow")
    form.get_by_label("workflowId").fill(str(workflow.pk))
    form.get_by_label("cardsPerPhase").fill("0")
    with page.expect_request("**/workflows/v1/**") as sent:
        form.get_by_role("button", name="Send").click()
    expect(form.locator("[data-status]")).to_have_text("200 OK")
    expect(form.locator("[data-body]")).to_contain_text('"name": "Lead funnel"')
    form.get_by_text("Headers").click()
    expect(form.locator("[data-headers]")).to_contain_text('etag: "1"')
    assert sent.value.url.endswith(f"/workflows/v1/workflows/{workflow.pk}?cardsPerPhase=0")
    assert "cookie" not in sent.value.all_headers()


def test_a_refusal_is_shown_as_well(trying, open_page, business):
    _, form = trying("listWorkflows", secret="wrong")
    form.get_by_role("button", name="Send").click()
    expect(form.locator("[data-status]")).to_have_text("401 Unauthorized")
    expect(form.locator("[data-body]")).to_contain_text("UNAUTHENTICATED")
    open_page.complaints.clear()  # Chromium notes every 401


def test_before_a_change_the_page_asks(trying, business):
    page, form = trying("createWorkflow")
    body = json.loads(form.get_by_label("Body").input_value())
    body["workflow"]["name"] = "Repairs"
    form.get_by_label("Body").fill(json.dumps(body))
    form.get_by_role("button", name="Send").click()
    sure = page.get_by_role("dialog", name="Send it?")
    expect(sure).to_contain_text("This changes the business of that token")
    expect(sure).to_contain_text("POST /workflows/v1/workflows")
    sure.get_by_role("button", name="Leave it").click()
    expect(sure).to_be_hidden()
    assert not Workflow.objects.exists()
    form.get_by_role("button", name="Send").click()
    sure.get_by_role("button", name="Change it").click()
    expect(form.locator("[data-status]")).to_have_text("200 OK")
    assert Workflow.objects.get().name == "Repairs"


def test_all_of_it_works_with_the_keyboard(trying, business):
    page, form = trying("createWorkflow")
    form.get_by_role("button", name="Send").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(form.get_by_role("button", name="Send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Change it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(form.locator("[data-status]")).to_have_text("200 OK")


def test_the_token_is_kept_nowhere_and_forgotten_with_the_page(trying, token):
    page, form = trying("listWorkflows")
    form.get_by_role("button", name="Send").click()
    expect(form.locator("[data-status]")).to_have_text("200 OK")
    assert token[1] not in page.url
    assert token[1] not in page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert token[1] not in page.content()
    page.reload()
    expect(page.get_by_label("API token")).to_have_value("")
    page.get_by_label("API token").fill(token[1])
    page.goto("/docs/")
    page.go_back()
    expect(page.get_by_label("API token")).to_have_value("")


def test_nothing_is_sent_without_a_token(trying, business):
    page, form = trying("listWorkflows", secret="")
    form.get_by_role("button", name="Send").click()
    expect(page.get_by_label("API token")).to_be_focused()
    expect(page.locator("#say")).to_have_text("Type your API token first")


def test_the_command_follows_what_is_typed(trying, site):
    page, form = trying("updateCard")
    form.get_by_label("cardId").fill("a b/c")
    form.get_by_label("If-Match").fill('"3"')
    form.get_by_label("Body").fill('{"cardInfo": {"name": "Ines\' kitchen"}}')
    command = page.locator("#updateCard [data-curl]")
    expect(command).to_have_text(
        f'curl -X PATCH "{site}/workflows/v1/cards/a%20b/c" \\\n  -H "Authorization: Bearer $TOKEN" \\\n'
        '  -H \'If-Match: "3"\' \\\n  -H "Content-Type: application/json" \\\n'
        '  -d \'{"cardInfo": {"name": "Ines\'\\\'\' kitchen"}}\''
    )


def test_a_command_is_copied(open_page, business):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/docs/")
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl ")
    assert copied.endswith('-H "Authorization: Bearer $TOKEN"')


def test_everything_can_be_read_without_scripts(open_page, business):
    page = open_page(javascript=False)
    page.goto(API)
    page.locator("#createCard > summary").click()
    expect(page.locator("#createCard")).to_contain_text("card.primaryAttachment.contactId")
    expect(page.locator("#createCard [data-curl]")).to_contain_text("curl -X POST")
    expect(page.get_by_label("API token")).to_be_hidden()
    expect(page.get_by_role("button", name="Send")).to_have_count(0)
    page.goto("/docs/")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)


def test_a_manager_finds_them_from_the_tokens(open_page, manager):
    page = open_page(manager)
    page.goto("/brightside/tokens/")
    page.get_by_role("link", name="For programmers").first.click()
    expect(page.get_by_role("heading", name="Start here")).to_be_visible()
    page.get_by_label("For programmers").get_by_role("link", name="Every operation").click()
    expect(page.get_by_role("heading", name="Every operation")).to_be_visible()


@pytest.mark.parametrize("phone", [False, True], ids=["laptop", "phone"])
def test_they_are_accessible_and_fit(trying, workflow, assert_accessible, phone):
    page, form = trying("getWorkflow", phone=phone)
    form.get_by_label("workflowId").fill(str(workflow.pk))
    form.get_by_role("button", name="Send").click()
    expect(form.locator("[data-status]")).to_have_text("200 OK")
    for more in page.locator("#getWorkflow details").all():
        more.evaluate("one => one.open = true")
    assert_fits(page, assert_accessible, phone)
    page.goto(f"{API}#createCard")
    page.reload()
    assert_fits(page, assert_accessible, phone)
    for name in NAMES:
        page.goto("/docs/" if name == "start" else f"/docs/{name}/")
        assert_fits(page, assert_accessible, phone)


def assert_fits(page, assert_accessible, phone):
    assert_accessible(page, ["dark" if phone else "light"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('.page__scroll'))") <= 0
