"""bin/run's two processes start together, end together and leave nobody behind."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import machines

pytestmark = pytest.mark.static  # each has a database of its own


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder in which everything is ready to start, made once: from nothing, as the first start makes it."""
    folder = tmp_path_factory.mktemp("prepared")
    subprocess.run(
        [sys.executable, "-m", "config.serve", "prepare", "http://127.0.0.1"],
        cwd=machines.HERE,
        env={**os.environ, **_surroundings(folder)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


def _surroundings(folder):
    told = {"TESTING": "false", "SQLITE_SYNCHRONOUS": "FULL", "VAR_DIR": str(folder)}
    return told | {"DATABASE_URL": f"sqlite:///{folder}/phasewise.sqlite3"}


@pytest.fixture
def run(tmp_path, prepared):
    """Start Phasewise as bin/run does, with a database and a port of its own, and without the demo unless asked."""
    started = []
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)

    def start(**environment):
        port = environment.pop("PORT", None) or str(machines.free_port())
        surroundings = {**os.environ, **_surroundings(tmp_path), "PORT": port, **environment}
        process = subprocess.Popen(
            [sys.executable, "-m", "config.serve"],
            cwd=machines.HERE,
            env=surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        process.port = int(port)
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=20)


def wait_until_up(process):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Phasewise is running" in line:
            return "".join(lines)
    raise AssertionError("it ended before it was up:\n" + "".join(lines))


def children(process):
    """Return the process ids of web and worker by name."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_text()
        except OSError:
            continue
        if parent == process.pid:
            found["web" if "uvicorn" in words else "worker"] = int(entry.name)
    return found


def is_gone(pid, within=5.0):
    patience = time.monotonic() + within
    while time.monotonic() < patience:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_both(run, number):
    process = run()
    wait_until_up(process)
    pids = children(process)
    assert set(pids) == {"web", "worker"}

    process.send_signal(number)

    assert process.wait(timeout=15) == 0
    assert all(is_gone(pid) for pid in pids.values())


@pytest.mark.parametrize("victim", ["web", "worker"])
def test_when_one_dies_the_other_is_ended_and_the_reason_told(run, victim):
    process = run()
    wait_until_up(process)
    pids = children(process)

    os.kill(pids[victim], signal.SIGKILL)

    assert process.wait(timeout=15) == 1
    assert f"The {victim} process ended by itself" in process.stdout.read()
    assert all(is_gone(pid) for pid in pids.values())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_killing_the_parent_outright_leaves_nobody_behind(run):
    process = run()
    wait_until_up(process)
    pids = children(process)

    process.kill()
    process.wait()

    assert all(is_gone(pid) for pid in pids.values())


def test_a_taken_port_is_told_in_a_sentence(run):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process = run(PORT=str(other.getsockname()[1]))
        assert process.wait(timeout=15) == 1
    assert "already in use" in process.stdout.read()


def test_a_database_that_does_not_answer_is_told_in_a_sentence(run):
    process = run(DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")
    assert process.wait(timeout=30) == 1
    said = process.stdout.read()
    assert "does not answer" in said
    assert "Traceback" not in said


def test_a_site_that_answers_to_its_own_name_alone_starts_without_complaint(run):
    process = run(EMBEDDED="false", ALLOWED_HOSTS="phasewise.example,.phasewise.example")
    assert "Invalid HTTP_HOST" not in wait_until_up(process)


def test_starting_again_finds_what_was_there(run):
    first = run(EMBEDDED="true")
    wait_until_up(first)
    first.terminate()
    first.wait(timeout=15)

    again = run(EMBEDDED="true")
    wait_until_up(again)
    connection = http.client.HTTPConnection("127.0.0.1", again.port, timeout=5)
    connection.request("GET", "/up")
    assert connection.getresponse().status == 200
    connection.close()
