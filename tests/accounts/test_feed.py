"""The feed: the ledger in sentences, for a whole business."""

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from accounts.events import catalogue
from accounts.models import Event
from accounts.views.feed import A_PAGE
from boards.ordering import BOTTOM
from tests.factories import actor, join, make_card, make_contact

pytestmark = pytest.mark.django_db


def look(browse, member, **filters):
    return browse(member).get(reverse("feed", args=[member.business.slug]), filters)


def told(page):
    return [event for _, events in page.context["days"] for event in events]


def test_it_tells_what_happened_newest_first_and_who_did_it(browse, business, owner, staff, workflow):
    card = make_card(workflow.phases.first(), name="Oak kitchen", by=actor(staff))
    card.move(workflow.phases.all()[1], BOTTOM, by=actor(owner))

    page = look(browse, owner)

    assert [event.name for event in told(page)][:2] == ["card.moved", "card.created"]
    assertContains(page, f"<b>{owner.user.name}</b> moved this from")
    assertContains(page, f"<b>{staff.user.name}</b> created this card in")


def test_a_card_and_a_contact_are_links_as_long_as_they_are_there(browse, business, owner, workflow):
    card = make_card(workflow.phases.first(), name="Oak kitchen")
    contact = make_contact(business)
    at_card = reverse("card", args=[business.slug, card.number])
    at_contact = reverse("contact", args=[business.slug, contact.pk])
    page = look(browse, owner)
    assertContains(page, f'href="{at_card}"')
    assertContains(page, f'href="{at_contact}"')

    card.archive(by=actor(owner))
    card.delete_for_good(by=actor(owner))
    page = look(browse, owner)
    assertNotContains(page, f'href="{at_card}"')
    assertContains(page, "Oak kitchen")  # what happened is told all the same


def test_days_are_those_of_the_business(browse, business, owner):
    business.update(time_zone="Asia/Tokyo", by=actor(owner))
    Event.objects.update(at="2026-11-19T16:00:00Z")  # one o'clock on the 20th in Tokyo
    with time_machine.travel("2026-11-20T03:00:00Z"):
        page = look(browse, owner)
    assertContains(page, "Today</h2>")
    assertContains(page, "01:00</time>")


def test_it_is_filtered_by_kind_and_by_person(browse, business, owner, staff, workflow):
    make_card(workflow.phases.first(), by=actor(staff))
    make_contact(business, by=actor(owner))

    assert {event.name for event in told(look(browse, owner, kind="card"))} == {"card.created"}
    assert {event.actor_id for event in told(look(browse, owner, who=str(staff.user_id)))} == {str(staff.user_id)}
    assert {event.actor_kind for event in told(look(browse, owner, who="system"))} == {"system"}
    both = look(browse, owner, kind="contact", who=str(staff.user_id))
    assert told(both) == []
    assertContains(both, "Clear filters")


def test_every_kind_of_thing_can_be_chosen(browse, owner):
    kinds = {kind for kind, _ in look(browse, owner).context["kinds"]}
    assert kinds == {name.split(".")[0] for name in catalogue}


def test_older_leads_to_every_event_once_and_keeps_the_filters(browse, business, owner):
    for number in range(A_PAGE + 5):
        make_contact(business, given_name=str(number))
    client, seen = browse(owner), []
    address = reverse("feed", args=[business.slug]) + "?kind=contact"
    while address:
        page = client.get(address)
        seen += [event.sequence for event in told(page)]
        make_contact(business)  # what happens meanwhile shifts nothing
        older = page.context["older"]
        address = older and reverse("feed", args=[business.slug]) + f"?{older}"
    assert len(seen) == len(set(seen)) == A_PAGE + 5
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "1.5", "²"])
def test_a_page_that_does_not_exist_is_no_error(browse, owner, before):
    assert look(browse, owner, before=before).status_code == 200


@pytest.mark.parametrize(
    "filters", [{"kind": "%"}, {"kind": "\x00"}, {"who": "9" * 40}, {"who": "'; --"}, {"who": "\x00"}]
)
def test_nonsense_in_the_filters_finds_nothing(browse, owner, filters):
    page = look(browse, owner, **filters)
    assert page.status_code == 200
    assert told(page) == []


def test_names_are_not_markup(browse, business, owner, workflow):
    make_card(workflow.phases.first(), name="<script>alert(1)</script>{{ 7 }}")
    page = look(browse, owner)
    assertNotContains(page, "<script>alert")
    assertContains(page, "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 }}")


def test_everybody_here_may_read_it_and_nobody_else(browse, business, viewer, stranger, client):
    assert look(browse, viewer).status_code == 200
    address = reverse("feed", args=[business.slug])
    assert browse(stranger).get(address).status_code == 404
    assert client.get(address).status_code == 302


def test_another_business_is_not_in_it(browse, owner, stranger, workflow):
    make_contact(stranger.business, given_name="Secret")
    assertNotContains(look(browse, owner), "Secret")


def test_a_full_page_costs_no_more_queries_than_a_short_one(browse, business, owner, workflow):
    def count():
        with CaptureQueriesContext(connection) as queries:
            look(browse, owner)
        return len(queries)

    def happen(times):
        for _ in range(times):
            make_card(workflow.phases.first(), by=actor(join(business, "staff")))
            make_contact(business)

    happen(1)
    few = count()
    happen(A_PAGE)
    assert count() <= few  # the short one tells of the workflow too
