"""Putting a contact away, bringing it back, deleting it for good; and the labels of contacts."""

import pytest
from django.urls import reverse

from contacts.models import Contact, ContactLabel
from tests.factories import actor, make_business, make_card, make_contact

HTMX = {"HX-Request": "true"}


@pytest.fixture
def contact(business):
    return make_contact(business)


def url(name, contact):
    return reverse(name, args=[contact.business.slug, contact.pk])


def test_archiving_says_so_with_a_way_back(contact, staff, browse):
    client = browse(staff)
    page = client.post(url("contact_archive", contact), follow=True).content.decode()
    assert "Archived Ines Brunet." in page
    assert f'href="{url("contact", contact)}">Restore it there</a>' in page
    assert Contact.objects.get().archived_by == staff.user
    page = client.post(url("contact_restore", contact), follow=True).content.decode()
    assert "Restored Ines Brunet" in page
    assert Contact.objects.get().archived_at is None


def test_a_name_with_html_is_text_in_the_toast(business, staff, browse):
    contact = make_contact(business, "<script>alert(1)</script>", "")
    page = browse(staff).post(url("contact_archive", contact), follow=True).content.decode()
    assert "<script>alert" not in page


def test_htmx_gets_a_toast(contact, staff, browse):
    answer = browse(staff).post(url("contact_archive", contact), headers=HTMX)
    assert answer.status_code == 200
    assert "hx-swap-oob" in answer.content.decode()


def test_doing_it_twice_changes_nothing_twice(contact, staff, browse):
    for _ in range(2):
        browse(staff).post(url("contact_archive", contact))
    assert contact.business.events.filter(name="contact.archived").count() == 1


def test_getting_the_address_changes_nothing(contact, manager, browse):
    for name in ("contact_archive", "contact_restore"):
        assert browse(manager).get(url(name, contact)).status_code == 405
    browse(manager).get(url("contact_delete", contact))
    contact.archive(by=actor(manager))
    assert "Delete Ines Brunet for good?" in browse(manager).get(url("contact_delete", contact)).content.decode()
    assert Contact.objects.count() == 1


def test_a_manager_deletes_for_good_from_the_archive_only_and_cards_stay(contact, workflow, manager, browse):
    card = make_card(workflow.phases.first(), contact=contact)
    page = browse(manager).post(url("contact_delete", contact), follow=True).content.decode()
    assert "Archive the contact first" in page
    contact.archive(by=actor(manager))
    page = browse(manager).post(url("contact_delete", contact), follow=True).content.decode()
    assert "Deleted Ines Brunet for good" in page
    assert Contact.objects.count() == 0
    card.refresh_from_db()
    assert card.contact is None


def test_who_may_not_is_refused(contact, staff, viewer, stranger, browse):
    contact.archive(by=actor(staff))
    assert browse(staff).post(url("contact_delete", contact)).status_code == 403
    for name in ("contact_archive", "contact_restore", "contact_delete"):
        assert browse(viewer).post(url(name, contact)).status_code == 403
        assert browse(stranger).post(url(name, contact)).status_code == 404
    assert Contact.objects.get().archived_at


# Labels --------------------------------------------------------------------------------------------------


@pytest.fixture
def label(business, staff):
    return ContactLabel.find_or_create(business, "Kitchen", by=actor(staff))


def test_labels_are_listed_with_how_many_wear_them(business, label, viewer, staff, browse):
    make_contact(business, labels=[label])
    url = reverse("contact_labels", args=[business.slug])
    assert "1 contact<" in browse(viewer).get(url).content.decode()
    assert reverse("contact_label_update", args=[business.slug, label.pk]) in browse(staff).get(url).content.decode()
    assert "<form" not in browse(viewer).get(url).content.decode().split("<main")[1].split("</main")[0]


def test_a_label_is_renamed_and_recoloured(business, label, staff, browse):
    url = reverse("contact_label_update", args=[business.slug, label.pk])
    page = browse(staff).post(url, {"name": "Küche", "tint": "5"}, follow=True).content.decode()
    assert "Saved the label Küche" in page
    label.refresh_from_db()
    assert (label.name, label.tint, label.key) == ("Küche", 5, "kitchen")


def test_a_bad_name_or_colour_is_refused_in_words(business, label, staff, browse):
    ContactLabel.find_or_create(business, "Stairs", by=actor(staff))
    url = reverse("contact_label_update", args=[business.slug, label.pk])
    for sent, why in (
        ({"name": ""}, "Give the label a name"),
        ({"name": "x" * 10_000}, "at most 50"),
        ({"name": "STAIRS"}, "already"),
        ({"name": "Oak", "tint": "9"}, "eight colours"),
        ({"name": "a\x00b"}, "ull"),
    ):
        answer = browse(staff).post(url, sent, headers=HTMX)
        assert answer.status_code == 422
        assert why in answer.content.decode()
    label.refresh_from_db()
    assert (label.name, label.tint) == ("Kitchen", 1)


def test_a_manager_deletes_a_label(business, label, manager, staff, viewer, browse):
    contact = make_contact(business, labels=[label])
    url = reverse("contact_label_delete", args=[business.slug, label.pk])
    assert browse(staff).post(url).status_code == 403
    assert browse(viewer).post(url).status_code == 403
    assert "Deleted the label Kitchen" in browse(manager).post(url, follow=True).content.decode()
    assert not contact.labels.exists()


def test_labels_of_others_are_not_found(business, stranger, manager, browse):
    foreign = ContactLabel.objects.create(business=make_business(), key="x", name="x")
    for name in ("contact_label_update", "contact_label_delete"):
        assert browse(manager).post(reverse(name, args=[business.slug, foreign.pk]), {"name": "y"}).status_code == 404
        assert browse(stranger).post(reverse(name, args=[business.slug, foreign.pk])).status_code == 404
