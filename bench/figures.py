"""The figures of one run: collected for each database, made into rows, written as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.catalogue import CATALOGUE, Database, Definition


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure on one database."""

    value: float
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the results. ``limit`` and ``holds`` are None where nothing was promised.

    The row that carries the plain name is the worse of the databases; it holds when each of them does, and shows a
    limit only when they share one.
    """

    name: str
    value: float
    definition: Definition
    limit: float | None
    holds: bool | None
    detail: Mapping[str, Any]


@dataclass(slots=True)
class Figures:
    """What was measured so far, and what could not be."""

    failures: dict[str, str] = field(default_factory=dict)
    _measured: dict[str, dict[Database, Measured]] = field(default_factory=dict)

    def record(self, name: str, database: Database, value: float, **detail: Any) -> None:
        """Keep one figure; KeyError for a name that the catalogue does not know."""
        self._measured.setdefault(CATALOGUE[name].name, {})[database] = Measured(value, detail)

    def rows(self) -> list[Row]:
        """All rows in the catalogue's order: the plain name, then one for each database."""
        rows: list[Row] = []
        for name, definition in CATALOGUE.items():
            if measured := self._measured.get(name):
                each = [_row(definition, database, measured[database]) for database in Database if database in measured]
                rows += [_worse(definition, each), *each]
        return rows

    def all_hold(self) -> bool:
        """Whether everything asked for was measured and keeps its limit."""
        return not self.failures and all(row.holds is not False for row in self.rows())


def _row(definition: Definition, database: Database, measured: Measured) -> Row:
    limit, holds = definition.limits.get(database), definition.holds(measured.value, database)
    return Row(f"{definition.name}.{database}", measured.value, definition, limit, holds, measured.detail)


def _worse(definition: Definition, each: list[Row]) -> Row:
    worst = next(row for row in each if row.value == definition.worse(row.value for row in each))
    limits = {row.limit for row in each}
    verdicts = [row.holds for row in each if row.holds is not None]
    return Row(
        name=definition.name,
        value=worst.value,
        definition=definition,
        limit=limits.pop() if len(limits) == 1 else None,
        holds=all(verdicts) if verdicts else None,
        detail={"worse_of": [row.name for row in each], **worst.detail},
    )


def as_document(figures: Figures, machine: Mapping[str, Any], at: str) -> dict[str, Any]:
    """The results as they are written: machine, time (RFC 3339) and figures; a limit stands in its figure's detail."""
    return {
        "machine": dict(machine),
        "at": at,
        "figures": [
            {
                "name": row.name,
                "value": _rounded(row.value),
                "unit": row.definition.unit,
                "detail": _rounded(row.detail) | _verdict(row),
            }
            for row in figures.rows()
        ],
        "failures": figures.failures,
    }


def _verdict(row: Row) -> dict[str, Any]:
    return {} if row.holds is None else {"limit": row.limit, "holds": row.holds}


def _rounded(value: Any) -> Any:
    """The same with four decimals: no clock here tells more."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {key: _rounded(inner) for key, inner in value.items()}
    return value


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write the results, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(document, indent=2) + "\n")
    unfinished.replace(path)
