"""Desks on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.cli.desk import Desk, prepare
from tests.postgres import Unavailable


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An operator's desk, on SQLite."""
    yield from _desk_on(databases.fresh_sqlite_database(tmp_path, prepare), tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def each_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """The same, once on each database."""
    if request.param == "sqlite":
        yield from _desk_on(databases.fresh_sqlite_database(tmp_path, prepare), tmp_path)
        return
    try:
        url = databases.fresh_postgres_database(prepare)
    except Unavailable as reason:
        pytest.skip(str(reason))
    yield from _desk_on(url, tmp_path)
    databases.drop_postgres_database(url)


def _desk_on(url: str, directory: Path) -> Iterator[Desk]:
    desk = Desk(url, directory)
    yield desk
    desk.world.verify_audit()
    desk.world.close()
