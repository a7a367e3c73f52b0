"""Lets rules act, and dies at a commit that is named; run as a process of its own.

python -m tests.faults.ruler furnish          make a card, and rules that move it, comment, wait and comment again
python -m tests.faults.ruler act number       move the card; die before the commit of this number
python -m tests.faults.ruler wake number      go on after the wait, two hours later; die likewise
python -m tests.faults.ruler look             two minutes later let the worker sweep; print what there is as JSON
"""

import json
import os
import signal
import sys
from datetime import timedelta

import django

django.setup()

import time_machine  # noqa: E402
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402
from django.db.models.functions import Now  # noqa: E402

from accounts.actor import Actor  # noqa: E402
from accounts.models import Business, Event  # noqa: E402
from automations.models import Rule, Run  # noqa: E402
from automations.tasks import sweep  # noqa: E402
from boards.models import Card, Workflow  # noqa: E402
from tests.boards.ledger import assert_whole  # noqa: E402
from tests.factories import make_business, make_card, make_workflow  # noqa: E402

BEGAN = "2027-03-01 09:00Z"


def furnish():
    """Make a card, and two rules of which one sets off the other."""
    business = make_business(slug="faults")
    workflow = make_workflow(business)
    phases = [phase.name for phase in workflow.phases.all()]
    by = Actor.system(business)

    def say(text):
        return {"type": "add_comment", "text": text}

    first = [say("one"), {"type": "move_card", "to": phases[2]}, say("two")]
    second = [say("three"), {"type": "wait", "for": "1 hour"}, say("four"), say("five")]
    for to, actions in ((phases[1], first), (phases[2], second)):
        Rule.create(business, {"trigger": "state_changed", "conditions": {"new_state": to}, "actions": actions}, by=by)
    make_card(workflow.phases.first())


def act():
    """Move the card into the phase that sets the rules off."""
    Card.objects.get().move(Workflow.objects.get().phases.all()[1], by=Actor.system(Business.objects.get()))


def die_at(number: str):
    """Die before the commit of this number."""
    commit, left = BaseDatabaseWrapper._commit, int(number)

    def counted(self):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return commit(self)

    BaseDatabaseWrapper._commit = counted


def look():
    """Let the worker sweep until nothing is left to do, and print what came of it."""
    for _ in range(3):
        Run.objects.update(touched_at=Now() - timedelta(minutes=2))  # the database's clock cannot be set
        sweep.func()
    assert_whole(Workflow.objects.get())
    found = {
        "moves": Event.objects.filter(name="card.moved").count(),
        "said": [comment.text for comment in Card.objects.get().comments.order_by("created_at", "pk")],
        "runs": sorted(Run.objects.values_list("state", flat=True)),
        "untold": Event.objects.filter(told_at=None).count(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    deed, *at = sys.argv[1:]
    moment = {"wake": "2027-03-01 11:00Z", "look": f"2027-03-01 {at[0] if at else '09:05'}Z"}.get(deed, BEGAN)
    with time_machine.travel(moment):
        if deed in ("act", "wake"):
            die_at(*at)
        {"furnish": furnish, "act": act, "wake": sweep.func, "look": look}[deed]()
