"""Cards made by quick add, by one person and by eight at once, all in one column that fills."""

import threading
import time

from tests.benchmarks.stage import PEOPLE, Stage
from tests.benchmarks.table import show


def run(stage: Stage) -> None:
    """Print how many cards a second there are, and whether each one is there."""
    seconds = 2 if stage.quick else 8
    rows = [["1 person", *_cards(stage, 1, seconds, 76)], [f"{PEOPLE} people", *_cards(stage, PEOPLE, seconds, 72)]]
    head = ["", "cards/s", "goal", "best peer", "failed", "lost", "CPU ms"]
    show(f"Cards created through quick add, {seconds} s", head, rows)


def _cards(stage, people: int, seconds: int, peer: int) -> list:
    workflow = stage.board()
    phase = workflow.phases.first()
    path, page = stage.path(workflow, "phases", str(phase.pk), "add"), stage.path(workflow)
    visitors = [stage.visitor(n) for n in range(people)]
    statuses = []

    def add(n):
        made = 0
        while time.perf_counter() < started + seconds:
            made += 1
            statuses.append(visitors[n].post(path, page, name=f"Card {made} of person {n}").status)

    before = sum(stage.server.cpu())
    started = time.perf_counter()
    threads = [threading.Thread(target=add, args=[n]) for n in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    used = sum(stage.server.cpu()) - before

    made = statuses.count(200)
    phase.refresh_from_db()
    lost = made - min(phase.card_count, phase.cards.count(), phase.cards.values("number").distinct().count())
    return [made / took, "≥ 100", peer, len(statuses) - made, lost, used * 1000 / max(1, made)]
