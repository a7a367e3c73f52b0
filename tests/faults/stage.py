"""Where deeds are done by processes of their own, which die where a test says: of old age, or by kill -9 at a named point.

A process that is ready for all of them is kept waiting, and each deed is done by a child that it forks: that takes a
twentieth of what starting Python and Django anew would take, and is a process like any other to the kernel.
"""

import importlib
import inspect
import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402
from django.db.models import F  # noqa: E402
from django_ox.models import OxTask  # noqa: E402

from accounts.models import Event, Untold  # noqa: E402
from automations.models import Delivery, Run, Timer  # noqa: E402
from automations.tasks import sweep  # noqa: E402

settings.PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher"
]  # as in all tests: a good one takes a second

KILLED = -signal.SIGKILL
PATIENCE = 60  # seconds; a deed takes less than one
# What a clock is asked about, and by how much of it time is let pass: the database's own clock cannot be set.
CLOCKED = {
    Event: ["at"],
    Untold: ["due_at"],
    Run: ["touched_at", "wakes_at"],
    Timer: ["at"],
    Delivery: ["due_at", "leased_until"],
    OxTask: ["run_after", "locked_at", "lease_expires_at"],
}

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    ["tests.faults.stage", "tests.faults.mover", "tests.faults.ruler", "tests.faults.carrier"]
)


@dataclass(frozen=True)
class Place:
    """Where a deed is done: on which database, and with which settings."""

    database: dict
    settings: dict = field(default_factory=dict)

    @classmethod
    def of_test(cls, **settings):
        """Return the test's own database."""
        return cls({"NAME": connection.settings_dict["NAME"]}, settings)


def perform(place: Place, deed, *args, die=None):
    """Let a process do a deed; return its exit code and what it answered, None if it died before.

    die: before the commit of this number, or ("before" or "after", the dotted name of a function).
    """
    here, there = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_play, args=(place, there, deed, args, die))
    process.start()
    there.close()
    try:
        answer = here.recv() if here.poll(PATIENCE) else None
    except EOFError:
        answer = None
    process.join(PATIENCE)
    assert process.exitcode in (0, KILLED), f"{deed.__name__} ended with {process.exitcode}"
    return process.exitcode, answer


def side_by_side(place: Place, deeds, die=None) -> list:
    """Start a process for each deed, all at once; return them, to be waited for."""
    started = []
    for deed, *args in deeds:
        process = _processes.Process(target=_play, args=(place, None, deed, args, die))
        process.start()
        started.append(process)
    return started


def _play(place, pipe, deed, args, die) -> None:
    connection.settings_dict.update(place.database)
    for name, value in place.settings.items():
        setattr(settings, name, value)
    if isinstance(die, int):
        _die_before_commit(die)
    elif die:
        _die_at(*die)
    answer = deed(*args)
    if pipe:
        pipe.send(answer)
    connections.close_all()
    sys.stdout.flush()
    os._exit(0)  # no test of the mother's is to be torn down here


# Death ----------------------------------------------------------------------------------------------------


def _die_before_commit(number: int) -> None:
    """Die before the commit of this number."""
    commit, left = BaseDatabaseWrapper._commit, number

    def counted(self):
        nonlocal left
        left -= 1
        if left == 0:
            _end()
        return commit(self)

    BaseDatabaseWrapper._commit = counted


def _die_at(when: str, name: str) -> None:
    """Die before or after a function or a method, by its dotted name."""
    owner, attribute = _owner(name)
    found = inspect.getattr_static(owner, attribute)
    inner = getattr(found, "__func__", found)

    @wraps(inner)
    def fatal(*args, **kwargs):
        if when == "before":
            _end()
        inner(*args, **kwargs)
        _end()

    setattr(owner, attribute, classmethod(fatal) if isinstance(found, classmethod) else fatal)


def _owner(name: str):
    """Return what a dotted name is an attribute of, and the attribute."""
    path, _, attribute = name.rpartition(".")
    module, _, last = path.rpartition(".")
    if last[:1].isupper():
        return getattr(importlib.import_module(module), last), attribute
    return importlib.import_module(path), attribute


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()  # the signal is on its way


# Deeds ----------------------------------------------------------------------------------------------------


def migrate() -> None:
    """Make the tables."""
    call_command("migrate", verbosity=0)


def work() -> None:
    """Sweep and carry as the worker does, until nothing is left to do."""
    sweep.enqueue()
    call_command("ox_worker", batch=True, interval=0.02, verbosity=0)


def let_pass(span: timedelta) -> None:
    """Let time pass: leases run out, pauses and waits come nearer to their end."""
    for model, fields in CLOCKED.items():
        model.objects.update(**{name: F(name) - span for name in fields})
