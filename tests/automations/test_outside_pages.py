"""Pages of webhooks, mail templates and the outbox, with and without htmx."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from automations.models import Delivery, Letterhead, MailTemplate, Rule, Webhook
from automations.occasion import Occasion
from automations.running import consider
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db

HOOK = {"name": "Shop", "url": "https://shop.example/in", "format": "phasewise", "events": ["card.moved"]}
LETTER = {"name": "Hello", "key": "", "subject": "Hello {{ customer.name }}", "body": "*Hi*", "minutes": "5"}


@pytest.fixture
def at(business):
    """Return a function: the address of a page of the business."""
    return lambda name, *parts: reverse(name, args=[business.slug, *parts])


@pytest.fixture
def card(workflow, business):
    """Return Ines's card."""
    return make_card(workflow.phases.first(), "Oak table", contact=make_contact(business, emails=[("ines@x.test", "")]))


@pytest.fixture
def webhook(business, owner):
    """Return a webhook."""
    return Webhook.create(business, **HOOK, by=actor(owner))


@pytest.fixture
def template(business, owner):
    """Return a mail template."""
    return MailTemplate.create(
        business, name="Hello", subject="Hello", body="Dear {{ customer.name }}", by=actor(owner)
    )


@pytest.fixture
def mail(template, card, owner):
    """Return a mail that waits."""
    mail = template.send_test(card, "ines@x.test", by=actor(owner))
    Delivery.objects.filter(pk=mail.pk).update(due_at=timezone.now() + timedelta(minutes=8))
    return mail


# Webhooks ---------------------------------------------------------------------------------------------


def test_a_webhook_is_made_and_its_page_shows_its_secret(browse, manager, business, at):
    client = browse(manager)
    assert "No webhooks yet" in client.get(at("webhooks")).content.decode()
    answer = client.post(at("webhook_new"), HOOK, follow=True)
    webhook = Webhook.objects.get()
    assert answer.redirect_chain[0][0] == at("webhook", webhook.pk)
    assert webhook.secrets[0] in answer.content.decode()
    assert "Shop" in client.get(at("webhooks")).content.decode()


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(browse, manager, at):
    answer = browse(manager).post(at("webhook_new"), HOOK | {"url": "http://localhost/in", "name": "Mine"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "This name belongs to a private network." in page
    assert 'value="Mine"' in page
    assert not Webhook.objects.exists()


def test_a_webhook_is_changed_or_not_at_all(browse, manager, webhook, at):
    client = browse(manager)
    client.post(at("webhook_update", webhook.pk), HOOK | {"name": "Web shop"})
    webhook.refresh_from_db()
    assert webhook.name == "Web shop"
    answer = client.post(at("webhook_update", webhook.pk), HOOK | {"name": "X", "url": "ftp://x.example"})
    assert answer.status_code == 422
    webhook.refresh_from_db()
    assert webhook.name == "Web shop"


def test_a_test_leads_to_its_own_page(browse, manager, webhook, at):
    answer = browse(manager).post(at("webhook_test", webhook.pk))
    assert answer.url == at("call", Delivery.objects.get().pk)


def test_a_call_is_shown_with_what_was_answered_as_mere_text(browse, manager, webhook, owner, at):
    call = Delivery.queue_test(webhook, by=actor(owner))
    log = [{"at": "2026-11-20T19:00:00", "sent": False, "said": "It answered 500.", "status": 500}]
    log[0] |= {"answer": "<script>alert(1)</script>", "headers": {"webhook-id": "msg_1"}, "milliseconds": 12}
    Delivery.objects.update(log=log, state="given_up", error="It answered 500.")
    page = browse(manager).get(at("call", call.pk)).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "Send again" in page
    assert webhook.secrets[0] not in page


def test_a_call_is_sent_again(browse, manager, webhook, owner, at):
    call = Delivery.queue_test(webhook, by=actor(owner))
    Delivery.objects.update(state="given_up")
    assert browse(manager).post(at("call_resend", call.pk)).status_code == 302
    call.refresh_from_db()
    assert call.state == "waiting"
    assert browse(manager, hx_request="true").post(at("call_resend", call.pk)).status_code == 409


@pytest.mark.parametrize("deed", ["disable", "enable", "rotate", "delete"])
def test_what_can_be_done_with_a_webhook_is_done(browse, manager, webhook, at, deed):
    answer = browse(manager).post(at(f"webhook_{deed}", webhook.pk), follow=True)
    assert answer.status_code == 200
    known = Webhook.objects.filter(pk=webhook.pk).first()
    after = {"delete": known is None}
    if known:
        after |= {"disable": known.disabled_at, "enable": not known.disabled_at, "rotate": known.old_secret_at}
    assert after[deed]


def test_a_mail_is_no_call(browse, manager, mail, at):
    assert browse(manager).get(at("call", mail.pk)).status_code == 404


# Templates --------------------------------------------------------------------------------------------


def test_a_template_is_made_and_changed(browse, manager, business, at):
    client = browse(manager)
    answer = client.post(at("mail_template_new"), LETTER)
    template = MailTemplate.objects.get(name="Hello")
    assert answer.url == at("mail_template", template.pk)
    client.post(at("mail_template_update", template.pk), LETTER | {"key": "greeting", "minutes": "0"})
    template.refresh_from_db()
    assert (template.key, template.minutes) == ("greeting", 0)


def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unseen(browse, manager, template, owner, at):
    client = browse(manager)
    assert 'name="revision" value="1"' in client.get(at("mail_template", template.pk)).content.decode()
    template.update(body="Theirs", by=actor(owner))
    mine = LETTER | {"key": "hello", "body": "Mine", "revision": "1"}
    answer = client.post(at("mail_template_update", template.pk), mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody changed Hello a moment ago." in page
    assert "Mine" in page
    assert 'name="revision" value="2"' in page
    client.post(at("mail_template_update", template.pk), mine | {"revision": "2"})
    template.refresh_from_db()
    assert template.body == "Mine"


def test_what_cannot_be_read_is_said_at_its_field(browse, manager, template, at):
    answer = browse(manager).post(
        at("mail_template_update", template.pk), LETTER | {"key": "k", "body": "{{ card.colour }}"}
    )
    assert answer.status_code == 422
    assert "There is no {{ card.colour }}" in answer.content.decode()


def test_a_preview_says_what_the_letter_says_about_a_card_and_saves_nothing(browse, manager, template, card, at):
    changed = LETTER | {"key": "hello", "body": "Dear **{{ customer.name }}**", "preview": "1", "card": card.number}
    for headers in ({}, {"hx_request": "true"}):
        answer = browse(manager, **headers).post(at("mail_template_update", template.pk), changed)
        assert answer.status_code == 200
        assert "Dear <strong>Ines Brunet</strong>" in answer.content.decode()
    template.refresh_from_db()
    assert template.body == "Dear {{ customer.name }}"
    new = browse(manager).post(at("mail_template_new"), changed)
    assert "Dear <strong>Ines Brunet</strong>" in new.content.decode()
    assert MailTemplate.objects.count() == 1


def test_another_card_can_be_looked_at(browse, staff, template, card, workflow, business, at):
    make_card(workflow.phases.first(), "Other", contact=make_contact(business, "Yusuf", "Demir"))
    client = browse(staff)
    assert "Dear Yusuf Demir" in client.get(at("mail_template", template.pk)).content.decode()
    page = client.get(at("mail_template", template.pk), {"card": card.number}).content.decode()
    assert "Dear Ines Brunet" in page
    assert "Save" not in page
    for odd in ("x", "0", str(10**40)):
        assert client.get(at("mail_template", template.pk), {"card": odd}).status_code == 200


def test_cards_of_another_business_are_not_previewed(browse, staff, template, stranger, at):
    theirs = make_card(make_workflow(stranger.business).phases.first(), "Secret plan")
    page = browse(staff).get(at("mail_template", template.pk), {"card": theirs.number}).content.decode()
    assert "Secret plan" not in page


def test_a_template_is_sent_to_oneself_and_to_nobody_else(browse, manager, template, card, at):
    answer = browse(manager).post(
        at("mail_template_test", template.pk), {"card": card.number, "to": "x@x.test"}, follow=True
    )
    assert manager.user.email in answer.content.decode()
    assert Delivery.objects.get().to == manager.user.email


def test_a_test_without_any_card_is_the_letter_with_nothing_filled_in(browse, manager, template, at):
    assert browse(manager).post(at("mail_template_test", template.pk)).status_code == 302
    assert Delivery.objects.get().body == "Dear\n"


def test_letters_to_begin_with_are_added(browse, manager, business, at):
    assert "No mail templates yet" in browse(manager).get(at("mail_templates")).content.decode()
    browse(manager).post(at("mail_templates_stock"))
    assert business.mail_templates.count() == 7


def test_the_letterhead_is_saved_or_refused_in_words(browse, manager, business, at):
    client = browse(manager)
    client.post(at("letterhead"), {"sender": "Brightside Orders", "reply_to": "o@x.test", "footer": "Oak St 1"})
    assert Letterhead.of(business).sender == "Brightside Orders"
    answer = client.post(at("letterhead"), {"sender": "A <b@x.test>", "reply_to": "", "footer": ""})
    assert answer.status_code == 422
    assert "A name only" in answer.content.decode()


def test_a_template_is_deleted(browse, manager, template, at):
    browse(manager).post(at("mail_template_delete", template.pk))
    assert not MailTemplate.objects.exists()


# The outbox -------------------------------------------------------------------------------------------


def test_what_waits_says_when_it_leaves_and_can_be_stopped_or_sent(browse, staff, mail, at):
    client = browse(staff)
    page = client.get(at("outbox")).content.decode()
    assert "Leaves in 8 min" in page
    answer = client.post(at("mail_stop", mail.pk), {"list": "1"})
    assert answer.url == at("outbox")
    mail.refresh_from_db()
    assert mail.state == "stopped"
    answer = client.post(at("mail_send", mail.pk), follow=True)
    assert "It is not waiting any more" in answer.content.decode()


def test_what_waits_is_sent_at_once(browse, staff, mail, at):
    browse(staff).post(at("mail_send", mail.pk))
    mail.refresh_from_db()
    assert mail.wait == "now"


def test_the_outbox_shows_what_is_asked_for(browse, staff, mail, at):
    client = browse(staff)
    assert mail.subject in client.get(at("outbox"), {"show": "waiting"}).content.decode()
    for other in ("sent", "failed"):
        assert mail.subject not in client.get(at("outbox"), {"show": other}).content.decode()
    assert client.get(at("outbox"), {"show": "x", "page": "x"}).status_code == 200


def test_a_mail_is_shown_as_it_leaves(browse, staff, mail, at):
    page = browse(staff).get(at("mail", mail.pk)).content.decode()
    assert "Dear Ines Brunet" in page
    assert "ines@x.test" in page


def test_a_viewer_reads_no_mails_and_staff_no_webhooks(browse, viewer, staff, mail, webhook, at):
    assert browse(viewer).get(at("outbox")).status_code == 403
    assert browse(staff).get(at("webhook", webhook.pk)).status_code == 403


# What rules send --------------------------------------------------------------------------------------


@pytest.fixture
def run(business, owner, workflow, card, template):
    """Return a run that has called an address and written a mail."""
    call = {"type": "webhook", "url": "https://api.example/T0KEN"}
    letter = {"type": "send_email", "template": "hello", "to": "customer"}
    document = {"trigger": "card_created", "actions": [call, letter]}
    rule = Rule.create(business, document, name="Tell them", by=actor(owner))
    return consider(rule, Occasion.at(card, "a sample", "sample"))


def test_a_run_shows_how_what_it_sent_stands(browse, manager, staff, viewer, run, at):
    Delivery.objects.filter(kind="webhook").update(state="given_up", error="It answered 500.")
    call, mail = Delivery.objects.get(kind="webhook"), Delivery.objects.get(kind="mail")
    page = browse(manager).get(at("run", run.pk)).content.decode()
    for shown in ("Given up", "It answered 500.", at("call", call.pk), "Leaves in 10 min", at("mail", mail.pk)):
        assert shown in page
    page = browse(staff).get(at("run", run.pk)).content.decode()
    assert (at("mail", mail.pk) in page, at("call", call.pk) in page) == (True, False)
    page = browse(viewer).get(at("run", run.pk)).content.decode()
    assert "Given up" in page
    assert not [one for one in ("It answered 500.", "T0KEN", "ines@x.test", at("mail", mail.pk)) if one in page]


def test_the_calls_of_rules_have_a_list_of_their_own(browse, manager, staff, run, webhook, owner, at):
    Delivery.queue_test(webhook, by=actor(owner))
    client = browse(manager)

    def listed(query):
        page = client.get(at("calls") + query).content.decode()
        assert "T0KEN" not in page
        return page.count('class="outside__way clip"')

    counts = {"": 2, "?by=rules": 1, f"?rule={run.rule_id}": 1, "?show=waiting": 2, "?show=sent": 0}
    assert {query: listed(query) for query in counts} == counts
    assert f"{at('calls')}?rule={run.rule_id}" in client.get(at("rule", run.rule_id)).content.decode()
    assert f"{at('calls')}?by=rules" in client.get(at("webhooks")).content.decode()
    assert client.get(f"{at('calls')}?rule=moon").status_code == 404
    assert browse(staff).get(at("calls")).status_code == 403
