"""One card moves at a time: the form that a drop sends, to a random place of its column or of another one."""

import random
import re

from boards.models import Card
from tests.benchmarks.cost import Cost
from tests.benchmarks.stage import Stage
from tests.benchmarks.table import show

PEERS = {100: 9, 1_000: 26, 10_000: 70}  # CPU ms of the best peer's move on such a machine


def run(stage: Stage) -> None:
    """Print what a move costs in columns of different lengths."""
    sizes = (100, 1_000) if stage.quick else (100, 1_000, 10_000)
    requests, rows = 60 if stage.quick else 300, []
    for size in sizes:
        workflow = stage.board(size, size // 10)
        cost = Cost.of(stage.server, _within(stage, workflow), requests)
        rows.append([f"within a column of {size:,}", cost.web, cost.database or None, "≤ 6", PEERS[size], cost.wall])
    cost = Cost.of(stage.server, across(stage, workflow), requests)
    rows.append(
        [f"{sizes[-1]:,} → another column", cost.web, cost.database or None, "≤ 6", PEERS[sizes[-1]], cost.wall]
    )
    show("One move", ["", "web CPU ms", "database CPU ms", "goal", "best peer", "wall ms"], rows)


def _within(stage, workflow):
    """Return a function that moves a random card behind a random other one of the first column."""
    phase = workflow.phases.first()
    mover = Mover(stage.visitor(), stage, workflow)
    cards = list(phase.cards.all())

    def ask():
        card, neighbour = random.sample(cards, 2)
        return mover.move(card, phase, neighbour)

    return ask


def across(stage, workflow):
    """Return a function that moves a random card of one of the first two columns into the other, at a random place."""
    one, two = workflow.phases.all()[:2]
    mover = Mover(stage.visitor(), stage, workflow)
    columns = {one: list(one.cards.all()), two: list(two.cards.all())}
    ways = [(one, two), (two, one)]

    def ask():
        here, there = ways[0]
        ways.reverse()
        card = columns[here].pop(random.randrange(len(columns[here])))
        answer = mover.move(card, there, random.choice(columns[there]))
        columns[there].append(card)
        return answer

    return ask


class Mover:
    """Somebody who moves cards and knows the revisions that the answers bring."""

    def __init__(self, visitor, stage: Stage, workflow):
        self.visitor, self.slug, self.page = visitor, stage.business.slug, stage.path(workflow)
        self.revisions: dict[int, int] = {}

    def move(self, card: Card, phase, neighbour: Card):
        """Drop a card behind a neighbour of a phase."""
        fields = {"phase": phase.pk, "after": neighbour.pk, "before": "", "end": ""}
        fields["revision"] = self.revisions.get(card.number, card.revision)
        answer = self.visitor.post(f"/{self.slug}/cards/{card.number}/move/", self.page, **fields)
        fresh = re.search(rb'id="card-%d"[^>]* data-rev="(\d+)"' % card.number, answer.body)
        if fresh:
            self.revisions[card.number] = int(fresh[1])
        return answer
