"""Webhooks, mail templates and the outbox in a real browser: a letter is tried while it is written; every page by axe."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.actor import Actor
from automations.models import Delivery, Inlet, MailTemplate, Notification, Webhook
from boards.models import Trigger
from tests.factories import actor, make_card, make_contact


@pytest.fixture
def rows(business, owner, workflow):
    """Return one of everything that leaves: a webhook, its call, a template, its mail."""
    by = actor(owner)
    card = make_card(workflow.phases.first(), "Oak table", contact=make_contact(business, emails=[("i@x.test", "")]))
    webhook = Webhook.create(business, name="Shop", url="https://shop.example/in", events=["card.moved"], by=by)
    call = Delivery.queue_test(webhook, by=by)
    log = [{"at": "2026-11-20T19:00:00", "sent": False, "said": "It answered 500.", "status": 500, "answer": "no"}]
    gone = {"state": "given_up", "error": "It answered 500.", "finished_at": timezone.now()}
    Delivery.objects.filter(pk=call.pk).update(log=log, **gone)
    lost = Delivery.queue(business, Delivery.MAIL, "lost", to="i@x.test", subject="Sorry", body="Late", by=by)
    Delivery.objects.filter(pk=lost.pk).update(**gone)
    template = MailTemplate.create(business, name="Hi", subject="Hi", body="Dear {{ customer.name }}", by=by)
    mail = template.send_test(card, "i@x.test", by=by)
    Delivery.objects.filter(pk=mail.pk).update(due_at=timezone.now() + timedelta(minutes=8))
    Notification.tell([owner], "trouble", "once", "Shop was switched off", by=Actor.system(business), card=card)
    paid = Trigger.create(business, name="Paid", by=by)
    inlet = Inlet.create(business, name="Bank", trigger=paid, path="card", by=by)
    inlet.receive('{"card": 1}')
    inlet.receive("no")
    return {"inlet": inlet.pk, "webhook": webhook.pk, "call": call.pk, "template": template.pk, "mail": mail.pk}


PAGES = (
    "webhooks/",
    "webhooks/new/",
    "webhooks/{webhook}/",
    "webhooks/calls/{call}/",
    "webhooks/in/new/",
    "webhooks/in/{inlet}/",
    "templates/",
    "templates/new/",
    "templates/{template}/",
    "outbox/",
    "outbox/{mail}/",
    "inbox/",
    "rules/health/",
)


@pytest.mark.parametrize("phone", [False, True])
def test_every_page_can_be_read_by_everybody_and_fits(open_page, assert_accessible, owner, rows, phone):
    page = open_page(owner, phone=phone)
    for address in PAGES:
        page.goto(f"/brightside/{address.format(**rows)}")
        assert_accessible(page, ["dark" if phone else "light"])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


def test_a_letter_is_looked_at_while_it_is_written(open_page, owner, rows):
    page = open_page(owner)
    page.goto(f"/brightside/templates/{rows['template']}/")
    page.get_by_label("Text", exact=True).fill("Dear **{{ customer.given_name }}**")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".outside__letter strong")).to_have_text("Ines")
    page.get_by_label("Text", exact=True).fill("{{ card.colour }}")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no {{ card.colour }}")
    assert MailTemplate.objects.get(pk=rows["template"]).body == "Dear {{ customer.name }}"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_webhook_is_made_tried_and_switched_off(open_page, owner, business, javascript):
    page = open_page(owner, javascript=javascript)
    page.goto("/brightside/webhooks/")
    page.get_by_role("link", name="New webhook").click()
    page.get_by_label("Name").fill("Shop")
    page.get_by_label("Address").fill("https://shop.example/in")
    page.get_by_role("button", name="Make webhook").click()
    expect(page.get_by_role("heading", name="Shop")).to_be_visible()
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_role("button", name="Switch on")).to_be_visible()
    page.get_by_role("button", name="Send a test").click()
    expect(page).to_have_url(re.compile(r"/webhooks/calls/"))


def test_a_mail_that_waits_is_stopped_from_the_outbox(open_page, staff, rows):
    page = open_page(staff, phone=True)
    page.goto("/brightside/outbox/")
    page.get_by_role("button", name=re.compile("^Stop")).click()
    expect(page.get_by_text("Stopped", exact=True)).to_be_visible()
    assert Delivery.objects.get(pk=rows["mail"]).state == "stopped"
