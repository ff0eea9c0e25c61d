"""The models of docs/model: the correct ones hold, and each breakage is caught."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "docs" / "model"
SIZES = {"NODES", "LEASE", "COARSE", "TWO_REPLIES"}
"""Flags that make a model larger or smaller and break nothing."""

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(shutil.which("spin") is None, reason="spin, which checks the models, is not installed"),
    pytest.mark.skipif(
        shutil.which("gcc") is None and shutil.which("cc") is None,
        reason="a C compiler, which the models' checkers need, is not installed",
    ),
]


def _breakages() -> set[tuple[str, str]]:
    """The flags that the models themselves ask about, each with its model."""
    return {
        (path.stem, flag)
        for path in MODELS.glob("*.pml")
        for flag in re.findall(r"^#ifn?def (\w+)", path.read_text(), re.MULTILINE)
        if flag not in SIZES
    }


def test_the_correct_models_hold_and_every_breakage_in_them_is_caught() -> None:
    done = subprocess.run(["make", "model"], check=False, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    caught = {(row[0], row[1]) for row in rows if row[-2:] == ["caught", "caught"]}
    held = {row[0] for row in rows if row[-2:] == ["holds", "holds"]}
    assert caught == _breakages()
    assert held == {path.stem for path in MODELS.glob("*.pml")}
