"""Intake forms in a real browser: sent from a phone without scripts, from a frame on another site, and built by hand."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from playwright.sync_api import expect

from boards.intake import submit
from boards.models import Card, IntakeForm
from tests.factories import actor

PHOTO = {"name": "sill.jpg", "mimeType": "image/jpeg", "buffer": b"x" * 2000}
ASKED = [
    {"label": "Your name", "target": "name", "required": True, "half": True},
    {"label": "Phone", "kind": "phone", "half": True},
    {"label": "Email", "kind": "email", "required": True},
    {"label": "What do you need?", "kind": "one", "choices": ["New kitchen", "Repair"]},
    {"label": "Rough budget", "kind": "list", "choices": ["Little", "Much"]},
    {"label": "Extras", "kind": "many", "choices": ["Delivery", "Fitting"]},
    {"label": "Anything we should know?", "kind": "long_text", "target": "description"},
    {"label": "Photos", "kind": "file"},
]
STEPS = "You send this: It takes a minute.\nPriya calls you\nYou cook in it: In seven weeks."


@pytest.fixture
def form(site, workflow, manager, monkeypatch):
    """A form of many kinds of questions, open, which believes that people can be quick."""
    monkeypatch.setattr("boards.forms.intake.SOONEST", 0)
    words = {"headline": "Tell us about your kitchen.", "steps": STEPS, "small_print": "We use this to reply to you."}
    form = IntakeForm.create(workflow, title="Kitchen enquiry", **words, questions=ASKED, by=actor(manager))
    form.open(by=actor(manager))
    return form


def fill_in(page, email="nadia@osei.test"):
    page.get_by_label("Your name").fill("Nadia Osei")
    page.get_by_label("Email").fill(email)
    page.get_by_text("Repair").click()
    page.get_by_label("Fitting").check()
    page.get_by_label("Photos").set_input_files(PHOTO)


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
def test_from_a_phone_an_enquiry_becomes_a_card_and_nothing_typed_is_lost(form, open_page, javascript):
    page = open_page(phone=True, javascript=javascript)
    page.goto("/f/brightside/kitchen-enquiry/")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    fill_in(page, email="nadia@osei")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("This looks unfinished")
    page.get_by_role("alert").get_by_role("link", name="Email").click()
    expect(page.get_by_label("Email")).to_have_value("nadia@osei")
    expect(page.get_by_label("Your name")).to_have_value("Nadia Osei")
    expect(page.get_by_label("Repair")).to_be_checked()
    expect(page.get_by_text("Choose your files again").last).to_be_visible()
    page.get_by_label("Email").fill("nadia@osei.test")
    page.get_by_label("Photos").set_input_files(PHOTO)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(page.get_by_role("main").get_by_text("Priya calls you")).to_be_visible()
    card = Card.objects.get()
    assert (card.contact.email, card.attachments.get().name) == ("nadia@osei.test", "sill.jpg")


def test_another_site_shows_it_in_a_frame_and_only_there(form, open_page, site):
    page = open_page()
    address = f"{site.replace('127.0.0.1', 'localhost')}/f/brightside/kitchen-enquiry/"
    with _another_site(f'<iframe src="{address}embed/"></iframe><iframe src="{address}"></iframe>') as other:
        page.goto(other)
        frame = page.frame_locator("iframe").first
        frame.get_by_label("Your name").fill("Nadia Osei")
        frame.get_by_label("Email").fill("nadia@osei.test")
        frame.get_by_role("button", name="Send").click()
        expect(frame.get_by_role("heading", name="Thank you")).to_be_visible()
        expect(page.frame_locator("iframe").last.get_by_label("Your name")).to_have_count(0)
    assert Card.objects.get().name == "Kitchen enquiry, Nadia Osei"
    assert any("frame-ancestors" in said for said in open_page.complaints)
    open_page.complaints.clear()


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
def test_everybody_can_read_and_reach_them(form, open_page, manager, assert_accessible, phone):
    page = open_page(phone=phone, reduced_motion="reduce")
    page.goto("/f/brightside/kitchen-enquiry/")
    assert_accessible(page)
    fill_in(page, email="nadia@osei")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)
    page.goto("/f/brightside/kitchen-enquiry/thanks/")
    assert_accessible(page)
    page = open_page(manager, phone=phone, reduced_motion="reduce")
    page.goto(f"/brightside/forms/{form.pk}/?open={form.questions.first().pk}")
    page.get_by_text("Add a question").click()
    page.get_by_text("What the page says").click()
    assert_accessible(page)
    name, *_ = form.questions.all()
    sent = submit(form, "k", {name: "Nadia Osei"}, doubt="It looks like a machine.", by=actor(manager))
    for path in ("", "new/", f"{form.pk}/submissions/", f"submissions/{sent.pk}/", f"{form.pk}/delete/"):
        page.goto(f"/brightside/forms/{path}")
        assert_accessible(page)


def test_a_form_is_built_by_keyboard_and_shows_at_once_how_it_looks(form, open_page, manager):
    page = open_page(manager)
    page.goto(f"/brightside/forms/{form.pk}/")
    preview = page.locator("#preview")
    page.get_by_text("Add a question").press("Enter")
    adder = page.locator("#adder")
    adder.get_by_label("Question").fill("Which wood?")
    expect(adder.get_by_label("Choices")).to_be_hidden()
    adder.get_by_label("Kind of answer").select_option("Several choices")
    adder.get_by_label("Choices").fill("Oak\nAsh")
    adder.get_by_role("button", name="Add the question").press("Enter")
    expect(preview).to_contain_text("Which wood?")
    expect(adder.get_by_label("Question")).to_be_focused()
    grip = page.get_by_role("button", name="Reorder Which wood?")
    for key in (" ", "ArrowUp", "ArrowUp", " "):
        grip.press(key)
    expect(page.locator(".asked h3").nth(6)).to_contain_text("Which wood?")
    expect(preview.locator("legend, label[for]").nth(6)).to_contain_text("Which wood?")
    page.get_by_text("What the page says").click()
    page.locator("#settings").get_by_label("Title").fill("Kitchens and more")
    expect(preview).to_contain_text("Kitchens and more")
    assert IntakeForm.objects.get().title == "Kitchen enquiry"
    page.locator("#settings").get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Kitchens and more")


def test_a_form_is_built_without_scripts(form, open_page, manager):
    page = open_page(manager, javascript=False, phone=True)
    page.goto(f"/brightside/forms/{form.pk}/")
    page.get_by_label("Move Photos up").click()
    expect(page.locator(".asked h3").last).to_contain_text("Anything")
    page.get_by_text("Add a question").click()
    page.locator("#adder").get_by_label("Question").fill("Which wood?")
    page.get_by_role("button", name="Add the question").click()
    expect(page.locator(".asked h3").last).to_contain_text("Which wood?")


class _another_site:  # noqa: N801 (used like a function)
    """A page of somebody else's, on a port of its own."""

    def __init__(self, html):
        class Page(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b'<!doctype html><link rel="icon" href="data:,">' + html.encode())

            def log_message(self, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Page)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}/"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
