"""kill -9 in the middle of the work: what was confirmed is there, what was not left nothing behind."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from tests import machines
from tests.faults import mover, ruler
from tests.faults.stage import KILLED, let_pass, perform

pytestmark = pytest.mark.static  # each has a database of its own


@pytest.fixture(scope="module")
def cards(furnish):
    """Return a folder with a database in which there are cards."""
    return furnish(mover.furnish)


@pytest.fixture
def place(cards, copied):
    """Return the place that a copy of it is."""
    return copied(cards)


def moving(place):
    """Start a process that moves cards for ever."""
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{place.database['NAME']}"}
    command = [sys.executable, "-m", "tests.faults.mover"]
    return subprocess.Popen(command, cwd=machines.HERE, env=environment, stdout=subprocess.PIPE, text=True)


def kill_after(process, lines):
    """Kill a mover after so many confirmed moves, at whatever it is doing; return what it had confirmed."""
    confirmed = [process.stdout.readline() for _ in range(lines)]
    time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    confirmed += process.stdout.readlines()
    process.wait()
    assert process.returncode == KILLED
    return [tuple(map(int, line.split())) for line in confirmed if line.endswith("\n")]


def assert_kept(confirmed, found):
    assert confirmed
    for number, sequence, revision in confirmed:
        assert found["moves"][sequence] == number, "a confirmed move is not in the ledger"
        assert found["revisions"][number] >= revision, "a confirmed move is not in the rows"


def test_a_mover_killed_again_and_again_loses_no_confirmed_move(place):
    confirmed = []
    for lines in (1, 7, 40):
        confirmed += kill_after(moving(place), lines)
    _, found = perform(place, mover.look)
    assert_kept(confirmed, found)
    # Whatever it was doing when it died is either whole and told, or not there at all.
    assert len(found["moves"]) <= len(confirmed) + 3


def test_others_go_on_when_one_of_several_movers_is_killed(place):
    first, second = moving(place), moving(place)
    confirmed = kill_after(first, 20)
    confirmed += kill_after(second, 20)
    assert_kept(confirmed, perform(place, mover.look)[1])


def test_what_a_crash_left_untold_is_told_once_more_and_then_no_more(place):
    assert perform(place, mover.move_once, die=("before", "accounts.events.tell"))[0] == KILLED
    _, found = perform(place, mover.look)
    assert len(found["untold"]) == 1
    assert found["heard"] == found["untold"]
    assert found["told"] == [1, 0]


# Rules ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ruled(furnish):
    """Return a folder with a database in which there are rules."""
    return furnish(ruler.furnish)


# What death before a commit leaves behind is also what death after the one before it leaves.


def test_rules_killed_before_any_commit_do_each_action_once(ruled, copied):
    for number in range(1, 30):
        place = copied(ruled, number)
        code, _ = perform(place, ruler.act, die=number)
        _, found = perform(place, ruler.look)
        if number == 1:
            assert found == {"moves": 0, "said": [], "runs": [], "untold": 0}
            continue
        said = found.pop("said")
        assert sorted(said) == ["one", "three", "two"], f"after the death before commit {number}"
        assert said.index("one") < said.index("two"), "a rule's actions keep their order"
        assert found == {"moves": 2, "runs": ["done", "waiting"], "untold": 0}
        if code == 0:
            break
    assert number > 8, "it was not killed often enough to mean anything"


def test_a_wait_that_is_over_is_gone_on_with_once_whoever_dies(ruled, copied, tmp_path):
    place = copied(ruled, "waiting")
    assert perform(place, ruler.act)[0] == 0
    assert perform(place, let_pass, timedelta(hours=1))[0] == 0
    for number in range(1, 30):
        place = copied(tmp_path / "waiting", number)
        code, _ = perform(place, ruler.wake, die=number)
        _, found = perform(place, ruler.look)
        assert sorted(found["said"]) == ["five", "four", "one", "three", "two"], f"before commit {number}"
        assert found["runs"] == ["done", "done"]
        if code == 0:
            break
    assert number > 3, "it was not killed often enough to mean anything"
