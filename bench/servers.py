"""The servers under test: real processes, each with the same number of workers and threads."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.load import Address, http_request

WORKERS = 2
BLOCKING_THREADS = 4
START_SECONDS = 60.0
STOP_SECONDS = 20.0
_PROJECT = Path(__file__).resolve().parent.parent
_READY_LINE = re.compile(rb"^ready http://([^:/]+):(\d+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, and its first process."""

    address: Address
    process_id: int

    def resident_mb(self) -> dict[int, float]:
        """Resident memory of each process below the first, by process id."""
        children = Path(f"/proc/{self.process_id}/task/{self.process_id}/children").read_text().split()
        return {int(child): _resident_mb(int(child)) for child in children}


@contextmanager
def granian(factory: str, environment: Mapping[str, str]) -> Iterator[Server]:
    """Serve a WSGI application factory (``module:function``) whose GET /healthz names the worker that answers."""
    address = ("127.0.0.1", _free_port())
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--no-ws",
               "--workers", str(WORKERS), "--blocking-threads", str(BLOCKING_THREADS),
               "--host", address[0], "--port", str(address[1]), factory]  # fmt: skip
    with _running(command, environment) as (process, log):
        _wait(process, log, lambda: len(_answering_workers(address)) == WORKERS)
        yield Server(address, process.pid)


@contextmanager
def announced(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a server that prints ``ready http://HOST:PORT`` once all its workers accept."""
    with _running(command, environment) as (process, log):
        _wait(process, log, lambda: _READY_LINE.search(_text(log)) is not None)
        ready = _READY_LINE.search(_text(log))
        assert ready is not None
        yield Server((ready[1].decode(), int(ready[2])), process.pid)


@contextmanager
def _running(
    command: Sequence[str], environment: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """The process and all that it prints; it is stopped by SIGTERM, then, if it does not listen, killed."""
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile())
        process = stack.enter_context(
            subprocess.Popen(
                command, cwd=_PROJECT, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
            )
        )
        stack.callback(_stop, process)
        yield process, log


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _wait(process: subprocess.Popen[bytes], log: IO[bytes], ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start: {_text(log).decode(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _answering_workers(address: Address) -> set[int]:
    """Which workers answer now. The kernel deals connections out among them, so it takes several to meet all."""
    request = http_request("GET", "/healthz", {"Host": "localhost", "Connection": "close"})
    workers: set[int] = set()
    try:
        for _ in range(4 * WORKERS):
            with socket.create_connection(address, timeout=START_SECONDS) as connection:
                connection.sendall(request)
                answer = connection.makefile("rb").read()
            workers.add(int(json.loads(answer.partition(b"\r\n\r\n")[2])["worker"]))
    except ConnectionError:
        return set()
    return workers


def _text(log: IO[bytes]) -> bytes:
    """All that was printed so far; pread leaves the writer's place in the file alone."""
    return os.pread(log.fileno(), 1 << 20, 0)


def _resident_mb(process_id: int) -> float:
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
