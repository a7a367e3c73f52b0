"""Mails: written from a template, taken back while they wait, handed to a real mail server with the right headers."""

import contextlib
import socket
import threading
import time
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Event
from automations.models import Delivery, Letterhead, MailTemplate, Rule, Run
from boards.models import Card
from boards.undoing import undo
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)

SEED = {
    "trigger": "state_changed",
    "conditions": {"new_state": "delayed"},
    "actions": [
        {"type": "send_email", "template": "delay_notification", "to": "customer"},
        {"type": "webhook", "url": "https://api.example.com/notify"},
    ],
}


@pytest.fixture
def phases(workflow, owner):
    """Return the workflow's phases, of which the third is called Delayed."""
    workflow.phases.all()[2].update(name="Delayed", by=actor(owner))
    return list(workflow.phases.all())


@pytest.fixture
def card(phases, business):
    """Return Ines's card."""
    contact = make_contact(business, emails=[("ines@example.test", "")])
    return make_card(phases[0], "Oak table", contact=contact, due_date=timezone.localdate() + timedelta(days=9))


@pytest.fixture
def template(business):
    """Return the letter about a delay, to which a new business is stocked."""
    return business.mail_templates.get(key="delay_notification")


@pytest.fixture
def rule(business, owner):
    """Return a rule that mails the customer when a card is delayed."""
    document = {**SEED, "actions": SEED["actions"][:1]}
    return Rule.create(business, document, name="Order delayed", by=actor(owner))


def fresh(card):
    return Card.objects.get(pk=card.pk)


def leave(mail):
    """Let a mail's waiting time be over and carry it."""
    Delivery.objects.filter(pk=mail.pk).update(due_at=timezone.now())
    Delivery.carry(mail.pk)
    mail.refresh_from_db()
    return mail


# The seed ---------------------------------------------------------------------------------------------


def test_the_seeds_document_mails_the_customer_and_calls_the_url(
    business, owner, staff, card, phases, letterbox, receiver
):
    document = SEED | {"actions": [SEED["actions"][0], {"type": "webhook", "url": f"{receiver.url}/notify"}]}
    Rule.create(business, SEED, name="As it is written", state="off", by=actor(owner))
    rule = Rule.create(business, document, name="Order delayed", by=actor(owner))
    card.move(phases[2], by=actor(staff))
    run = Run.objects.get(rule=rule)
    assert (run.state, run.reason, len(run.steps)) == ("done", "", 2)
    for delivery in Delivery.objects.all():
        leave(delivery)
    (letter,) = letterbox.letters
    assert letter.receivers == ["ines@example.test"]
    assert letter["Subject"] == "Oak table: it takes a little longer"
    assert "is delayed" in letter.get_body(("plain",)).get_content()
    assert "<strong>Oak table</strong>" in letter.get_body(("html",)).get_content()
    (call,) = receiver.got
    assert call.path == "/notify"
    assert b'"type":"card.moved"' in call.body
    assert f'"rule":{{"id":"{rule.pk}","name":"Order delayed"}}'.encode() in call.body
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.SENT}


def test_another_phase_sends_nothing(rule, card, phases, staff):
    card.move(phases[1], by=actor(staff))
    assert not Delivery.objects.exists()


# Headers ----------------------------------------------------------------------------------------------


def test_a_mail_says_from_whom_it_is_where_to_answer_and_that_a_program_sent_it(
    business, owner, rule, card, phases, letterbox, staff
):
    Letterhead.of(business).update(sender="Brightside Orders", reply_to="orders@brightside.test", by=actor(owner))
    card.move(phases[2], by=actor(staff))
    mail = leave(Delivery.objects.get())
    (letter,) = letterbox.letters
    assert letter["From"] == "Brightside Orders <post@phasewise.test>"
    assert letter["Reply-To"] == "orders@brightside.test"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Id"] == "<delay-notification.brightside.phasewise.test>"
    assert letter["Message-ID"] == f"<{mail.message_id}@phasewise.test>"


def test_a_repeat_is_the_same_mail(rule, card, phases, letterbox, staff):
    card.move(phases[2], by=actor(staff))
    mail = Delivery.objects.get()
    for _ in range(2):  # the server took it, and we did not live to write it down
        leave(mail)
        Delivery.objects.filter(pk=mail.pk).update(state=Delivery.WAITING)
    assert len({letter["Message-ID"] for letter in letterbox.letters}) == 1
    assert len({letter.get_body(("plain",)).get_content() for letter in letterbox.letters}) == 1


def test_names_cannot_smuggle_headers(business, template, card, letterbox, owner):
    card.update(name="Oak\ttable", by=actor(owner))
    with pytest.raises(ValidationError):
        Letterhead.of(business).update(sender="A\r\nBcc: x@example.test", by=actor(owner))
    with pytest.raises(ValidationError):
        Letterhead.of(business).update(reply_to="a@example.test, b@example.test", by=actor(owner))
    Card.objects.filter(pk=card.pk).update(name="Oak\r\nBcc: x@example.test")
    business.update(name="Brightside\r\nBcc: x@example.test", by=actor(owner))
    template = MailTemplate.objects.get(pk=template.pk)
    template.send_test(fresh(card), "maren@brightside.test", by=actor(owner))
    leave(Delivery.objects.get())
    (letter,) = letterbox.letters
    assert letter["Bcc"] is None
    assert letter["Subject"] == "[Test] Oak Bcc: x@example.test: it takes a little longer"


# Taking back ------------------------------------------------------------------------------------------


def test_a_mail_waits_as_long_as_its_template_says(rule, template, card, phases, letterbox, staff):
    before = timezone.now()
    card.move(phases[2], by=actor(staff))
    mail = Delivery.objects.get()
    assert before + timedelta(minutes=10) <= mail.due_at <= timezone.now() + timedelta(minutes=10)
    Delivery.carry(mail.pk)
    assert not letterbox.letters


def test_moving_the_card_back_takes_the_mail_back(rule, card, phases, letterbox, staff):
    card.move(phases[2], by=actor(staff))
    fresh(card).move(phases[0], by=actor(staff))
    mail = leave(Delivery.objects.get())
    assert (mail.state, letterbox.letters) == (Delivery.STOPPED, [])
    assert mail.error == "Tomás Rivera took back what it tells of."
    assert Event.objects.filter(name="delivery.stopped").count() == 1


def test_undo_takes_the_mail_back(rule, card, phases, letterbox, staff):
    event = card.move(phases[2], by=actor(staff))
    undo(Event.objects.get(pk=event.pk), by=actor(staff))
    assert Delivery.objects.get().state == Delivery.STOPPED


def test_moving_the_card_on_leaves_the_mail_alone(rule, card, phases, staff):
    card.move(phases[2], by=actor(staff))
    fresh(card).move(phases[3], by=actor(staff))
    assert Delivery.objects.get().state == Delivery.WAITING


def test_what_has_left_is_not_taken_back(rule, card, phases, letterbox, staff):
    card.move(phases[2], by=actor(staff))
    leave(Delivery.objects.get())
    fresh(card).move(phases[0], by=actor(staff))
    assert Delivery.objects.get().state == Delivery.SENT


# To whom ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "address"),
    [
        ("customer", "ines@example.test"),
        ("assignee", "MEMBER"),
        ("Tomás Rivera", "MEMBER"),
        ("office@brightside.test", "office@brightside.test"),
    ],
)
def test_it_goes_to_whom_the_rule_names(business, owner, staff, card, phases, to, address):
    card.assign([staff], by=actor(owner))
    action = {"type": "send_email", "template": "delay_notification", "to": to}
    Rule.create(business, SEED | {"actions": [action]}, name="Mail", by=actor(owner))
    fresh(card).move(phases[2], by=actor(owner))
    assert Delivery.objects.get().to == (staff.user.email if address == "MEMBER" else address)


def test_several_who_are_assigned_get_a_mail_each(business, owner, staff, manager, card, phases):
    card.assign([staff, manager], by=actor(owner))
    action = {"type": "send_email", "template": "delay_notification", "to": "assignee"}
    Rule.create(business, SEED | {"actions": [action]}, name="Mail", by=actor(owner))
    fresh(card).move(phases[2], by=actor(owner))
    assert set(Delivery.objects.values_list("to", flat=True)) == {staff.user.email, manager.user.email}


def test_nobody_to_write_to_is_a_visible_failure_and_the_card_is_moved(rule, card, phases, staff, business):
    kerry = make_contact(business, "Kerry-Ann", "Boyd")
    card.update(contact=kerry, by=actor(staff))
    fresh(card).move(phases[2], by=actor(staff))
    run = Run.objects.get(rule=rule)
    assert (run.state, run.reason) == ("failed", "Kerry-Ann Boyd has no e-mail address.")
    assert fresh(card).phase == phases[2]
    kerry.update(emails=[("kerry@example.test", "")], by=actor(staff))
    run.retry(by=actor(staff))
    assert Delivery.objects.get().to == "kerry@example.test"


def test_a_template_that_is_gone_is_a_visible_failure(rule, template, card, phases, staff, owner):
    template.delete_for_good(by=actor(owner))
    card.move(phases[2], by=actor(staff))
    run = Run.objects.get(rule=rule)
    assert (run.state, run.reason) == ("failed", "There is no mail template “delay_notification”.")


# The mail server --------------------------------------------------------------------------------------


def test_a_server_that_is_busy_is_asked_again(rule, card, phases, letterbox, staff):
    letterbox.answer = "451 Try later"
    card.move(phases[2], by=actor(staff))
    mail = leave(Delivery.objects.get())
    assert (mail.state, mail.attempts) == (Delivery.FAILED, 1)
    assert "451 Try later" in mail.error
    letterbox.answer = "250 OK"
    assert leave(mail).state == Delivery.SENT


def test_a_server_that_refuses_for_good_is_not_asked_again(rule, card, phases, letterbox, staff):
    letterbox.answer = "550 No such mailbox"
    card.move(phases[2], by=actor(staff))
    mail = leave(Delivery.objects.get())
    assert (mail.state, mail.attempts) == (Delivery.GIVEN_UP, 1)
    assert Event.objects.get(name="delivery.given_up").details["why"] == mail.error


def test_a_server_that_is_away_is_asked_again(rule, card, phases, staff, settings):
    options = {"host": "127.0.0.1", "port": 1, "timeout": 2}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
    card.move(phases[2], by=actor(staff))
    assert leave(Delivery.objects.get()).state == Delivery.FAILED


@pytest.mark.parametrize(
    ("talk", "why", "state"),
    [
        ([b"220 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"550 5.1.1 Unknown\r\n"], "550 5.1.1 Unknown", "given_up"),
        ([b"220 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"451 4.7.1 Greylisted\r\n"], "451 4.7.1", "failed"),
        ([b"220 hello\r\n", b"250 ok\r\n", b"553 Sender not allowed\r\n"], "553 Sender", "given_up"),
        (
            [b"220 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"],
            "could not be reached",
            "failed",
        ),
        ([b"220 hello\r\n"], "could not be reached", "failed"),
        ([b"421 Too busy\r\n"], "421 Too busy", "failed"),
        ([b"SSH-2.0-OpenSSH\r\n"], "", "failed"),
    ],
    ids=["unknown", "greylisted", "sender refused", "gone within the letter", "gone at once", "busy", "no mail server"],
)
def test_what_a_mail_server_says_or_leaves_unsaid_decides(rule, card, phases, staff, settings, talk, why, state):
    with saying(talk) as port:
        options = {"host": "127.0.0.1", "port": port, "timeout": 2}
        settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
        card.move(phases[2], by=actor(staff))
        mail = leave(Delivery.objects.get())
    assert (mail.state, mail.attempts) == (state, 1)
    assert why in mail.error


def test_a_server_that_falls_silent_costs_no_more_than_its_time(rule, card, phases, staff, settings):
    with saying([b"220 hello\r\n", None]) as port:
        options = {"host": "127.0.0.1", "port": port, "timeout": 0.2}
        settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
        card.move(phases[2], by=actor(staff))
        assert leave(Delivery.objects.get()).state == Delivery.FAILED


def test_where_encryption_is_asked_for_nothing_is_said_without_it(rule, card, phases, letterbox, staff, settings):
    settings.MAILERS["default"]["OPTIONS"]["use_tls"] = True
    card.move(phases[2], by=actor(staff))
    assert leave(Delivery.objects.get()).state == Delivery.FAILED
    assert letterbox.letters == []


@contextlib.contextmanager
def saying(talk):
    """Run a mail server that says these lines, one for each that it hears, and then hangs up; None: it says nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            client, _ = server.accept()
            with client:
                for line in talk:
                    if line is None:
                        time.sleep(1)
                        return
                    client.sendall(line)
                    client.recv(65536)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


# Budgets ----------------------------------------------------------------------------------------------


def test_one_address_gets_only_so_many_a_day(template, card, letterbox, owner, settings):
    settings.MAILS_A_DAY_EACH = 2
    for _ in range(3):
        template.send_test(card, "ines@example.test", by=actor(owner))
    states = [leave(mail).state for mail in Delivery.objects.order_by("created_at")]
    assert states == [Delivery.SENT, Delivery.SENT, Delivery.GIVEN_UP]
    assert len(letterbox.letters) == 2
    Delivery.objects.filter(state=Delivery.SENT).update(finished_at=timezone.now() - timedelta(hours=25))
    template.send_test(card, "ines@example.test", by=actor(owner))
    assert leave(Delivery.objects.order_by("created_at").last()).state == Delivery.SENT


def test_what_another_business_writes_to_an_address_silences_nobody_here(
    template, card, letterbox, owner, stranger, settings
):
    settings.MAILS_A_DAY_EACH = 1
    theirs = stranger.business.mail_templates.get(key=template.key)
    card_of_theirs = make_card(make_workflow(stranger.business).phases.first())
    leave(theirs.send_test(card_of_theirs, "ines@example.test", by=actor(stranger)))
    ours = template.send_test(card, "ines@example.test", by=actor(owner))
    assert leave(ours).state == Delivery.SENT


def test_a_business_sends_only_so_many_a_day_and_the_rest_waits(template, card, letterbox, owner, settings):
    settings.MAILS_A_DAY = 1
    for name in "ab":
        template.send_test(card, f"{name}@example.test", by=actor(owner))
    first, second = Delivery.objects.order_by("created_at")
    leave(first)
    for _ in range(20):
        leave(second)
    assert (second.state, second.attempts) == (Delivery.WAITING, 0)
    assert second.due_at > timezone.now() + timedelta(minutes=50)
    Delivery.objects.filter(pk=first.pk).update(finished_at=timezone.now() - timedelta(hours=25))
    assert leave(second).state == Delivery.SENT


# Templates --------------------------------------------------------------------------------------------


def test_a_new_business_has_letters_to_begin_with(business, owner):
    assert business.mail_templates.count() == 7
    assert MailTemplate.stock(business, by=actor(owner)) == 0


def test_a_key_is_made_of_the_name_and_stands_once(business, owner):
    make = {"subject": "Hello", "body": "Hello {{ customer.name }}", "by": actor(owner)}
    assert MailTemplate.create(business, name="First greeting", **make).key == "first_greeting"
    with pytest.raises(ValidationError, match="template of this key"):
        MailTemplate.create(business, name="First greeting", **make)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": "{{ card.colour }}"}, "subject"),
        ({"body": "{% if %}"}, "body"),
        ({"body": ""}, "body"),
        ({"subject": "x" * 201}, "subject"),
        ({"minutes": 20_000}, "minutes"),
        ({"key": "With Spaces"}, "key"),
        ({"name": ""}, "name"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_its_field(template, owner, change, field):
    with pytest.raises(ValidationError) as refusal:
        template.update(**change, by=actor(owner))
    assert field in refusal.value.error_dict


def test_mails_that_wait_stay_as_they_were_written(rule, template, card, phases, letterbox, staff, owner):
    card.move(phases[2], by=actor(staff))
    template.update(body="Something else", by=actor(owner))
    leave(Delivery.objects.get())
    assert "is delayed" in letterbox.letters[0].get_body(("plain",)).get_content()


def test_ten_tests_an_hour_are_enough(template, card, owner):
    for _ in range(10):
        template.send_test(card, "maren@brightside.test", by=actor(owner))
    with pytest.raises(ValidationError, match="enough"):
        template.send_test(card, "maren@brightside.test", by=actor(owner))
