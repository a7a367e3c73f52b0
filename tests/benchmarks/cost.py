"""What a request costs: CPU by /proc, and the clock."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from tests.benchmarks.server import Server
from tests.benchmarks.visitor import Answer

BATCHES = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of a request: the web process's CPU, the database's, and the median of the clock."""

    web: float
    database: float
    wall: float

    @classmethod
    def of(cls, server: Server, ask: Callable[[], Answer], requests: int) -> "Cost":
        """Ask so often, in three batches; return the costs of the cheapest: neighbours only ever add."""
        for _ in range(3):
            _answered(ask())
        batches, walls = [], []
        each = max(1, requests // BATCHES)
        for _ in range(BATCHES):
            before = server.cpu()
            walls += [_answered(ask()).seconds for _ in range(each)]
            batches.append(
                tuple((after - then) * 1000 / each for after, then in zip(server.cpu(), before, strict=True))
            )
        web, database = min(batches, key=sum)
        return cls(web, database, median(walls) * 1000)


def _answered(answer: Answer) -> Answer:
    if answer.status != 200:
        raise RuntimeError(f"answered {answer.status}: {answer.body[:500].decode(errors='replace')}")
    return answer
