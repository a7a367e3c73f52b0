"""Webhooks over the API, those that go out and those that come in; and what was delivered."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Receipt
from automations.models import Delivery, Inlet, MailTemplate, Rule, Webhook
from tests.api.program import program_of
from tests.factories import actor, join, make_card, make_contact

pytestmark = pytest.mark.django_db(transaction=True)
HOOKS, INLETS, SENT = "/automations/v1/webhooks", "/automations/v1/inlets", "/automations/v1/deliveries"
HOOK = {"name": "Shop", "url": "https://shop.example/in/T0KEN", "events": ["card.moved"]}


def made(program, **fields) -> str:
    return program.post(HOOKS, {"webhook": HOOK | fields}).body["id"]


# Webhooks ---------------------------------------------------------------------------------------------


def test_a_webhook_is_made_and_its_secret_told_once(program):
    made = program.post(HOOKS, {"webhook": HOOK}).body
    webhook = Webhook.objects.get()
    assert (made["id"], made["secret"]) == (str(webhook.pk), webhook.secrets[0])
    read = program.get(f"{HOOKS}/{webhook.pk}")
    assert read.body["webhook"].items() >= (HOOK | {"format": "phasewise"}).items()
    assert webhook.secrets[0] not in str((read.body, program.get(HOOKS).body))


def test_a_secret_is_told_again_under_the_same_key_but_kept_nowhere(program):
    once, again = (program.post(HOOKS, {"webhook": HOOK}, Idempotency_Key="one") for _ in range(2))
    assert once.body == again.body
    assert again.headers["Idempotency-Replayed"] == "true"
    assert once.body["secret"] not in Receipt.objects.get().answer
    program.post(f"{HOOKS}/{once.body['id']}/rotate")
    assert "secret" not in program.post(HOOKS, {"webhook": HOOK}, Idempotency_Key="one").body


def test_a_renewed_secret_signs_beside_the_old_one(program):
    pk = made(program)
    before = Webhook.objects.get().secrets[0]
    new = program.post(f"{HOOKS}/{pk}/rotate").body["secret"]
    assert Webhook.objects.get().secrets == [new, before]


def test_a_webhook_is_changed_switched_tested_and_deleted(program):
    path = f"{HOOKS}/{made(program)}"
    program.patch(path, {"webhook": {"events": ["card.created"], "format": "cards"}})
    assert program.post(f"{path}/disable").body == {}
    webhook = program.get(path).body["webhook"]
    assert (webhook["events"], webhook["format"], "disabledDate" in webhook) == (["card.created"], "cards", True)
    assert program.post(f"{path}/enable").body == {}
    assert "disabledDate" not in program.get(path).body["webhook"]
    test = program.post(f"{path}/test").body["id"]
    assert program.get(f"{SENT}/{test}").body["delivery"]["subject"] == "webhook.test"
    assert program.delete(path).body == {}
    assert program.get(path).code == "WEBHOOK_NOT_FOUND"
    assert program.get(f"{SENT}/{test}").body["delivery"]["state"] == "stopped"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"url": "https://localhost/in"}, {"webhook.url": "URL"}),
        ({"url": "ftp://shop.example/"}, {"webhook.url": "FORMAT"}),
        ({"events": []}, {"webhook.events": "TOO_SHORT"}),
        ({"events": ["moon.full"]}, {"webhook.events.0": "FORMAT"}),
        ({"secret": "mine"}, {"webhook.secret": "UNKNOWN_FIELD"}),
    ],
)
def test_a_webhook_that_makes_no_sense_names_the_field_and_makes_nothing(program, fields, wrong):
    answer = program.post(HOOKS, {"webhook": HOOK | fields})
    assert (answer.status, set(answer.fields.items()) & set(wrong.items())) == (400, set(wrong.items()))
    assert not Webhook.objects.exists()


def test_there_are_so_many_webhooks_and_tests_and_no_more(program, monkeypatch):
    monkeypatch.setattr("automations.models.webhook.MOST", 1)
    monkeypatch.setattr("automations.models.delivery.TESTS", 1)
    pk = made(program)
    full = program.post(HOOKS, {"webhook": HOOK})
    program.post(f"{HOOKS}/{pk}/test")
    tested = program.post(f"{HOOKS}/{pk}/test")
    assert (full.status, full.code) == (403, "MAX_WEBHOOKS_REACHED")
    assert (tested.status, tested.code) == (403, "MAX_TESTS_REACHED")


def test_what_an_address_holds_in_secret_is_told_to_those_alone_who_may_change_it(owner, program):
    pk = made(program, url="https://shop.example?key=T0KEN")
    call = {"type": "webhook", "url": "https://api.example/T0KEN"}
    rule = Rule.create(owner.business, {"trigger": "card_created", "actions": [call]}, by=actor(owner))
    rules = ("/automations/v1/rules", f"/automations/v1/rules/{rule.pk}")
    looking = program_of(owner, "AUTOMATION_VIEW")
    for path in (HOOKS, f"{HOOKS}/{pk}", *rules):
        assert "T0KEN" in str(program.get(path).body)
        assert "T0KEN" not in str(looking.get(path).body)
    assert looking.get(f"{HOOKS}/{pk}").body["webhook"]["url"] == "https://shop.example/…"
    assert looking.get(rules[1]).body["rule"]["document"]["actions"] == [call | {"url": "https://api.example/…"}]
    assert looking.get("/automations/v1/rulebook").code == "PERMISSION_DENIED"
    assert "T0KEN" in str(program.get("/automations/v1/rulebook").body)


# Webhooks in ------------------------------------------------------------------------------------------


@pytest.fixture
def bank(business):
    """Return an inlet as a program makes it."""
    assert business.trigger_library.filter(key="payment_received")
    return {"name": "Bank", "triggerKey": "payment_received", "path": "order.number"}


def test_an_address_takes_what_comes_and_tells_of_it(program, bank, workflow):
    card = make_card(workflow.phases.first())
    made = program.post(INLETS, {"inlet": bank}).body
    address = made["address"].removeprefix("http://testserver")
    for body in ({"order": {"number": card.number}}, {"order": {}}):
        Client().post(address, body, content_type="application/json")
    failed, reported = program.get(f"{INLETS}/{made['id']}/calls").body["calls"]
    assert (failed["failed"], failed["said"]) == (True, "There is nothing at order.number.")
    assert (reported["failed"], reported["cardId"]) == (False, str(card.pk))
    assert reported["said"] == f"Reported Payment received on card {card.number}."


def test_an_address_is_changed_renewed_and_deleted(program, bank):
    pk = program.post(INLETS, {"inlet": bank}).body["id"]
    program.patch(f"{INLETS}/{pk}", {"inlet": {"find": "external_id", "onlyPath": "type", "onlyValue": "paid"}})
    inlet = program.get(f"{INLETS}/{pk}").body["inlet"]
    assert inlet.items() >= (bank | {"find": "external_id", "onlyPath": "type", "onlyValue": "paid"}).items()
    before = Inlet.objects.get().secret
    renewed = program.post(f"{INLETS}/{pk}/rotate").body["address"]
    assert Inlet.objects.get().secret in renewed
    assert Inlet.by_secret(before) is None
    assert renewed not in str((program.get(INLETS).body, program.get(f"{INLETS}/{pk}").body))
    assert program.delete(f"{INLETS}/{pk}").body == {}
    assert program.get(f"{INLETS}/{pk}/calls").code == "INLET_NOT_FOUND"


def test_an_address_that_makes_no_sense_is_refused(program, bank):
    unknown = program.post(INLETS, {"inlet": bank | {"triggerKey": "moon_is_full"}})
    assert (unknown.status, unknown.code) == (404, "TRIGGER_NOT_FOUND")
    assert program.post(INLETS, {"inlet": bank | {"path": "a..b"}}).fields == {"inlet.path": "FORMAT"}
    assert program.post(INLETS, {"inlet": bank | {"onlyPath": "type"}}).fields == {"inlet.onlyValue": "ONLY"}
    assert not Inlet.objects.exists()


# Deliveries -------------------------------------------------------------------------------------------


@pytest.fixture
def card(workflow, business):
    """Return Ines's card."""
    return make_card(workflow.phases.first(), "Oak table", contact=make_contact(business, emails=[("ines@x.test", "")]))


@pytest.fixture
def mail(card, business, owner):
    """Return a mail that waits."""
    letter = MailTemplate.create(business, name="Hi", subject="Hello", body="Dear {{ customer.name }}", by=actor(owner))
    mail = letter.send_test(card, "ines@x.test", by=actor(owner))
    Delivery.objects.filter(pk=mail.pk).update(due_at=timezone.now() + timedelta(minutes=8))
    return mail


@pytest.fixture
def call(program):
    """Return a call of a webhook that was given up."""
    pk = made(program)
    test = program.post(f"{HOOKS}/{pk}/test").body["id"]
    log = [{"at": "2026-11-20T19:00:00+00:00", "sent": False, "said": "It answered 500.", "status": 500, "headers": {}}]
    Delivery.objects.filter(pk=test).update(log=log, state="given_up", error="It answered 500.", attempts=1)
    return Delivery.objects.get(pk=test)


def test_deliveries_are_listed_by_state_kind_webhook_and_card(program, mail, call, card):
    asked = {
        "": [call, mail],
        "?state=waiting": [mail],
        "?state=given_up": [call],
        "?kind=mail": [mail],
        f"?webhookId={call.webhook_id}": [call],
        f"?cardId={card.pk}": [mail],
        f"?cardId={card.pk}&kind=webhook": [],
        "?limit=1&offset=1": [mail],
    }
    for query, expected in asked.items():
        found = program.get(f"{SENT}{query}").body["deliveries"]
        assert [one["id"] for one in found] == [str(one.pk) for one in expected], query


def test_a_delivery_is_shown_with_its_log_to_who_may_see_cards(owner, program, mail, call):
    shown = program.get(f"{SENT}/{call.pk}").body["delivery"]
    assert (shown["to"], shown["state"], shown["error"]) == ("https://shop.example", "given_up", "It answered 500.")
    assert shown["log"] == [
        {"date": "2026-11-20T19:00:00+00:00", "sent": False, "said": "It answered 500.", "status": 500}
    ]
    letter = program.get(f"{SENT}/{mail.pk}").body["delivery"]
    assert letter["text"].startswith("Dear ")
    assert "leavesDate" in letter
    assert program_of(owner, "AUTOMATION_VIEW").get(f"{SENT}/{mail.pk}").code == "PERMISSION_DENIED"


def test_a_mail_that_waits_leaves_or_is_stopped_and_what_ended_is_sent_again(program, mail, call):
    path = f"{SENT}/{mail.pk}"
    assert program.post(f"{path}/resend").code == "ALREADY_CHANGED"
    assert program.post(f"{path}/send").body == {}
    mail.refresh_from_db()
    assert mail.due_at <= timezone.now()
    assert program.post(f"{path}/stop").body == program.post(f"{path}/stop").body == {}
    assert program.post(f"{path}/send").status == 409
    assert program.post(f"{path}/resend").body == {}
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == ("waiting", 0)
    program.post(f"{HOOKS}/{call.webhook_id}/disable")
    off = program.post(f"{SENT}/{call.pk}/resend")
    assert (off.status, off.code) == (409, "WEBHOOK_DISABLED")


def test_calls_and_what_members_are_told_are_not_for_everybody(program, business, mail, call, owner):
    Delivery.objects.create(
        business=business, kind="mail", key="note", member=owner, to="m@x.test", subject="S", body="B"
    )
    staff = program_of(join(business, "staff"))
    assert [one["id"] for one in staff.get(SENT).body["deliveries"]] == [str(mail.pk)]
    assert staff.get(f"{SENT}/{call.pk}").code == "DELIVERY_NOT_FOUND"
    assert len(program.get(SENT).body["deliveries"]) == 2
