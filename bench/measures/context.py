"""What a measure is, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.catalogue import Database
from bench.databases import NewDatabase
from bench.figures import Figures
from bench.pairs import Plan


class Invalid(Exception):
    """What was measured must not be believed; the message says why."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One database under measurement: where to get new ones, how much to measure, and where figures go."""

    database: Database
    new_database: NewDatabase
    plan: Plan
    figures: Figures
    wanted: frozenset[str]
    say: Callable[[str], None]

    def record(self, name: str, value: float, **detail: Any) -> None:
        """Keep a figure of this database."""
        self.figures.record(name, self.database, value, **detail)


@dataclass(frozen=True, slots=True)
class Measure:
    """A family of figures that are measured together; it measures those of its names that are wanted."""

    names: tuple[str, ...]
    run: Callable[[Bench], None]
