"""What stays: memory of web and worker after all that came before, and how long a start takes."""

from statistics import median

from tests.benchmarks.stage import Stage
from tests.benchmarks.table import show
from tests.machines import memory

STARTS = 3


def run(stage: Stage) -> None:
    """Print MiB (proportional set size) and seconds."""
    server, mib = stage.server, 1024 * 1024
    web, worker = memory(server.web) / mib, memory(server.worker) / mib
    show(
        "Memory after the runs, MiB (PSS)",
        ["", "MiB", "goal", "best peer"],
        [["web", web, "≤ 120", 86], ["worker", worker, None, None], ["both", web + worker, None, None]],
    )
    starts = []
    for _ in range(1 if stage.quick else STARTS):
        server.stop()
        starts.append(server.start())
    show(
        "Start: from bin/run to the first answer of /up, database and static files in place, seconds",
        ["", "median", "best", "goal", "best peer"],
        [["bin/run", median(starts), min(starts), "≤ 3", "0.13–0.42"]],
    )
