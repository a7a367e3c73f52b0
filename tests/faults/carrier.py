"""A move of which a customer and a program are told; deeds for processes that may die in the middle of them."""

from datetime import timedelta

from accounts.actor import Actor
from accounts.models import Business
from automations.models import Delivery, MailTemplate, Rule, Webhook
from automations.tasks import sweep
from boards.models import Card, Workflow
from tests.factories import make_business, make_card, make_contact, make_workflow
from tests.faults.stage import let_pass


def furnish(url):
    """Make a card whose move a customer and a program are told of."""
    business = make_business(slug="faults")
    by = Actor.system(business)
    workflow = make_workflow(business)
    MailTemplate.create(business, name="Moved", subject="Moved", body="{{ card.name }} moved", minutes=0, by=by)
    Webhook.create(business, name="Shop", url=url, events=["card.moved"], by=by)
    mail = {"type": "send_email", "template": "moved", "to": "customer"}
    Rule.create(business, {"trigger": "state_changed", "conditions": [], "actions": [mail]}, name="Tell", by=by)
    make_card(workflow.phases.first(), "Oak table", contact=make_contact(business, emails=[("ines@x.test", "")]))


def move():
    """Move the card."""
    Card.objects.get().move(Workflow.objects.get().phases.all()[1], by=Actor.system(Business.objects.get()))


def carry():
    """Carry what is due, as the worker does."""
    for delivery in Delivery.objects.open().order_by("created_at"):
        Delivery.carry(delivery.pk)


def look():
    """Let every lease and pause be over, sweep and carry; return what came of it."""
    for _ in range(3):
        let_pass(timedelta(minutes=6))
        sweep.func()
        carry()
    return list(Delivery.objects.order_by("kind").values_list("kind", "state"))
