"""Named steps inside a broker's processes, where a test has one of them stop: told by files, so that it works across
processes and survives whatever is done to them.

A step is armed for one process, the first that comes by. It says that it is there, with its process id, and goes on
when it is let go; or is killed there, or frozen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from broker.operations import consent, issuing, messages, shutdowns
from broker.operations.context import Runtime
from broker.operations.coordinator import StoredNodes
from broker.store.revocations import nodes
from broker.web import authorities, express

DIRECTORY = "FAULTS_STEPS"
LIMIT_S = 60.0
"""Nothing here takes long; what does is a test that would never end."""
_PAUSE_S = 0.002

AFTER, BEFORE = "after", "before"
STEPS: dict[str, tuple[Any, str, str]] = {
    # the coordinator
    "committed": (shutdowns, "_commit", AFTER),
    "waiting": (StoredNodes, "wake", AFTER),
    "waited": (Runtime, "wait_for_nodes", AFTER),
    "counting": (shutdowns, "_count", BEFORE),
    # a node, inside the transaction of its renewal
    "renewing": (nodes, "renew", AFTER),
    # requests, between the check and what follows from it
    "reading": (express, "page_of_messages", AFTER),
    "first-sight": (authorities, "read", AFTER),
    "writing": (messages, "post_through_app", BEFORE),
    "issuing": (issuing, "_issue", BEFORE),
    "consenting": (consent, "_code", BEFORE),
}
"""Each step: before or after which function of the broker it is."""


def install(directory: Path) -> None:
    """Have this process, and those that it forks, stop where a test wants it."""
    for name, (place, function, when) in STEPS.items():
        setattr(place, function, _stopping(getattr(place, function), directory, name, when))


def _stopping(original: Callable[..., Any], directory: Path, name: str, when: str) -> Callable[..., Any]:
    @wraps(original)
    def with_step(*args: Any, **values: Any) -> Any:
        if when == BEFORE:
            _stop(directory, name)
        result = original(*args, **values)
        if when == AFTER:
            _stop(directory, name)
        return result

    return with_step


def _stop(directory: Path, name: str) -> None:
    try:
        (directory / f"{name}.armed").rename(directory / f"{name}.taken")
    except FileNotFoundError:
        return
    whole = directory / f"{name}.new"
    whole.write_text(str(os.getpid()))
    whole.rename(directory / f"{name}.reached")
    _until((directory / f"{name}.go").exists, f"nobody lets the step {name} go")


def _until(done: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise)
        time.sleep(_PAUSE_S)


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of one broker as its test sees them."""

    directory: Path

    def arm(self, name: str) -> None:
        """The next to come by stops."""
        assert name in STEPS, name
        for trace in self.directory.glob(f"{name}.*"):
            trace.unlink()
        (self.directory / f"{name}.armed").touch()

    def reached(self, name: str) -> int:
        """Wait until a process has stopped there; its id."""
        arrived = self.directory / f"{name}.reached"
        _until(arrived.exists, f"nobody came to the step {name}")
        return int(arrived.read_text())

    def go(self, name: str) -> None:
        """Let it go on."""
        (self.directory / f"{name}.go").touch()
