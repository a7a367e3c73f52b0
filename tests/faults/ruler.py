"""Rules that set each other off, wait and go on; deeds for processes that may die in the middle of them."""

from datetime import timedelta

from accounts.actor import Actor
from accounts.models import Business, Event
from automations.models import Rule, Run
from automations.tasks import sweep
from boards.models import Card, Workflow
from tests.boards.ledger import assert_whole
from tests.factories import make_business, make_card, make_workflow
from tests.faults.stage import let_pass


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


def wake():
    """Go on with what waited, as the worker does."""
    sweep.func()


def look():
    """Let the worker sweep until nothing is left to do, a few minutes later; return what came of it."""
    for _ in range(3):
        let_pass(timedelta(minutes=2))
        sweep.func()
    assert_whole(Workflow.objects.get())
    return {
        "moves": Event.objects.filter(name="card.moved").count(),
        "said": [comment.text for comment in Card.objects.get().comments.order_by("created_at", "pk")],
        "runs": sorted(Run.objects.values_list("state", flat=True)),
        "untold": Event.objects.filter(told_at=None).count(),
    }
