"""Runs a `broker` command that stops at named steps, and may be broken on purpose: ``launcher COMMAND...``.

The command is one that starts `broker` itself; it is run in this process instead.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from broker.cli import main
from tests.faults.stage import steps
from tests.faults.stage.builds import BUILDS
from tests.serving import COMMAND

BUILD = "FAULTS_BUILD"


def run() -> None:
    """Break what is to be broken, then put the steps around it, then be the broker."""
    if BUILD in os.environ:
        BUILDS[os.environ[BUILD]](pytest.MonkeyPatch())
    steps.install(Path(os.environ[steps.DIRECTORY]))
    given = sys.argv[1:]
    assert tuple(given[: len(COMMAND)]) == COMMAND, given
    sys.argv = ["broker", *given[len(COMMAND) :]]
    main.main()


if __name__ == "__main__":
    run()
