"""Making and changing a contact: all its parts, rows without scripts, lookalikes, two people at once, bad input."""

import re
import uuid

import pytest
from django.urls import reverse

from contacts.models import Contact, ContactLabel
from tests.factories import actor, make_business, make_contact

NASTY = ["<script>alert(1)</script>", "{{ 7|add:7 }}{% load x %}", "🪵 木", "\u202eevil", "'; DROP TABLE--", '"><b>']


@pytest.fixture
def new(business):
    return reverse("contact_new", args=[business.slug])


def edit_of(contact):
    return reverse("contact_edit", args=[contact.business.slug, contact.pk])


def rows(answer, kind):
    """Return the values of the rows of a kind, without the one in the template element."""
    page = re.sub(r"<template>.*?</template>", "", answer.content.decode(), flags=re.DOTALL)
    return [
        re.search(r' value="([^"]*)"', tag)[1] if " value=" in tag else ""
        for tag in re.findall(f'<input[^>]* name="{kind}"[^>]*>', page)
    ]


def test_a_contact_is_made_with_all_its_parts(business, staff, browse, new):
    label = ContactLabel.find_or_create(business, "Kitchen", by=actor(staff))
    answer = browse(staff).post(
        new,
        {
            "given_name": " Ines ",
            "family_name": "Brunet",
            "company": "Crust",
            "job_title": "Baker",
            "email": ["Ines@Example.org", "", "second@example.org"],
            "email_tag": ["work", "", "home"],
            "phone": ["+31 20 555"],
            "phone_tag": ["mobile"],
            "address": ["Prinsengracht 88\r\nAmsterdam"],
            "address_tag": ["billing"],
            "labels": [str(label.pk)],
            "new_labels": "Referral, kitchen ,, ",
            "source": "Fair",
            "notes": "Likes\r\noak",
        },
    )
    contact = business.contacts.get()
    assert answer.headers["Location"] == reverse("contact", args=[business.slug, contact.pk])
    assert (contact.name, contact.company, contact.job_title, contact.source) == (
        "Ines Brunet",
        "Crust",
        "Baker",
        "Fair",
    )
    assert list(contact.emails.values_list("email", "tag")) == [
        ("ines@example.org", "work"),
        ("second@example.org", "home"),
    ]
    assert list(contact.phones.values_list("phone", "tag")) == [("+31 20 555", "mobile")]
    assert list(contact.addresses.values_list("address", "tag")) == [("Prinsengracht 88\nAmsterdam", "billing")]
    assert sorted(contact.labels.values_list("name", flat=True)) == ["Kitchen", "Referral"]
    assert contact.notes == "Likes\noak"


def test_an_empty_form_says_what_is_the_least(business, staff, browse, new):
    answer = browse(staff).post(new, {"notes": "somebody"})
    assert answer.status_code == 422
    assert "Give at least a name" in answer.content.decode()
    assert ">\nsomebody<" in answer.content.decode()


def test_an_error_stands_at_its_row_and_nothing_typed_is_lost(business, staff, browse, new):
    sent = {"given_name": "Ines", "email": ["good@example.org", "bad", "also bad"], "email_tag": ["", "work", "x"]}
    answer = browse(staff).post(new, sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert rows(answer, "email") == ["good@example.org", "bad", "also bad"]
    assert 'id="id_email_1_error"' in page
    assert 'id="id_email_2_error"' in page
    assert 'id="id_email_0_error"' not in page
    assert 'href="#id_email_1"' in page
    assert 'value="Ines"' in page
    assert not business.contacts.exists()


def test_without_scripts_rows_are_added_made_first_and_taken_out_and_nothing_is_saved(business, staff, browse, new):
    post = browse(staff).post
    sent = {"given_name": "Ines", "email": ["a@example.org", "b@example.org"], "email_tag": ["", "work"]}
    for wish, expected in {
        "email:add": ["a@example.org", "b@example.org", ""],
        "email:first:1": ["b@example.org", "a@example.org"],
        "email:out:0": ["b@example.org"],
        "email:out:9": ["a@example.org", "b@example.org"],
        "email:first:-1": ["a@example.org", "b@example.org"],
        "revision:add": ["a@example.org", "b@example.org"],
        "": ["a@example.org", "b@example.org"],
    }.items():
        answer = post(new, {**sent, "row": wish})
        assert answer.status_code == 200
        assert rows(answer, "email") == expected, wish
        assert 'value="Ines"' in answer.content.decode()
    assert not business.contacts.exists()


def test_rows_end_somewhere(business, staff, browse, new):
    sent = {"given_name": "Ines", "email": [f"a{n}@example.org" for n in range(200)], "email_tag": [""] * 200}
    assert len(rows(browse(staff).post(new, {**sent, "row": "email:add"}), "email")) == 50


# Changing ------------------------------------------------------------------------------------------------


def sent_of(contact, **changes):
    """Return what a browser sends when the form of a contact is saved as it is, with some changes."""
    fields = {
        key: getattr(contact, key) for key in ("given_name", "family_name", "company", "job_title", "source", "notes")
    }
    for kind, part in (("email", contact.emails), ("phone", contact.phones), ("address", contact.addresses)):
        fields[kind] = list(part.values_list(kind, flat=True))
        fields[f"{kind}_tag"] = list(part.values_list("tag", flat=True))
    fields["labels"] = [str(pk) for pk in contact.labels.values_list("pk", flat=True)]
    return {**fields, "revision": contact.revision, **changes}


@pytest.fixture
def contact(business):
    return make_contact(business, emails=[("a@example.org", "work")], notes="one\ntwo")


def test_the_form_shows_what_is_there_and_saving_it_unchanged_is_no_news(contact, staff, browse):
    answer = browse(staff).get(edit_of(contact))
    assert rows(answer, "email") == ["a@example.org"]
    assert 'name="revision" value="1"' in answer.content.decode()
    browse(staff).post(edit_of(contact), sent_of(contact, notes="one\r\ntwo"))
    assert Contact.objects.get().revision == 1


def test_a_change_is_saved(contact, staff, browse):
    answer = browse(staff).post(
        edit_of(contact), sent_of(contact, company="Crust", email=[], email_tag=[]), follow=True
    )
    assert "Saved Ines Brunet" in answer.content.decode()
    now = Contact.objects.get()
    assert (now.company, now.email, now.revision) == ("Crust", "", 2)


def test_birthday_and_language_are_asked_for_and_kept(contact, staff, browse):
    sent = {"given_name": "Ines", "revision": 1, "birthdate": "1980-02-29", "locale": "pt-BR"}
    browse(staff).post(edit_of(contact), sent)
    contact.refresh_from_db()
    assert (str(contact.birthdate), contact.locale) == ("1980-02-29", "pt-BR")
    page = browse(staff).get(edit_of(contact)).content.decode()
    assert 'value="1980-02-29"' in page
    assert 'value="pt-BR"' in page
    shown = browse(staff).get(reverse("contact", args=[contact.business.slug, contact.pk])).content.decode()
    assert "29 February 1980" in shown
    sent |= {"revision": 2, "birthdate": "2980-02-28", "locale": "Portuguese"}
    answer = browse(staff).post(edit_of(contact), sent)
    assert answer.status_code == 422
    assert "Write a language like en or pt-BR." in answer.content.decode()
    answer = browse(staff).post(edit_of(contact), sent | {"locale": ""})
    assert "A birthday lies in the past." in answer.content.decode()


def test_what_only_programs_keep_stays_when_a_person_saves(contact, staff, browse):
    contact.update(phones=[("020 555", "", "NL")], extended={"shoe": 38}, external_id="crm-7", by=actor(staff))
    browse(staff).post(edit_of(contact), {"given_name": "Inés", "phone": "020 555", "revision": contact.revision})
    contact.refresh_from_db()
    assert (contact.given_name, contact.extended, contact.external_id) == ("Inés", {"shoe": 38}, "crm-7")
    assert contact.phones.get().country == "NL"


def test_two_people_at_once_both_see_both_versions_and_nothing_is_lost(contact, staff, manager, browse):
    old = sent_of(contact)
    contact.update(company="Hers", job_title="Baker", phones=[("020 555", "home")], by=actor(manager))
    answer = browse(staff).post(edit_of(contact), {**old, "company": "His", "source": "Fair"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Priya Nair changed Ines Brunet while you were writing" in page
    assert "<td>Hers</td><td>His</td>" in page
    assert 'value="His"' in page
    assert 'value="Fair"' in page
    # What only she changed is in the form, so that saving does not take it away.
    assert 'value="Baker"' in page
    assert rows(answer, "phone") == ["020 555"]
    assert 'name="revision" value="2"' in page
    assert Contact.objects.get().company == "Hers"


def test_after_both_versions_were_shown_saving_again_puts_mine_in_place(contact, staff, manager, browse):
    old = sent_of(contact)
    contact.update(company="Hers", by=actor(manager))
    browse(staff).post(edit_of(contact), {**old, "company": "His"})
    browse(staff).post(edit_of(contact), {**old, "company": "His", "revision": "2"})
    assert Contact.objects.get().company == "His"


def test_an_old_error_does_not_make_an_old_page_new(contact, staff, manager, browse):
    old = sent_of(contact)
    contact.update(company="Hers", by=actor(manager))
    answer = browse(staff).post(edit_of(contact), {**old, "email": ["bad"], "email_tag": [""]})
    assert answer.status_code == 422
    assert 'name="revision" value="1"' in answer.content.decode()


def test_without_a_revision_nothing_is_saved(contact, staff, browse):
    for nonsense in ("", "x", "-1", "9" * 30):
        answer = browse(staff).post(edit_of(contact), sent_of(contact, company="Crust", revision=nonsense))
        assert answer.status_code == 422
    assert Contact.objects.get().company == ""


def test_an_archived_contact_is_not_changed(contact, staff, browse):
    contact.archive(by=actor(staff))
    for answer in (
        browse(staff).get(edit_of(contact), follow=True),
        browse(staff).post(edit_of(contact), sent_of(contact, company="Crust"), follow=True),
    ):
        assert "is archived. Restore it first." in answer.content.decode()
    assert Contact.objects.get().company == ""


# Lookalikes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        {"given_name": "INES", "family_name": "brunet"},
        {"given_name": "Other", "email": ["x@example.org", "A@Example.org"], "email_tag": ["", ""]},
    ],
)
def test_a_lookalike_is_shown_before_anything_is_saved_and_then_saved_anyway(contact, staff, browse, new, sent):
    answer = browse(staff).post(new, sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Do you know this contact already?" in page
    assert reverse("contact", args=[contact.business.slug, contact.pk]) in page
    assert Contact.objects.count() == 1
    confirm = re.search(r'name="confirm" value="([^"]*)"', page)[1]
    browse(staff).post(new, {**sent, "confirm": confirm})
    assert Contact.objects.count() == 2


def test_saying_yes_to_one_lookalike_is_no_yes_to_another(contact, staff, browse, new):
    make_contact(contact.business)
    answer = browse(staff).post(new, {"given_name": "Ines", "family_name": "Brunet", "confirm": str(contact.pk)})
    assert answer.status_code == 422
    assert Contact.objects.count() == 2


def test_while_one_writes_lookalikes_are_shown_but_never_oneself(contact, staff, browse):
    url = reverse("contact_lookalikes", args=[contact.business.slug])
    sent = {"given_name": "Ines", "family_name": "Brunet", "email": ["not yet an addr"]}
    piece = browse(staff).get(url, sent, headers={"HX-Request": "true"}).content.decode()
    assert "Do you know this contact already?" in piece
    assert "confirm" not in piece
    url = reverse("contact_lookalikes", args=[contact.business.slug, contact.pk])
    assert browse(staff).get(url, sent).content.decode().strip() == ""


# Who may, and what is typed ------------------------------------------------------------------------------


def test_a_viewer_is_refused_and_a_stranger_finds_nothing(contact, viewer, stranger, browse, new):
    for url in (new, edit_of(contact)):
        for client, status in ((browse(viewer), 403), (browse(stranger), 404)):
            assert client.get(url).status_code == status
            assert client.post(url, {"given_name": "x"}).status_code == status
    assert Contact.objects.count() == 1


@pytest.mark.parametrize("text", NASTY)
def test_whatever_is_typed_is_kept_as_text(business, staff, browse, new, text):
    sent = {
        "given_name": text,
        "company": text,
        "notes": text,
        "new_labels": text,
        "address": [text],
        "address_tag": [""],
    }
    answer = browse(staff).post(new, sent, follow=True)
    page = answer.content.decode()
    assert "<script>alert" not in page
    assert "<b>" not in page.split("<main")[1].split("Lately")[0].replace("<b></b>", "")
    contact = business.contacts.get()
    assert (contact.given_name, contact.notes) == (text, text)
    edit = browse(staff).get(edit_of(contact)).content.decode()
    assert "<script>alert" not in edit


@pytest.mark.parametrize(
    "field", ["given_name", "company", "job_title", "source", "new_labels", "email", "phone", "address"]
)
def test_what_is_too_long_or_has_a_null_byte_is_refused_at_its_field(business, staff, browse, new, field):
    for text in ("x" * 10_000, "a\x00b"):
        sent = {"family_name": "Brunet", field: text}
        answer = browse(staff).post(new, sent)
        assert answer.status_code == 422, text[:10]
        assert 'aria-invalid="true"' in answer.content.decode()
    assert not business.contacts.exists()


def test_foreign_and_deleted_labels_are_refused(business, staff, browse, new):
    ContactLabel.find_or_create(business, "Kitchen", by=actor(staff))
    foreign = ContactLabel.objects.create(business=make_business(), key="x", name="x")
    for pk in (foreign.pk, uuid.uuid4(), "x", "\x00"):
        assert browse(staff).post(new, {"given_name": "Ines", "labels": [str(pk)]}).status_code == 422
    assert not business.contacts.exists()
