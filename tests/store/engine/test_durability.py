"""What the databases say of themselves."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

from broker.store.engine import durability
from broker.store.engine.database import Database


def test_a_database_as_the_broker_opens_it_is_sound(database_url: str) -> None:
    database = Database(database_url)
    with database.read() as transaction:
        found = durability.settings(transaction)
    database.close()
    assert len(found) == 3
    assert [each for each in found if not each.sound] == []


@pytest.mark.parametrize(
    ("pragma", "name", "value"),
    [
        ("journal_mode=DELETE", "journal_mode", "delete"),
        ("synchronous=NORMAL", "synchronous", "1"),
        ("foreign_keys=OFF", "foreign_keys", "0"),
    ],
)
def test_a_setting_that_loses_commits_is_found_on_sqlite(sqlite_url: str, pragma: str, name: str, value: str) -> None:
    database = Database(sqlite_url)
    event.listen(database.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {pragma}").fetchall())
    with database.read() as transaction:
        weak = [each for each in durability.settings(transaction) if not each.sound]
    database.close()
    assert [(each.name, each.value) for each in weak] == [(name, value)]


def test_a_setting_that_loses_commits_is_found_on_postgresql(postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    url = postgres_url.replace("postgresql://", "postgresql+psycopg://")
    administration = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with administration.connect() as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    database = Database(postgres_url)
    with database.read() as transaction:
        weak = [each for each in durability.settings(transaction) if not each.sound]
    database.close()
    assert [(each.name, each.value) for each in weak] == [("synchronous_commit", "off")]
