"""Backups of a SQLite database: a consistent copy while it is in use, and putting one in its place."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from broker.domain.errors import Refused
from broker.store import files

_BESIDE = ("-wal", "-shm", "-journal")


def back_up(database: Path, target: Path) -> int:
    """Copy a database as it is at one moment, while others read and write; the bytes. ``Refused`` if the file exists.

    The copy has its name only when it is whole and on the disk.
    """
    if target.exists():
        raise Refused(f"{target} exists already; a backup overwrites nothing")
    return _copied(database, target)


def put_in_place(backup: Path, database: Path) -> None:
    """Replace a database by a backup of it; the caller has seen to it that nobody uses it.

    A crash leaves the old one or the new one. The old one's log goes first: the new one must not be given its changes.
    """
    fresh = database.with_name(f"{database.name}.restoring")
    fresh.unlink(missing_ok=True)
    _copied(backup, fresh)
    if database.exists():
        with closing(sqlite3.connect(database)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    for suffix in _BESIDE:
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    fresh.rename(database)
    files.sync(database.parent)


def _copied(source: Path, target: Path) -> int:
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    try:
        with closing(_reading(source)) as reading, closing(sqlite3.connect(partial)) as writing:
            reading.backup(writing)
            _require_sound(writing, source)
            writing.execute("PRAGMA journal_mode=DELETE").fetchall()  # one file, nothing beside it
    except sqlite3.Error as error:
        partial.unlink(missing_ok=True)
        raise Refused(f"{source} cannot be copied: {error}") from error
    files.sync(partial)
    partial.rename(target)
    files.sync(target.absolute().parent)
    return target.stat().st_size


def _reading(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file.absolute()))}?mode=ro", uri=True)


def _require_sound(copy: sqlite3.Connection, source: Path) -> None:
    found = [row[0] for row in copy.execute("PRAGMA quick_check").fetchall()]
    if found != ["ok"]:
        raise Refused(f"{source} is damaged: {found[0]}")


def identity(file: Path) -> int | None:
    """What tells a database from others, as the file has it; None if it is no broker's that was set up."""
    try:
        with closing(_reading(file)) as reading:
            row = reading.execute("SELECT seeded_at FROM deployment").fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else int(row[0])
