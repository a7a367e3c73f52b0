"""SQL that is made once gives and keeps the very rows that Django's own would."""

import threading

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts.models import Event, Membership
from accounts.statements import Blank, Prepared, insert, update
from boards.models import Card
from tests.factories import make_card, make_contact

pytestmark = pytest.mark.django_db
CARD = Prepared(lambda: Card.objects.select_related("contact", "phase__workflow").filter(pk=Blank("pk")))
PEOPLE = Prepared(
    lambda: (
        Membership.objects.select_related("user").filter(business__slug=Blank("slug")).order_by("-role", "user__name")
    )
)


@pytest.fixture
def card(workflow, business):
    """A card with everything that a database keeps in its own way: ids, times, dates, JSON, nothing."""
    contact = make_contact(business)
    return make_card(workflow.phases.first(), contact=contact, value=195_000, due_date="2027-03-31")


def columns(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_a_row_comes_as_django_reads_it_with_its_parents(card, django_assert_num_queries):
    for _ in range(2):
        with django_assert_num_queries(1):
            found = CARD.get(pk=card.pk)
            parents = [found.contact, found.phase, found.phase.workflow]
        assert columns(found) == columns(Card.objects.get(pk=card.pk))
        assert [columns(parent) for parent in parents] == [
            columns(type(parent).objects.get(pk=parent.pk)) for parent in parents
        ]
        assert not found._state.adding


def test_a_parent_that_is_not_there_is_none(workflow):
    card = make_card(workflow.phases.first())
    assert CARD.get(pk=card.pk).contact is None


def test_rows_come_in_their_order_and_a_blank_is_filled_anew_each_time(business, manager, staff, stranger):
    asked = Membership.objects.filter(business=business).order_by("-role", "user__name")
    assert PEOPLE.all(slug=business.slug) == list(asked)
    assert PEOPLE.all(slug=stranger.business.slug) == [stranger]
    assert PEOPLE.first(slug="nowhere") is None


def test_what_is_not_there_is_said_as_django_says_it(card):
    with pytest.raises(Card.DoesNotExist):
        CARD.get(pk=card.workflow_id)


@pytest.mark.django_db(transaction=True)
def test_every_thread_asks_on_its_own_connection(card):
    CARD.get(pk=card.pk)
    found = []

    def ask():
        try:
            found.append(CARD.get(pk=card.pk))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert found == [card] * 4


def test_a_new_row_is_kept_as_django_would_keep_it(card, business):
    event = Event(business=business, sequence=9000, name="card.created", subject_kind="card", subject_id=card.pk)
    event.details = {"phase": {"name": "Über “50 %”"}, "none": None}
    insert(event)
    twin = Card(business=business, workflow=card.workflow, phase=card.phase, rank="zz", number=9000, name="100 %s")
    insert(twin)
    for row in (event, twin):
        assert not row._state.adding
        assert columns(type(row).objects.get(pk=row.pk)) == columns(row)


def test_only_the_fields_that_are_named_are_written(card):
    card.name, card.value, card.contact, card.entered_at = "Changed", None, None, card.created_at
    with CaptureQueriesContext(connection) as asked:
        update(card, "value", "contact", "entered_at")
    found = Card.objects.get(pk=card.pk)
    assert (found.value, found.contact, found.entered_at) == (None, None, card.created_at)
    assert found.name != "Changed"
    assert len(asked) == 1
