"""Transactions: one snapshot, all or nothing, and what is left when the connection or the disk is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Boolean, Column, Integer, LargeBinary, MetaData, Table, Text, func, insert, select, text, update

from broker.domain.errors import Conflict, Refused, Undecided
from broker.store.engine.database import Database, Transaction
from broker.store.engine.statements import Statement
from tests.concurrency import LIMIT_S, in_thread

NOTE = Table(
    "note",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("word", Text),
    Column("flag", Boolean),
    Column("data", LargeBinary),
)
ADD = Statement(insert(NOTE))
COUNT = Statement(select(func.count()).select_from(NOTE))
ALL = Statement(select(NOTE).order_by(NOTE.c.id))
CHANGE = Statement(update(NOTE).values(word="changed"))
PID = Statement(text("SELECT pg_backend_pid()"))


def _prepared(database: Database) -> Iterator[Database]:
    NOTE.metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    yield from _prepared(Database(database_url))


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    yield from _prepared(Database(postgres_url))


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    yield from _prepared(Database(sqlite_url))


def _add(transaction: Transaction, number: int, word: str | None = None) -> None:
    transaction.run(ADD, id=number, word=word, flag=None, data=None)


def _add_and_commit(
    database: Database, *numbers: int, word: str | None = None, then: Callable[[Transaction], None] | None = None
) -> None:
    with database.write() as transaction:
        for number in numbers:
            _add(transaction, number, word)
        if then is not None:
            then(transaction)


def _count(transaction: Transaction) -> int:
    row = transaction.row(COUNT)
    assert row is not None
    return int(row[0])


def _left(database: Database) -> int:
    with database.read() as transaction:
        return _count(transaction)


def _elsewhere(act: Callable[[], None]) -> None:
    """Do something on another connection, to its end."""
    in_thread(act).result(LIMIT_S)


# --- snapshots ------------------------------------------------------------------------------------------------------


def test_two_questions_of_one_read_see_one_snapshot(database: Database) -> None:
    with database.read() as reading:
        assert _count(reading) == 0
        _elsewhere(lambda: _add_and_commit(database, 1))
        assert _count(reading) == 0
    assert _left(database) == 1


def test_without_a_transaction_each_question_sees_what_is_committed(database: Database) -> None:
    with database.single() as asking:
        assert _count(asking) == 0
        _elsewhere(lambda: _add_and_commit(database, 1))
        assert _count(asking) == 1


def test_asking_for_one_row_of_many_pins_no_snapshot(database: Database) -> None:
    with database.write() as transaction:
        transaction.many(ADD, [{"id": n, "word": None, "flag": None, "data": None} for n in range(300)])
    with database.single() as asking:
        first = asking.row(ALL)
        assert first is not None
        assert first[0] == 0
        _elsewhere(lambda: _add_and_commit(database, 300))
        assert _count(asking) == 301


def test_a_write_is_not_seen_before_it_is_committed(database: Database) -> None:
    with database.write() as writing:
        _add(writing, 1)
        assert in_thread(lambda: _left(database)).result(LIMIT_S) == 0
    assert in_thread(lambda: _left(database)).result(LIMIT_S) == 1


def test_what_is_written_in_a_read_does_not_stay(database: Database) -> None:
    with suppress(Undecided), database.read() as reading:
        _add(reading, 1)
    assert _left(database) == 0


# --- all or nothing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Refused, SystemExit])
def test_a_write_that_fails_in_any_way_leaves_nothing(database: Database, error: type[BaseException]) -> None:
    def fail(_: Transaction) -> None:
        raise error

    with pytest.raises(error):
        _add_and_commit(database, 1, then=fail)
    assert _left(database) == 0


def test_a_statement_that_the_database_refuses_takes_the_whole_transaction_with_it(database: Database) -> None:
    _add_and_commit(database, 1)
    with pytest.raises(Conflict):
        _add_and_commit(database, 2, 1)
    assert _left(database) == 1
    _add_and_commit(database, 2)
    assert _left(database) == 2


@pytest.mark.parametrize("kind", ["read", "write", "single"])
def test_a_statement_that_fails_leaves_no_transaction_open(database: Database, kind: str) -> None:
    _add_and_commit(database, 1)
    broken = Statement(text("SELECT a FROM nowhere"))
    with pytest.raises(Exception, match="nowhere"), getattr(database, kind)() as transaction:
        transaction.rows(broken)
    other = Database(database.url, lock_timeout_ms=200)
    with other.write() as transaction:
        assert transaction.run(CHANGE) == 1
    other.close()
    with database.read() as reading:
        assert reading.rows(ALL) == [(1, "changed", None, None)]


@pytest.mark.parametrize("outer", ["read", "write", "single"])
@pytest.mark.parametrize("inner", ["read", "write", "single"])
def test_a_transaction_inside_another_is_a_mistake_that_shows_at_once(
    database: Database, outer: str, inner: str
) -> None:
    before = time.monotonic()
    with (
        pytest.raises(AssertionError, match="open in this thread already"),
        getattr(database, outer)(),
        getattr(database, inner)(),
    ):
        raise NotImplementedError("two at once")
    assert time.monotonic() - before < 1, "it waited for itself"
    _add_and_commit(database, 1)
    assert _left(database) == 1


def test_no_number_of_threads_writing_loses_a_write(database: Database) -> None:
    writers = [in_thread(lambda n=n: _add_and_commit(database, n)) for n in range(8)]  # type: ignore[misc]
    for writer in writers:
        writer.result(LIMIT_S)
    assert _left(database) == 8


# --- values ---------------------------------------------------------------------------------------------------------


def test_truth_nothing_and_bytes_come_back_as_they_went_in(database: Database) -> None:
    rows = [(1, "ä\U0001f600", True, b"\x00\xff"), (2, "", False, b""), (3, None, None, None)]
    with database.write() as transaction:
        transaction.many(ADD, [dict(zip(("id", "word", "flag", "data"), row, strict=True)) for row in rows])
    with database.read() as transaction:
        assert transaction.rows(ALL) == rows
        assert transaction.statements == 1


def test_nothing_to_add_is_no_statement(database: Database) -> None:
    with database.write() as transaction:
        transaction.many(ADD, [])
        assert transaction.statements == 0


@pytest.mark.parametrize(("number", "word"), [(1 << 70, "x"), (1, "half \ud83d")])
def test_a_value_that_cannot_be_stored_is_refused(database: Database, number: int, word: str) -> None:
    with pytest.raises(Refused):
        _add_and_commit(database, 5, then=lambda transaction: _add(transaction, number, word))
    assert _left(database) == 0


# --- what fails -----------------------------------------------------------------------------------------------------


def _terminate(database: Database, pid: int) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        assert connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


def _pid(transaction: Transaction) -> int:
    row = transaction.row(PID)
    assert row is not None
    return int(row[0])


def test_a_connection_that_is_lost_in_a_transaction_decides_nothing(postgres: Database) -> None:
    def lose_and_go_on(transaction: Transaction) -> None:
        _terminate(postgres, _pid(transaction))
        _add(transaction, 2)

    with pytest.raises(Undecided):
        _add_and_commit(postgres, 1, then=lose_and_go_on)
    assert _left(postgres) == 0


def test_a_connection_that_is_lost_before_the_commit_decides_nothing(postgres: Database) -> None:
    with pytest.raises(Undecided):
        _add_and_commit(postgres, 1, then=lambda transaction: _terminate(postgres, _pid(transaction)))
    assert _left(postgres) == 0


def test_after_a_connection_was_lost_while_idle_the_second_attempt_works(postgres: Database) -> None:
    with postgres.read() as transaction:
        pid = _pid(transaction)
    _terminate(postgres, pid)
    with pytest.raises(Undecided):
        _left(postgres)
    assert _left(postgres) == 0


def test_a_server_that_is_not_there_decides_nothing() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(Undecided, match="cannot be reached"), database.read():
        pass
    database.close()


def test_a_file_that_cannot_be_opened_decides_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'missing' / 'broker.sqlite3'}")
    with pytest.raises(Undecided, match="cannot be reached"), database.read():
        pass
    database.close()


def test_a_sqlite_database_without_a_file_is_refused() -> None:
    with pytest.raises(Undecided, match="must be a file"):
        Database("sqlite://")


def test_a_full_disk_decides_nothing_and_leaves_nothing(sqlite: Database) -> None:
    _add_and_commit(sqlite, 1)
    with sqlite.single() as transaction:
        transaction.rows(Statement(text("PRAGMA max_page_count = 3")))
    with pytest.raises(Undecided, match="full"):
        _add_and_commit(sqlite, 2, then=lambda transaction: _add(transaction, 3, "x" * 1_000_000))
    assert _left(sqlite) == 1
    _add_and_commit(sqlite, 2)  # there is room again: the limit went with the connection that was dropped
    assert _left(sqlite) == 2


def test_a_damaged_file_decides_nothing(sqlite: Database) -> None:
    sqlite.close()
    sqlite.path.write_bytes(b"this is no database, whatever it was before " * 100)
    with pytest.raises(Undecided):
        _left(sqlite)


# --- closing, and the clock -----------------------------------------------------------------------------------------


def test_closing_ends_every_connection_and_the_next_transaction_opens_one(postgres: Database) -> None:
    others = [in_thread(lambda: _left(postgres)) for _ in range(3)]
    for other in others:
        other.result(LIMIT_S)
    postgres.close()
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        ).fetchone()
    assert row == (0,)
    assert _left(postgres) == 0


def test_without_a_clock_each_database_tells_the_time_in_its_own_way(database: Database) -> None:
    instant = database.instant()
    if database.is_sqlite:
        assert instant is not None
        assert abs(instant - time.time() * 1_000_000) < 5_000_000
    else:
        assert instant is None


def test_a_clock_that_is_given_is_the_clock(database_url: str) -> None:
    database = Database(database_url, clock=lambda: 17)
    assert database.instant() == 17
    database.close()


def _fail_and_go_on(database: Database) -> None:
    with database.write() as transaction:
        _add(transaction, 1)
        with suppress(psycopg.IntegrityError):
            _add(transaction, 1)


def test_a_failure_that_was_swallowed_is_not_taken_for_a_commit(postgres: Database) -> None:
    """A COMMIT after a failed statement rolls back, and PostgreSQL says so in its tag only."""
    with pytest.raises(Undecided):
        _fail_and_go_on(postgres)
    with postgres.read() as transaction:
        assert transaction.row(COUNT) == (0,)
