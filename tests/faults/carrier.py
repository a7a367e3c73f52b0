"""Moves a card of which a customer and a program are told, and dies at a commit that is named; run as a process of its own.

python -m tests.faults.carrier furnish url    make a card, a webhook of that address, and a rule that mails the customer
python -m tests.faults.carrier move number    move the card; die before the commit of this number
python -m tests.faults.carrier carry number   carry what is due, likewise
python -m tests.faults.carrier look           let the worker sweep and carry, five minutes later; print what there is
"""

import json
import sys
from datetime import UTC, datetime, timedelta

import django

django.setup()

import time_machine  # noqa: E402
from django.db.models.functions import Now  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.actor import Actor  # noqa: E402
from accounts.models import Business  # noqa: E402
from automations.models import Delivery, MailTemplate, Rule, Run, Webhook  # noqa: E402
from automations.tasks import sweep  # noqa: E402
from boards.models import Card, Workflow  # noqa: E402
from tests.factories import make_business, make_card, make_contact, make_workflow  # noqa: E402
from tests.faults.ruler import die_at  # noqa: E402


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
    """Let every lease and pause be over, sweep and carry; print what came of it."""
    for _ in range(3):
        Run.objects.update(touched_at=Now() - timedelta(minutes=5))  # the database's clock cannot be set
        sweep.func()
        Delivery.objects.open().update(due_at=timezone.now() - timedelta(minutes=1), leased_until=None)
        carry()
    rows = Delivery.objects.order_by("kind").values_list("kind", "state", "attempts")
    print(json.dumps([list(row) for row in rows]))


if __name__ == "__main__":
    deed, *at = sys.argv[1:]
    if deed in ("move", "carry"):
        die_at(*at)
        at = []
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5 if deed == "look" else 0)):
        {"furnish": furnish, "move": move, "carry": carry, "look": look}[deed](*at)
