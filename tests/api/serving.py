"""Phasewise as a process of its own on a database of its own, for tests that come over a real socket with bash and curl.

python -m tests.api.serving <slug>     found a business and print the secret of a token that may do everything
"""

import os
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from http.client import HTTPConnection

import psycopg

from tests import machines

PATIENCE = 60  # seconds until it must be up


class Site:
    """A running server: its address, and the surroundings in which it runs."""

    def __init__(self, port: int, surroundings: dict):
        self.address = f"http://127.0.0.1:{port}"
        self.surroundings = surroundings

    def found(self, slug: str = "") -> tuple[str, str]:
        """Found a business in it; return its slug and the secret of a token."""
        slug = slug or f"b-{uuid.uuid4().hex[:12]}"
        command = [sys.executable, "-m", "tests.api.serving", slug]
        made = subprocess.run(
            command, cwd=machines.HERE, env=self.surroundings, capture_output=True, text=True, check=True
        )
        return slug, made.stdout.strip()


@contextmanager
def serving(folder):
    """Run what bin/run starts, without the demo, for as long as the block lasts; give the Site."""
    port = machines.free_port()
    with _database(folder) as url:
        surroundings = {
            **os.environ,
            "TESTING": "false",
            "VAR_DIR": str(folder),
            "DATABASE_URL": url,
            "PORT": str(port),
        }
        surroundings |= {"SQLITE_SYNCHRONOUS": "FULL", "API_REQUESTS_A_MINUTE": "1200"}
        process = subprocess.Popen([sys.executable, "-m", "config.serve"], cwd=machines.HERE, env=surroundings)
        try:
            _wait_until_up(process, port)
            yield Site(port, surroundings)
        finally:
            process.terminate()
            process.wait(timeout=30)


def bash(script: str, **variables: str) -> str:
    """Run a script as a person would who pastes it into a shell; return what it printed."""
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **variables}
    done = subprocess.run(["bash", "-euc", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{script}\nended with {done.returncode}: {done.stderr}"
    return done.stdout


@contextmanager
def _database(folder):
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield f"sqlite:///{folder}/phasewise.sqlite3"
        return
    name = f"served_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as cluster:
        cluster.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{url.rpartition('/')[0]}/{name}"
        finally:
            cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _wait_until_up(process, port):
    patience = time.monotonic() + PATIENCE
    while time.monotonic() < patience:
        assert process.poll() is None, f"it ended with code {process.returncode} before it was up"
        try:
            visit = HTTPConnection("127.0.0.1", port, timeout=5)
            visit.request("GET", "/up")
            if visit.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("it was not up in time")


def main(slug: str) -> None:
    """Found a business and print the secret of its token."""
    import django

    django.setup()

    from accounts.models import Token
    from accounts.policy import SCOPES
    from tests.factories import UserFactory, actor, make_business

    business = make_business("Brightside Joinery", slug, UserFactory(name="Maren Holt", email=f"maren@{slug}.test"))
    owner = business.memberships.get()
    print(Token.create(business, name="CRM", scopes=list(SCOPES), maker=owner.user, by=actor(owner))[1])


if __name__ == "__main__":
    main(sys.argv[1])
