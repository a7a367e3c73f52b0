"""Whoever dies between a move and the outside world: nothing is lost, and a repeat has the same id and the same bytes."""

import email

import pytest

from tests.automations.receiver import listening
from tests.faults import carrier
from tests.faults.stage import perform

pytestmark = pytest.mark.static  # a database of its own


@pytest.fixture(scope="module")
def world():
    """Return the program that is told."""
    with listening() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def furnished(furnish, world):
    """Return a folder with a database in which a move is told to a customer and a program."""
    return furnish(carrier.furnish, f"{world.url}/in", **allowed(world))


@pytest.fixture
def untold(copied, world):
    """Return a function: the place that a copy of a folder is, in a world that has been told nothing yet."""

    def copy(folder, name):
        world.got.clear()
        return copied(folder, name, **allowed(world))

    return copy


def allowed(world):
    return {"OUTBOUND_ALLOWED_HOSTS": [f"127.0.0.1:{world.port}"], "OUTBOUND_HTTP": True}


def told(world, folder):
    """Return what has reached the world: the calls, and the mails by their ids."""
    calls = {(got.headers["webhook-id"], got.body) for got in world.got}
    letters = [email.message_from_bytes(path.read_bytes()) for path in (folder / "mail").glob("*")]
    return calls, [letter["Message-ID"] for letter in letters]


SENT = [("mail", "sent"), ("webhook", "sent")]


def test_a_move_whose_mover_dies_is_told_once_or_was_never_made(furnished, untold, world, tmp_path):
    for number in range(1, 30):
        place = untold(furnished, number)
        code, _ = perform(place, carrier.move, die=number)
        _, found = perform(place, carrier.look)
        calls, letters = told(world, tmp_path / str(number))
        if number == 1:
            assert (found, calls, letters) == ([], set(), [])
            continue
        assert found == SENT, f"after the death before commit {number}"
        assert (len(calls), len(world.got), len(letters)) == (1, 1, 1), f"after the death before commit {number}"
        if code == 0:
            break
    assert number > 4, "it was not killed often enough to mean anything"


def test_a_carrier_that_dies_anywhere_repeats_under_the_same_id_at_most(furnished, untold, world, tmp_path):
    assert perform(untold(furnished, "moved"), carrier.move)[0] == 0
    for number in range(1, 30):
        place = untold(tmp_path / "moved", number)
        code, _ = perform(place, carrier.carry, die=number)
        _, found = perform(place, carrier.look)
        calls, letters = told(world, tmp_path / str(number))
        assert found == SENT, f"after the death before commit {number}"
        assert len(calls) == 1, "a repeat differs from what was sent first"
        assert len(set(letters)) == 1
        assert len(world.got) <= 2
        assert len(letters) <= 2
        if code == 0:
            break
    assert number > 2, "it was not killed often enough to mean anything"
