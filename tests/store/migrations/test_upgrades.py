"""The schema's versions: what an upgrade makes is what the code declares, and what is newer is left alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from broker.domain.errors import Refused, Undecided
from broker.store import migrations, schema
from broker.store.engine.database import Database

_UPGRADE = """
import sys
from broker.store import migrations
from broker.store.engine.database import Database
database = Database(sys.argv[1])
sys.stdin.read(1)
print(migrations.upgrade(database))
"""


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def _execute(database: Database, statement: str) -> None:
    with database.engine.connect() as connection:
        connection.execute(text(statement))


def test_an_upgrade_of_an_empty_database_makes_what_the_code_declares(database: Database) -> None:
    migrations.upgrade(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []


def test_what_differs_from_the_declaration_is_found(database: Database) -> None:
    migrations.upgrade(database)
    _execute(database, "DROP INDEX uq_grant_standing")
    with database.engine.connect() as connection:
        (difference,) = compare_metadata(MigrationContext.configure(connection), schema.metadata)
    assert difference[0] == "add_index"


def test_an_empty_database_has_no_version(database: Database) -> None:
    assert migrations.current(database) is None
    migrations.refuse_newer(database)
    with pytest.raises(Undecided, match="broker db upgrade"):
        migrations.require_current(database)


def test_an_upgraded_database_has_the_newest_version(database: Database) -> None:
    assert migrations.upgrade(database) == migrations.newest() == migrations.current(database)
    assert migrations.newest() in migrations.known()
    migrations.require_current(database)


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    migrations.upgrade(database)
    _execute(database, "INSERT INTO clock (id, floor) VALUES (1, 42)")
    migrations.upgrade(database)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT floor FROM clock")).all() == [(42,)]


@pytest.mark.parametrize("ask", [migrations.upgrade, migrations.refuse_newer, migrations.require_current])
def test_a_database_of_a_newer_broker_is_refused_and_left_alone(database: Database, ask: object) -> None:
    migrations.upgrade(database)
    _execute(database, "UPDATE alembic_version SET version_num = '9999'")
    assert callable(ask)
    with pytest.raises(Refused, match="9999, newer than this broker knows"):
        ask(database)
    assert migrations.current(database) == "9999"


def test_two_brokers_that_upgrade_at_once_both_succeed(database: Database) -> None:
    command = [sys.executable, "-c", _UPGRADE, database.url]
    brokers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for broker in brokers:
        assert broker.stdin is not None
        broker.stdin.write(".")
        broker.stdin.flush()
    answers = [(broker.communicate(timeout=30)[0].strip(), broker.returncode) for broker in brokers]
    assert answers == [(migrations.newest(), 0)] * 2
    migrations.require_current(database)


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(database: Database) -> None:
    _execute(database, "CREATE TABLE token_family (id INTEGER)")  # in the way of one of the last tables
    with pytest.raises(Exception, match="token_family"):
        migrations.upgrade(database)
    assert migrations.current(database) is None
    _execute(database, "DROP TABLE token_family")
    migrations.upgrade(database)
    migrations.require_current(database)
