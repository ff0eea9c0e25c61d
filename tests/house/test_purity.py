"""Time and randomness come from the operation's context, so that years pass in a test in milliseconds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.source import Source, none, rooms

BELOW_THE_FRONTS = ("domain", "settings", "store", "operations", "enforcement", "network")
_CLOCKS = {
    *(f"time.{name}" for name in ("time", "time_ns", "localtime", "gmtime", "ctime", "strftime")),
    *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
    "datetime.date.today",
}
_DICE = {"os.urandom", "random.*", "secrets.*", "uuid.uuid1", "uuid.uuid4", "numpy.random.*"}
# Intervals (time.monotonic) are everywhere fine: they measure, and nothing is decided by a date.
_MAY = {
    "broker/store/engine/database.py": _CLOCKS,  # the one clock: the database's, or a test's in its place
    "broker/enforcement": _CLOCKS | _DICE,  # its access spool names files and stamps records on the resource server
}


def _names(source: Source) -> dict[str, str]:
    """What the names that a module imported stand for."""
    names: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names.update({alias.asname or alias.name: alias.name for alias in node.names})
        elif isinstance(node, ast.ImportFrom):
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return names


def _dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value, names)
        return owner and f"{owner}.{node.attr}"
    return None


def _matches(name: str, patterns: set[str]) -> bool:
    return name in patterns or f"{name.rpartition('.')[0]}.*" in patterns


def _readings(source: Source, forbidden: set[str]) -> Iterator[str]:
    names = _names(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = _dotted(node, names)
            if name is not None and _matches(name, forbidden):
                yield f"{source.at(node)} uses {name}"


def _forbidden(source: Source) -> set[str]:
    allowed = (names for place, names in _MAY.items() if source.name == place or source.name.startswith(f"{place}/"))
    return (_CLOCKS | _DICE).difference(*allowed)


def test_nothing_below_the_fronts_reads_a_clock_or_throws_dice() -> None:
    readings = (reading for source in rooms(*BELOW_THE_FRONTS) for reading in _readings(source, _forbidden(source)))
    none(readings, "time, ids and randomness come from the context (or, for time, from the database):")


def test_the_rule_sees_through_imports_and_aliases() -> None:
    text = "import time as t\nfrom datetime import datetime\nfrom secrets import token_bytes\nimport uuid\n"
    text += "t.time()\ndatetime.now()\ntoken_bytes(8)\nuuid.uuid4\nt.monotonic()\nuuid.UUID\n"
    source = Source(rooms("domain")[0].path, text, ast.parse(text))
    seen = [reading.split(" uses ")[1] for reading in _readings(source, _CLOCKS | _DICE)]
    assert sorted(seen) == ["datetime.datetime.now", "secrets.token_bytes", "time.time", "uuid.uuid4"]
