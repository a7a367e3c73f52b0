"""The server under test: what `bin/run` starts, its costs read from /proc."""

import os
import signal
import subprocess
import time
from collections import deque
from http.client import HTTPConnection
from pathlib import Path

from django.db import connection

from tests.machines import HERE, free_port

TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """Web and worker on a free port, for as long as the block lasts."""

    def __init__(self):
        self.port = free_port()
        self.process = None
        # Read once: PostgreSQL's first process is the parent of the one that serves us.
        self.database = _parent(connection.cursor().connection.info.backend_pid) if _is_postgres() else None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self) -> float:
        """Start it; return the seconds from the command to the first answer of /up."""
        surroundings = {**os.environ, "HOST": "127.0.0.1", "PORT": str(self.port), "SQLITE_SYNCHRONOUS": "FULL"}
        surroundings |= {"API_REQUESTS_A_MINUTE": "0", "OUTBOUND_ALLOWED_HOSTS": "127.0.0.1"}
        started = time.perf_counter()
        self.process = subprocess.Popen(["bin/run"], cwd=HERE, env=surroundings, stdout=subprocess.DEVNULL)
        while not self._is_up():
            if self.process.poll() is not None:
                raise RuntimeError(f"bin/run ended with code {self.process.returncode}")
            time.sleep(0.005)
        return time.perf_counter() - started

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)

    @property
    def web(self) -> int:
        """Return the id of the web process."""
        return self._child("uvicorn")

    @property
    def worker(self) -> int:
        """Return the id of the worker."""
        return self._child("ox_worker")

    def cpu(self) -> tuple[float, float]:
        """Return the CPU seconds that web and database have used so far; SQLite works inside web."""
        return _cpu(self.web), _cpu(self.database) if self.database else 0.0

    def worker_cpu(self) -> tuple[float, float]:
        """Return the CPU seconds that worker and database have used so far; SQLite works inside the worker."""
        return _cpu(self.worker), _cpu(self.database) if self.database else 0.0

    def _child(self, word: str) -> int:
        return next(pid for pid in _family(self.process.pid) if word in Path(f"/proc/{pid}/cmdline").read_text())

    def _is_up(self) -> bool:
        try:
            visit = HTTPConnection("127.0.0.1", self.port, timeout=5)
            visit.request("GET", "/up")
            return visit.getresponse().status == 200
        except OSError:
            return False


def _is_postgres() -> bool:
    connection.ensure_connection()
    return connection.vendor == "postgresql"


def _parent(pid: int) -> int:
    return int(_fields(pid)[1])


def _fields(pid: int) -> list[str]:
    """Return what /proc tells of a process, from its state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _family(pid: int) -> list[int]:
    """Return a process and all that came of it."""
    found, waiting = [], deque([pid])
    while waiting:
        found.append(waiting.popleft())
        for children in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            waiting.extend(map(int, children.read_text().split()))
    return found


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a process, of its children and of those that have ended."""
    return sum(int(ticks) for one in _family(pid) for ticks in _fields(one)[11:15]) / TICKS
