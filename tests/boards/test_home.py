"""Home: the workflows from afar, what is due, what is mine, what happened; and what it costs."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from boards.models import Card
from tests.factories import actor, make_card, make_contact, make_workflow

HOME = "/brightside/"


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


def text(client) -> str:
    return " ".join(client.get(HOME).content.decode().split())


def section(page: str, heading: str) -> str:
    return page.split(f">{heading}</h2>")[1].split("</section>")[0]


@pytest.mark.parametrize(
    ("clock", "zone", "words"),
    [
        ("2026-11-20 06:30+00:00", "Europe/Amsterdam", "Good morning, Maren"),
        ("2026-11-20 13:00+00:00", "Europe/Amsterdam", "Good afternoon, Maren"),
        ("2026-11-20 13:00+00:00", "America/New_York", "Good morning, Maren"),
        ("2026-11-20 19:00+00:00", "Europe/Amsterdam", "Good evening, Maren"),
        ("2026-11-20 02:00+00:00", "Europe/Amsterdam", "Good evening, Maren"),
    ],
)
def test_it_greets_by_the_clock_of_the_business(business, owner, browse, clock, zone, words):
    business.update(time_zone=zone, by=actor(owner))
    with time_machine.travel(clock, tick=False):
        assert words in text(browse(owner))


def test_a_tile_tells_what_is_open_worth_late_and_won(owner, staff, phases, browse):
    today = timezone.localdate()
    make_card(phases[0], value=100_000)
    make_card(phases[1], value=50_000, due_date=today - timedelta(days=3))
    make_card(phases[0], value=1).archive(by=actor(staff))
    make_card(phases[0], value=240_000).move(phases[5], by=actor(staff))
    page = text(browse(owner))
    assert "2 open" in page
    assert "<b>€1,500</b>" in page
    assert "1 late" in page
    assert "1 won" in page
    wanted = "Customer contacted me 1, Contact made with customer 1, Price quote sent 0, Invoice sent 0, Invoice paid 0, Won 1"
    assert f'aria-label="Cards per phase: {wanted}"' in page


def test_what_was_won_counts_by_month_in_the_archive_too(owner, staff, phases, browse):
    by = actor(staff)
    with time_machine.travel("2026-10-14 10:00+00:00", tick=False):
        make_card(phases[0], value=100_000).move(phases[5], by=by)
    with time_machine.travel("2026-11-03 10:00+00:00", tick=False):
        card = make_card(phases[0], value=150_000)
    with time_machine.travel("2026-11-09 10:00+00:00", tick=False):
        card.move(phases[5], by=by)
        card.archive(by=by)
    with time_machine.travel("2026-11-20 10:00+00:00", tick=False):
        month = section(text(browse(owner)), "November so far")
    assert "€1,500" in month
    assert "up 50%" in month
    assert "on October" in month
    assert "6 days" in month


def test_nothing_won_shows_no_month(owner, phases, browse):
    make_card(phases[0])
    assert "so far" not in text(browse(owner))


@time_machine.travel("2026-11-20 15:00+01:00", tick=False)
def test_what_is_due_and_late_stands_oldest_first_and_says_how_much(business, owner, staff, phases, browse):
    today = timezone.localdate()
    ines = make_contact(business)
    make_card(phases[0], "Due today", due_date=today)
    make_card(phases[0], "Late this morning", due_date=today, due_time="09:00", contact=ines)
    make_card(phases[0], "Late", due_date=today - timedelta(days=2), assignees=[staff])
    make_card(phases[0], "Tomorrow", due_date=today + timedelta(days=1))
    make_card(phases[5], "Won anyway", due_date=today - timedelta(days=9))
    make_card(phases[0], "Archived", due_date=today).archive(by=actor(staff))
    page = text(browse(owner))
    assert "Friday 20 November. One thing is due today and two are late." in page
    due = section(page, "Due today and late")
    places = [due.index(name) for name in (">Late<", "Late this morning", "Due today")]
    assert places == sorted(places)
    for name in ("Tomorrow", "Won anyway", "Archived"):
        assert name not in due
    assert "Ines Brunet, Customer contacted me" in due
    assert "2 late" in due


def test_archived_workflows_are_not_seen_from_afar(owner, workflow, phases, browse):
    make_card(phases[0], "Forgotten", due_date=timezone.localdate(), assignees=[owner])
    workflow.archive(by=actor(owner))
    page = text(browse(owner)).split("While you were away")[0].split(">Lately<")[0]
    assert "Lead funnel" not in page
    assert "Forgotten" not in page


def test_my_cards_are_those_i_am_responsible_for(owner, staff, phases, browse):
    make_card(phases[0], "Of Tomás", assignees=[staff])
    make_card(phases[1], "Of both", assignees=[staff, owner], due_date=timezone.localdate() + timedelta(days=40))
    make_card(phases[0], "Of nobody")
    mine = section(text(browse(staff)), "My cards")
    assert mine.index("Of both") < mine.index("Of Tomás")
    assert "Of nobody" not in mine
    assert "Of Tomás" not in section(text(browse(owner)), "My cards")


def test_meanwhile_is_what_others_did_since_i_last_did_something(owner, staff, phases, browse):
    first = make_card(phases[0], "Before", by=actor(staff))
    first.move(phases[1], by=actor(owner))
    second = make_card(phases[0], "After", by=actor(staff))
    second.move(phases[1], by=actor(staff))
    news = section(text(browse(owner)), "While you were away")
    assert "After" in news
    assert "and 1 more" in news  # made and moved in one go
    assert "Before" not in news
    assert "Lately" in text(browse(staff))


def test_names_are_shown_as_text(owner, staff, phases, browse):
    make_card(phases[0], "<script>alert(1)</script>{{ 7|add:7 }}", due_date=timezone.localdate(), by=actor(staff))
    page = text(browse(owner))
    assert "<script>alert(1)" not in page
    assert "{{ 7|add:7 }}" in page


def test_an_empty_business_teaches_and_a_starter_is_one_click_away(business, owner, browse):
    client = browse(owner)
    page = text(client)
    assert "A workflow is the path that a piece of work takes" in page
    answer = client.post("/brightside/workflows/new/", {"starter": "repair", "name": "Repair"}, follow=True)
    assert answer.redirect_chain == [("/brightside/boards/repair/", 302)]
    assert business.workflows.get().phases.count() == 6
    assert "Repair" in text(client)


def test_who_may_not_design_is_told_who_may(staff, viewer, browse):
    for member in (staff, viewer):
        page = text(browse(member))
        assert "A manager of Brightside Joinery makes the first one" in page
        assert "workflows/new" not in page


def test_a_stranger_finds_nothing(workflow, stranger, browse):
    assert browse(stranger).get(HOME).status_code == 404


def test_it_asks_the_database_as_often_for_much_as_for_little(business, owner, staff, browse):
    client = browse(owner)

    def fill(workflows, cards):
        for _ in range(workflows):
            first, second, *_, win = make_workflow(business).phases.all()
            for _ in range(cards):
                contact = make_contact(business)
                make_card(
                    first, due_date=timezone.localdate(), assignees=[owner, staff], contact=contact, by=actor(staff)
                )
                make_card(second, value=100, by=actor(staff)).move(win, by=actor(staff))

    def queries():
        client.get(HOME)
        with CaptureQueriesContext(
            connection,
        ) as counted:
            client.get(HOME)
        return len(counted)

    fill(workflows=2, cards=2)
    little = queries()
    fill(workflows=10, cards=6)
    assert Card.objects.count() == 128
    assert queries() == little
    assert little <= 17
