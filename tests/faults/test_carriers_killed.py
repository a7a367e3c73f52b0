"""Whoever dies between a move and the outside world: nothing is lost, and a repeat has the same id and the same bytes."""

import email
import json
import shutil
import subprocess
import sys

import pytest

from tests import machines
from tests.automations.receiver import listening
from tests.faults.test_killed import surroundings_of

pytestmark = pytest.mark.static  # a database of its own


def carrier(environment, *deed):
    """Run a deed of the carrier; return its exit code and what it said."""
    command = [sys.executable, "-m", "tests.faults.carrier", *map(str, deed)]
    done = subprocess.run(command, cwd=machines.HERE, env=environment, stdout=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def world():
    """Return the program that is told."""
    with listening() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def furnished(tmp_path_factory, world):
    """Return a folder with a database in which a move is told to a customer and a program."""
    folder = tmp_path_factory.mktemp("carried")
    environment = surroundings(folder, world)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=machines.HERE, env=environment, check=True)
    assert carrier(environment, "furnish", f"{world.url}/in")[0] == 0
    return folder


def surroundings(folder, world):
    return surroundings_of(folder) | {"OUTBOUND_ALLOWED_HOSTS": f"127.0.0.1:{world.port}"}


def copied(folder, to, world):
    shutil.copytree(folder, to)
    world.got.clear()
    return surroundings(to, world)


def told(world, folder):
    """Return what has reached the world: the calls, and the mails by their ids."""
    calls = {(got.headers["webhook-id"], got.body) for got in world.got}
    letters = [email.message_from_bytes(path.read_bytes()) for path in (folder / "mail").glob("*")]
    return calls, [letter["Message-ID"] for letter in letters]


def test_a_move_whose_mover_dies_is_told_once_or_was_never_made(furnished, world, tmp_path):
    for number in range(1, 30):
        folder = tmp_path / str(number)
        environment = copied(furnished, folder, world)
        code, _ = carrier(environment, "move", number)
        _, found = carrier(environment, "look")
        calls, letters = told(world, folder)
        if number == 1:
            assert (json.loads(found), calls, letters) == ([], set(), [])
            continue
        assert [row[:2] for row in json.loads(found)] == [["mail", "sent"], ["webhook", "sent"]], f"commit {number}"
        assert (len(calls), len(world.got), len(letters)) == (1, 1, 1), f"after the death before commit {number}"
        if code == 0:
            break
    assert number > 4, "it was not killed often enough to mean anything"


def test_a_carrier_that_dies_anywhere_repeats_under_the_same_id_at_most(furnished, world, tmp_path):
    moved = tmp_path / "moved"
    assert carrier(copied(furnished, moved, world), "move", 10_000)[0] == 0
    for number in range(1, 30):
        folder = tmp_path / str(number)
        environment = copied(moved, folder, world)
        code, _ = carrier(environment, "carry", number)
        _, found = carrier(environment, "look")
        calls, letters = told(world, folder)
        assert [row[:2] for row in json.loads(found)] == [["mail", "sent"], ["webhook", "sent"]], f"commit {number}"
        assert len(calls) == 1, "a repeat differs from what was sent first"
        assert len(set(letters)) == 1
        assert len(world.got) <= 2
        assert len(letters) <= 2
        if code == 0:
            break
    assert number > 2, "it was not killed often enough to mean anything"
