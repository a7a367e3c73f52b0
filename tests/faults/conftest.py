"""Databases in files of their own, for processes that die over them.

They are not synchronous: what a killed process has written the kernel still has, and no test here cuts the power.
"""

import shutil
import sqlite3

import pytest

from tests.faults.stage import Place, migrate, perform


@pytest.fixture(scope="session")
def empty(django_db_setup, tmp_path_factory):
    """Return a database file with all its tables and no row, made from the tests' own while no test is at it."""
    from django.db import connection

    path = tmp_path_factory.mktemp("empty") / "phasewise.sqlite3"
    with sqlite3.connect(connection.settings_dict["NAME"]) as ours, sqlite3.connect(path) as copy:
        ours.backup(copy)
        (tables,) = copy.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:  # no test that was chosen asks for the tests' own
        perform(Place({"NAME": str(path)}), migrate)
    return path


@pytest.fixture
def copied(tmp_path, place_of):
    """Return a function: the place that a copy of a folder is."""

    def copy(folder, name="copy", **settings):
        return place_of(shutil.copytree(folder, tmp_path / str(name)), **settings)

    return copy


@pytest.fixture(scope="session")
def furnish(empty, tmp_path_factory, place_of):
    """Return a function: a folder with a database in which a deed has made what there is."""

    def make(deed, *args, **settings):
        folder = tmp_path_factory.mktemp("furnished")
        shutil.copy(empty, folder)
        assert perform(place_of(folder, **settings), deed, *args)[0] == 0
        return folder

    return make


@pytest.fixture(scope="session")
def place_of():
    """Return a function: the place that a folder with a database is, where mails become files beside it."""

    def place(folder, **settings):
        mailer = {"BACKEND": "django.core.mail.backends.filebased.EmailBackend"}
        mailer["OPTIONS"] = {"file_path": str(folder / "mail")}
        return Place({"NAME": str(folder / "phasewise.sqlite3")}, {"MAILERS": {"default": mailer}, **settings})

    return place
