"""Every figure of the bench: its name, its unit, which way is better, and the limit on each database.

Names are stable: others compare the results of today with those of a year ago.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Database(StrEnum):
    """A database that the broker runs on, as it stands in a figure's name."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True)
class Definition:
    """What one figure is. ``limits`` is the least value where higher is better, else the greatest."""

    name: str
    unit: str
    higher_is_better: bool
    limits: dict[Database, float] = field(default_factory=dict)
    digits: int = 2

    def worse(self, values: Iterable[float]) -> float:
        """The worst of several values."""
        return min(values) if self.higher_is_better else max(values)

    def holds(self, value: float, database: Database) -> bool | None:
        """Whether a value keeps the limit; None where there is none."""
        limit = self.limits.get(database)
        if limit is None:
            return None
        return value >= limit if self.higher_is_better else value <= limit


def _at_least(name: str, unit: str, sqlite: float, postgresql: float, digits: int = 2) -> Definition:
    return Definition(name, unit, True, {Database.SQLITE: sqlite, Database.POSTGRESQL: postgresql}, digits)


def _at_most(name: str, unit: str, sqlite: float, postgresql: float, digits: int = 2) -> Definition:
    return Definition(name, unit, False, {Database.SQLITE: sqlite, Database.POSTGRESQL: postgresql}, digits)


def _leased(
    name: str,
    unit: str,
    at_most: float | None = None,
    at_least: float | None = None,
    digits: int = 2,
    *,
    higher_is_better: bool = False,
) -> Definition:
    """A figure of nodes that say yes from memory: the broker's own do so on PostgreSQL alone."""
    limit = at_most if at_least is None else at_least
    limits = {} if limit is None else {Database.POSTGRESQL: limit}
    return Definition(name, unit, higher_is_better or at_least is not None, limits, digits)


_DEFINITIONS = (
    Definition("machine.commits.per_s", "1/s", True, digits=0),
    _at_most("strict.read.added_us", "us", 40, 250, digits=1),
    _at_least("strict.read.ratio", "ratio", 0.7, 0.45),
    _at_most("strict.read.statements", "statements", 1, 1, digits=0),
    _leased("leased.check.us", "us", at_most=5, digits=1),
    _leased("leased.read.added_us", "us", at_most=10, digits=1),
    _leased("leased.read.ratio", "ratio", at_least=0.88),
    Definition("issue.per_s", "1/s", True, digits=0),
    _at_least("issue.ratio.plain", "ratio", 2.5, 1.5),
    _at_least("introspect.ratio.plain", "ratio", 4, 3),
    _leased("introspect.leased.per_s", "1/s", digits=0, higher_is_better=True),
    _leased("introspect.strict.per_s", "1/s", digits=0, higher_is_better=True),
    _leased("introspect.constant.per_s", "1/s", digits=0, higher_is_better=True),
    _at_least("read.ratio.plain", "ratio", 4, 2.5),
    Definition("shutdown.ms.1k", "ms", False),
    Definition("shutdown.ms.100k", "ms", False),
    Definition("shutdown.ms.1m", "ms", False),
    _at_most("shutdown.growth", "ratio", 1.5, 1.5),
    _at_most("shutdown.recount.ms.1m", "ms", 1000, 1000, digits=0),
    _leased("shutdown.return.ms.p50", "ms", at_most=50),
    _leased("shutdown.return.growth", "ratio", at_most=1.5),
    _leased("shutdown.return.dead_node.s", "s", at_most=3.66),  # the lease of 3 s and 2 %, 0.1 s, and half a second
    _leased("admitted.after.return", "requests", at_most=0, digits=0),
    _leased("admitted.after.tried", "requests", at_least=1_000_000, digits=0),
    _leased("guard.bytes_per_decision", "bytes", digits=0),
    _leased("guard.bytes_per_revocation", "bytes", digits=0),
    _at_most("worker.rss_growth_mb", "MB", 5, 5, digits=1),
)

CATALOGUE = {definition.name: definition for definition in _DEFINITIONS}
