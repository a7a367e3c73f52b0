"""Programs elsewhere report what happened to a card, by any JSON, to an address that nobody can guess."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import Event
from automations.models import Inlet, Received
from automations.models.inlet import A_MINUTE, KEPT, LONGEST
from boards.models import Card, Trigger
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paid(business, owner):
    """Return the trigger "Deposit paid"."""
    return Trigger.create(business, name="Deposit paid", by=actor(owner))


@pytest.fixture
def inlet(business, owner, paid):
    """Return an address that reports it about the card whose number stands at data.card."""
    return Inlet.create(business, name="Bank", trigger=paid, path="data.card", by=actor(owner))


@pytest.fixture
def card(workflow, business):
    """Return Ines's card."""
    contact = make_contact(business, emails=[("ines@x.test", "")])
    return make_card(workflow.phases.first(), "Oak table", contact=contact, external_id="INV-7")


def send(inlet, document, **headers):
    body = document if isinstance(document, (str, bytes)) else json.dumps(document)
    to = reverse("receive", args=[inlet.secret])
    return Client(headers=headers, enforce_csrf_checks=True).post(to, body, content_type="application/json")


def reports():
    return list(Event.objects.filter(name="card.reported").values_list("details__trigger", flat=True))


def test_what_is_posted_is_reported_and_the_card_moves_on(inlet, card, paid, owner):
    card.phase.update(trigger=paid, by=actor(owner))
    answer = send(inlet, {"data": {"card": card.number}})
    assert (answer.status_code, answer.content.decode()) == (200, f"Reported Deposit paid on card {card.number}.")
    event = Event.objects.get(name="card.reported")
    assert (event.actor_kind, event.actor_name, event.details["trigger"]) == ("system", "Bank", paid.key)
    assert Card.objects.get(pk=card.pk).phase == card.next_phase


@pytest.mark.parametrize(
    ("find", "named"),
    [("number", "NUMBER"), ("number", "#NUMBER"), ("external_id", "INV-7"), ("email", "INES@x.test")],
)
def test_a_card_is_found_by_what_names_it(inlet, card, owner, find, named):
    inlet.update(find=find, by=actor(owner))
    assert send(inlet, {"data": {"card": named.replace("NUMBER", str(card.number))}}).status_code == 200
    assert len(reports()) == 1


@pytest.mark.parametrize("find", ["number", "external_id", "email"])
@pytest.mark.parametrize("sign", ["\\u0000", "\\ud800"])
def test_what_no_database_can_keep_names_no_card(inlet, card, owner, find, sign):
    inlet.update(find=find, by=actor(owner))
    answer = send(inlet, f'{{"data": {{"card": "INV-7{sign}"}}}}')
    assert (answer.status_code, reports()) == (422, [])


def test_lists_have_places(inlet, card, owner):
    inlet.update(path="items.1.ref", by=actor(owner))
    assert send(inlet, {"items": [{}, {"ref": card.number}]}).status_code == 200


def test_what_is_not_meant_is_passed_over(inlet, card, owner):
    inlet.update(only_path="type", only_value="payment.succeeded", by=actor(owner))
    answer = send(inlet, {"type": "payment.failed", "data": {"card": card.number}})
    assert (answer.status_code, reports()) == (200, [])
    assert send(inlet, {"type": "payment.succeeded", "data": {"card": card.number}}).status_code == 200
    assert len(reports()) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "This is no JSON."),
        ("{", "This is no JSON."),
        ("[" * 50_000, "This is no JSON."),
        ("[]", "There is nothing at data.card."),
        ('{"data": {"card": {}}}', "There is nothing at data.card."),
        ('{"data": {"card": 999999}}', "No card is named by “999999”."),
        ('{"data": {"card": 9e99}}', "No card is named by “9e+99”."),
        ('{"data": {"card": "x\\u0000"}}', "No card is named by “x”."),
        ('{"data": {"card": "x\\ud800"}}', "No card is named by “x?”."),
        (b"\xff\xfe", "This is no JSON."),
    ],
)
def test_what_is_not_understood_is_answered_and_logged_in_words(inlet, body, said):
    answer = send(inlet, body)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    call = inlet.calls.get()
    assert (call.failed, call.card) == (True, None)
    assert said in call.said


def test_a_repeat_under_the_same_id_reports_once(inlet, card):
    for name in ("webhook-id", "Idempotency-Key"):
        answers = {send(inlet, {"data": {"card": card.number}}, **{name: f"msg {name}"}).content for _ in range(3)}
        assert len(answers) == 1
    assert len(reports()) == 2


def test_an_archived_card_is_said_to_be(inlet, card, owner):
    card.archive(by=actor(owner))
    answer = send(inlet, {"data": {"card": card.number}})
    assert answer.status_code == 422
    assert "archived" in answer.content.decode()


def test_cards_of_another_business_cannot_be_named(inlet, stranger):
    theirs = make_card(make_workflow(stranger.business).phases.first())
    Card.objects.filter(pk=theirs.pk).update(number=4711)
    assert send(inlet, {"data": {"card": 4711}}).status_code == 422
    assert reports() == []


def test_an_address_that_is_made_up_or_old_leads_nowhere(inlet, card, owner):
    old = reverse("receive", args=[inlet.secret])
    inlet.rotate(by=actor(owner))
    for address in (old, reverse("receive", args=["x" * 43])):
        assert Client().post(address, "{}", content_type="application/json").status_code == 404
    assert send(inlet, {"data": {"card": card.number}}).status_code == 200
    assert inlet.secret not in str(Inlet.objects.values().get())
    assert Client().get(reverse("receive", args=[inlet.secret])).status_code == 405


def test_too_much_is_refused_before_anything_is_kept(inlet):
    assert send(inlet, "x" * (LONGEST + 1)).status_code == 413
    assert send(inlet, "x" * 3_000_000).status_code == 413
    assert not Received.objects.exists()


def test_too_often_is_refused(inlet):
    Received.objects.bulk_create(Received(inlet=inlet, key=str(n), body="", said="") for n in range(A_MINUTE))
    answer = send(inlet, "{}")
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")


def test_the_log_keeps_what_the_last_ones_said(inlet):
    Received.objects.bulk_create(
        Received(inlet=inlet, key=str(n), body="{}", said="", at="2026-01-01T00:00Z") for n in range(KEPT + 20)
    )
    inlet.receive("{}")
    assert inlet.calls.exclude(body="").count() <= KEPT


@pytest.mark.parametrize(
    "change", [{"path": "a b"}, {"path": ""}, {"find": "colour"}, {"only_path": "type"}, {"name": " "}]
)
def test_what_cannot_work_is_refused(inlet, owner, change):
    with pytest.raises(ValidationError):
        inlet.update(**change, by=actor(owner))


def test_a_trigger_of_another_business_is_none(inlet, owner, stranger):
    theirs = Trigger.create(stranger.business, name="Theirs", by=actor(stranger))
    with pytest.raises(ValidationError):
        inlet.update(trigger=theirs, by=actor(owner))


# Pages ------------------------------------------------------------------------------------------------


def test_an_address_is_made_tried_and_read_about(browse, manager, business, paid, card):
    client = browse(manager)
    asked = {"name": "Bank", "trigger": paid.pk, "path": "card", "find": "number"}
    assert client.post(reverse("inlet_new", args=[business.slug]), asked | {"path": "a b"}).status_code == 422
    client.post(reverse("inlet_new", args=[business.slug]), asked)
    inlet = Inlet.objects.get()
    here = reverse("inlet", args=[business.slug, inlet.pk])
    assert f"/in/{inlet.secret}/" in client.get(here).content.decode()
    sample = reverse("inlet_sample", args=[business.slug, inlet.pk])
    page = client.post(sample, {"body": f'{{"card": {card.number}}}'}).content.decode()
    assert f"It would report Deposit paid on card {card.number}" in page
    assert reports() == []
    assert client.post(sample, {"body": "{"}).status_code == 422
    send(inlet, {"card": card.number})
    assert f"Reported Deposit paid on card {card.number}." in client.get(here).content.decode()
    client.post(reverse("inlet_update", args=[business.slug, inlet.pk]), asked | {"name": "Giro"})
    assert "Giro" in client.get(reverse("webhooks", args=[business.slug])).content.decode()
    client.post(reverse("inlet_delete", args=[business.slug, inlet.pk]))
    assert not Inlet.objects.exists()
