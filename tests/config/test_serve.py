"""How many web processes bin/run starts."""

import os

import pytest

from config.serve import _web_options

SQLITE, POSTGRES = "sqlite:///var/phasewise.sqlite3", "postgres://phasewise@db/phasewise"


@pytest.mark.parametrize(
    ("database", "asked", "cores", "started"),
    [
        (SQLITE, "", 8, None),
        (SQLITE, "4", 8, None),  # one process holds the one write lock
        ("", "4", 8, None),
        (POSTGRES, "", 8, "2"),
        (POSTGRES, "", 1, None),
        (POSTGRES, "1", 8, None),
        (POSTGRES, "4", 1, "4"),
    ],
)
def test_two_on_two_cores_but_on_sqlite_always_one(monkeypatch, database, asked, cores, started):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    for name, value in (("DATABASE_URL", database), ("WEB_WORKERS", asked)):
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
    options = _web_options("127.0.0.1", "8000")
    assert (options[options.index("--workers") + 1] if "--workers" in options else None) == started
