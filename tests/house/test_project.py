"""The files around the code: make, links, and what must not be in any of them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

from tests.house.source import ROOT, none, tracked

_LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)
# Written in parts, for this file is searched too.
_REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("deb", "debian", "org"),
        ("maven", "org"),
    )
]
_MACHINE_PATHS = [r"(?<![\w.])/" + name + "/" for name in ("work", "root", r"home/\w+", r"Users/\w+")]
_FOREIGN = re.compile("|".join([*map(re.escape, _REGISTRIES), *_MACHINE_PATHS, re.escape("../" + "shared")]))


def _text(path: Path) -> str | None:
    data = path.read_bytes()
    return None if b"\0" in data[:4096] else data.decode(errors="replace")


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.findall(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)[0].split())
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    helped = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^\s*make ([\w-]+)\s+\S", helped, re.MULTILINE))
    assert targets == phony, "each target of a person's is .PHONY, and has a recipe"
    assert listed == targets, "each target has a `## sentence`, which make help prints"


def test_no_file_names_a_registry_or_a_path_of_somebodys_machine() -> None:
    found = (
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        for match in _FOREIGN.finditer(_text(path) or "")
    )
    none(found, "the project speaks of itself alone, wherever it is checked out:")


def test_every_link_between_the_documents_leads_somewhere() -> None:
    pages = [path for path in tracked() if path.suffix == ".md"]
    broken = (
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in _LINK.findall(_FENCE.sub("", page.read_text()))
        if not _leads_somewhere(page, target)
    )
    none(broken, "links to files or headings that do not exist:")


def _leads_somewhere(page: Path, target: str) -> bool:
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return True
    file, _, heading = unquote(target).partition("#")
    linked = (page.parent / file).resolve() if file else page
    if not linked.exists():
        return False
    return not heading or linked.suffix != ".md" or heading in _anchors(linked.read_text())


def _anchors(text: str) -> set[str]:
    """The fragments of a page's headings, as the usual renderers make them."""
    headings = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in _HEADING.findall(_FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}
