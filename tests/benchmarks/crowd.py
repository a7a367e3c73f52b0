"""Eight people at once, each moving cards of their own as fast as the server answers; then the order is checked.

Most cards never move. A moved card goes right behind one of those, so where the last answer put it can be told
exactly: behind that card, and before every card that was put there earlier. A card that is not there was lost.
"""

import random
import threading
import time
from itertools import cycle
from statistics import median, quantiles

from django.db.models import Count

from accounts.models import Event
from boards.models import Card
from tests.benchmarks.one_move import Mover
from tests.benchmarks.stage import PEOPLE, Stage
from tests.benchmarks.table import show

OWN = 20  # cards of each person
COLUMN = 500


def run(stage: Stage) -> None:
    """Print how many moves a second there are, and whether each one held."""
    seconds = 2 if stage.quick else 10
    rows = [
        ["places of their own, two columns", *_moves(stage, seconds, same_spot=False)],
        ["all at the same spot", *_moves(stage, seconds, same_spot=True)],
    ]
    head = [
        "",
        "moves/s",
        "goal",
        "best peer",
        "failed",
        "lost",
        "places shared",
        "CPU ms",
        "median ms",
        "p95 ms",
        "worst ms",
    ]
    show(f"{PEOPLE} people moving cards on a board of {2 * COLUMN:,}, {seconds} s", head, rows)


def _moves(stage, seconds: int, *, same_spot: bool) -> list:
    workflow = stage.board(COLUMN, COLUMN)
    phases = list(workflow.phases.all()[:2])
    columns = [list(phase.cards.all()) for phase in phases]
    moving = [column.pop() for _ in range(PEOPLE * OWN // 2) for column in columns]
    spots = [(phase, card) for phase, column in zip(phases, columns, strict=True) for card in column]
    crowd = [
        Person(Mover(stage.visitor(n), stage, workflow), moving[n::PEOPLE], spots[:1] if same_spot else spots)
        for n in range(PEOPLE)
    ]
    before = sum(stage.server.cpu())
    started = time.perf_counter()
    for person in crowd:
        person.until = started + seconds
        person.start()
    for person in crowd:
        person.join()
    took = time.perf_counter() - started
    used = sum(stage.server.cpu()) - before

    walls = [wall * 1000 for person in crowd for wall in person.walls]
    failed = sum(person.failed for person in crowd)
    done = len(walls) - failed
    acknowledged = {card: spot for person in crowd for card, spot in person.acknowledged.items()}
    lost, shared = _lost(workflow, acknowledged), _shared(workflow)
    times = [median(walls), quantiles(walls, n=20)[-1], max(walls)]
    return [done / took, "≥ 150", 21, failed, lost, shared, used * 1000 / max(1, done), *times]


class Person(threading.Thread):
    """Moves their own cards, one after the other, without a pause."""

    def __init__(self, mover: Mover, cards: list[Card], spots: list):
        super().__init__()
        self.mover, self.cards, self.spots, self.until = mover, cards, spots, 0.0
        self.walls, self.failed, self.acknowledged = [], 0, {}

    def run(self):
        for card in cycle(self.cards):
            if time.perf_counter() >= self.until:
                return
            phase, neighbour = random.choice(self.spots)
            answer = self.mover.move(card, phase, neighbour)
            self.walls.append(answer.seconds)
            if answer.status == 200:
                self.acknowledged[card.pk] = (phase.pk, neighbour.pk)
            else:
                self.failed += 1


def _lost(workflow, acknowledged: dict) -> int:
    """Return how many cards do not stand where the last answer about them put them."""
    told = Event.objects.filter(name__in=("card.moved", "card.reordered"), subject_id__in=acknowledged)
    last = {event.subject_id: event.sequence for event in told.order_by("sequence")}
    lost, place, newer = 0, None, 0
    for card in Card.objects.on_board().filter(workflow=workflow).order_by("phase_id", "rank"):
        if card.pk not in acknowledged:
            place, newer = (card.phase_id, card.pk), float("inf")
            continue
        sequence = last.get(card.pk, 0)
        lost += acknowledged[card.pk] != place or sequence > newer
        newer = min(newer, sequence)
    return lost + len(set(acknowledged) - set(workflow.cards.values_list("pk", flat=True)))


def _shared(workflow) -> int:
    """Return how many places hold more than one card."""
    return workflow.cards.order_by().values("phase_id", "rank").annotate(cards=Count("pk")).filter(cards__gt=1).count()
