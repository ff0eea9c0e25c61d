"""Backups of SQLite: whole, consistent, and nothing is overwritten."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import update

from broker.domain.errors import Refused
from broker.store import schema as s
from broker.store.engine import backups
from broker.store.engine.statements import Statement
from tests.world import World

_HALF = Statement(update(s.feature).values(name="half"))
_BACK = Statement(update(s.feature).values(name="whole"))


def test_a_backup_holds_what_was_committed_also_what_is_in_the_log_only(sqlite_world: World, tmp_path: Path) -> None:
    sqlite_world.suspend("share-a-track")
    assert sqlite_world.database.path.with_name(sqlite_world.database.path.name + "-wal").exists()
    file = tmp_path / "backup"
    assert backups.back_up(sqlite_world.database.path, file) == file.stat().st_size
    with sqlite3.connect(file) as copy:
        assert copy.execute("SELECT state FROM feature WHERE id = 'share-a-track'").fetchall() == [("suspended",)]
    copy.close()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_backup_while_somebody_writes_has_all_of_it_or_nothing(sqlite_world: World, tmp_path: Path) -> None:
    with sqlite_world.write() as context:
        context.transaction.run(_HALF)
        backups.back_up(sqlite_world.database.path, tmp_path / "backup")
        context.transaction.run(_BACK)
    with sqlite3.connect(tmp_path / "backup") as copy:
        assert copy.execute("SELECT count(*) FROM feature WHERE name = 'half'").fetchall() == [(0,)]
    copy.close()


def test_a_backup_overwrites_nothing(sqlite_world: World, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("mine")
    with pytest.raises(Refused, match="overwrites nothing"):
        backups.back_up(sqlite_world.database.path, file)
    assert file.read_text() == "mine"


def test_what_is_no_database_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.write_bytes(b"no database" * 1000)
    with pytest.raises(Refused, match="cannot be copied"):
        backups.back_up(odd, tmp_path / "backup")
    assert list(tmp_path.iterdir()) == [odd]
    assert backups.identity(odd) is None


def test_put_in_place_it_is_the_old_state_with_nothing_of_the_new(sqlite_world: World, tmp_path: Path) -> None:
    world, file = sqlite_world, tmp_path / "backup"
    backups.back_up(world.database.path, file)
    world.suspend("share-a-track")
    world.database.close()
    backups.put_in_place(file, world.database.path)
    assert world.feature("share-a-track").state.value == "active"
    assert backups.identity(file) == backups.identity(world.database.path)
