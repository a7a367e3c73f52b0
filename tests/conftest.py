"""The people that tests ask for by name, and before that: the surroundings in which Django reads its settings here."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

VAR_DIR = tempfile.mkdtemp(prefix="phasewise-tests-")
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
    "EMAIL_URL": "",
    # Playwright keeps an event loop in the test's thread; Django would take the test for async code.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}


def pytest_configure():
    """Keep the test database in a file, which the threads of a real server can share, and the cache in memory."""
    from django.conf import settings

    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        settings.DATABASES["default"]["TEST"] = {"NAME": str(Path(VAR_DIR, "tests.sqlite3"))}


def pytest_collection_modifyitems(items):
    """Mark what drives a browser, and what looks at no database and so need not run on both."""
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker("browser")
        elif not item.get_closest_marker("django_db") and not {"db", "transactional_db"} & set(item.fixturenames):
            item.add_marker("static")


@pytest.fixture(autouse=True)
def _fresh_rate_limits():
    from django.core.cache import cache

    cache.clear()
