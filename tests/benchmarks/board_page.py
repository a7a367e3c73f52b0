"""The board page: a whole GET of boards of different lengths, and of one whose cards wear all that a card can wear."""

import gzip

from tests.benchmarks.cost import Cost
from tests.benchmarks.stage import Stage
from tests.benchmarks.table import show

PEERS = {100: 27, 1_000: 171, 10_000: 1_592}  # CPU ms of the best peer's board as HTML on such a machine


def run(stage: Stage) -> None:
    """Print what the page costs and how long it is."""
    sizes = (100, 1_000) if stage.quick else (100, 1_000, 10_000)
    boards = [(f"{size:,} cards in a column", stage.board(size), PEERS[size], "≤ 30") for size in sizes]
    boards.append(
        ("1,000 lived-in cards in 6 columns", stage.board(*[167] * 5, 165, dressed=True), PEERS[1_000], "≤ 30")
    )
    visitor, rows = stage.visitor(), []
    for name, workflow, peer, goal in boards:
        path = stage.path(workflow)
        cost = Cost.of(stage.server, lambda path=path: visitor.get(path), 15 if stage.quick else 60)
        page = visitor.get(path).body
        sent, packed = round(len(page) / 1000), round(len(gzip.compress(page, 6)) / 1000)
        rows.append([name, cost.web, cost.database or None, goal, peer, cost.wall, sent, "≤ 200", packed])
    head = ["", "web CPU ms", "database CPU ms", "goal", "best peer", "wall ms", "kB", "goal", "kB gzip"]
    show("The board page: the first screenful of every column", head, rows)
