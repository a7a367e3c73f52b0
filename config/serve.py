"""What bin/run starts: prepares the database, then keeps web and worker side by side until a signal or until one ends."""

import ctypes
import fcntl
import http.client
import io
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress

import environ

ENDING_SECONDS = 10  # how long web and worker may take to finish what they have in hand


def main() -> int:
    """Run Phasewise until told to stop; return the exit code."""
    environ.Env.read_env(".env")
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
    if problem := _cannot_listen(host, port):
        print(f"Phasewise cannot listen on {host}, port {port}: {problem}. Choose another: HOST=… PORT=… bin/run")
        return 1

    told_to_stop = []
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: told_to_stop.append(number))

    preparation = {"preparation": _start("-m", "config.serve", "prepare", _address(host, port))}
    _watch(preparation, told_to_stop)
    if told_to_stop or preparation["preparation"].wait() != 0:
        return 0 if told_to_stop else 1

    children = {"web": _start("-m", "uvicorn", *_web_options(host, port)), "worker": _start(*_worker_options())}
    ended = _watch(children, told_to_stop, ready=lambda: _announce_when_up(host, port))
    if told_to_stop:
        return 0
    print(
        f"The {ended} process ended by itself (exit code {children[ended].returncode}), so Phasewise stops.", flush=True
    )
    return 1


def prepare(address: str) -> None:
    """Bring database and static files up to date; load the demo business where it is missing."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import CommandError, call_command
    from django.db import OperationalError

    from automations.tasks import sweep

    settings.DATABASES["default"].get("OPTIONS", {}).pop("pool", None)  # it would wait long and not say for what
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR_DIR / "prepare.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # two at once take turns
        try:
            call_command("check", stdout=io.StringIO())
            call_command("migrate", verbosity=0, interactive=False)
        except CommandError as error:
            sys.exit(str(error))
        except OperationalError as error:
            sys.exit(f"The database of DATABASE_URL does not answer: {error}")
        call_command("createcachetable", verbosity=0)
        _collect_static_files()
        if settings.EMBEDDED:
            call_command("demo", address=address)
        sweep.enqueue()  # what fell due while nobody worked is not left waiting for the next minute


def _collect_static_files() -> None:
    """Run collectstatic when a static file came, went or changed since the last time."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    files = sorted(storage.path(path) for finder in get_finders() for path, storage in finder.list([]))
    seen = "\n".join(f"{path} {os.stat(path).st_mtime_ns} {os.stat(path).st_size}" for path in files)
    note = settings.STATIC_ROOT / ".collected"
    if not note.exists() or note.read_text() != seen:
        call_command("collectstatic", verbosity=0, interactive=False, clear=True)
        note.write_text(seen)


def _web_options(host: str, port: str) -> list[str]:
    options = ["config.asgi:application", "--host", host, "--port", port, "--no-access-log"]
    options += ["--log-level", "warning", "--no-server-header", "--timeout-graceful-shutdown", "2"]
    options += ["--no-proxy-headers", "--timeout-keep-alive", "75"]  # settings.TRUSTED_PROXIES decides whom to believe
    if (workers := _web_workers()) > 1:
        options += ["--workers", str(workers)]
    return options


def _web_workers() -> int:
    """Return how many web processes there are: on SQLite one, which holds the one write lock; else two, on two cores."""
    if "sqlite" in os.environ.get("DATABASE_URL", "sqlite"):
        return 1
    return int(os.environ.get("WEB_WORKERS", "") or min(2, os.cpu_count() or 1))


def _worker_options() -> list[str]:
    threads = os.environ.get("WORKER_THREADS", "4")
    return ["manage.py", "ox_worker", "--verbosity", "0", "--interval", "0.2", "--concurrency", threads]


def _start(*command: str) -> subprocess.Popen:
    # In a session of its own, so that Ctrl-C reaches only us and we end the children in order.
    return subprocess.Popen([sys.executable, *command], start_new_session=True, preexec_fn=_end_with_parent)


def _end_with_parent() -> None:
    """Ask Linux to end this child should its parent be killed without a chance to do so."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _watch(children: dict[str, subprocess.Popen], told_to_stop: list, ready=lambda: True) -> str | None:
    """Wait for a signal or for the first child to end; end the others; return the first one's name."""
    is_ready = False
    ended = None
    while not told_to_stop and not ended:
        is_ready = is_ready or ready()
        time.sleep(0.2 if is_ready else 0.05)
        ended = next((name for name, child in children.items() if child.poll() is not None), None)

    for child in children.values():
        child.terminate()
    patience = time.monotonic() + ENDING_SECONDS
    for child in children.values():
        while (
            child.poll() is None and time.monotonic() < patience and len(told_to_stop) < 2
        ):  # a second Ctrl-C: at once
            time.sleep(0.05)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    return ended


def _cannot_listen(host: str, port: str) -> str:
    """Return why this address cannot be served, or nothing."""
    if not port.isdecimal() or not 0 < int(port) < 65536:
        return "a port is a number from 1 to 65535"
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""


def _address(host: str, port: str) -> str:
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 (we read it, not bind it)
    return f"http://{name}:{port}"


def _announce_when_up(host: str, port: str) -> bool:
    address = _address(host, port)
    try:
        with closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=1)) as connection:
            connection.request("GET", "/up", headers={"Host": _own_name() or address.removeprefix("http://")})
            if connection.getresponse().status != 200:
                return False
    except OSError:
        return False
    others = f"\n  From a phone in this network: http://{_outward_address()}:{port}" if host == "0.0.0.0" else ""  # noqa: S104
    print(f"\n  Phasewise is running: {address}{others}\n  Ctrl-C ends it.\n", flush=True)
    return True


def _own_name() -> str:
    """Return a name this site answers to where it was told its names, else nothing."""
    return os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".*")


def _outward_address() -> str:
    """Return the address that others in the network know this machine by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial, suppress(OSError):
        trial.connect(("192.0.2.1", 9))  # an address of nobody's; choosing the way there sends nothing
        return trial.getsockname()[0]
    return socket.gethostname()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["prepare"]:
        prepare(sys.argv[2])
    else:
        sys.exit(main())
