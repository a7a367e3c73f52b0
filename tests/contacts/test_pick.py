"""Picking a contact for a card, or making it on the fly."""

import uuid

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from contacts.picking import ContactChoice
from tests.factories import actor, make_business, make_contact

HTMX = {"HX-Request": "true"}


@pytest.fixture
def url(business):
    return reverse("contact_pick", args=[business.slug])


def test_without_a_text_the_ones_touched_last_are_offered(business, staff, browse, url):
    for n in range(10):
        make_contact(business, "Person", str(n))
    found = browse(staff).get(url).content.decode()
    assert found.count('name="contact"') == 8
    assert "Person 9" in found
    assert "Person 0" not in found
    assert "There are more" in found
    assert "new_contact" not in found


def test_a_text_finds_every_word_and_offers_to_make_what_is_missing(business, staff, browse, url):
    known = make_contact(business, "Jürgen", "Müller", emails=[("j@example.org", "")])
    page = browse(staff).get(url, {"q": "mül JÜR"}).content.decode()
    assert f'name="contact" value="{known.pk}"' in page
    assert 'name="new_contact" value="mül JÜR"' in page
    page = browse(staff).get(url, {"q": " jürgen  müller"}).content.decode()
    assert "new_contact" not in page


def test_the_field_can_have_another_name_but_only_a_name(business, staff, browse, url):
    contact = make_contact(business)
    assert f'name="customer" value="{contact.pk}"' in browse(staff).get(url, {"field": "customer"}).content.decode()
    page = browse(staff).get(url, {"field": '"><script>'}).content.decode()
    assert "<script" not in page
    assert 'name="contact"' in page


def test_a_viewer_may_look_but_is_not_offered_to_make_one(business, viewer, browse, url):
    page = browse(viewer).get(url, {"q": "Nobody"}).content.decode()
    assert "new_contact" not in page
    assert "No contact matches" in page
    assert browse(viewer).post(reverse("contact_quick", args=[business.slug])).status_code == 403


def test_archived_and_foreign_contacts_are_not_offered(business, staff, browse, url):
    make_contact(business, "Gone", "Away").archive(by=actor(staff))
    make_contact(make_business(), "For", "Eign")
    page = browse(staff).get(url).content.decode()
    assert "Gone" not in page
    assert "Eign" not in page


def test_a_stranger_finds_nothing(business, stranger, browse, url):
    assert browse(stranger).get(url).status_code == 404


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><b>', "{{ 7|add:7 }}", "x" * 10_000, "a\x00b", "🪵", "\u202eevil"]
)
def test_whatever_is_typed_is_shown_as_text(business, staff, browse, url, text):
    answer = browse(staff).get(url, {"q": text})
    assert answer.status_code == 200
    assert "<script" not in answer.content.decode()
    assert "<b>" not in answer.content.decode()


def test_the_number_of_queries_does_not_grow(business, staff, browse, url, django_assert_max_num_queries):
    for n in range(60):
        make_contact(business, "Person", str(n), emails=[(f"p{n}@example.org", "")])
    client = browse(staff)
    with django_assert_max_num_queries(6):
        client.get(url, {"q": "person"})


def test_quick_answers_with_the_new_contact_chosen(business, staff, browse):
    quick = reverse("contact_quick", args=[business.slug])
    page = browse(staff).post(quick, {"new_contact": "Ada Lovelace"}, headers=HTMX)
    contact = business.contacts.get()
    assert f'name="contact" value="{contact.pk}"' in page.content.decode()
    assert browse(staff).post(quick, {"new_contact": "ada lovelace"}).headers["Location"].endswith(f"{contact.pk}/")
    assert business.contacts.count() == 1
    assert browse(staff).post(quick, {"new_contact": ""}, headers=HTMX).status_code == 422


# The form that a card's contact is posted into ------------------------------------------------------------


def choose(business, member, **sent):
    return ContactChoice(sent, business=business).chosen(by=actor(member))


def test_a_contact_is_chosen_made_or_taken_off(business, staff):
    contact = make_contact(business)
    assert choose(business, staff, contact=str(contact.pk)) == contact
    assert choose(business, staff, new_contact="Ada Lovelace").name == "Ada Lovelace"
    assert choose(business, staff, clear="1") is None


def test_what_is_no_choice_is_refused_in_words(business, staff):
    archived = make_contact(business)
    archived.archive(by=actor(staff))
    foreign = make_contact(make_business())
    for sent, why in (
        ({}, "Choose a contact"),
        ({"contact": "x"}, "does not exist"),
        ({"contact": str(uuid.uuid4())}, "does not exist"),
        ({"contact": str(foreign.pk)}, "does not exist"),
        ({"contact": str(archived.pk)}, "archived"),
        ({"new_contact": "x" * 201}, "at most 200"),
        ({"new_contact": "a\x00b"}, "[Nn]ull"),
    ):
        with pytest.raises(ValidationError, match=why):
            choose(business, staff, **sent)
    assert business.contacts.count() == 1
