"""docs/threat-model.md says which test proves what: each of them is there, under that name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.house.source import ROOT, none

PAGE = ROOT / "docs" / "threat-model.md"
_NAMED = re.compile(r"`([\w/]+\.py)`:|`(test_\w+)`")


def _claims() -> Iterator[tuple[str, str]]:
    """(file under tests/, name of a test), as the page names them: a file, and after it its tests."""
    file = ""
    for named, test in _NAMED.findall(PAGE.read_text()):
        if named:
            file = named
        else:
            yield file, test


def _tests_in(file: str) -> set[str]:
    path = ROOT / "tests" / file
    return set(re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)) if path.exists() else set()


def test_every_proof_that_is_named_is_there() -> None:
    claims = list(_claims())
    assert len(claims) > 100
    none((f"{file}: {test}" for file, test in claims if test not in _tests_in(file)), "named as a proof, not there:")


def test_every_line_in_force_names_a_proof() -> None:
    in_force = PAGE.read_text().split("## Not in force")[0]
    lines = re.findall(r"^- .*?(?=^- |^## |^\| |\Z)", in_force, re.MULTILINE | re.DOTALL)
    rows = [row for row in re.findall(r"^\| .*$", in_force, re.MULTILINE) if not row.startswith(("| what it", "|---"))]
    assert len(lines) > 50
    none((line.strip().splitlines()[0] for line in [*lines, *rows] if "`test_" not in line), "without a proof:")
