"""Whether a commit lasts: what the database itself says of the settings that the promise rests on."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, text

from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement

# What each must say, and the statement that asks: a file system without shared memory refuses WAL, for one.
_SQLITE = {
    "journal_mode": (("wal",), Statement(text("PRAGMA journal_mode"))),
    "synchronous": (("2", "3"), Statement(text("PRAGMA synchronous"))),  # FULL, EXTRA
    "foreign_keys": (("1",), Statement(text("PRAGMA foreign_keys"))),
}
_POSTGRESQL = {
    name: (values, Statement(select(func.current_setting(name))))
    for name, values in {
        "fsync": ("on",), "full_page_writes": ("on",), "synchronous_commit": ("on", "remote_apply"),
    }.items()
}  # fmt: skip
_STANDBY = Statement(select(func.pg_is_in_recovery()))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as the database has it, and whether a commit can rest on it."""

    name: str
    value: str
    sound: bool


def settings(transaction: Transaction) -> list[Setting]:
    """The settings of this connection that decide whether what was committed outlives a crash."""
    found = []
    for name, (sound, statement) in (_SQLITE if transaction.database.is_sqlite else _POSTGRESQL).items():
        row = transaction.row(statement)
        value = "unknown" if row is None else str(row[0])
        found.append(Setting(name, value, value in sound))
    return found


def is_standby(transaction: Transaction) -> bool:
    """Whether the database follows another: what it says is late, and it takes no shutdown."""
    if transaction.database.is_sqlite:
        return False
    row = transaction.row(_STANDBY)
    return row is not None and bool(row[0])
