"""Phasewise as a process of its own on a database of its own, for tests that come over a real socket with bash and curl.

python -m tests.api.serving <count>     found businesses; print of each its slug and the secret of its token
"""

import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from http.client import HTTPConnection
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import psycopg

from tests import machines

PATIENCE = 180  # seconds until it must be up, on a machine that has much else to do
AT_ONCE = 5  # businesses that one process founds: starting it costs more than they do


class Site:
    """A running server: its address, and the surroundings in which it runs."""

    def __init__(self, port: int, surroundings: dict):
        self.address = f"http://127.0.0.1:{port}"
        self.surroundings = surroundings
        self.founded = []

    def visit(self, slug: str):
        """Sign in as the owner of a business; return an opener of its pages."""
        from tests.factories import PASSWORD

        visitor = build_opener(HTTPCookieProcessor(CookieJar()))
        door = visitor.open(f"{self.address}/accounts/login/").read().decode()
        secret = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', door)[1]
        sent = {"csrfmiddlewaretoken": secret, "login": f"maren@{slug}.test", "password": PASSWORD}
        visitor.open(f"{self.address}/accounts/login/", urlencode(sent).encode())
        return visitor

    def found(self) -> tuple[str, str]:
        """Return the slug of a new business in it, and the secret of a token of its own that may do everything."""
        if not self.founded:
            command = [sys.executable, "-m", "tests.api.serving", str(AT_ONCE)]
            made = subprocess.run(
                command, cwd=machines.HERE, env=self.surroundings, capture_output=True, text=True, check=True
            )
            self.founded = [tuple(line.split()) for line in made.stdout.splitlines()]
        return self.founded.pop()


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
    url, migrated = os.environ.get("DATABASE_URL", ""), os.environ.get(machines.MIGRATED)
    if not url.startswith("postgres"):
        if migrated:
            shutil.copy(migrated, folder / "phasewise.sqlite3")
        yield f"sqlite:///{folder}/phasewise.sqlite3"
        return
    name = f"served_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as cluster:
        cluster.execute(f"CREATE DATABASE {name} TEMPLATE {migrated or 'template1'}")
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


def main(count: int) -> None:
    """Found businesses; print of each its slug and the secret of its token."""
    import django

    django.setup()

    from accounts.models import Token
    from accounts.policy import SCOPES
    from boards.models.library import stock
    from tests.factories import UserFactory, actor, make_business

    for _ in range(count):
        slug = f"b-{uuid.uuid4().hex[:12]}"
        business = make_business("Brightside Joinery", slug, UserFactory(name="Maren Holt", email=f"maren@{slug}.test"))
        stock(business)
        owner = business.memberships.get()
        _, secret = Token.create(business, name="CRM", scopes=list(SCOPES), maker=owner.user, by=actor(owner))
        print(slug, secret)


if __name__ == "__main__":
    main(int(sys.argv[1]))
