"""Run the measures against a server of their own; arguments: --quick, and words that choose measures by name."""

import argparse
import os
import platform
import sqlite3
import sys
import time
from statistics import median

import django

django.setup()

from django.conf import settings  # noqa: E402 (models and settings are there from here on)
from django.db import connection  # noqa: E402

from accounts.models import Business  # noqa: E402
from tests.benchmarks import api, board_page, crowd, footprint, new_cards, one_move, rules, worker  # noqa: E402
from tests.benchmarks.server import Server  # noqa: E402
from tests.benchmarks.stage import Stage  # noqa: E402

MEASURES = {
    "board": board_page,
    "move": one_move,
    "rules": rules,
    "worker": worker,
    "crowd": crowd,
    "create": new_cards,
    "api": api,
    "footprint": footprint,
}


def main() -> int:
    """Print a table for each measure that was asked for."""
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("measures", nargs="*", metavar="measure", help=f"any of {', '.join(MEASURES)}; none: all")
    parser.add_argument("--quick", action="store_true", help="small boards and short runs, to see that all works")
    chosen = parser.parse_args()
    if unknown := set(chosen.measures) - set(MEASURES):
        parser.error(f"no measure is called {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    if Business.objects.exists():
        parser.error("this database holds somebody's businesses; bin/bench runs the measures on one of its own")

    print(_surroundings())
    with Server() as server:
        stage = Stage.set_up(server, quick=chosen.quick)
        for name, measure in MEASURES.items():
            if not chosen.measures or name in chosen.measures:
                measure.run(stage)
    return 0


def _surroundings() -> str:
    """Return what the figures depend on, in words."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            level = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}[cursor.execute("PRAGMA synchronous").fetchone()[0]]
            mode = cursor.execute("PRAGMA journal_mode").fetchone()[0].upper()
            database = f"SQLite {sqlite3.sqlite_version}, {mode}, synchronous {level}"
        else:
            told = {}
            for name in ("server_version", "fsync", "synchronous_commit"):
                told[name] = cursor.execute(f"SHOW {name}").fetchone()[0]
            version = told.pop("server_version").split()[0]
            database = f"PostgreSQL {version}, " + ", ".join(f"{name} {value}" for name, value in told.items())
    programs = f"Python {platform.python_version()}, Django {django.__version__}, DEBUG {settings.DEBUG}"
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, yardstick {_yardstick():.0f} ms"
    return f"{database}; {programs}; {machine}"


def _yardstick() -> float:
    """Return the CPU milliseconds of a fixed piece of work: compare figures only of runs in which it is alike."""
    times = []
    for _ in range(9):
        started = time.process_time()
        sorted(str(number) for number in range(300_000))
        times.append(time.process_time() - started)
    return median(times) * 1000


if __name__ == "__main__":
    sys.exit(main())
