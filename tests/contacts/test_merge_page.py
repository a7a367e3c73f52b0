"""The page on which a person merges two contacts."""

import pytest
from django.urls import reverse

from contacts.models import Contact
from tests.factories import actor, make_business, make_card, make_contact


@pytest.fixture
def contact(business):
    return make_contact(business, emails=[("ines@example.org", "")])


@pytest.fixture
def twin(business):
    return make_contact(
        business, "Inés", company="Crust & Co.", emails=[("ines@example.org", ""), ("b@example.org", "")]
    )


def merge_of(contact):
    return reverse("contact_merge", args=[contact.business.slug, contact.pk])


def test_the_contacts_page_warns_of_a_twin_and_leads_to_the_preview(contact, twin, manager, staff, browse):
    url = reverse("contact", args=[contact.business.slug, contact.pk])
    page = browse(manager).get(url).content.decode()
    assert "This may be the same as:" in page
    assert f"{merge_of(contact)}?twin={twin.pk}" in page
    assert "same as:" not in browse(staff).get(url).content.decode()
    twin.archive(by=actor(manager))
    assert "same as:" not in browse(manager).get(url).content.decode()


def test_without_a_twin_those_alike_are_offered_and_others_are_found(contact, twin, manager, browse):
    make_contact(contact.business, "Zoë", "Quinn")
    page = browse(manager).get(merge_of(contact)).content.decode()
    assert f"?twin={twin.pk}" in page
    assert "Zoë" not in page
    page = browse(manager).get(merge_of(contact), {"q": "quinn"}).content.decode()
    assert "Zoë Quinn" in page
    assert (
        "No other contact matches “brunet-roig”."
        in browse(manager).get(merge_of(contact), {"q": "brunet-roig"}).content.decode()
    )


def test_the_preview_says_what_comes_and_what_is_left_and_changes_nothing(contact, twin, workflow, manager, browse):
    make_card(workflow.phases.first(), contact=twin)
    page = browse(manager).get(merge_of(contact), {"twin": twin.pk}).content.decode()
    assert "Crust &amp; Co." in page
    assert "ines@example.org, b@example.org" in page
    assert "Moving along: 1 card." in page
    assert "Left behind" in page
    assert "Inés" in page
    assert contact.business.contacts.count() == 2


def test_merging_leads_back_to_the_contact(contact, twin, workflow, manager, browse):
    card = make_card(workflow.phases.first(), contact=twin)
    answer = browse(manager).post(merge_of(contact), {"twin": twin.pk, "revision": 1}, follow=True)
    assert "Merged Inés Brunet into Ines Brunet" in answer.content.decode()
    assert answer.redirect_chain[-1][0] == reverse("contact", args=[contact.business.slug, contact.pk])
    assert type(card).objects.get(pk=card.pk).contact == contact
    assert Contact.objects.get().company == "Crust & Co."


def test_a_contact_that_changed_meanwhile_is_shown_anew(contact, twin, manager, staff, browse):
    contact.update(company="Hers", by=actor(staff))
    answer = browse(manager).post(merge_of(contact), {"twin": twin.pk, "revision": 1})
    assert answer.status_code == 409
    assert "Tomás Rivera changed" in answer.content.decode()
    assert 'name="revision" value="2"' in answer.content.decode()
    assert Contact.objects.count() == 2


def test_what_makes_no_sense_asks_for_a_twin_again(contact, twin, manager, browse):
    theirs = make_contact(make_business(), "Foreign", "Person")
    for wish in ("", "x", str(contact.pk), str(theirs.pk)):
        for page in (
            browse(manager).get(merge_of(contact), {"twin": wish}),
            browse(manager).post(merge_of(contact), {"twin": wish}),
        ):
            assert page.status_code == 200
            assert "Who is the same as" in page.content.decode()
            assert "Foreign" not in page.content.decode()
    assert Contact.objects.count() == 3


def test_staff_may_not_and_an_archived_contact_takes_nothing(contact, twin, staff, manager, browse):
    assert browse(staff).post(merge_of(contact), {"twin": twin.pk}).status_code == 403
    contact.archive(by=actor(manager))
    browse(manager).post(merge_of(contact), {"twin": twin.pk})
    assert Contact.objects.count() == 2
