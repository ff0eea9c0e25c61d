"""A real `broker serve` on a free port, with its workers, its signals and its log, for what no test client can show."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-m", "broker.cli.main")
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
_READY = re.compile(r"ready (http://\S+)\n")


@dataclass(frozen=True, slots=True)
class Served:
    """A broker that serves; its processes are a group of their own, so that none is left and no other is hit."""

    url: str
    process: subprocess.Popen[str]
    log: Path
    database_url: str
    config: Path | None = None

    def stop(self) -> int:
        """SIGTERM, which drains; the exit code."""
        self.process.terminate()
        return self.process.wait(STOP_TIMEOUT_S)

    def kill(self) -> None:
        """SIGKILL for all processes at once: nobody gets to say or write anything more."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_TIMEOUT_S)

    def workers(self) -> tuple[int, ...]:
        """The process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return tuple(int(number) for number in children.split())

    def written(self) -> str:
        """What it has written to stderr so far."""
        return self.log.read_text(errors="replace")

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run another command of `broker` on its database, as an operator would beside it."""
        return run(*arguments, database_url=self.database_url, config=self.config)


def environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what a developer's shell says of a broker, and with ``env``."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BROKER_")} | dict(env or {})


def run(
    *arguments: str | Path, database_url: str, config: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run another command of `broker` to its end on a database."""
    command = [*COMMAND, *map(str, arguments), *_where(database_url, config)]
    return subprocess.run(
        command, cwd=ROOT, env=environment(env), capture_output=True, text=True, check=False, timeout=START_TIMEOUT_S
    )


@contextmanager
def serve(
    database_url: str, config: Path | None = None, workers: int = 2, env: Mapping[str, str] | None = None,
    port: int = 0, preparing: Sequence[str] = (),
) -> Iterator[Served]:  # fmt: skip
    """Start a broker, wait until it is ready, and see that it is gone afterwards.

    ``preparing`` is a command that runs it (``["prlimit", "--fsize=…"]``). What it wrote to stderr is written to ours
    at the end, where pytest shows it if the test has failed.
    """
    command = [*preparing, *COMMAND, "serve", "--port", str(port), "--workers", str(workers)]
    handle, name = tempfile.mkstemp(prefix="broker-serve-", suffix=".log")
    log = Path(name)
    with os.fdopen(handle, "wb") as stderr:
        process = subprocess.Popen(
            [*command, *_where(database_url, config)], cwd=ROOT, env=environment(env), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True,
        )  # fmt: skip
    served = Served("", process, log, database_url, config)
    try:
        yield replace(served, url=_ready_url(served))
    finally:
        served.kill()
        if process.stdout is not None:
            process.stdout.close()
        sys.stderr.write(served.written())
        log.unlink()


def _where(database_url: str, config: Path | None) -> list[str]:
    return ["--database", database_url, *(["--config", str(config)] if config is not None else [])]


def _ready_url(served: Served) -> str:
    assert served.process.stdout is not None
    overdue = threading.Timer(START_TIMEOUT_S, served.kill)
    overdue.start()
    line = served.process.stdout.readline()
    overdue.cancel()
    ready = _READY.fullmatch(line)
    if ready is None:
        raise AssertionError(f"the broker did not become ready, it said {line!r} and:\n{served.written()}")
    return ready[1]
