"""Contacts in a real browser: the list, the one beside it, the form, with and without scripts, on a phone."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from contacts.models import Contact, ContactLabel
from tests.factories import actor, make_card, make_contact

WIDE = {"viewport": {"width": 1440, "height": 900}}


@pytest.fixture
def people(business, workflow, owner):
    label = ContactLabel.find_or_create(business, "Kitchen", by=actor(owner))
    made = [
        make_contact(
            business,
            "Ines",
            "Brunet",
            emails=[("ines@example.org", "work")],
            phones=[("+31 20 555", "")],
            labels=[label],
        ),
        make_contact(business, "Jürgen", "Müller", company="Möbel"),
        make_contact(business, "Zoë", "Adams", notes="Likes **oak**"),
    ]
    for at, contact in enumerate(made):
        make_card(
            list(workflow.phases.all())[at * 2], f"Job of {contact.name}", contact=contact, value=100_00 * (at + 1)
        )
    return made


@pytest.fixture
def url(business):
    return reverse("contacts", args=[business.slug])


def forgive_leaving(open_page):
    """Leaving the form takes back the question for lookalikes that was under way, and htmx says so on the console."""
    taken_back = re.compile("htmx:(afterRequest|sendAbort)")
    open_page.complaints[:] = [text for text in open_page.complaints if not taken_back.match(text)]


def test_the_list_searches_while_one_types_and_keeps_its_order(open_page, owner, people, url):
    page = open_page(owner, **WIDE)
    page.goto(url)
    page.get_by_role("link", name="Open", exact=True).click()
    expect(page).to_have_url(re.compile("sort=-open"))
    names = page.locator("a.people__beside")
    expect(names).to_have_text(["Zoë Adams", "Jürgen Müller", "Ines Brunet"])
    search = page.get_by_role("searchbox")
    search.press_sequentially("MÜL möb")
    expect(names).to_have_text(["Jürgen Müller"])
    expect(page.locator("#contacts-count")).to_contain_text("1 of 3 match")
    expect(search).to_be_focused()
    expect(page).to_have_url(re.compile("sort=-open"))
    search.fill("nobody")
    page.get_by_role("link", name="Clear filters").last.click()
    expect(names).to_have_count(3)


def test_a_click_puts_a_contact_beside_the_list_and_its_row_is_marked(open_page, owner, people, url):
    page = open_page(owner, **WIDE)
    page.goto(url)
    expect(page.locator("#beside")).to_contain_text("ines@example.org")
    page.get_by_role("link", name="Zoë Adams").first.click()
    expect(page.locator("#beside")).to_contain_text("Likes oak")
    expect(page.locator("a[data-person][aria-current]")).to_have_text("Zoë Adams")
    expect(page).to_have_url(re.compile(str(people[2].pk)))
    page.get_by_role("searchbox").press_sequentially("o")
    expect(page.locator("a.people__beside")).to_have_count(2)
    expect(page.locator("a[data-person][aria-current]")).to_have_text("Zoë Adams")
    page.reload()
    expect(page.locator("#beside")).to_contain_text("Likes oak")


def test_on_a_phone_a_contact_has_its_own_page(open_page, owner, people, url):
    page = open_page(owner, phone=True)
    page.goto(url)
    expect(page.locator("#beside")).to_be_hidden()
    page.get_by_role("link", name="Ines Brunet").tap()
    expect(page).to_have_url(re.compile(f"/contacts/{people[0].pk}/$"))
    expect(page.get_by_role("link", name="Call")).to_have_attribute("href", "tel:+3120555")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_rows_are_added_made_first_and_removed_in_the_page(open_page, owner, business):
    page = open_page(owner, **WIDE)
    page.goto(reverse("contact_new", args=[business.slug]))
    page.get_by_label("Given name").fill("Ada")
    mails = page.get_by_role("group", name="Email")
    fields = mails.get_by_label("Email address")
    fields.fill("first@example.org")
    for text in ("second@example.org", "third@example.org"):
        mails.get_by_role("button", name="Add another").click()
        expect(fields.last).to_be_focused()
        fields.last.fill(text)
    mails.get_by_role("button", name="Make this the primary").last.click()
    mails.get_by_role("button", name="Remove this").nth(1).click()
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("Added Ada", exact=True)).to_be_visible()
    forgive_leaving(open_page)
    assert list(Contact.objects.get().emails.values_list("email", flat=True)) == [
        "third@example.org",
        "second@example.org",
    ]


def test_enter_saves_instead_of_pressing_the_button_of_a_row(open_page, owner, business):
    page = open_page(owner, **WIDE)
    page.goto(reverse("contact_new", args=[business.slug]))
    page.get_by_label("Given name").fill("Ada")
    page.get_by_label("Email address").fill("ada@example.org")
    page.get_by_label("Email address").press("Enter")
    expect(page.get_by_text("Added Ada", exact=True)).to_be_visible()
    forgive_leaving(open_page)


def test_a_lookalike_is_shown_while_one_writes_and_asked_about_on_saving(open_page, owner, business, people):
    page = open_page(owner, **WIDE)
    page.goto(reverse("contact_new", args=[business.slug]))
    page.get_by_label("Company").fill("Other")
    page.get_by_label("Email address").fill("INES@example.org")
    page.get_by_label("Phone number").focus()
    expect(page.get_by_text("Do you know this contact already?")).to_be_visible()
    page.get_by_role("button", name="Save").first.click()
    page.get_by_role("button", name="Save anyway").click()
    expect(page.get_by_text("Added Other", exact=True)).to_be_visible()
    forgive_leaving(open_page)


def test_every_page_is_accessible(open_page, assert_accessible, owner, business, people, url):
    page = open_page(owner, reduced_motion="reduce", **WIDE)
    ines = people[0]
    for place in (
        url,
        f"{url}?q=nobody",
        reverse("contact", args=[business.slug, ines.pk]),
        reverse("contact_edit", args=[business.slug, ines.pk]),
        reverse("contact_card", args=[business.slug, ines.pk]),
        reverse("contact_labels", args=[business.slug]),
    ):
        page.goto(place)
        for closed in page.locator("main details > summary").all():
            closed.click()
        assert_accessible(page)


def test_without_scripts_search_selection_and_rows_work(open_page, owner, business, people, url):
    page = open_page(owner, javascript=False, **WIDE)
    page.goto(url)
    page.get_by_role("searchbox").fill("zoë")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Zoë Adams").first.click()
    expect(page.locator("#beside")).to_contain_text("Likes oak")
    page.goto(reverse("contact_edit", args=[business.slug, people[0].pk]))
    page.get_by_role("button", name="Add another").first.click()
    mails = page.get_by_role("group", name="Email").get_by_label("Email address")
    mails.last.fill("new@example.org")
    page.get_by_role("button", name="Make this the primary email").last.click()
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("Saved Ines Brunet")).to_be_visible()
    assert Contact.objects.get(given_name="Ines").email == "new@example.org"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_twin_is_merged_from_the_warning_on_the_contacts_page(
    open_page, manager, people, assert_accessible, javascript
):
    ines, *_ = people
    twin = make_contact(
        ines.business, "Inés", company="Crust & Co.", emails=[("ines@example.org", ""), ("shop@example.org", "")]
    )
    make_card(ines.cards.get().phase, "Larder", contact=twin)
    page = open_page(manager, javascript=javascript, **WIDE)
    page.goto(reverse("contact", args=[ines.business.slug, ines.pk]))
    if javascript:
        assert_accessible(page)
    page.get_by_text("This may be the same as").locator("..").get_by_role("link", name="Inés Brunet").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Merge Inés Brunet into Ines Brunet?")
    expect(page.get_by_role("row", name="Company")).to_contain_text("Crust & Co.")
    expect(page.get_by_text("Moving along: 1 card.")).to_be_visible()
    if javascript:
        assert_accessible(page)
    page.get_by_role("button", name="Merge for good").click()
    expect(page.locator("#contact-cards")).to_contain_text("Larder")
    assert ines.business.contacts.count() == 3


def test_the_merge_pages_fit_a_phone_in_the_dark(open_page, manager, people, assert_accessible):
    ines, jurgen, _ = people
    page = open_page(manager, phone=True)
    for asked in (f"?twin={jurgen.pk}", "?q=m", "?q=nobody", ""):
        page.goto(reverse("contact_merge", args=[ines.business.slug, ines.pk]) + asked)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert_accessible(page)
