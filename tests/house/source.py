"""The Python sources, parsed once, as the rules of the house see them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("domain", "settings", "store", "operations", "enforcement", "network", "web", "cli")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: its place, its lines and its tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The path from the root of the project."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def room(self) -> str | None:
        """The room of ``broker`` that it is in."""
        parts = Path(self.name).with_suffix("").parts
        return parts[1] if parts[0] == "broker" and len(parts) > 1 and parts[1] in ROOMS else None

    def line(self, node: ast.stmt | ast.expr) -> str:
        """The text of the line where a node begins."""
        return self.text.splitlines()[node.lineno - 1]

    def at(self, node: ast.stmt | ast.expr) -> str:
        """Where a node is, for a person to click."""
        return f"{self.name}:{node.lineno}"

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def imports(self) -> Iterator[tuple[ast.stmt, str]]:
        """Every import, wherever it is, with the module it names."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node, node.module or ""


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """The Python files under some folders of the project, by name."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(Source(path, text := path.read_text(), ast.parse(text)) for path in paths)


def everything() -> tuple[Source, ...]:
    """All Python files of the project."""
    return sources("broker", "demo_partners", "bench", "tests")


def rooms(*names: str) -> tuple[Source, ...]:
    """The Python files of some rooms; a room may be a folder or a module."""
    return tuple(source for source in sources("broker") if source.room in names)


@cache
def tracked() -> tuple[Path, ...]:
    """The files that the repository holds or is about to; in an export, which has no repository, a skip."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout: which files are the project's cannot be told")
    return tuple(sorted({ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()}))


def none(offenders: Iterable[str], rule: str) -> None:
    """Fail with the rule and everything that breaks it."""
    found = sorted(offenders)
    if found:
        pytest.fail(f"{rule}\n" + "\n".join(f"  {offender}" for offender in found), pytrace=False)
