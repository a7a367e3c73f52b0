"""Webhooks: told what they chose, signed so that the reference library believes it, switched off visibly."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from standardwebhooks import Webhook as Judge
from standardwebhooks import WebhookVerificationError

from accounts.actor import Actor
from accounts.events import tell
from accounts.models import Event
from automations.models import Delivery, Webhook
from automations.models.webhook import MOST, PATIENCE
from boards.ordering import TOP
from tests.factories import actor, make_card, make_contact

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


@pytest.fixture
def webhook(business, owner, receiver):
    """Return a webhook of the receiver that is told of moved and deleted cards."""
    events = ["card.moved", "card.updated", "card.deleted"]
    return Webhook.create(business, name="Shop", url=f"{receiver.url}/in", events=events, by=actor(owner))


def carry_all():
    """Do what the worker would do with everything that is due."""
    for delivery in Delivery.objects.open().order_by("created_at"):
        Delivery.carry(delivery.pk)


def last(webhook):
    return webhook.deliveries.order_by("-created_at").first()


# What it is told --------------------------------------------------------------------------------------


def test_a_move_is_told_with_where_from_and_where_to(webhook, receiver, phases, staff, business):
    contact = make_contact(business, emails=[("ines@example.test", "")])
    card = make_card(phases[0], "Oak table", contact=contact, value=195000)
    card.move(phases[1], by=actor(staff))
    carry_all()
    (got,) = receiver.got
    said = json.loads(got.body)
    assert (got.path, got.headers["Content-Type"]) == ("/in", "application/json")
    assert said["type"] == "card.moved"
    assert said["data"]["from"]["name"] == phases[0].name
    assert said["data"]["to"]["name"] == phases[1].name
    assert said["data"]["actor"] == {"kind": "member", "id": str(staff.user_id), "name": "Tomás Rivera"}
    assert said["data"]["card"]["phase"]["name"] == phases[1].name
    assert said["data"]["card"]["contact"]["email"] == "ines@example.test"
    assert said["data"]["says"] == f"moved this from {phases[0].name} to {phases[1].name}"
    assert last(webhook).state == Delivery.SENT


def test_a_change_is_told_with_what_was_before(webhook, receiver, phases, staff):
    card = make_card(phases[0], "Oak table")
    card.update(name="Oak desk", by=actor(staff))
    carry_all()
    said = json.loads(receiver.got[0].body)["data"]
    assert (said["before"], said["after"]) == ({"name": "Oak table"}, {"name": "Oak desk"})


def test_moves_of_one_card_can_be_put_in_order(webhook, receiver, phases, staff):
    card = make_card(phases[0])
    for phase in phases[1:4]:
        card.move(phase, by=actor(staff))
    for delivery in Delivery.objects.order_by("-created_at"):  # they may arrive in any order
        Delivery.carry(delivery.pk)
    said = [json.loads(got.body)["data"] for got in receiver.got]
    names = [each["to"]["name"] for each in sorted(said, key=lambda each: each["sequence"])]
    assert names == [phase.name for phase in phases[1:4]]


def test_a_card_that_is_gone_is_told_by_what_it_was_called(webhook, receiver, phases, owner):
    card = make_card(phases[0], "Oak table")
    card.archive(by=actor(owner))
    card.delete_for_good(by=actor(owner))
    carry_all()
    said = json.loads(receiver.got[0].body)
    assert (said["type"], said["data"]["subject"]["name"], said["data"]["card"]) == ("card.deleted", "Oak table", None)


def test_nothing_else_and_nobody_else_is_told(webhook, receiver, phases, staff, stranger):
    Webhook.create(
        stranger.business, name="Theirs", url=f"{receiver.url}/theirs", events=["card.moved"], by=actor(stranger)
    )
    card = make_card(phases[0])
    card.move(phases[0], TOP, by=actor(staff))
    assert not Delivery.objects.exists()
    card.move(phases[1], by=actor(staff))
    assert [delivery.webhook for delivery in Delivery.objects.all()] == [webhook]


def test_told_twice_queues_once(webhook, phases, staff):
    card = make_card(phases[0])
    event = card.move(phases[1], by=actor(staff))
    tell(Event.objects.get(pk=event.pk))
    assert Delivery.objects.count() == 1


def test_one_that_is_switched_off_is_told_nothing(webhook, phases, staff, owner):
    webhook.disable(by=actor(owner))
    make_card(phases[0]).move(phases[1], by=actor(staff))
    assert not Delivery.objects.exists()


def test_what_waits_when_it_is_switched_off_does_not_leave(webhook, receiver, phases, staff, owner):
    make_card(phases[0]).move(phases[1], by=actor(staff))
    webhook.disable(by=actor(owner))
    carry_all()
    assert not receiver.got
    assert (last(webhook).state, last(webhook).error) == (Delivery.GIVEN_UP, "The webhook was switched off.")


def test_a_deleted_one_leaves_its_log_and_stops_what_waits(webhook, receiver, phases, staff, owner):
    make_card(phases[0]).move(phases[1], by=actor(staff))
    webhook.delete_for_good(by=actor(owner))
    carry_all()
    delivery = Delivery.objects.get()
    assert not receiver.got
    assert (delivery.state, delivery.webhook, delivery.error) == (
        Delivery.STOPPED,
        None,
        "The webhook Shop was deleted.",
    )


# The three card webhooks ------------------------------------------------------------------------------


def read_token(body: bytes, secret: str) -> dict:
    """Return the claims of a token, after checking its signature as a receiver would."""
    head, claims, signature = body.decode().split(".")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = hmac.new(key, f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + "==") == expected
    return json.loads(base64.urlsafe_b64decode(claims + "=="))


def test_the_card_webhooks_are_tokens_with_the_event_inside(business, owner, receiver, phases, staff):
    webhook = Webhook.create(
        business,
        name="CRM",
        url=receiver.url,
        format=Webhook.CARDS,
        events=["card.created", "card.updated", "card.deleted"],
        by=actor(owner),
    )
    contact = make_contact(business)
    card = make_card(phases[0], "Ines B.", contact=contact, by=actor(staff))
    card.move(phases[1], by=actor(staff))
    card.archive(by=actor(staff))
    known = str(card.pk)
    card.delete_for_good(by=actor(owner))
    carry_all()
    claims = [read_token(got.body, webhook.secrets[0])["data"] for got in receiver.got]
    assert [each["eventType"].rpartition(".")[2] for each in claims] == [
        "card_created",
        "card_updated",
        "card_updated",
        "card_deleted",
    ]
    told = [json.loads(each["data"]) for each in claims]
    assert {each["entityFqdn"] for each in told} == {"wix.workflows.v1.card"}
    assert {each["entityId"] for each in told} == {known}
    assert [each["originatedFrom"] for each in told] == ["created", "moved", "archived", "deleted"]
    assert told[3]["deletedEvent"] == {}
    identity = json.loads(claims[0]["identity"])
    assert identity == {"identityType": "MEMBER", "memberId": str(staff.user_id)}


def test_the_card_inside_has_the_shape_of_the_wire(webhook, owner, receiver, phases, business):
    webhook.update(format=Webhook.CARDS, events=["card.updated"], by=actor(owner))
    card = make_card(phases[0], "Ines B.", contact=make_contact(business))
    card.move(phases[1], by=actor(owner))
    carry_all()
    entity = json.loads(read_token(receiver.got[0].body, webhook.secrets[0])["data"]["data"])["updatedEvent"][
        "currentEntity"
    ]["info"]
    assert entity["id"] == str(card.pk)
    assert entity["primaryAttachment"]["contactId"] == str(card.contact_id)
    assert entity["phaseId"] == str(phases[1].pk)
    assert "description" not in entity


# Signatures -------------------------------------------------------------------------------------------


def test_the_reference_library_believes_the_signature_and_no_other(webhook, receiver, phases, staff):
    make_card(phases[0]).move(phases[1], by=actor(staff))
    carry_all()
    (got,) = receiver.got
    judge = Judge(webhook.secrets[0])
    assert judge.verify(got.body, got.headers)["type"] == "card.moved"
    for change in ({"webhook-id": "msg_x"}, {"webhook-timestamp": str(int(got.headers["webhook-timestamp"]) + 1)}):
        with pytest.raises(WebhookVerificationError):
            judge.verify(got.body, got.headers | change)
    with pytest.raises(WebhookVerificationError):
        judge.verify(got.body.replace(b"card.moved", b"card.other"), got.headers)


def test_a_new_secret_signs_beside_the_old_one_for_a_day(webhook, receiver, phases, staff, owner):
    old = webhook.secrets[0]
    webhook.rotate(by=actor(owner))
    new = webhook.secrets[0]
    assert new != old
    card = make_card(phases[0])
    card.move(phases[1], by=actor(staff))
    carry_all()
    for secret in (old, new):
        Judge(secret).verify(receiver.got[0].body, receiver.got[0].headers)
    Webhook.objects.update(old_secret_until=timezone.now() - timedelta(seconds=1))
    card.move(phases[2], by=actor(staff))
    carry_all()
    Judge(new).verify(receiver.got[1].body, receiver.got[1].headers)
    with pytest.raises(WebhookVerificationError):
        Judge(old).verify(receiver.got[1].body, receiver.got[1].headers)


def test_no_secret_is_in_the_database(webhook):
    values = Webhook.objects.values().get()
    assert webhook.secrets[0].startswith("whsec_")
    assert webhook.secrets[0] not in str(values)


# How it goes ------------------------------------------------------------------------------------------


def test_gone_for_good_switches_it_off_and_the_ledger_says_so(webhook, receiver, phases, staff):
    receiver.answers = [(410, {}, "no more")]
    make_card(phases[0]).move(phases[1], by=actor(staff))
    carry_all()
    webhook.refresh_from_db()
    assert webhook.disabled_at
    assert "410" in webhook.disabled_why
    assert last(webhook).state == Delivery.GIVEN_UP
    names = Event.objects.filter(subject_kind__in=["webhook", "delivery"]).values_list("name", flat=True)
    assert {"webhook.disabled", "delivery.given_up"} <= set(names)


def test_days_of_nothing_but_failures_switch_it_off_and_one_success_forgives(webhook, receiver, phases, staff):
    receiver.answers = [(500, {}, "")]
    card = make_card(phases[0])
    card.move(phases[1], by=actor(staff))
    carry_all()
    webhook.refresh_from_db()
    assert webhook.failing_since
    Webhook.objects.update(failing_since=timezone.now() - PATIENCE + timedelta(minutes=1))
    card.move(phases[2], by=actor(staff))
    carry_all()
    webhook.refresh_from_db()
    assert not webhook.disabled_at
    Webhook.objects.update(failing_since=timezone.now() - PATIENCE - timedelta(minutes=1))
    card.move(phases[3], by=actor(staff))
    carry_all()
    webhook.refresh_from_db()
    assert "5 days" in webhook.disabled_why
    webhook.enable(by=Actor.system(webhook.business))
    receiver.answers = [(200, {}, "")]
    card.move(phases[4], by=actor(staff))
    carry_all()
    webhook.refresh_from_db()
    assert (webhook.failing_since, webhook.disabled_at) == (None, None)


def test_a_test_is_one_attempt_also_of_one_that_is_switched_off(webhook, receiver, owner):
    receiver.answers = [(500, {}, "broken")]
    webhook.disable(by=actor(owner))
    delivery = Delivery.queue_test(webhook, by=actor(owner))
    Delivery.carry(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error, len(receiver.got)) == (Delivery.GIVEN_UP, "It answered 500.", 1)
    assert delivery.log[0]["answer"] == "broken"
    webhook.refresh_from_db()
    assert webhook.failing_since is None


def test_ten_tests_an_hour_are_enough(webhook, owner):
    for _ in range(10):
        Delivery.queue_test(webhook, by=actor(owner))
    with pytest.raises(ValidationError, match="enough"):
        Delivery.queue_test(webhook, by=actor(owner))


# What is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://127.0.0.1:1/"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": ""}, "url"),
        ({"events": []}, "events"),
        ({"events": ["card.flown"]}, "events"),
        ({"events": ["delivery.given_up"]}, "events"),
        ({"events": ["token.created"]}, "events"),
        ({"name": ""}, "name"),
        ({"format": "xml"}, "format"),
    ],
)
def test_what_cannot_work_is_refused_at_its_field(webhook, owner, business, change, field):
    with pytest.raises(ValidationError) as refusal:
        webhook.update(**change, by=actor(owner))
    assert set(refusal.value.error_dict) == {field}
    good = {"name": "Shop", "url": "https://example.com/", "events": ["card.moved"]}
    with pytest.raises(ValidationError):
        Webhook.create(business, **good | change, by=actor(owner))
    assert business.webhooks.count() == 1


def test_a_business_has_only_so_many(webhook, business, owner):
    make = {"url": "https://example.com/", "events": ["card.moved"], "by": actor(owner)}
    for number in range(MOST - 1):
        Webhook.create(business, name=f"No. {number}", **make)
    with pytest.raises(ValidationError, match="at most"):
        Webhook.create(business, name="One more", **make)


def test_staff_make_no_webhooks(business, staff):
    with pytest.raises(PermissionDenied):
        Webhook.create(business, name="Shop", url="https://example.com/", events=["card.moved"], by=actor(staff))


def test_saying_the_same_again_is_no_news(webhook, owner):
    assert webhook.update(name="Shop", by=actor(owner)) is None
    assert webhook.enable(by=actor(owner)) is None
    assert webhook.disable(by=actor(owner))
    assert webhook.disable(by=actor(owner)) is None
