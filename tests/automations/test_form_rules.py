"""What happens by itself when a form is sent: rules hear of it and act on its card, and what got stuck is told."""

import pytest

from accounts.actor import Actor
from automations.letters import facts_of, render
from automations.models import MailTemplate, Notification, Rule
from boards.intake import make_card as make_it_a_card
from boards.intake import submit
from boards.models import Card, IntakeForm, Submission
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def form(workflow, manager):
    """An enquiry, open to the public."""
    asked = [
        {"label": "Your name", "target": "name"},
        {"label": "Email", "kind": "email"},
        {"label": "Rough budget?", "kind": "money", "target": "note"},
    ]
    form = IntakeForm.create(workflow, title="Kitchen enquiry", questions=asked, by=actor(manager))
    form.open(by=actor(manager))
    return form


def send(form, key="k1", **options):
    answers = ["Nadia Osei", "nadia@osei.test", 500_000]
    sent = dict(zip(form.questions.all(), answers, strict=True))
    return submit(form, key, sent, by=Actor("form", str(form.pk), form.title, form.business_id), **options)


def rule(business, by, *actions, called="Kitchen enquiry"):
    asked = [{"field": "form", "op": "is", "value": called}]
    document = {"trigger": "form_submitted", "conditions": asked, "actions": list(actions)}
    return Rule.create(business, document, by=actor(by))


SAY = {"type": "add_comment", "text": "Call them today."}


@pytest.mark.parametrize("called", ["Kitchen enquiry", "kitchen_enquiry", "id"])
def test_a_rule_hears_of_a_form_by_any_of_its_names_and_acts_on_its_card(form, business, manager, called):
    greet = rule(business, manager, SAY, called=str(form.pk) if called == "id" else called)
    other = rule(business, manager, SAY, called="Another form")
    assert other.problems == ["There is no form “Another form”."]
    card = send(form).card
    assert greet.runs.get().steps == ["Added a comment"]
    assert [comment.author_name for comment in card.comments.all()] == ["Kitchen enquiry", greet.name]
    assert not other.runs.exists()


def test_the_customer_gets_a_letter_with_what_they_answered(form, business, manager):
    body = "Hello {{ customer.given_name }}, about {{ form.name }}: {{ form.answers.rough_budget }}."
    MailTemplate.create(business, name="Got it", subject="Thank you", body=body, by=actor(manager))
    thanks = rule(business, manager, {"type": "send_email", "template": "got_it", "to": "customer"})
    card = send(form).card
    assert thanks.runs.get().state == "done"
    assert render(body, facts_of(card, business)) == "Hello Nadia, about Kitchen enquiry: €5,000."
    mail = business.deliveries.get(kind="mail")
    assert (mail.to, "€5,000" in mail.body) == ("nadia@osei.test", True)


def test_a_rule_that_fails_harms_no_submission(form, business, manager):
    broken = rule(business, manager, {"type": "move_card", "to": "Nowhere"})
    submission = send(form)
    assert broken.runs.get().state == "failed"
    assert Submission.objects.get() == submission
    assert Card.objects.get() == submission.card


def test_what_became_no_card_is_told_and_sets_rules_off_when_it_is_one(form, business, workflow, manager, staff):
    greet = rule(business, manager, SAY)
    workflow.phases.first().update(wip_limit=1, wip_policy="hard", by=actor(manager))
    there = make_card(workflow.phases.first())
    submission = send(form)
    assert not greet.runs.exists()
    said = "Nadia Osei sent Kitchen enquiry, but no card came of it: Customer contacted me is full: 1 of 1 cards."
    assert {(note.member.role, note.text) for note in Notification.objects.all()} == {
        ("owner", said),
        ("manager", said),
    }
    there.archive(by=actor(staff))
    make_it_a_card(submission, by=actor(staff))
    assert greet.runs.get().state == "done"


def test_what_looks_like_a_machine_sets_off_nothing_and_tells_nobody(form, business, manager):
    greet = rule(business, manager, SAY)
    send(form, doubt="It looks like a machine.")
    assert not greet.runs.exists()
    assert not Notification.objects.exists()
