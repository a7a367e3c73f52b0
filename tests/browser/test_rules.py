"""The rules in a browser: built by mouse, by keyboard and without scripts, seen at work on a board."""

import pytest
from playwright.sync_api import expect

from automations.models import Rule, Run
from boards.models import Card
from tests.factories import actor, make_card, make_contact, make_workflow

ABORTED = ("htmx:afterRequest", "htmx:sendAbort")
NEW = "/brightside/rules/new/"


@pytest.fixture(autouse=True)
def _answers_that_are_not_waited_for(open_page):
    """A later choice gives up the answer to the one before, of which htmx complains."""
    yield
    open_page.complaints[:] = [one for one in open_page.complaints if not one.startswith(ABORTED)]


@pytest.fixture
def workflow(business):
    """The lead funnel."""
    return make_workflow(business)


@pytest.fixture
def ran(business, owner, workflow):
    """A rule that has acted, failed and been skipped."""
    document = {
        "trigger": "state_changed",
        "conditions": [{"field": "value", "op": "over", "value": 1000}],
        "actions": [
            {"type": "add_comment", "text": "Seen"},
            {"type": "send_email", "template": "quote_reminder", "to": "customer"},
        ],
    }
    rule = Rule.create(business, document, name="Chase", workflow=workflow, by=actor(owner))
    for name, value in (("Oak kitchen", 240_000), ("Pine shelf", 24_000)):
        card = make_card(workflow.phases.all()[0], name, value=value, contact=make_contact(business))
        card.move(workflow.phases.all()[2], by=actor(owner))
    return rule


def visit(open_page, person, address=NEW, **options):
    page = open_page(person, **options)
    page.goto(address)
    return page


def editor(page):
    return page.locator("#rule-editor")


def says(page, text):
    expect(page.locator("#rule-says")).to_contain_text(text)


def test_built_by_mouse_it_labels_the_card_that_is_moved(open_page, manager, workflow):
    make_card(workflow.phases.all()[0], "Oak kitchen")
    page = visit(open_page, manager)
    page.get_by_label("Name of the rule").fill("Hurry")
    page.get_by_label("In which workflow").select_option("Lead funnel")
    page.get_by_label("When", exact=True).select_option("a card changes its phase")
    page.get_by_role("button", name="Condition", exact=True).click()
    page.get_by_label("What is asked").select_option("phase it entered")
    page.get_by_label("phase it entered", exact=True).select_option("Price quote sent")
    page.get_by_label("What is done").select_option("add the label")
    page.get_by_label("label", exact=True).select_option("Rush")
    says(page, "When a card changes its phase, if phase it entered is Price quote sent, then add the label Rush.")
    page.get_by_role("button", name="Action", exact=True).click()
    page.get_by_role("group", name="Action 2").get_by_label("What is done").select_option("add a comment saying")
    page.get_by_label("text", exact=True).fill("Promise a date")
    says(page, "then add a comment saying “Promise a date”")
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_text("Hurry is on")).to_be_visible()
    assert Rule.objects.get().name == "Hurry"

    page.goto(f"/brightside/boards/{workflow.slug}/")
    page.locator(".card", has_text="Oak kitchen").get_by_role("link").first.focus()
    page.keyboard.press("3")
    moved = page.locator(f"#phase-{workflow.phases.all()[2].pk} .card", has_text="Oak kitchen")
    expect(moved.locator(".label", has_text="Rush")).to_be_visible()
    moved.get_by_role("link").first.click()
    expect(page.get_by_text("Rule, because: Priya Nair moved")).to_have_count(2)


def test_built_by_keyboard_alone(open_page, manager, workflow):
    page = visit(open_page, manager)
    page.get_by_label("Name of the rule").focus()
    page.keyboard.type("Welcome")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_label("When", exact=True)).to_be_focused()
    page.keyboard.type("a card is created")
    says(page, "When a card is created")
    expect(page.get_by_label("When", exact=True)).to_be_focused()
    page.get_by_role("button", name="Condition", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("What is asked")).to_be_focused()
    page.keyboard.type("source")
    says(page, "if source is")
    expect(page.get_by_label("What is asked")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("Fair")
    page.get_by_label("What is done").focus()
    page.keyboard.type("add a comment")
    expect(page.get_by_label("text", exact=True)).to_be_visible()
    says(page, "if source is “Fair”")
    page.keyboard.press("Tab")
    page.keyboard.type("Hello")
    page.get_by_role("button", name="Save rule").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Welcome is on")).to_be_visible()
    assert Rule.objects.get().document == {
        "trigger": "card_created",
        "conditions": [{"field": "source", "op": "is", "value": "Fair"}],
        "actions": [{"type": "add_comment", "text": "Hello"}],
    }


def test_a_button_of_a_rule_is_pressed_on_the_card(open_page, owner, staff, workflow):
    actions = [{"type": "add_comment", "text": "Asked"}, {"type": "move_card", "to": "next"}]
    document = {"trigger": {"type": "button", "label": "Ask for a photo"}, "actions": actions}
    Rule.create(workflow.business, document, by=actor(owner))
    card = make_card(workflow.phases.first(), "Oak kitchen")
    page = visit(open_page, staff, f"/brightside/boards/{workflow.slug}/")
    page.locator(".card__title a", has_text="Oak kitchen").click()
    page.get_by_role("button", name="Ask for a photo").click()
    expect(page.get_by_text("Ask for a photo is under way.")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("Asked", exact=True)).to_be_visible()
    expect(page.locator("#card-where")).to_contain_text(workflow.phases.all()[1].name)
    expect(page.get_by_role("button", name="Ask for a photo")).to_be_visible()
    page.keyboard.press("Escape")
    page.wait_for_url(f"**/boards/{workflow.slug}/")
    assert Card.objects.get(pk=card.pk).phase == workflow.phases.all()[1]


def test_without_scripts_plain_buttons_do_it(open_page, manager, workflow):
    page = visit(open_page, manager, javascript=False)
    page.get_by_label("When", exact=True).select_option("a card waits in a phase")
    page.get_by_label("What is done").select_option("set the due date to")
    page.get_by_role("button", name="Show changes").click()
    page.get_by_label("phase", exact=True).select_option("Price quote sent")
    page.get_by_label("for", exact=True).fill("2 days")
    page.get_by_label("day", exact=True).fill("tomorrow")
    page.get_by_role("button", name="Action", exact=True).click()
    page.get_by_role("button", name="Take action 2 out").click()
    page.get_by_role("button", name="Save rule").last.click()
    expect(page.get_by_role("heading", name="When a card waits in a phase").first).to_be_visible()
    assert Rule.objects.get().document["actions"] == [{"type": "set_due_date", "to": "tomorrow"}]


def test_what_is_typed_while_the_server_answers_is_kept(open_page, manager, workflow):
    page = visit(open_page, manager, "/brightside/rules/new/?recipe=quiet_quote")
    held = []
    page.route("**/rules/new/", lambda route: route.continue_() if held else held.append(route))
    page.get_by_label("How it is asked").first.select_option("is at least")
    expect(page.locator("form.htmx-request")).to_be_attached()
    page.get_by_label("Name of the rule").fill("Typed meanwhile")
    held[0].continue_()
    says(page, "value is at least €1,000")
    expect(page.get_by_label("Name of the rule")).to_have_value("Typed meanwhile")


def test_mistakes_stand_at_their_fields_and_are_put_right(open_page, manager, workflow, assert_accessible):
    page = visit(open_page, manager, "/brightside/rules/new/?recipe=quiet_quote")
    page.get_by_label("for", exact=True).fill("soon")
    page.get_by_role("button", name="Save rule").click()
    wrong = page.get_by_label("for", exact=True)
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_have_value("soon")
    assert_accessible(page)
    wrong.fill("2 days")
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_text("Remind of a quiet quote is on")).to_be_visible()


def test_it_is_tried_on_a_card_and_switched_off_from_the_list(open_page, manager, ran):
    page = visit(open_page, manager, f"/brightside/rules/{ran.pk}/")
    expect(page.get_by_text("Would match 1 card right now")).to_be_visible()
    page.get_by_label("Card to test with").fill("oak")
    page.get_by_role("button", name="Test with a card").click()
    expect(page.locator("#trial")).to_contain_text("has no e-mail address")
    before = Run.objects.count()
    page.get_by_role("switch", name="Chase is on").click()
    expect(page.get_by_text("Chase is off")).to_be_visible()
    expect(page.get_by_role("switch", name="Chase is on")).not_to_be_checked()
    page.get_by_role("button", name="Watches only").click()
    expect(page.get_by_text("Chase watches only")).to_be_visible()
    assert (Run.objects.count(), Rule.objects.get().state) == (before, "watch")
    assert Card.objects.filter(comments__isnull=False).count() == 1


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_every_page_is_accessible_and_fits(open_page, manager, ran, assert_accessible, phone):
    page = open_page(manager, phone=phone, reduced_motion="reduce")
    failed = ran.runs.get(state="failed").pk
    places = ["", "new/?recipe=unpaid", f"{ran.pk}/", "recipes/", "import/", "runs/", f"runs/{failed}/"]
    for place in [*places, f"{ran.pk}/matches/", f"{ran.pk}/past/", f"{ran.pk}/delete/"]:
        page.goto(f"/brightside/rules/{place}")
        page.wait_for_load_state("networkidle")
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place


def test_a_double_click_makes_one_rule(open_page, owner, business):
    page = visit(open_page, owner)
    page.get_by_label("Name of the rule").fill("Say thank you")
    page.get_by_label("When", exact=True).select_option("a card is won")
    page.get_by_label("What is done").select_option("add a comment saying")
    page.get_by_label("text", exact=True).fill("Thank you!")
    page.get_by_role("button", name="Save rule").dblclick()
    expect(page.locator(".rule-head__name")).to_have_text("Say thank you")
    assert business.rules.count() == 1
