"""The board page: what it shows, what it costs, and who may see it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from boards.models import Label
from tests.factories import actor, make_card, make_contact, make_workflow


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


def cards_shown(answer):
    return re.findall(r'card__title"><a[^>]*>([^<]*)<', answer.content.decode())


def test_it_shows_columns_with_their_count_and_money(business, staff, workflow, phases, browse):
    make_card(phases[0], "Oak kitchen", value=840_000, contact=make_contact(business))
    make_card(phases[0], "Bench", value=1_050)
    page = browse(staff).get("/brightside/boards/lead-funnel/").content.decode()
    assert "2 open cards · €8,410.50" in page
    assert "Oak kitchen" in page
    assert "Ines Brunet" in page
    assert "€8,400" in page
    assert f'<span class="count" id="count-{phases[0].pk}">2</span>' in page


def test_cards_stand_in_their_order(staff, workflow, phases, browse):
    for name in ("First", "Second", "Third"):
        make_card(phases[0], name)
    assert cards_shown(browse(staff).get("/brightside/boards/lead-funnel/")) == ["First", "Second", "Third"]


def test_the_board_answers_to_its_id_too(staff, workflow, browse):
    assert browse(staff).get(f"/brightside/boards/{workflow.pk}/").status_code == 200


def test_a_long_column_shows_its_first_screenful_and_the_rest_on_demand(staff, workflow, phases, browse):
    for number in range(75):
        make_card(phases[1], f"Line {number:02}")
    client = browse(staff)
    page = client.get("/brightside/boards/lead-funnel/")
    assert cards_shown(page) == [f"Line {n:02}" for n in range(20)]
    more = re.search(r'class="more" href="([^"]+)"', page.content.decode())[1].replace("&amp;", "&")
    rest = client.get(more, headers={"HX-Request": "true"})
    assert cards_shown(rest) == [f"Line {n:02}" for n in range(20, 70)]
    plain = client.get(more)
    assert "<!doctype html>" in plain.content.decode()
    assert cards_shown(plain) == [f"Line {n:02}" for n in range(20, 70)]


def count_queries(client, url):
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


@pytest.mark.parametrize("filters", ["", "?q=line&mine=1&due=1"])
def test_its_queries_do_not_grow_with_what_it_shows(business, staff, workflow, phases, browse, filters):
    client, url = browse(staff), f"/brightside/boards/lead-funnel/{filters}"
    make_card(phases[0], "Line", assignees=[staff], due_date=business.today())
    few = count_queries(client, url)
    labels = list(workflow.labels.all())
    for phase in phases:
        for number in range(30):
            contact = make_contact(business, given_name=f"P{number}")
            make_card(
                phase, f"Line {number}", contact=contact, labels=labels, assignees=[staff], due_date=business.today()
            )
    assert count_queries(client, url) == few


def test_filters_show_only_what_was_asked_for(business, staff, owner, workflow, phases, browse):
    label = Label.objects.filter(workflow=workflow).first()
    make_card(phases[0], "Übersee-Regal", labels=[label])
    make_card(phases[0], "Mine", assignees=[staff], source="Website form")
    make_card(phases[1], "Late", due_date=business.today() - timedelta(days=3))
    make_card(phases[1], "With Ines", contact=make_contact(business))
    client = browse(staff)

    def shown(query):
        return sorted(cards_shown(client.get(f"/brightside/boards/lead-funnel/?{query}")))

    assert shown("q=übersee") == ["Übersee-Regal"]
    assert shown("q=ÜBERSEE") == ["Übersee-Regal"]
    assert shown("q=brunet") == ["With Ines"]
    assert shown("mine=1") == ["Mine"]
    assert shown("due=1") == ["Late"]
    assert shown(f"label={label.pk}") == ["Übersee-Regal"]
    assert shown(f"who={staff.pk}") == ["Mine"]
    assert shown("source=Website+form") == ["Mine"]
    assert shown("q=nothing+like+it") == []
    assert len(shown("label=rubbish&who=%00&q=%00")) == 4


def test_a_filtered_board_says_how_much_fits_and_offers_a_way_back(staff, workflow, phases, browse):
    make_card(phases[0], "Oak")
    make_card(phases[1], "Ash")
    url = "/brightside/boards/lead-funnel/"
    some, none = (browse(staff).get(url, {"q": word}).content.decode() for word in ("oak", "teak"))
    assert "1 of 2 cards fits." in some
    assert f'aria-label="{phases[1].name}, 0 cards" class="is-bare"' in some
    assert "No card on this board fits." in none
    assert all(f'href="{url}">Clear filters' in page for page in (some, none))


def test_a_board_without_cards_says_how_to_begin(staff, viewer, workflow, phases, browse):
    url = "/brightside/boards/lead-funnel/"
    assert f"“Add a card” under {phases[0].name}." in browse(staff).get(url).content.decode()
    assert "board-hint" not in browse(viewer).get(url).content.decode()
    make_card(phases[0], "Oak")
    assert "board-hint" not in browse(staff).get(url).content.decode()


def test_a_filter_change_by_htmx_redraws_the_columns_alone(staff, workflow, phases, browse):
    make_card(phases[0], "Oak")
    answer = browse(staff).get(
        "/brightside/boards/lead-funnel/?q=oak", headers={"HX-Request": "true", "HX-Target": "board"}
    )
    assert answer.content.decode().strip().startswith("<phase-board")
    assert cards_shown(answer) == ["Oak"]


def test_html_in_every_name_is_shown_as_typed(business, staff, owner, browse):
    evil = "<script>alert(1)</script>{{ settings.SECRET_KEY }}{% load x %}"
    workflow = make_workflow(business, name=evil[:60], starter=None)
    phase = workflow.phases.get()
    phase.update(name=evil[:70], by=actor(owner))
    make_card(phase, evil, source=evil[:90], contact=make_contact(business, given_name=evil))
    page = browse(staff).get(f"/brightside/boards/{workflow.slug}/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ settings.SECRET_KEY }}{% load x %}" in page


def test_a_viewer_sees_no_way_to_change_anything(viewer, workflow, phases, browse):
    make_card(phases[0], "Oak")
    page = browse(viewer).get("/brightside/boards/lead-funnel/").content.decode()
    assert "Oak" in page
    assert "Add a card" not in page
    assert 'id="mover"' not in page


def test_strangers_find_nothing_and_visitors_are_asked_to_sign_in(stranger, workflow, browse, client):
    assert browse(stranger).get("/brightside/boards/lead-funnel/").status_code == 404
    assert browse(stranger).get("/other/boards/lead-funnel/").status_code == 404
    answer = client.get("/brightside/boards/lead-funnel/")
    assert answer.status_code == 302
    assert answer.url == "/accounts/login/?next=/brightside/boards/lead-funnel/"


def test_folding_is_remembered_on_this_device(staff, workflow, phases, browse):
    make_card(phases[1], "Hidden")
    client = browse(staff)
    client.post("/brightside/boards/lead-funnel/fold/", {"phase": phases[1].pk})
    assert cards_shown(client.get("/brightside/boards/lead-funnel/")) == []
    client.post("/brightside/boards/lead-funnel/fold/", {"phase": phases[1].pk})
    assert cards_shown(client.get("/brightside/boards/lead-funnel/")) == ["Hidden"]
    assert client.post("/brightside/boards/lead-funnel/fold/", {"phase": "rubbish"}).status_code == 404


def test_this_months_wins_are_counted_in_the_head_of_the_win_column(staff, owner, workflow, phases, browse):
    make_card(phases[0], "Oak", value=500_000).move(phases[-1], by=actor(owner))
    page = browse(staff).get("/brightside/boards/lead-funnel/").content.decode()
    assert "<strong>€5,000</strong> in" in page
    assert "<strong>€5,000 won</strong> this month" in page
