"""A contact's own page: who it is, its cards across workflows, its history, a new card."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from boards.models import Card
from tests.factories import actor, make_business, make_card, make_contact, make_workflow


def page_of(contact):
    return reverse("contact", args=[contact.business.slug, contact.pk])


@pytest.fixture
def contact(business):
    return make_contact(
        business,
        company="Crust & Co.",
        job_title="Baker",
        emails=[("ines+oak@example.org", "work"), ("second@example.org", "")],
        phones=[("00 31 (20) 555-0147", "mobile")],
        addresses=[("Prinsengracht 88\nAmsterdam", "billing")],
        notes="Likes **oak**, see https://example.org",
        source="Fair",
    )


def test_it_shows_all_parts_and_ways_to_reach_them(contact, staff, browse):
    page = browse(staff).get(page_of(contact)).content.decode()
    for part in (
        "Ines Brunet",
        "Crust &amp; Co.",
        "Baker",
        "second@example.org",
        "Prinsengracht 88<br>",
        "Billing",
        "Fair",
    ):
        assert part in page
    assert 'href="mailto:ines%2Boak@example.org"' in page
    assert 'href="tel:+31205550147"' in page
    assert "<strong>oak</strong>" in page
    assert 'rel="nofollow noopener"' in page


def test_its_cards_of_every_workflow_are_there_by_kind(contact, workflow, staff, browse):
    other = make_workflow(contact.business, name="Repairs")
    make_card(workflow.phases.first(), "Oak kitchen", contact=contact, value=8_400_00)
    make_card(other.win_phase, "Larder door", contact=contact, value=630_00)
    make_card(other.phases.first(), "Old stool", contact=contact).archive(by=actor(staff))
    make_card(other.phases.first(), "Not theirs")
    page = browse(staff).get(page_of(contact)).content.decode()
    assert "3 in 2 workflows" in page
    assert page.index("Oak kitchen") < page.index("Larder door") < page.index("Old stool")
    assert "€8,400" in page
    assert "Not theirs" not in page
    assert "Customer since" in page
    assert reverse("card", args=[contact.business.slug, Card.objects.get(name="Oak kitchen").number]) in page


def test_many_cards_are_cut_and_shown_on_demand(contact, workflow, staff, browse):
    for n in range(25):
        make_card(workflow.phases.first(), f"Job {n:02}", contact=contact)
    page = browse(staff).get(page_of(contact)).content.decode()
    assert "Show 5 more" in page
    assert "Job 00" not in page
    assert "Job 00" in browse(staff).get(page_of(contact), {"cards": "all"}).content.decode()


def test_the_history_is_the_ledgers_newest_first_and_older_on_demand(contact, staff, browse):
    for n in range(45):
        contact.update(job_title=f"Job {n}", by=actor(staff))
    page = browse(staff).get(page_of(contact)).content.decode()
    assert page.count("<b>Tomás Rivera</b> changed job title") == 8
    first = contact.business.events.order_by("-sequence")[7].sequence
    url = reverse("contact_history", args=[contact.business.slug, contact.pk])
    assert f"{url}?before={first}" in page
    assert "<bdi>Job 43</bdi> → <bdi>Job 44</bdi>" in page
    piece = browse(staff).get(url, {"before": first}, headers={"HX-Request": "true"}).content.decode()
    assert piece.count("added Ines") + piece.count("changed job title") == 30
    assert "<html" not in piece
    last = contact.business.events.order_by("-sequence")[37].sequence
    rest = browse(staff).get(url, {"before": last}).content.decode()
    assert "added Ines Brunet to the contacts" in rest
    assert "Earlier" not in rest
    for nonsense in ("x", "-1", "9" * 30, "\x00"):
        assert browse(staff).get(url, {"before": nonsense}).status_code == 200


def test_beside_the_list_comes_the_piece_alone(contact, staff, browse):
    answer = browse(staff).get(page_of(contact), headers={"HX-Request": "true", "HX-Target": "beside"})
    assert "<html" not in answer.content.decode()
    assert f'data-person="{contact.pk}"' in answer.content.decode()


def test_a_viewer_sees_it_but_no_way_to_change_it(contact, viewer, browse):
    page = browse(viewer).get(page_of(contact)).content.decode()
    for name in ("contact_edit", "contact_archive", "contact_card"):
        assert reverse(name, args=[contact.business.slug, contact.pk]) not in page


def test_strangers_and_foreign_ids_find_nothing(contact, stranger, staff, browse):
    assert browse(stranger).get(page_of(contact)).status_code == 404
    theirs = make_contact(stranger.business)
    for pk in (theirs.pk, uuid.uuid4()):
        for name in ("contact", "contact_edit", "contact_history", "contact_card"):
            assert browse(staff).get(reverse(name, args=[contact.business.slug, pk])).status_code == 404


def test_the_number_of_queries_does_not_grow(contact, workflow, staff, browse):
    client, counts = browse(staff), []
    other = make_workflow(contact.business, name="Repairs")
    for more in (1, 30):
        for _ in range(more):
            for phase in (workflow.phases.first(), workflow.win_phase, other.phases.first()):
                make_card(phase, contact=contact)
        make_card(other.phases.first(), contact=contact).archive(by=actor(staff))
        with CaptureQueriesContext(connection) as queries:
            client.get(page_of(contact))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 18


# A new card ----------------------------------------------------------------------------------------------


def test_a_card_is_made_for_the_contact_in_the_first_phase(contact, workflow, staff, browse):
    url = reverse("contact_card", args=[contact.business.slug, contact.pk])
    assert workflow.name in browse(staff).get(url).content.decode()
    answer = browse(staff).post(url, {"name": "Oak table", "workflow": str(workflow.pk), "value": "1,950"}, follow=True)
    card = Card.objects.get()
    assert (card.contact, card.phase, card.value) == (contact, workflow.phases.first(), 1_950_00)
    assert "Made Oak table in Lead funnel" in answer.content.decode()


def test_a_bad_card_is_refused_with_what_was_typed(contact, workflow, staff, browse):
    url = reverse("contact_card", args=[contact.business.slug, contact.pk])
    foreign = make_workflow(make_business())
    for sent in (
        {"name": "", "workflow": str(workflow.pk)},
        {"name": "x" * 10_000, "workflow": str(workflow.pk)},
        {"name": "a\x00b", "workflow": str(workflow.pk)},
        {"name": "Oak", "workflow": str(foreign.pk)},
        {"name": "Oak", "workflow": "x"},
        {"name": "Oak", "workflow": str(workflow.pk), "value": "<b>"},
    ):
        answer = browse(staff).post(url, sent)
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.content.decode()
    assert Card.objects.count() == 0


def test_a_viewer_makes_no_card_and_an_archived_contact_gets_none(contact, workflow, viewer, staff, browse):
    url = reverse("contact_card", args=[contact.business.slug, contact.pk])
    sent = {"name": "Oak", "workflow": str(workflow.pk)}
    assert browse(viewer).post(url, sent).status_code == 403
    contact.archive(by=actor(staff))
    assert browse(staff).post(url, sent).status_code == 404
    assert Card.objects.count() == 0


def test_without_a_workflow_the_page_says_what_to_do_first(contact, manager, staff, browse):
    url = reverse("contact_card", args=[contact.business.slug, contact.pk])
    assert "A card needs a workflow" in browse(staff).get(url).content.decode()
