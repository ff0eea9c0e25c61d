"""Statements that mean the same on both databases."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, bindparam, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from broker.store.engine.database import Database, Row
from broker.store.engine.statements import Statement, adding, advisory_lock, database_clock, greatest, joined

NOTE = Table(
    "note",
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("word", Text, nullable=False),
    Column("length", BigInteger),
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    NOTE.metadata.create_all(database.engine)
    yield database
    database.close()


def _ask(database: Database, statement: Statement, **values: object) -> Row:
    with database.read() as transaction:
        row = transaction.row(statement, **values)
    assert row is not None
    return row


def test_the_larger_of_two_values_is_found(database: Database) -> None:
    larger = Statement(select(greatest(bindparam("one", type_=BigInteger), bindparam("other", type_=BigInteger))))
    assert [_ask(database, larger, one=one, other=7) for one in (-1, 7, 8)] == [(7,), (7,), (8,)]


def test_the_texts_of_many_rows_become_one(database: Database) -> None:
    with database.write() as transaction:
        transaction.many(Statement(adding(NOTE)), [{"word": word, "length": None} for word in ("a", "b", "c")])
    assert sorted(str(_ask(database, Statement(select(joined(NOTE.c.word))))[0]).split(" ")) == ["a", "b", "c"]
    assert _ask(database, Statement(select(joined(NOTE.c.word)).where(NOTE.c.word == "d"))) == (None,)


def test_the_clock_of_the_database_counts_microseconds_since_the_epoch(database: Database) -> None:
    (clock,) = _ask(database, Statement(select(database_clock())))
    assert abs(clock - time.time() * 1_000_000) < 5_000_000


def test_the_clock_of_postgresql_moves_within_a_transaction(postgres_url: str) -> None:
    database, statement = Database(postgres_url), Statement(select(database_clock()))
    with database.read() as transaction:
        first, second = transaction.rows(statement), transaction.rows(statement)
    assert second > first
    database.close()


def test_an_added_row_gets_its_number_from_the_database_and_what_is_computed_from_the_statement(
    database: Database,
) -> None:
    add = Statement(adding(NOTE, length=literal(41) + 1).returning(NOTE.c.id, NOTE.c.length))
    with database.write() as transaction:
        first, second = transaction.row(add, word="one"), transaction.row(add, word="two")
    assert (first, second) == ((1, 42), (2, 42))


def test_every_column_that_is_added_is_asked_for(database: Database) -> None:
    text, carried = Statement(adding(NOTE)).text(database.engine.dialect)
    assert carried == {}
    assert ("word" in text, "length" in text) == (True, True)
    assert "id" not in text.split("VALUES")[0].replace("word", "").replace("length", "")


def test_the_values_that_a_statement_carries_go_with_it(database: Database) -> None:
    with database.write() as transaction:
        transaction.many(Statement(adding(NOTE)), [{"word": word, "length": 1} for word in ("a", "b", "c")])
    found = Statement(
        select(NOTE.c.word).where(NOTE.c.word != "a", NOTE.c.length == bindparam("n")).order_by(NOTE.c.id)
    )
    assert _ask(database, found, n=1) == ("b",)


def test_a_statement_is_compiled_once_for_each_database() -> None:
    statement = Statement(select(NOTE.c.id).where(NOTE.c.word == bindparam("word")))
    dialects = [sqlite.dialect(paramstyle="named"), postgresql.dialect(paramstyle="pyformat")]  # type: ignore[no-untyped-call]
    texts = [statement.text(dialect)[0] for dialect in dialects]
    assert [":word" in texts[0], "%(word)s" in texts[1]] == [True, True]
    assert all(statement.text(dialect)[0] is text for dialect, text in zip(dialects, texts, strict=True))


@pytest.mark.parametrize(("first", "second", "waits"), [(True, True, False), (True, False, True), (False, True, True)])
def test_an_advisory_lock_is_shared_or_not(postgres_url: str, *, first: bool, second: bool, waits: bool) -> None:
    one, other = Database(postgres_url), Database(postgres_url)
    key = bindparam("key", type_=Text)
    hold = Statement(select(advisory_lock(key, shared=first)))
    attempt = func.pg_try_advisory_xact_lock_shared if second else func.pg_try_advisory_xact_lock
    ask = Statement(select(attempt(func.hashtextextended(key, 0))))
    with one.write() as holding, other.read() as trying:
        holding.rows(hold, key="a-feature")
        assert trying.rows(ask, key="a-feature") == [(not waits,)]
        assert trying.rows(ask, key="another") == [(True,)]
    one.close()
    other.close()
