"""Moves cards until somebody kills it, and says each move aloud once it is confirmed; run as a process of its own.

python -m tests.faults.mover     move cards for ever: a line per confirmed move, "number sequence revision"
"""

import random
from datetime import timedelta

import django

django.setup()

from accounts.actor import Actor  # noqa: E402
from accounts.events import recorded  # noqa: E402
from accounts.models import Business, Event, Untold  # noqa: E402
from boards.models import Card, Workflow  # noqa: E402
from boards.ordering import BOTTOM, TOP, Place  # noqa: E402
from tests.boards.ledger import assert_whole  # noqa: E402
from tests.factories import make_business, make_card, make_workflow  # noqa: E402


def furnish():
    """Make a workflow with cards."""
    workflow = make_workflow(make_business(slug="faults"))
    for number in range(12):
        make_card(workflow.phases.all()[number % 3], value=number)


def move():
    """Move cards for ever."""
    by = Actor.system(Business.objects.get())
    phases = list(Workflow.objects.get().phases.all())
    numbers = list(Card.objects.values_list("number", flat=True))
    while True:
        card = Card.objects.get(number=random.choice(numbers))
        neighbour = Card.objects.exclude(pk=card.pk).order_by("?").values_list("pk", flat=True).first()
        event = card.move(random.choice(phases), random.choice([TOP, BOTTOM, Place(after=neighbour)]), by=by)
        if event:
            print(card.number, event.sequence, card.revision, flush=True)


def move_once():
    """Move one card, and have somebody who listens."""
    recorded.connect(lambda **_: None, weak=False)
    Card.objects.first().move(Workflow.objects.get().phases.last(), by=Actor.system(Business.objects.get()))


def look():
    """Check that everything is whole, tell what is untold, and return what there is."""
    assert_whole(Workflow.objects.get())
    heard = []
    recorded.connect(lambda event, **_: heard.append(event.sequence), weak=False)
    moves = Event.objects.filter(name__in=["card.moved", "card.reordered"])
    return {
        "moves": dict(moves.values_list("sequence", "details__number")),
        "revisions": dict(Card.objects.values_list("number", "revision")),
        "untold": list(Event.objects.filter(told_at=None).values_list("sequence", flat=True)),
        "told": [Untold.tell_again(timedelta(0)), Untold.tell_again(timedelta(0))],
        "heard": heard,
    }


if __name__ == "__main__":
    move()
