"""The demo as people run it: real processes, and an exit code that can be believed."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from rich.console import Console

from broker.cli.demo import story
from broker.cli.demo.ledger import Ledger
from broker.cli.demo.world import PARTNERS, running


def _demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "broker.cli.main", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=dict(os.environ))


def test_the_whole_story_holds() -> None:
    done = _demo()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    for name, _, _ in PARTNERS.values():
        assert name in done.stdout
    assert "the old grants stay dead" in done.stdout
    assert "confirmed, confirmed, waited_out" in done.stdout
    assert "intact" in done.stdout


def test_a_shutdown_that_does_not_happen_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The story on a world whose command line says that it shut a feature down, and does not."""
    with running(tmp_path, port=0, workers=1) as world, ExitStack() as stack:
        ledger = Ledger(Console(quiet=True))
        told = story.Story(world, ledger, stack)
        told.connect()
        told.use()
        assert all(line.held for line in ledger.lines)
        monkeypatch.setattr(type(world), "command", lambda self, *arguments: (0, {}, ""))
        told.end_by_command()
    assert not ledger.held
    unmet = [line.promise for line in ledger.lines if not line.held]
    assert "the next call of alice's token is refused" in unmet
    assert "and so is its refresh" in unmet


def test_a_resource_server_that_goes_on_saying_yes_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chapter of the resource servers, where the command line says that it shut a feature down, and does not."""
    with running(tmp_path, port=0, workers=1) as world, ExitStack() as stack:
        ledger = Ledger(Console(quiet=True))
        told = story.Story(world, ledger, stack)
        monkeypatch.setattr(type(world), "command", lambda self, *arguments: (0, {}, ""))
        told.reach_elsewhere()
    unmet = [line.promise for line in ledger.lines if not line.held]
    assert unmet == [
        "when the command returns, the others refuse", "the receipt says how it knows",
        "the paused one wakes, and does not say yes",
    ]  # fmt: skip
