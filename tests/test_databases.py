"""The ground that tests stand on: new databases, on servers that are real."""

from __future__ import annotations

import signal
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import IntegrityError

from tests import databases
from tests.postgres import PostgresServer, Unavailable, binaries, copied


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    try:
        server = PostgresServer(binaries())
        server.start()
    except Unavailable as reason:
        pytest.skip(str(reason))
    yield server
    server.remove()


def _execute(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


def _with_one_row(url: str) -> None:
    _execute(url, "CREATE TABLE mark (made INTEGER)")
    _execute(url, "INSERT INTO mark VALUES (1)")


def test_a_new_database_is_empty_and_can_be_written(database_url: str) -> None:
    _with_one_row(database_url)
    assert _execute(database_url, "SELECT made FROM mark") == [(1,)]


def test_two_new_databases_know_nothing_of_each_other(tmp_path: Path, postgres_url: str) -> None:
    other = databases.fresh_postgres_database()
    files = [databases.fresh_sqlite_database(tmp_path) for _ in range(2)]
    for one, another in ((postgres_url, other), files):
        _with_one_row(one)
        _with_one_row(another)
    databases.drop_postgres_database(other)


def test_a_prepared_database_is_prepared_once_and_copied(tmp_path: Path, postgres_url: str) -> None:
    prepared = []

    def prepare(url: str) -> None:
        prepared.append(url)
        _with_one_row(url)

    urls = [databases.fresh_postgres_database(prepare) for _ in range(2)]
    urls += [databases.fresh_sqlite_database(tmp_path, prepare) for _ in range(2)]
    for url in urls:
        _execute(url, "INSERT INTO mark VALUES (2)")
        assert _execute(url, "SELECT made FROM mark ORDER BY made") == [(1,), (2,)]
    assert len(prepared) == 2


def _with_numbered_rows(url: str) -> None:
    _execute(url, "CREATE TABLE part (id BIGSERIAL PRIMARY KEY, name TEXT)")
    _execute(url, "CREATE TABLE bolt (part BIGINT REFERENCES part, size BYTEA)")
    _execute(url, "INSERT INTO part (name) VALUES ('frame'), (NULL)")
    _execute(url, "INSERT INTO bolt VALUES (1, '\\x00ff')")


def _rows(url: str) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    return _execute(url, "SELECT * FROM part ORDER BY id"), _execute(url, "SELECT * FROM bolt")


def test_a_database_that_was_given_back_is_as_it_was_prepared() -> None:
    try:
        url = databases.fresh_postgres_database(_with_numbered_rows)
    except Unavailable as reason:
        pytest.skip(str(reason))
    before, same = _rows(url), "SELECT oid FROM pg_database WHERE datname = current_database()"
    database = _execute(url, same)
    _execute(url, "DELETE FROM bolt")
    _execute(url, "UPDATE part SET name = 'wheel' WHERE id = 1")
    _execute(url, "INSERT INTO part (name) VALUES ('saddle')")
    left_open = psycopg.connect(url)
    left_open.execute("LOCK TABLE part")
    databases.drop_postgres_database(url)
    again = databases.fresh_postgres_database(_with_numbered_rows)
    left_open.close()
    assert again != url  # what somebody keeps by its URL is not to be found by the next test
    assert _execute(again, same) == database
    assert _rows(again) == before
    assert _execute(again, "INSERT INTO part (name) VALUES ('saddle') RETURNING id") == [(3,)]
    with pytest.raises(IntegrityError):
        _execute(again, "DELETE FROM part WHERE id = 1")
    databases.drop_postgres_database(again)


def test_a_database_whose_tables_have_changed_is_not_used_again() -> None:
    try:
        url = databases.fresh_postgres_database(_with_numbered_rows)
    except Unavailable as reason:
        pytest.skip(str(reason))
    for change in ("CREATE TABLE more (x INTEGER)", "ALTER TABLE part ADD COLUMN weight INTEGER"):
        _execute(url, change)
        databases.drop_postgres_database(url)
        again = databases.fresh_postgres_database(_with_numbered_rows)
        assert again != url
        assert _rows(again)[0] == [(1, "frame"), (2, None)]
        url = again
    databases.drop_postgres_database(url)


def test_a_template_that_is_still_open_is_not_copied(tmp_path: Path) -> None:
    left_open = []

    def prepare(url: str) -> None:
        connection = sqlite3.connect(urlsplit(url).path)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE mark (made INTEGER)")
        left_open.append(connection)

    with pytest.raises(AssertionError, match="left open"):
        databases.fresh_sqlite_database(tmp_path, prepare)
    left_open.pop().close()


def test_the_server_is_durable_and_keeps_to_loopback(server: PostgresServer) -> None:
    with psycopg.connect(server.url()) as connection:
        for setting, value in (
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", ""),
        ):
            assert connection.execute(f"SHOW {setting}").fetchone() == (value,)


def test_the_server_never_runs_as_root(server: PostgresServer) -> None:
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        assert Path(f"/proc/{row[0]}").stat().st_uid != 0


def test_binaries_where_the_server_cannot_go_are_copied_and_nothing_is_opened_for_it(tmp_path: Path) -> None:
    try:
        closed = copied(binaries(), tmp_path / "closed")
    except Unavailable as reason:
        pytest.skip(str(reason))
    tmp_path.chmod(0o700)
    server = PostgresServer(closed)
    server.start()
    server.remove()
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_server_that_crashed_comes_back_with_its_data_on_the_same_port(server: PostgresServer) -> None:
    _with_one_row(server.url())
    url = server.url()
    server.stop(signal.SIGQUIT)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    server.start()
    assert _execute(url, "SELECT made FROM mark") == [(1,)]


def test_a_test_cannot_reach_another_machine() -> None:
    with socket.socket() as connection, pytest.raises(PermissionError, match="may not connect"):
        connection.connect(("192.0.2.1", 80))
