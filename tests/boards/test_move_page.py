"""The position update: one address for mouse, finger, keyboard, menu and plain form."""

import re
import uuid

import pytest
from django.urls import reverse

from accounts.models import Event
from boards.models import Card
from tests.factories import actor, make_card, make_workflow

HTMX = {"HX-Request": "true"}


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


@pytest.fixture
def cards(phases):
    """Return four cards in the first phase."""
    return [make_card(phases[0], name, value=100_000) for name in ("One", "Two", "Three", "Four")]


def order(phase):
    return list(Card.objects.on_board().filter(phase=phase).order_by("rank").values_list("name", flat=True))


def move_url(card):
    return f"/brightside/cards/{card.number}/move/"


def test_a_drop_says_after_which_card(staff, phases, cards, browse):
    answer = browse(staff).post(
        move_url(cards[3]), {"phase": phases[0].pk, "after": cards[0].pk, "revision": 1}, headers=HTMX
    )
    assert answer.status_code == 200
    assert order(phases[0]) == ["One", "Four", "Two", "Three"]
    html = answer.content.decode()
    assert f'id="card-{cards[3].number}"' in html
    assert f'data-after="{cards[0].number}"' in html
    assert "Moved Four to another place in Customer contacted me" in html


def test_the_answer_holds_the_card_and_the_figures_and_not_the_column(staff, phases, cards, browse):
    for number in range(40):
        make_card(phases[1], f"Line {number}")
    answer = browse(staff).post(move_url(cards[0]), {"phase": phases[1].pk}, headers=HTMX)
    html = answer.content.decode()
    assert len(re.findall("<article", html)) == 1
    assert f'id="count-{phases[0].pk}" hx-swap-oob="true">3<' in html
    assert f'id="count-{phases[1].pk}" hx-swap-oob="true">41<' in html
    assert len(html) < 9_000


def test_a_number_that_no_card_can_have_is_not_found(staff, phases, browse):
    for number in (2**31, 10**30):
        assert browse(staff).post(f"/brightside/cards/{number}/move/", {"phase": phases[1].pk}).status_code == 404


def test_a_menu_names_only_the_phase_and_the_card_goes_to_its_top(staff, phases, cards, browse):
    make_card(phases[1], "There before")
    browse(staff).post(move_url(cards[1]), {"phase": phases[1].pk}, headers=HTMX)
    assert order(phases[1]) == ["Two", "There before"]


def test_a_plain_form_is_sent_back_to_the_board_with_a_message(staff, phases, cards, browse):
    answer = browse(staff).post(move_url(cards[1]), {"phase": phases[1].pk}, follow=True)
    assert answer.redirect_chain == [("/brightside/boards/lead-funnel/", 302)]
    assert "Moved Two to Contact made with customer" in answer.content.decode()


def test_a_plain_form_on_the_cards_page_comes_back_to_it_and_so_does_its_undo(staff, phases, cards, browse):
    page = f"http://testserver/brightside/cards/{cards[1].number}/"
    client = browse(staff, referer=page)
    answer = client.post(move_url(cards[1]), {"phase": phases[1].pk}, follow=True)
    assert answer.redirect_chain == [(f"/brightside/cards/{cards[1].number}/", 302)]
    assert "Moved Two to Contact made with customer" in answer.content.decode()
    undo = re.search(r'class="toast__undo" action="([^"]+)"', answer.content.decode())[1]
    assert client.post(undo).url == f"/brightside/cards/{cards[1].number}/"
    assert order(phases[0]) == ["One", "Two", "Three", "Four"]


def test_a_neighbour_that_has_gone_is_replaced_by_the_other_one(staff, owner, phases, cards, browse):
    cards[1].archive(by=actor(owner))
    sent = {"phase": phases[0].pk, "after": cards[1].pk, "before": cards[2].pk}
    browse(staff).post(move_url(cards[3]), sent, headers=HTMX)
    assert order(phases[0]) == ["One", "Four", "Three"]


def test_a_stale_drop_is_refused_with_the_name_and_shows_the_card_where_it_is(staff, owner, phases, cards, browse):
    cards[0].move(phases[5], by=actor(owner))
    answer = browse(staff).post(move_url(cards[0]), {"phase": phases[1].pk, "revision": 1}, headers=HTMX)
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "Maren Holt moved it to Won a moment ago." in html
    assert f'data-phase="{phases[5].pk}"' in html
    assert order(phases[1]) == []


def test_a_rename_by_somebody_else_does_not_stand_in_the_way_of_a_drop(staff, owner, phases, cards, browse):
    cards[0].update(name="One and a half", by=actor(owner))
    answer = browse(staff).post(move_url(cards[0]), {"phase": phases[1].pk, "revision": 1}, headers=HTMX)
    assert answer.status_code == 200
    assert order(phases[1]) == ["One and a half"]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Choose a phase."),
        ({"phase": "rubbish"}, "That phase does not exist."),
        ({"phase": "own", "after": "rubbish"}, "valid UUID"),
        ({"phase": "own", "revision": "many"}, "whole number"),
        ({"phase": "own", "end": "middle"}, "valid choice"),
    ],
)
def test_a_senseless_update_is_refused_in_words_and_changes_nothing(staff, phases, cards, browse, sent, said):
    before = Event.objects.count()
    if sent.get("phase") == "own":
        sent = {**sent, "phase": phases[1].pk}
    answer = browse(staff).post(move_url(cards[0]), sent, headers=HTMX)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Event.objects.count() == before
    assert order(phases[0]) == ["One", "Two", "Three", "Four"]


def test_phases_of_others_are_not_found_and_of_another_workflow_refused(
    staff, stranger, business, phases, cards, browse
):
    theirs = make_workflow(stranger.business).phases.first()
    ours = make_workflow(business, name="Repairs").phases.first()
    client = browse(staff)
    assert client.post(move_url(cards[0]), {"phase": theirs.pk}, headers=HTMX).status_code == 404
    assert client.post(move_url(cards[0]), {"phase": uuid.uuid4()}, headers=HTMX).status_code == 404
    refused = client.post(move_url(cards[0]), {"phase": ours.pk}, headers=HTMX)
    assert refused.status_code == 422
    assert "belongs to another workflow" in refused.content.decode()
    assert order(phases[0]) == ["One", "Two", "Three", "Four"]


def test_an_archived_card_does_not_move(staff, owner, phases, cards, browse):
    cards[0].archive(by=actor(owner))
    answer = browse(staff).post(move_url(cards[0]), {"phase": phases[1].pk}, headers=HTMX)
    assert answer.status_code == 422
    assert "One is archived. Restore it first." in answer.content.decode()


def test_a_viewer_is_refused_and_a_get_moves_nothing(viewer, staff, phases, cards, browse):
    assert browse(viewer).post(move_url(cards[0]), {"phase": phases[1].pk}, headers=HTMX).status_code == 403
    assert browse(staff).get(move_url(cards[0]), {"phase": phases[1].pk}).status_code == 405
    assert order(phases[0]) == ["One", "Two", "Three", "Four"]


def test_dropping_twice_moves_once(staff, phases, cards, browse):
    client, sent = browse(staff), {"phase": phases[1].pk, "revision": 1}
    assert client.post(move_url(cards[0]), sent, headers=HTMX).status_code == 200
    assert client.post(move_url(cards[0]), sent, headers=HTMX).status_code == 409
    assert Event.objects.about(cards[0]).filter(name="card.moved").count() == 1


def test_dropping_a_card_where_it_stands_is_no_news(staff, phases, cards, browse):
    before = Event.objects.count()
    answer = browse(staff).post(move_url(cards[1]), {"phase": phases[0].pk, "after": cards[0].pk}, headers=HTMX)
    assert answer.status_code == 200
    assert "Two stayed where it was." in answer.content.decode()
    assert Event.objects.count() == before


def test_undo_puts_the_card_exactly_where_it_was(staff, phases, cards, browse):
    client = browse(staff)
    answer = client.post(move_url(cards[1]), {"phase": phases[3].pk}, headers=HTMX).content.decode()
    undo = re.search(r'hx-post="(/brightside/undo/\d+/)"', answer)[1]
    answer = client.post(undo, headers=HTMX)
    assert "Undone: Two is as it was." in answer.content.decode()
    assert order(phases[0]) == ["One", "Two", "Three", "Four"]
    assert client.post(undo, headers=HTMX).status_code == 409


def test_undo_is_refused_once_somebody_else_touched_the_card(staff, owner, phases, cards, browse):
    client = browse(staff)
    client.post(move_url(cards[1]), {"phase": phases[3].pk}, headers=HTMX)
    event = Event.objects.about(cards[1]).first()
    Card.objects.get(pk=cards[1].pk).update(name="Two, bigger", by=actor(owner))
    answer = client.post(f"/brightside/undo/{event.sequence}/", headers=HTMX)
    assert answer.status_code == 409
    assert "Maren Holt changed Two, bigger since. Nothing was undone." in answer.content.decode()
    assert order(phases[3]) == ["Two, bigger"]


def test_a_viewer_cannot_undo_and_a_stranger_finds_no_event(viewer, stranger, staff, phases, cards, browse):
    browse(staff).post(move_url(cards[1]), {"phase": phases[3].pk}, headers=HTMX)
    event = Event.objects.about(cards[1]).first()
    assert browse(viewer).post(f"/brightside/undo/{event.sequence}/", headers=HTMX).status_code == 403
    assert browse(stranger).post(f"/other/undo/{event.sequence + 90}/", headers=HTMX).status_code == 404
    assert order(phases[3]) == ["Two"]


def test_quick_add_makes_a_card_of_each_line(staff, workflow, phases, browse):
    url = f"/brightside/boards/lead-funnel/phases/{phases[2].pk}/add/"
    answer = browse(staff).post(url, {"name": "Door\r\n\r\n  Window  \nرف خشبي 🪵"}, headers=HTMX)
    assert answer.status_code == 200
    assert order(phases[2]) == ["Door", "Window", "رف خشبي 🪵"]
    phases[2].refresh_from_db()
    assert phases[2].card_count == 3


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Give the card a name."),
        (" \n ", "Give the card a name."),
        ("x" * 10_000, "at most 300 characters"),
        ("ok\n" + "x" * 301, "at most 300 characters"),
        ("line\n" * 201, "at most 200 cards"),
        ("nul\x00l", "ull character"),
    ],
)
def test_a_quick_add_that_cannot_be_adds_nothing_and_says_why(staff, workflow, phases, browse, typed, said):
    url = f"/brightside/boards/lead-funnel/phases/{phases[2].pk}/add/"
    answer = browse(staff).post(url, {"name": typed}, headers=HTMX)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert order(phases[2]) == []


def test_the_menu_offers_every_phase(staff, phases, cards, browse):
    html = browse(staff).get(f"/brightside/cards/{cards[0].number}/menu/", headers=HTMX).content.decode()
    for phase in phases:
        assert f'value="{phase.pk}"' in html
    plain = browse(staff).get(f"/brightside/cards/{cards[0].number}/menu/")
    assert plain.url == f"/brightside/cards/{cards[0].number}/"


def test_a_move_asks_the_database_as_often_in_a_full_column_as_in_an_empty_one(
    staff, phases, cards, browse, django_assert_max_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = browse(staff)

    def cost(card, to):
        with CaptureQueriesContext(connection) as queries:
            assert client.post(move_url(card), {"phase": to.pk}, headers=HTMX).status_code == 200
        return len(queries)

    alone = cost(cards[0], phases[1])
    for number in range(60):
        make_card(phases[2], f"Line {number}")
    assert cost(cards[1], phases[2]) == alone


def test_a_page_that_cannot_be_read_as_an_address_stops_no_move(workflow, staff, browse):
    card, to = make_card(workflow.phases.first()), workflow.phases.all()[1]
    headers = {"HX-Request": "true", "HX-Current-URL": "http://["}
    path = reverse("card_move", args=[workflow.business.slug, card.number])
    assert browse(staff).post(path, {"phase": to.pk}, headers=headers).status_code == 200
