"""What is refused at start, and that no way of starting gets around it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from accounts.checks import safe_settings

pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
HERE = Path(__file__).resolve().parent.parent.parent
KEY = "k5-w8Zr!q2Lm#x7Vb9Nd@4Tg6Yh1Jc3Fp0Sa$eRu&iOo%PzXyWv"


@pytest.fixture
def production(settings):
    """Settings as in production, with nothing wrong."""
    settings.TESTING = settings.EMBEDDED = settings.DEBUG = False
    settings.SECRET_KEY = KEY
    settings.ALLOWED_HOSTS = ["phasewise.example"]
    settings.SQLITE_SYNCHRONOUS = "FULL"
    settings.BASE_URL = "https://phasewise.example"
    settings.DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/data/phasewise.sqlite3"}}
    return settings


def refusals():
    return [error.id for error in safe_settings(None)]


def test_sound_settings_are_let_through(production):
    assert refusals() == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"SECRET_KEY": KEY[:49]}, "E002"),
        ({"SECRET_KEY": "ab" * 40}, "E002"),
        ({"SECRET_KEY": "django-insecure-" + KEY}, "E002"),
        ({"ALLOWED_HOSTS": ["phasewise.example", "*"]}, "E003"),
        ({"ALLOWED_HOSTS": []}, "E003"),
        ({"DEBUG": True}, "E001"),
        ({"SQLITE_SYNCHRONOUS": "NORMAL"}, "E004"),
        ({"SQLITE_SYNCHRONOUS": "off"}, "E004"),
        ({"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}, "E004"),
        (
            {
                "DATABASES": {
                    "default": {
                        "ENGINE": "django.db.backends.postgresql",
                        "NAME": "phasewise",
                        "OPTIONS": {"options": "-c synchronous_commit = off"},
                    }
                }
            },
            "E005",
        ),
        ({"BASE_URL": "phasewise.example"}, "E006"),
        ({"BASE_URL": "https://phasewise.example/app/"}, "E006"),
        ({"ACCOUNT_EMAIL_VERIFICATION": "perhaps"}, "E007"),
    ],
)
def test_each_unsafe_setting_is_refused(production, changes, refusal):
    for name, value in changes.items():
        setattr(production, name, value)
    assert refusals() == [f"phasewise.{refusal}"]


def test_debug_at_home_is_nobody_elses_business(production):
    production.DEBUG, production.ALLOWED_HOSTS, production.SECRET_KEY = True, ["localhost", "127.0.0.1"], "short"
    assert refusals() == []


def test_a_trial_may_listen_to_whoever_calls_but_loses_nothing_either(production):
    production.EMBEDDED, production.ALLOWED_HOSTS, production.SECRET_KEY = True, ["*"], "short"
    assert refusals() == []
    production.SQLITE_SYNCHRONOUS = "OFF"
    assert refusals() == ["phasewise.E004"]


# Every way of starting --------------------------------------------------------------------------------
def start(tmp_path, *command, **environment):
    surroundings = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/phasewise.sqlite3",
        "ALLOWED_HOSTS": "phasewise.example",
        "SECRET_KEY": KEY,
        **environment,
    }
    return subprocess.run(
        [sys.executable, *command], cwd=HERE, env=surroundings, capture_output=True, text=True, timeout=60
    )


WAYS = {
    "wsgi": ["-c", "import config.wsgi"],
    "asgi": ["-c", "import config.asgi"],
    "migrate": ["manage.py", "migrate", "--plan"],
    "worker": ["manage.py", "ox_worker", "--verbosity", "0"],
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_starting_gets_around_a_refusal(tmp_path, way):
    ended = start(tmp_path, *WAYS[way], ALLOWED_HOSTS="*", SQLITE_SYNCHRONOUS="OFF")
    assert ended.returncode != 0
    assert "ALLOWED_HOSTS is '*'" in ended.stderr
    assert "can lose confirmed moves" in ended.stderr


@pytest.mark.parametrize("way", WAYS)
def test_a_missing_secret_key_is_told(tmp_path, way):
    ended = start(tmp_path, *WAYS[way], SECRET_KEY="")
    assert ended.returncode != 0
    assert "SECRET_KEY" in ended.stderr


def test_sound_settings_start(tmp_path):
    assert start(tmp_path, *WAYS["asgi"]).returncode == 0
