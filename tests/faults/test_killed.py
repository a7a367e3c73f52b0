"""kill -9 in the middle of the work: what was confirmed is there, what was not left nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests import machines

pytestmark = pytest.mark.static  # each has a database of its own


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """Return a folder with a database in which there are cards."""
    folder = tmp_path_factory.mktemp("furnished")
    environment = surroundings_of(folder)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=machines.HERE, env=environment, check=True)
    furnishing = mover(environment, "furnish")
    furnishing.communicate(timeout=60)
    assert furnishing.returncode == 0
    return folder


@pytest.fixture
def surroundings(furnished, tmp_path):
    """Return the environment of a copy of it."""
    shutil.copytree(furnished, tmp_path, dirs_exist_ok=True)
    return surroundings_of(tmp_path)


def surroundings_of(folder):
    """Return the environment of a database in a file, as durable as in production."""
    return {
        **os.environ,
        "SQLITE_SYNCHRONOUS": "FULL",
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/phasewise.sqlite3",
    }


def mover(environment, deed):
    command = [sys.executable, "-m", "tests.faults.mover", deed]
    return subprocess.Popen(command, cwd=machines.HERE, env=environment, stdout=subprocess.PIPE, text=True)


def look(environment):
    """Return what is in the database; the process itself checks that all of it is whole."""
    process = mover(environment, "look")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, "something is not whole"
    return json.loads(said)


def kill_after(process, lines):
    """Kill a mover after so many confirmed moves, at whatever it is doing; return what it had confirmed."""
    confirmed = [process.stdout.readline() for _ in range(lines)]
    time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    confirmed += process.stdout.readlines()
    process.wait()
    assert process.returncode == -signal.SIGKILL
    return [tuple(map(int, line.split())) for line in confirmed if line.endswith("\n")]


def assert_kept(confirmed, found):
    assert confirmed
    for number, sequence, revision in confirmed:
        assert found["moves"][str(sequence)] == number, "a confirmed move is not in the ledger"
        assert found["revisions"][str(number)] >= revision, "a confirmed move is not in the rows"


def test_a_mover_killed_again_and_again_loses_no_confirmed_move(surroundings):
    confirmed = []
    for lines in (1, 7, 40):
        confirmed += kill_after(mover(surroundings, "move"), lines)
    found = look(surroundings)
    assert_kept(confirmed, found)
    # Whatever it was doing when it died is either whole and told, or not there at all.
    assert len(found["moves"]) <= len(confirmed) + 3


def test_others_go_on_when_one_of_several_movers_is_killed(surroundings):
    first, second = mover(surroundings, "move"), mover(surroundings, "move")
    confirmed = kill_after(first, 20)
    confirmed += kill_after(second, 20)
    assert_kept(confirmed, look(surroundings))


def test_what_a_crash_left_untold_is_told_once_more_and_then_no_more(surroundings):
    process = mover(surroundings, "die")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    found = look(surroundings)
    assert len(found["untold"]) == 1
    assert found["heard"] == found["untold"]
    assert found["told"] == [1, 0]


# Rules ------------------------------------------------------------------------------------------------


def ruler(environment, *deed):
    """Run a deed of the ruler; return its exit code and what it said."""
    command = [sys.executable, "-m", "tests.faults.ruler", *map(str, deed)]
    done = subprocess.run(command, cwd=machines.HERE, env=environment, stdout=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def ruled(tmp_path_factory):
    """Return a folder with a database in which there are rules."""
    folder = tmp_path_factory.mktemp("ruled")
    environment = surroundings_of(folder)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=machines.HERE, env=environment, check=True)
    assert ruler(environment, "furnish")[0] == 0
    return folder


def copied(folder, to):
    shutil.copytree(folder, to)
    return surroundings_of(to)


# What death before a commit leaves behind is also what death after the one before it leaves.


def test_rules_killed_before_any_commit_do_each_action_once(ruled, tmp_path):
    for number in range(1, 30):
        environment = copied(ruled, tmp_path / str(number))
        code, _ = ruler(environment, "act", number)
        code_of_look, said = ruler(environment, "look")
        assert code_of_look == 0, f"something is not whole after the death before commit {number}"
        found = json.loads(said)
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


def test_a_wait_that_is_over_is_gone_on_with_once_whoever_dies(ruled, tmp_path):
    waiting = tmp_path / "waiting"
    assert ruler(copied(ruled, waiting), "act", 10_000)[0] == 0
    for number in range(1, 30):
        environment = copied(waiting, tmp_path / str(number))
        code, _ = ruler(environment, "wake", number)
        code_of_look, said = ruler(environment, "look", "11:05")
        assert code_of_look == 0
        found = json.loads(said)
        assert sorted(found["said"]) == ["five", "four", "one", "three", "two"], f"before commit {number}"
        assert found["runs"] == ["done", "done"]
        if code == 0:
            break
    assert number > 3, "it was not killed often enough to mean anything"
