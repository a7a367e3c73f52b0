"""Versions in a browser: published with the keyboard, compared, brought back; with and without scripts, on a phone."""

import pytest
from playwright.sync_api import expect

from boards.models import Draft, Phase, Workflow
from tests.factories import actor, make_card, make_workflow

HERE = "/brightside/workflows/lead-funnel/"


@pytest.fixture
def workflow(business, manager):
    """The lead funnel in three versions; under the second, of another design, one card has still to finish the first."""
    by, workflow = actor(manager), make_workflow(business)
    workflow.publish(Draft.running(workflow), comment="As it was", by=by)
    make_card(workflow.phases.get(name="Contact made with customer"), "Oak table")
    _publish(workflow, by, lambda draft: draft.add_step(name="Quality check", by=by))
    _publish(workflow, by, lambda draft: draft.remove_step(draft.design["steps"][1]["id"], by=by), finish_old=True)
    return Workflow.objects.get(pk=workflow.pk)


def _publish(workflow, by, change, **how):
    workflow = Workflow.objects.get(pk=workflow.pk)
    draft = Draft.begin(workflow, by=by)
    change(draft)
    workflow.publish(draft, major=workflow.major + 1 if how else None, by=by, **how)


def visit(open_page, person, place="", **options):
    page = open_page(person, **options)
    page.goto(HERE + place)
    return page


def names(workflow):
    return list(Phase.objects.filter(workflow=workflow).values_list("name", flat=True))


def test_the_keyboard_publishes_with_a_comment_and_escape_leaves_all_as_it_is(open_page, manager, workflow):
    Draft.begin(workflow, by=actor(manager)).add_step(name="Polishing", by=actor(manager))
    page = visit(open_page, manager, "builder/")
    button = page.locator("#builder-publish")
    dialog = page.get_by_role("dialog", name="Publish version 2.1?")
    button.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Comment")).to_be_focused()
    page.keyboard.type("Shine")
    dialog.get_by_label("New major version (3.0)").focus()
    page.keyboard.press("Space")
    expect(dialog.get_by_text("finish in the old one")).to_be_visible()
    page.keyboard.press("Space")
    expect(dialog.get_by_text("finish in the old one")).to_be_hidden()
    dialog.get_by_role("button", name="Publish").focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("#versions")).to_contain_text("v2.1")
    expect(page.locator("#versions")).to_contain_text("Shine")


def test_what_stands_in_the_way_is_said_in_the_dialog_and_keeps_what_was_typed(open_page, manager, workflow):
    by = actor(manager)
    make_card(Phase.objects.get(workflow=workflow, name="Quality check"))
    draft = Draft.begin(workflow, by=by)
    gone = next(step for step in draft.design["steps"] if step["name"] == "Quality check")
    draft.remove_step(gone["id"], by=by)
    page = visit(open_page, manager, "builder/")
    page.locator("#builder-publish").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Comment").fill("Without checks")
    dialog.get_by_role("button", name="Publish").click()
    expect(dialog.get_by_role("alert")).to_contain_text("It cannot be published like this")
    expect(dialog).to_contain_text("Choose where they should go.")
    expect(dialog.get_by_label("Comment")).to_have_value("Without checks")
    page.keyboard.press("Escape")
    page.get_by_label("Where should it go?").select_option("Invoice paid")
    expect(page.get_by_text("Its 1 card goes to Invoice paid", exact=True)).to_be_visible()
    page.locator("#builder-publish").click()
    dialog.get_by_role("button", name="Publish").click()
    expect(page.locator("#builder-publish")).to_have_count(0)
    assert "Quality check" not in names(workflow)


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "plain"])
def test_a_version_is_found_read_compared_and_brought_back(open_page, manager, workflow, javascript):
    page = visit(open_page, manager, "builder/", javascript=javascript)
    page.get_by_role("link", name="All versions").click()
    expect(page.locator("#v2\\.0")).to_contain_text("Live")
    expect(page.locator("#v1\\.1")).to_contain_text("1 card finishes on it")
    page.get_by_role("link", name="v1.0", exact=True).click()
    expect(page.get_by_role("heading", name="Version 1.0")).to_be_visible()
    expect(page.locator("main")).to_contain_text("As it was")
    page.get_by_text("Show it as JSON").click()
    expect(page.get_by_label("The document of version 1.0")).to_contain_text('"entityType": "CARD"')
    page.get_by_role("link", name="Compare").click()
    expect(page.locator("#differences")).to_contain_text("Added Quality check after Invoice paid")
    page.get_by_role("combobox", name="From").select_option("board")
    page.get_by_role("combobox", name="To").select_option("1.0")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#differences")).to_contain_text("Removed Quality check")
    page.goto(f"{HERE}versions/1.0/restore/")
    page.get_by_role("button", name="Make it the draft").click()
    expect(page.locator("#draft")).to_contain_text("Removed Quality check")
    before = names(workflow)
    page.locator("#builder-publish").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator("#draft")).to_have_count(0)
    assert "Quality check" in before
    assert "Quality check" not in names(workflow)


def test_a_file_that_was_downloaded_makes_a_workflow(open_page, manager, workflow, tmp_path):
    page = visit(open_page, manager, "versions/")
    with page.expect_download() as loading:
        page.get_by_role("link", name="Download 1.1").click()
    file = tmp_path / loading.value.suggested_filename
    loading.value.save_as(file)
    assert file.name == "lead-funnel-1.1.json"
    page.goto("/brightside/workflows/")
    page.get_by_role("link", name="From a file").click()
    page.get_by_label("A file").set_input_files(file)
    page.get_by_role("button", name="Make the draft").click()
    expect(page.locator("#draft")).to_contain_text("Added Quality check")
    (tmp_path / "odd.json").write_text('{"statuses": [7]}')
    page.goto(f"{HERE}builder/import/")
    page.get_by_label("A file").set_input_files(tmp_path / "odd.json")
    page.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_role("alert")).to_contain_text("statuses[0]")


def test_a_ruleset_is_written_and_its_button_is_on_the_card(open_page, manager, workflow, assert_accessible):
    page = visit(open_page, manager, "builder/")
    page.get_by_role("link", name="Add a ruleset").click()
    page.get_by_label("Name of the event").fill("Checked")
    page.get_by_label("Price quote sent").check()
    page.get_by_role("button", name="Action", exact=True).press("Enter")
    row = page.get_by_role("group", name="Action 1")
    expect(row.get_by_label("What is done")).to_be_focused()
    row.get_by_label("What is done").select_option("move the card to")
    row.get_by_label("phase").select_option("Quality check")
    page.get_by_role("button", name="Button", exact=True).press("Enter")
    expect(page.get_by_label("It says")).to_be_focused()
    page.keyboard.type("It is checked")
    page.get_by_role("button", name="Ask for something").press("Enter")
    page.get_by_label("It asks for").fill("How it was")
    page.get_by_label("The answer is").select_option("One of several")
    page.get_by_label("Choices, with commas between").fill("Fine, Not so fine")
    assert_accessible(page)
    page.get_by_label("Name of the event").fill("Checked twice")
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.get_by_role("alert")).to_contain_text("One word: no spaces.")
    expect(page.get_by_label("Name of the event")).to_be_focused()
    page.get_by_label("Name of the event").fill("Checked")
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.locator("#rulesets")).to_contain_text("Checked comes to a card in Price quote sent")
    expect(page.locator("#rulesets")).to_contain_text("move the card to Quality check")
    page.locator("#builder-publish").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator("#draft")).to_have_count(0)
    card = make_card(Phase.objects.get(workflow=workflow, name="Price quote sent"))
    page.goto(f"/brightside/cards/{card.number}/")
    page.get_by_role("button", name="It is checked").first.click()
    page.get_by_label("How it was").select_option("Fine")
    page.get_by_role("button", name="It is checked", exact=True).click()
    expect(page.locator("#card-where")).to_have_text("Quality check")


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
def test_all_of_it_is_accessible_and_fits(open_page, manager, workflow, assert_accessible, phone):
    by = actor(manager)
    draft = Draft.begin(workflow, by=by)
    asks = [{"name": "box", "label": "Box", "type": "LIST", "source": "S,M"}]
    look = {"eventName": "Look", "context": [{"label": "Look"}], "attributes": asks}
    rules = [{"name": "move_card", "props": {"to": "next"}}, {"name": "archive_card"}]
    draft.set_ruleset({"name": "Look", "triggers": [{"status": "Won"}], "rules": rules, "userActions": [look]}, by=by)
    page = open_page(manager, phone=phone)
    for place in (
        "builder/",
        "versions/",
        "versions/1.0/",
        "versions/compare/?from=1.0",
        "versions/1.0/restore/",
        "builder/import/",
        "builder/rulesets/0/",
        "copy/",
        "../import/",
        "../../boards/lead-funnel/",
    ):
        page.goto(HERE + place)
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
    page.goto(f"{HERE}versions/1.0/")
    page.get_by_text("Show it as JSON").click()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
