"""The API as a program uses it: lists of a long workflow, a whole tree, and cards made and moved by one and by eight."""

import json
import random
import threading
import time
from http.client import HTTPConnection

from accounts.actor import Actor
from accounts.models import Token
from accounts.policy import SCOPES
from boards.models import Phase
from tests.benchmarks.cost import Cost
from tests.benchmarks.stage import Stage
from tests.benchmarks.table import show
from tests.benchmarks.visitor import Answer

BASE = "/workflows/v1"
CLIENTS = 8


class Program:
    """A program with a token and a keep-alive connection."""

    def __init__(self, stage: Stage, name: str = "Benchmark"):
        maker = stage.people[0]
        secret = Token.create(stage.business, name=name, scopes=list(SCOPES), maker=maker.user, by=Actor.member(maker))[
            1
        ]
        self.connection = HTTPConnection("127.0.0.1", stage.server.port, timeout=60)
        self.headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def __call__(self, method: str, path: str, body=None) -> Answer:
        """Send a request, return what came."""
        started = time.perf_counter()
        self.connection.request(method, path, None if body is None else json.dumps(body), self.headers)
        response = self.connection.getresponse()
        content = response.read()
        return Answer(response.status, content, time.perf_counter() - started)


def run(stage: Stage) -> None:
    """Print what reading costs, and how many cards a second are made and moved."""
    _reading(stage)
    _writing(stage)


def _reading(stage) -> None:
    size = 10_000 if stage.quick else 100_000
    requests = 60 if stage.quick else 300
    program = Program(stage)
    long = stage.board(size - 1000, 1000)
    tree = stage.board(dressed=True)
    by = Actor.system(stage.business)
    while tree.phases.filter(section=Phase.PATH).count() < 20:
        Phase.create(tree, name=f"Step {tree.phases.count()}", by=by)
    full = stage.board(*[20] * 5, dressed=True)
    for phase in list(full.phases.filter(section=Phase.PATH)):
        assert phase.card_count == 20
    cards = f"{BASE}/workflows/{long.pk}/cards"
    asked = [
        (f"list 50 of {size:,} cards", cards, "≤ 8"),
        ("the last 50 of them", f"{cards}?offset={size - 50}", "≤ 8"),
        ("50 of them by name", f"{cards}?sort=name:asc", None),
        ("a workflow of 20 phases, no cards", f"{BASE}/workflows/{tree.pk}", None),
        ("a workflow of 5 phases with 50 lived-in cards", f"{BASE}/workflows/{full.pk}", None),
        ("100 events", "/events/v1/events?limit=100", None),
    ]
    rows = []
    for name, path, goal in asked:
        cost = Cost.of(stage.server, lambda path=path: program("GET", path), requests)
        rows.append([name, cost.web, cost.database or None, goal or "–", cost.wall])
    show("Reading over the API", ["", "web CPU ms", "database CPU ms", "goal", "wall ms"], rows)


def _writing(stage) -> None:
    seconds = 2 if stage.quick else 8
    rows = []
    for clients in (1, CLIENTS):
        rows.append([f"create, {_clients(clients)}", *_crowd(stage, clients, seconds, _creating)])
        rows.append([f"move, {_clients(clients)}", *_crowd(stage, clients, seconds, _moving)])
    head = ["", "a second", "goal", "failed", "lost", "CPU ms"]
    show(f"Cards made and moved over the API, {seconds} s", head, rows)


def _clients(count: int) -> str:
    return "1 client" if count == 1 else f"{count} clients"


def _crowd(stage, clients: int, seconds: int, doing) -> list:
    """Let clients do something as fast as the server answers; return how often a second, and what went wrong."""
    workflow = stage.board(500, 500)
    programs = [Program(stage, f"Client {n}") for n in range(clients)]
    act, lost = doing(workflow, clients)
    statuses = []

    def work(n):
        while time.perf_counter() < started + seconds:
            statuses.append(act(programs[n], n))

    before = sum(stage.server.cpu())
    started = time.perf_counter()
    threads = [threading.Thread(target=work, args=[n]) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    used = sum(stage.server.cpu()) - before
    done = statuses.count(200)
    goal = "≥ 200" if clients == CLIENTS else "–"
    return [done / took, goal, len(statuses) - done, lost(), used * 1000 / max(1, done)]


def _creating(workflow, clients):
    phase = workflow.phases.first()
    path, made = f"{BASE}/workflows/{workflow.pk}/phases/{phase.pk}/cards", []

    def create(program, n):
        answer = program("POST", path, {"card": {"name": f"Card of client {n}", "source": "Benchmark"}})
        if answer.status == 200:
            made.append(json.loads(answer.body)["id"])
        return answer.status

    def lost():
        phase.refresh_from_db()
        there = set(map(str, phase.cards.values_list("pk", flat=True)))
        return len(set(made) - there) + abs(phase.card_count - phase.cards.count())

    return create, lost


def _moving(workflow, clients):
    phases = list(workflow.phases.all()[:2])
    cards = [list(phase.cards.all()) for phase in phases]
    own = [cards[0][n::clients] + cards[1][n::clients] for n in range(clients)]
    standing = {}

    def move(program, n):
        card, to = random.choice(own[n]), random.choice(phases)
        body = {"newPhaseId": str(to.pk), "newPosition": random.randrange(400)}
        answer = program("POST", f"{BASE}/cards/{card.pk}/move", body)
        if answer.status == 200:
            standing[card.pk] = to.pk
        return answer.status

    def lost():
        there = dict(workflow.cards.values_list("pk", "phase_id"))
        return sum(there[card] != phase for card, phase in standing.items())

    return move, lost
