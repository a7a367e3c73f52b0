"""The demo business: made once, in order, and whole."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
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


@pytest.fixture(scope="module")
def _told(django_db_setup, django_db_blocker):
    """Tell the story once, on one day; each test takes back what it did with it."""
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(EMBEDDED=True), time_machine.travel("2026-11-20 12:00+01:00", tick=False):
            said = demo(address="http://127.0.0.1:8000")
        yield said
        transaction.set_rollback(True)


@pytest.fixture
def said(_told, db):
    """Return what it printed; the business is there."""
    return _told


def test_its_people_can_sign_in_with_the_printed_password(client, said):
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


def test_asked_again_it_says_the_same_and_changes_nothing(said):
    counted = (Event.objects.count(), User.objects.count(), Card.objects.count())
    assert demo(address="http://127.0.0.1:8000") == said
    assert (Event.objects.count(), User.objects.count(), Card.objects.count()) == counted


def test_its_owner_has_a_second_business_and_is_sent_to_the_first(said):
    owner = User.objects.get(email=PEOPLE[0].email)
    joined = owner.memberships.order_by("joined_at").values_list("business__slug", flat=True)
    assert list(joined) == ["demo-classes", "demo"]


def test_it_is_whole(said):
    assert [ask(business) for business in Business.objects.all()] == [[], []]


def test_rows_have_the_dates_of_their_events(said):
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
def test_there_is_enough_to_look_at(said):
    business = Business.objects.get(slug="demo")
    live = business.workflows.live()
    assert {workflow.name for workflow in live} >= {"Lead funnel", "Workshop production", "Repairs", "Recruitment"}
    assert business.workflows.exclude(archived_at=None).exists()
    assert business.contacts.count() >= 25
    assert not business.contacts.filter(email="").exists()
    assert set(business.contact_labels.values_list("name", flat=True)) >= {"Home", "Trade"}
    funnel = live.get(name="Lead funnel")
    assert [phase.name for phase in funnel.phases.all()] == [
        "Customer contacted me", "Contact made", "Price quote sent", "Invoice sent", "Invoice paid", "Won", "Lost",
    ]  # fmt: skip
    assert funnel.phases.get(name="Invoice sent").trigger.name == "Payment received"
    assert funnel.phases.get(name="Price quote sent").is_full
    won = Card.objects.filter(workflow=funnel, phase__section=Phase.WIN)
    assert sum(card.value for card in won if card.entered_at.month == 11) == 1_740_000
    assert sum(card.value for card in won if card.entered_at.month == 10) == 1_475_000
    assert funnel.cards.exclude(archived_at=None).count() >= 5
    lost = funnel.phases.get(name="Lost").cards.all()
    assert all(card.closings.get().closed_at == card.entered_at for card in lost)
    assert len(lost) == 2
    assert funnel.definitions.first().version == "1.1"
    stand = {state: getattr(business.orders, state)().count() for state in ("running", "completed", "cancelled")}
    assert stand == {"running": 7, "completed": 2, "cancelled": 1}
    assert business.orders.filter(steps__card__workflow__name="Delivery and fitting").running().exists()
    assert any(card.is_stale for card in funnel.cards.on_board().select_related("phase"))
    movers = set(business.events.filter(name="card.moved").values_list("actor_name", flat=True))
    assert len(movers) >= 5


def test_one_board_has_a_design_with_buttons_that_ask_and_rules_that_follow(said, django_capture_on_commit_callbacks):
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
