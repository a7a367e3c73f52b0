"""The archive of a workflow: find a card that left the board, bring it back, delete it for good."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from boards.models import Card
from tests.boards.ledger import assert_whole
from tests.factories import actor, make_card, make_contact, make_workflow

ARCHIVE = "/brightside/boards/lead-funnel/archive/"
HTMX = {"HX-Request": "true", "HX-Target": "cards"}


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


@pytest.fixture
def put_away(phases, staff):
    """Return a function that makes an archived card."""

    def make(name="Oak kitchen", phase=0, **fields):
        card = make_card(phases[phase], name, **fields)
        card.archive(by=actor(staff))
        return card

    return make


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_it_shows_what_was_archived_the_latest_first(business, phases, viewer, put_away, browse):
    put_away("Tree house", phase=2, value=520_000, contact=make_contact(business))
    put_away("Bunk bed")
    make_card(phases[0], "Still here")
    page = said(browse(viewer).get(ARCHIVE))
    assert page.index("Bunk bed") < page.index("Tree house")
    assert "Price quote sent · Ines Brunet · €5,200 · archived" in page
    assert "by Tomás Rivera" in page
    assert "Still here" not in page
    assert "Restore" not in page  # a viewer looks


def test_an_empty_archive_says_what_it_is_for(workflow, staff, browse):
    assert "What is archived from the board waits here" in said(browse(staff).get(ARCHIVE))


def test_it_is_searched_by_card_contact_and_number(business, staff, put_away, browse):
    put_away("Tree house", contact=make_contact(business, "Harold", "Pike"))
    bed = put_away("Bunk bed")
    client = browse(staff)
    for text, found in (("TREE", "Tree house"), ("pike", "Tree house"), (f"#{bed.number}", "Bunk bed")):
        page = said(client.get(ARCHIVE, {"q": text}))
        assert found in page
        assert ("Bunk bed" in page) != ("Tree house" in page)
    assert "No archived card matches “nothing”" in said(client.get(ARCHIVE, {"q": "nothing"}))
    piece = said(client.get(ARCHIVE, {"q": "tree"}, headers=HTMX))
    assert piece.startswith('<section class="box box--flush" id="cards"')


@pytest.mark.parametrize("text", ["\x00", "x" * 5_000, "%_\\", "' OR 1=1 --", "#" * 300])
def test_a_strange_search_finds_nothing_and_breaks_nothing(staff, put_away, browse, text):
    put_away()
    assert browse(staff).get(ARCHIVE, {"q": text}).status_code == 200


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_card_comes_back_to_where_it_was(workflow, phases, staff, put_away, browse, headers):
    make_card(phases[0], "Above")
    card = put_away()
    make_card(phases[0], "Below")
    answer = browse(staff).post(f"{ARCHIVE}restore/", {"number": card.number, "phase": ""}, headers=headers)
    assert answer.status_code == (200 if headers else 302)
    assert [c.name for c in Card.objects.on_board().order_by("rank")] == ["Above", "Oak kitchen", "Below"]
    if headers:
        assert "Oak kitchen is back in Customer contacted me." in said(answer)
        assert "/undo/" in said(answer)
        assert "What is archived from the board waits here" in said(answer)
    assert_whole(workflow)


def test_a_card_comes_back_to_a_chosen_phase(workflow, phases, staff, put_away, browse):
    card = put_away(value=100)
    browse(staff).post(f"{ARCHIVE}restore/", {"number": card.number, "phase": str(phases[3].pk)})
    card.refresh_from_db()
    assert card.phase == phases[3]
    assert not card.archived_at
    assert_whole(workflow)


@pytest.mark.parametrize("phase", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_a_phase_that_is_gone_is_told_and_the_card_stays(staff, put_away, browse, phase):
    card = put_away()
    answer = browse(staff).post(f"{ARCHIVE}restore/", {"number": card.number, "phase": phase}, headers=HTMX)
    assert answer.status_code == 422
    assert "That phase does not exist any more." in said(answer)
    card.refresh_from_db()
    assert card.archived_at


def test_bringing_back_twice_is_no_news(business, staff, put_away, browse):
    card, client = put_away(), browse(staff)
    for _ in range(2):
        answer = client.post(f"{ARCHIVE}restore/", {"number": card.number}, headers=HTMX)
        assert answer.status_code == 200
    assert "is on the board already" in said(answer)
    assert business.events.filter(name="card.restored").count() == 1


def test_nothing_comes_back_to_an_archived_workflow(workflow, manager, put_away, browse):
    card = put_away()
    workflow.archive(by=actor(manager))
    client = browse(manager)
    assert "Restore" not in said(client.get(ARCHIVE))
    assert client.post(f"{ARCHIVE}restore/", {"number": card.number}, headers=HTMX).status_code == 422


def test_a_manager_deletes_for_good_after_a_question(business, workflow, manager, put_away, browse):
    card, client = put_away(), browse(manager)
    url = f"{ARCHIVE}{card.number}/delete/"
    assert "Delete Oak kitchen for good?" in said(client.get(url))
    assert Card.objects.filter(pk=card.pk).exists()
    assert "Oak kitchen is gone for good." in said(client.post(url, follow=True))
    assert not Card.objects.filter(pk=card.pk).exists()
    assert business.events.filter(name="card.deleted").count() == 1
    assert client.post(url).status_code == 404
    assert_whole(workflow)


def test_what_is_on_the_board_is_not_deleted_from_here(phases, manager, browse):
    card = make_card(phases[0])
    assert browse(manager).post(f"{ARCHIVE}{card.number}/delete/").status_code == 404


def test_roles(phases, staff, viewer, stranger, put_away, browse):
    card = put_away()
    assert browse(viewer).post(f"{ARCHIVE}restore/", {"number": card.number}).status_code == 403
    assert browse(staff).post(f"{ARCHIVE}{card.number}/delete/").status_code == 403
    assert f"{ARCHIVE}{card.number}/delete/" not in said(browse(staff).get(ARCHIVE))
    assert browse(stranger).get(ARCHIVE).status_code == 404
    card.refresh_from_db()
    assert card.archived_at


@pytest.mark.parametrize("number", ["", "0", "x", "99999999999", "-1"])
def test_a_card_that_is_none_is_not_found(workflow, staff, browse, number):
    assert browse(staff).post(f"{ARCHIVE}restore/", {"number": number}).status_code == 404


def test_a_card_of_another_workflow_is_not_here(business, workflow, manager, browse):
    other = make_card(make_workflow(business, "Repairs", "repair").phases.first())
    other.archive(by=actor(manager))
    client = browse(manager)
    assert other.name not in said(client.get(ARCHIVE))
    assert client.post(f"{ARCHIVE}restore/", {"number": other.number}).status_code == 404
    assert client.post(f"{ARCHIVE}{other.number}/delete/").status_code == 404


def test_long_archives_have_pages_and_cost_the_same(business, staff, put_away, browse):
    client = browse(staff)

    def queries():
        with CaptureQueriesContext(connection) as counted:
            client.get(ARCHIVE)
        return len(counted)

    put_away("The very first", contact=make_contact(business))
    queries()
    little = queries()
    for _ in range(52):
        put_away(contact=make_contact(business))
    assert queries() == little
    page = said(client.get(ARCHIVE))
    assert "Page 1 of 2, 53 cards" in page
    assert "The very first" not in page
    assert "The very first" in said(client.get(ARCHIVE, {"page": 2}))
    assert "The very first" in said(client.get(ARCHIVE, {"page": 99}))
