"""Log lines: JSON, of allow-listed fields, and never the reason why an answer fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from broker.web import logs
from tests.serving import ROOT


def test_only_allow_listed_fields_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    structlog.get_logger("tests").warning(
        "undecided", route="GET /api/threads", why="busy", token="a-secret", headers={"Authorization": "a-secret"}
    )
    line = json.loads(capsys.readouterr().err)
    assert set(line) == {"timestamp", "level", "event", "route", "why"}
    assert (line["event"], line["level"]) == ("undecided", "warning")


def test_a_log_that_takes_nothing_more_is_nobodys_error() -> None:
    """stderr on a full disk."""
    script = "from broker.web import logs; import structlog; logs.configure(); structlog.get_logger('x').warning('y')"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, stderr=full, check=False)
    assert done.returncode == 0
