"""Tiles as they are now, for a board on which somebody else changed them."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from boards.models import Label
from tests.factories import actor, make_card, make_contact, make_workflow

URL = "/brightside/boards/lead-funnel/fresh/"


@pytest.fixture
def phases(workflow):
    """The workflow's phases, in order."""
    return list(workflow.phases.all())


@pytest.fixture
def ask(staff, browse):
    """Ask for tiles as htmx does: `ask(card, other, q="oak")` gives what the page is sent."""
    client = browse(staff, **{"HX-Request": "true"})

    def answer(*cards, **filters):
        numbers = [getattr(card, "number", card) for card in cards]
        response = client.get(URL, {"card": numbers, **filters})
        assert response.status_code == 200
        return response.content.decode()

    return answer


def shown(html):
    return re.findall(r'card__title"><a[^>]*>([^<]*)<', html)


def gone(html):
    return re.findall(r'id="card-(\d+)" data-gone', html)


def test_it_shows_what_was_asked_for_in_the_order_of_the_column(phases, ask):
    first, _, third = (make_card(phases[0], name) for name in ("First", "Second", "Third"))
    html = ask(third, first)
    assert shown(html) == ["First", "Third"]
    assert (
        f'data-mark="{third.mark}" data-rank="{third.rank}" data-quiet data-phase="{phases[0].pk}" data-after="2"'
        in html
    )
    assert f'id="count-{phases[0].pk}" hx-swap-oob="true">3<' in html


def test_what_is_not_on_the_board_is_gone(owner, stranger, phases, ask):
    archived = make_card(phases[0])
    archived.archive(by=actor(owner))
    elsewhere = make_card(make_workflow(owner.business, "Repairs").phases.first(), "Not here")
    theirs = make_card(make_workflow(stranger.business).phases.first(), "Not theirs")
    html = ask(archived, elsewhere, 999, theirs)
    assert shown(html) == []
    assert gone(html) == [str(number) for number in (archived.number, elsewhere.number, 999, theirs.number)]


def test_a_card_that_the_filters_hide_is_gone_and_is_not_counted(phases, ask):
    oak, pine = make_card(phases[0], "Oak"), make_card(phases[0], "Pine")
    html = ask(oak, pine, q="oak")
    assert shown(html) == ["Oak"]
    assert gone(html) == [str(pine.number)]
    assert 'title="1 of 2 cards are shown"' in html


@pytest.mark.parametrize("nonsense", ["abc", "-1", "9" * 30, "", "١"])
def test_nonsense_for_a_number_shows_the_figures_alone(phases, ask, nonsense):
    assert shown(ask(nonsense)) == []


def test_many_tiles_take_no_more_queries_than_one(owner, business, workflow, phases, staff, browse):
    label = Label.create(workflow, name="Urgent", by=actor(owner))
    cards = [
        make_card(phase, contact=make_contact(business), assignees=[owner, staff], labels=[label])
        for phase in phases
        for _ in range(4)
    ]
    client = browse(staff, **{"HX-Request": "true"})

    def queries(some):
        with CaptureQueriesContext(connection) as captured:
            client.get(URL, {"card": [card.number for card in some]})
        return len(captured)

    queries(cards)
    assert queries(cards) == queries(cards[:1])


def test_without_htmx_it_is_the_board(staff, workflow, browse):
    assert browse(staff).get(URL).headers["Location"] == "/brightside/boards/lead-funnel/"
