"""The demo business: made once, in order, and whole."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Business, Event, Membership, User
from automations.demo.story import ADMINISTRATOR, PEOPLE
from automations.wholeness import ask
from boards.models import Card, Comment, Draft, Phase

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_ones_own_machine(settings):
    settings.EMBEDDED = True


def demo(**options) -> str:
    out = io.StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue()


def test_its_people_can_sign_in_with_the_printed_password(client):
    said = demo(address="http://127.0.0.1:8000")
    assert "http://127.0.0.1:8000/demo/" in said
    for person in PEOPLE:
        assert person.email in said
        client.logout()
        answer = client.post("/accounts/login/", {"login": person.email, "password": "phasewise-demo"}, follow=True)
        assert answer.redirect_chain[-1][0].startswith("/demo/"), person
        assert Membership.objects.get(business__slug="demo", user__email=person.email).role == person.role
    client.logout()
    client.post("/accounts/login/?next=/admin/", {"login": ADMINISTRATOR.email, "password": "phasewise-demo"})
    for page in ("/admin/", "/admin/boards/card/", "/admin/accounts/event/"):
        assert client.get(page).status_code == 200


def test_asked_again_it_says_the_same_and_changes_nothing():
    first = demo()
    counted = (Event.objects.count(), User.objects.count(), Card.objects.count())
    assert demo() == first
    assert (Event.objects.count(), User.objects.count(), Card.objects.count()) == counted


def test_the_well_known_password_is_refused_where_others_may_come_in(settings):
    settings.EMBEDDED = False
    with pytest.raises(CommandError, match="known to everybody"):
        demo()
    assert not Business.objects.exists()
    assert "of my own" in demo(password="of my own")
    assert User.objects.get(email=PEOPLE[0].email).check_password("of my own")


def test_its_owner_has_a_second_business_and_is_sent_to_the_first():
    demo()
    owner = User.objects.get(email=PEOPLE[0].email)
    joined = owner.memberships.order_by("joined_at").values_list("business__slug", flat=True)
    assert list(joined) == ["demo-classes", "demo"]


@pytest.mark.parametrize("moment", ["2027-01-01 00:05", "2028-02-29 23:50", "2027-03-28 06:00"])
def test_told_on_any_day_it_is_whole_and_in_order(moment):
    with time_machine.travel(f"{moment}+01:00", tick=False):
        demo()
        now = timezone.now()
        for business in Business.objects.all():
            assert ask(business) == []
            ledger = list(business.events.order_by("sequence").values_list("at", flat=True))
            assert ledger == sorted(ledger)
            assert ledger[-1] <= now
            assert ledger[-1] > now - timedelta(days=4)


def test_rows_have_the_dates_of_their_events():
    demo()
    for card in Card.objects.filter(business__slug="demo").prefetch_related("comments", "items"):
        told = list(Event.objects.about(card))
        assert (card.created_at, card.updated_at) == (told[-1].at, told[0].at)
        assert card.entered_at == next(e.at for e in told if e.name in ("card.moved", "card.created"))
        assert bool(card.archived_at) == any(e.name == "card.archived" for e in told)
        for item in card.items.all():
            assert not item.done_at or card.created_at <= item.done_at <= timezone.now()
    assert not Comment.objects.filter(created_at__gt=timezone.now()).exists()
    assert Event.objects.filter(at__lt=timezone.now() - timedelta(days=40)).exists()


@time_machine.travel("2026-11-20 12:00+01:00", tick=False)
def test_there_is_enough_to_look_at():
    demo()
    business = Business.objects.get(slug="demo")
    live = business.workflows.live()
    assert {workflow.name for workflow in live} >= {"Lead funnel", "Workshop production", "Repairs", "Recruitment"}
    assert business.workflows.exclude(archived_at=None).exists()
    assert business.contacts.count() >= 25
    assert not business.contacts.filter(email="").exists()
    assert set(business.contact_labels.values_list("name", flat=True)) >= {"Home", "Trade"}
    funnel = live.get(name="Lead funnel")
    assert [phase.name for phase in funnel.phases.all()] == [
        "Customer contacted me", "Contact made", "Price quote sent", "Invoice sent", "Invoice paid", "Won",
    ]  # fmt: skip
    assert funnel.phases.get(name="Invoice sent").trigger.name == "Payment received"
    assert funnel.phases.get(name="Price quote sent").is_full
    won = Card.objects.filter(workflow=funnel, phase__section=Phase.WIN)
    assert sum(card.value for card in won if card.entered_at.month == 11) == 1_740_000
    assert sum(card.value for card in won if card.entered_at.month == 10) == 1_475_000
    assert funnel.cards.exclude(archived_at=None).count() >= 5
    stand = {state: getattr(business.orders, state)().count() for state in ("running", "completed", "cancelled")}
    assert stand == {"running": 7, "completed": 2, "cancelled": 1}
    assert business.orders.filter(steps__card__workflow__name="Delivery and fitting").running().exists()
    assert any(card.is_stale for card in funnel.cards.on_board().select_related("phase"))
    movers = set(business.events.filter(name="card.moved").values_list("actor_name", flat=True))
    assert len(movers) >= 5


def test_one_board_has_a_design_with_buttons_that_ask_and_rules_that_follow(client, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        demo()
    repairs = Business.objects.get(slug="demo").workflows.get(name="Repairs")
    assert [definition.version for definition in repairs.definitions.all()] == ["1.1", "1.0"]
    assert repairs.rules.of_design().count() == 4
    draft = Draft.running(repairs)
    assert not [problem for problem in draft.problems() if problem.severity == "error"]
    card = repairs.cards.on_board().filter(phase__name="Diagnosed").first()
    assert [action.label for action in card.user_actions] == ["Customer says yes", "Customer says no"]
    with django_capture_on_commit_callbacks(execute=True):
        card.signal("QuoteAgreed", {"Agreed price": 180}, by=Actor.system(card.business))
    card = Card.objects.get(pk=card.pk)
    assert card.phase.name == "Waiting for parts"
    assert list(card.custom.values()) == [180]
