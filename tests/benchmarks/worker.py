"""The worker: calls carried to a receiver on this machine, as fast as it can and at the pace of a busy shop."""

import threading
import time
from statistics import median

from django.db import close_old_connections, transaction
from django.db.models import Min
from django.utils import timezone

from accounts.actor import Actor
from accounts.verbs import writing
from automations.models import Delivery, Webhook
from tests.automations.receiver import listening
from tests.benchmarks.api import BASE, Program
from tests.benchmarks.stage import Stage
from tests.benchmarks.table import show

PACE = 50  # events a second
CLIENTS = 4
PATIENCE = 120  # seconds to wait for the last call


def run(stage: Stage) -> None:
    """Print how many calls a worker carries a second, and how long they wait when events come at a pace."""
    with listening() as receiver:
        _at_once(stage, receiver)
        receiver.got.clear()
        _at_a_pace(stage, receiver)


def _at_once(stage, receiver) -> None:
    count = 100 if stage.quick else 500
    about = {"to": f"{receiver.url}/in", "subject": "Benchmark", "by": Actor.system(stage.business)}
    before = stage.server.worker_cpu()
    with writing(), transaction.atomic():
        for number in range(count):
            Delivery.queue(stage.business, Delivery.CALL, f"benchmark {number}", body=f"{number}", **about)
    started = time.perf_counter()
    _wait_for(receiver, count)
    took = time.perf_counter() - started
    worker, database = (now - then for now, then in zip(stage.server.worker_cpu(), before, strict=True))
    repeated = len(receiver.got) - len({got.body for got in receiver.got})
    row = [f"{count} calls at once", count / took, worker * 1000 / count, database * 1000 / count or None, repeated]
    show("Calls carried by one worker", ["", "a second", "worker CPU ms", "database CPU ms", "repeated"], [row])


def _at_a_pace(stage, receiver) -> None:
    seconds = 8 if stage.quick else 60
    workflow = stage.board(100, 0)
    hook = Webhook.objects.create(
        business=stage.business, name="Benchmark", url=f"{receiver.url}/in", events=["card.moved"]
    )
    crowd = [Mover(stage, workflow, number, seconds) for number in range(CLIENTS)]
    ages = Ages(stage)
    before, before_web = stage.server.worker_cpu()[0], stage.server.cpu()[0]
    started = time.perf_counter()
    for one in [ages, *crowd]:
        one.start()
    for one in crowd:
        one.join()
    took, moved = time.perf_counter() - started, sum(one.moved for one in crowd)
    _wait_for(receiver, hook.deliveries.count())
    drained = time.perf_counter() - started - took
    ages.stop()
    busy = (stage.server.worker_cpu()[0] - before) / (took + drained)
    web = (stage.server.cpu()[0] - before_web) / took
    hook.delete()
    row = [f"{moved / took:.0f} moves a second for {seconds} s", moved, *ages.figures(), drained, busy * 100, web * 100]
    head = ["", "calls", "age, median s", "p95 s", "oldest s", "to the last s", "worker CPU %", "web CPU %"]
    show("The age of the queue when each move is told to a webhook", head, [row])


def _wait_for(receiver, count: int) -> None:
    patience = time.perf_counter() + PATIENCE
    while len(receiver.got) < count and time.perf_counter() < patience:
        time.sleep(0.01)


class Mover(threading.Thread):
    """A program that moves cards of its own over the API, a share of the pace."""

    def __init__(self, stage: Stage, workflow, number: int, seconds: int):
        super().__init__(daemon=True)
        self.program, self.seconds, self.moved = Program(stage, f"Mover {number}"), seconds, 0
        self.phases = [str(phase.pk) for phase in workflow.phases.all()[:2]]
        self.cards = [str(pk) for pk in workflow.cards.values_list("pk", flat=True)[number::CLIENTS]]

    def run(self):
        """Move one card after the other, each at its time; who is late does not wait."""
        began, number = time.perf_counter(), 0
        while (at := number * CLIENTS / PACE) < self.seconds:
            time.sleep(max(0, began + at - time.perf_counter()))
            if time.perf_counter() - began > self.seconds:
                break
            card, to = self.cards[number % len(self.cards)], self.phases[(number // len(self.cards) + 1) % 2]
            answer = self.program("POST", f"{BASE}/cards/{card}/move", {"newPhaseId": to, "newPosition": 0})
            self.moved += answer.status == 200
            number += 1


class Ages(threading.Thread):
    """Somebody who asks four times a second how long the oldest call that is due has waited."""

    def __init__(self, stage: Stage):
        super().__init__(daemon=True)
        self.stage, self.seen, self.done = stage, [], threading.Event()

    def run(self):
        """Ask until told to stop."""
        while not self.done.wait(0.25):
            now = timezone.now()
            due = Delivery.objects.open().filter(business=self.stage.business, due_at__lte=now)
            oldest = due.aggregate(since=Min("due_at"))["since"]
            self.seen.append((now - oldest).total_seconds() if oldest else 0.0)
        close_old_connections()

    def stop(self):
        """Ask no more."""
        self.done.set()
        self.join()

    def figures(self) -> tuple[float, float, float]:
        """Return the median, the 95th of a hundred, and the greatest age, in seconds."""
        ages = sorted(self.seen) or [0.0]
        return median(ages), ages[int(len(ages) * 0.95)], ages[-1]
