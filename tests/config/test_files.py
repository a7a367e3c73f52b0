"""What the files of the repository promise about themselves."""

import re
import tomllib

import pytest

from tests.machines import HERE


def test_env_example_explains_every_variable_that_is_read_and_no_other():
    read = r'(?:env(?:\.\w+)?|environ\.get)\(\s*"([A-Z_]+)"'
    files = [HERE / "config" / name for name in ("settings.py", "serve.py", "asgi.py")]
    used = {name for file in files for name in re.findall(read, file.read_text())} - {"TESTING"}
    explained = set(re.findall(r"^#?([A-Z_]+)=", (HERE / ".env.example").read_text(), re.MULTILINE))
    assert explained == used


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_by_hash_and_names_no_host(lock):
    text = (HERE / lock).read_text()
    assert "://" not in text
    pinned = re.findall(r"^([\w.-]+)==\S+", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^\S+==.*\\\n    --hash=sha256:", text, re.MULTILINE)) > 30


def test_both_locks_agree():
    runtime, dev = (
        dict(re.findall(r"^([\w.-]+)==(\S+)", (HERE / lock).read_text(), re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime.items() <= dev.items()


def test_the_locks_hold_every_dependency_named_in_pyproject():
    project = tomllib.loads((HERE / "pyproject.toml").read_text())
    named = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.match(r"[\w.-]+", line)[0] for line in named}
    assert names <= set(re.findall(r"^([\w.-]+)==", (HERE / "requirements-dev.lock").read_text(), re.MULTILINE))
