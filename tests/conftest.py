"""The people that tests ask for by name, and before that: the surroundings in which Django reads its settings here."""

import atexit
import gc
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tests import machines

VAR_DIR = tempfile.mkdtemp(prefix="phasewise-tests-")
Path(VAR_DIR, "static").mkdir()
atexit.register(shutil.rmtree, VAR_DIR, ignore_errors=True)
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "TESTING": "true",
    "SECRET_KEY": "known to all, so good for tests only, and long enough to pass",
    "VAR_DIR": VAR_DIR,
    "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{VAR_DIR}/unused.sqlite3",
    "SQLITE_SYNCHRONOUS": "OFF",
    "HTTPS": "false",
    "EMBEDDED": "false",
    "DEBUG": "false",
    # Playwright keeps an event loop in the test's thread; Django would take the test for async code.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}


def pytest_configure():
    """Keep the test database in a file, which the threads of a real server can share, and the cache in memory."""
    from django.conf import settings
    from django.test import TransactionTestCase

    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    # Hashing a password well takes a quarter of a second, for every person of every test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(Path(VAR_DIR, "tests.sqlite3"))
    TransactionTestCase._fixture_teardown = _empty_tables


def _empty_tables(_):
    """Empty the tables that a test has filled, after one that commits.

    Django would truncate every table, which takes PostgreSQL a quarter of a second, and write all permissions anew.
    """
    from django.db import connection, transaction

    kept = ("django_migrations", "django_content_type", "auth_permission")
    tables = [name for name in connection.introspection.django_table_names() if name not in kept]
    quoted = [connection.ops.quote_name(name) for name in tables]
    with transaction.atomic(), connection.cursor() as cursor:
        asked = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in quoted]  # noqa: S608 (names of ours)
        cursor.execute(" UNION ALL ".join(asked))
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608


def pytest_collection_modifyitems(items):
    """Mark what drives a browser, and what looks at no database and so need not run on both."""
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker("browser")
        elif not item.get_closest_marker("django_db") and not {"db", "transactional_db"} & set(item.fixturenames):
            item.add_marker("static")
    # Playwright leaves its event loop in the thread, in which no other can run then: the browser comes last.
    items.sort(key=lambda item: bool(item.get_closest_marker("browser")))


def pytest_collection_finish():
    """Let Python look for garbage among what tests leave only, not among all that was imported: a twelfth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(autouse=True)
def _fresh_rate_limits():
    from django.core.cache import cache

    cache.clear()


# The database -------------------------------------------------------------------------------------------

MIGRATED = os.environ.get(machines.MIGRATED, "")


@pytest.fixture(scope="session")
def django_db_keepdb():
    """Return whether the tests' database is there before they are: then it needs no more than a look."""
    return bool(MIGRATED)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """Take a copy of what bin/test made once, instead of running every migration for each process that tests."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if MIGRATED and database["ENGINE"].endswith("sqlite3"):
        shutil.copy(MIGRATED, database["TEST"]["NAME"])
    elif MIGRATED:
        database.setdefault("TEST", {})["TEMPLATE"] = MIGRATED


# The server ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _server(django_db_setup):
    import uvicorn

    from config.asgi import application

    options = {"host": "127.0.0.1", "port": 0, "log_level": "warning", "timeout_graceful_shutdown": 1}
    server = uvicorn.Server(uvicorn.Config(application, **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    yield server
    server.should_exit = True
    thread.join()


@pytest.fixture
def server(_server, transactional_db):
    """Return the address of the real server (config/asgi.py under uvicorn), on the test's own database."""
    host, port = _server.servers[0].sockets[0].getsockname()
    yield f"http://{host}:{port}"
    patience = time.monotonic() + 5
    while _server.server_state.tasks and time.monotonic() < patience:
        time.sleep(0.01)  # what the page asked for last must not meet an emptied database


# People -----------------------------------------------------------------------------------------------


@pytest.fixture
def business(db):
    """Brightside Joinery, where everybody below works."""
    from tests.factories import UserFactory, make_business

    return make_business(slug="brightside", owner=UserFactory(name="Maren Holt", email="maren@brightside.test"))


@pytest.fixture
def owner(business):
    """Maren, who owns it (a Membership)."""
    return business.memberships.get(role="owner")


@pytest.fixture
def manager(business):
    """Priya, who manages it (a Membership)."""
    return _join(business, "manager", "Priya Nair")


@pytest.fixture
def staff(business):
    """Tomás, who works there (a Membership)."""
    return _join(business, "staff", "Tomás Rivera")


@pytest.fixture
def viewer(business):
    """Ife, who may only look (a Membership)."""
    return _join(business, "viewer", "Ife Adeyemi")


@pytest.fixture
def stranger(db):
    """Charlie, who owns another business and must find nothing in this one (a Membership)."""
    from tests.factories import UserFactory, make_business

    other = make_business(name="Other Ltd", slug="other", owner=UserFactory(name="Charlie Stranger"))
    return other.memberships.get()


@pytest.fixture
def token(business, owner):
    """A token with every scope, made by the owner (Token, secret)."""
    from accounts.models import Token
    from accounts.policy import SCOPES
    from tests.factories import actor

    return Token.create(business, name="Test", scopes=list(SCOPES), maker=owner.user, by=actor(owner))


@pytest.fixture
def workflow(business):
    """A lead funnel with five phases and the win."""
    from tests.factories import make_workflow

    return make_workflow(business)


@pytest.fixture
def browse():
    """Return a function: the Django test client of a member, signed in."""
    from django.test import Client

    def signed_in(member, **headers):
        client = Client(headers=headers)
        client.force_login(member.user)
        return client

    return signed_in


def _join(business, role, name):
    from tests.factories import join

    return join(business, role, name=name)
