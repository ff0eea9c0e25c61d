"""Processes of the demo: each says when it is ready, and is ended by its id."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from broker.domain.errors import Undecided

_START_S = 60.0
_STOP_S = 15.0


class Process:
    """A server in a process of its own; ``url`` is what it said after ``ready``."""

    def __init__(self, name: str, arguments: Sequence[str], *, environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL,
                env={**os.environ, **environ}, start_new_session=True,
            )  # fmt: skip
        self.url = self._ready()

    def _ready(self) -> str:
        assert self._process.stdout is not None
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if select.select([self._process.stdout], [], [], 0.2)[0]:
                word, _, url = self._process.stdout.readline().decode().strip().partition(" ")
                if word == "ready":
                    return url
        self.stop()
        raise Undecided(f"{self.name} did not start; its log says:\n{self.tail()}")

    def tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-12:])

    def pause(self) -> None:
        """Stop its time, as a debugger or an overloaded machine would."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on where it was."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Ask it to end, and insist if it does not; its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self.resume()  # a paused one hears it only then
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        code = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return code
