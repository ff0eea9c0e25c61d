"""What each of a driver's exceptions means."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from broker.domain.errors import BrokerError, Conflict, NotFound, Refused, Undecided
from broker.store.engine.failures import failures_of


def _raised(dialect: str, error: BaseException) -> tuple[BaseException, bool]:
    """What comes out when this goes in, and whether the connection is dropped."""
    dropped: list[bool] = []
    try:
        with failures_of(dialect).translated(lambda: dropped.append(True)):
            raise error
    except BaseException as raised:  # noqa: BLE001 - whatever comes out is what is asked about
        return raised, bool(dropped)


@pytest.mark.parametrize(
    ("dialect", "error", "meaning", "dropped"),
    [
        ("sqlite", sqlite3.IntegrityError("UNIQUE constraint failed"), Conflict, False),
        ("sqlite", sqlite3.DataError("string or blob too big"), Refused, False),
        ("sqlite", sqlite3.OperationalError("database is locked"), Undecided, True),
        ("sqlite", sqlite3.InternalError("odd"), Undecided, True),
        ("sqlite", sqlite3.DatabaseError("file is not a database"), Undecided, True),
        ("postgresql", errors.UniqueViolation("duplicate key"), Conflict, False),
        ("postgresql", errors.ForeignKeyViolation("not there"), Conflict, False),
        ("postgresql", psycopg.DataError("NUL in a text"), Refused, False),
        ("postgresql", errors.LockNotAvailable("lock timeout"), Undecided, True),
        ("postgresql", errors.QueryCanceled("statement timeout"), Undecided, True),
        ("postgresql", errors.DeadlockDetected("deadlock"), Undecided, True),
        ("postgresql", errors.SerializationFailure("changed meanwhile"), Undecided, True),
        ("postgresql", errors.AdminShutdown("terminating"), Undecided, True),
        ("postgresql", errors.DiskFull("no space"), Undecided, True),
        ("postgresql", errors.IdleInTransactionSessionTimeout("idle"), Undecided, True),
        ("postgresql", errors.ReadOnlySqlTransaction("a standby"), Undecided, True),
        ("postgresql", psycopg.InterfaceError("the connection is closed"), Undecided, True),
    ],
)
def test_each_failure_has_one_meaning(
    dialect: str, error: Exception, meaning: type[BrokerError], *, dropped: bool
) -> None:
    raised, was_dropped = _raised(dialect, error)
    assert (type(raised), was_dropped) == (meaning, dropped)
    assert raised.__cause__ is error
    assert str(error) in str(raised)


@pytest.mark.parametrize(
    ("dialect", "cause", "meaning"),
    [
        ("sqlite", sqlite3.OperationalError("unable to open database file"), Undecided),
        ("postgresql", psycopg.OperationalError("connection refused"), Undecided),
        ("postgresql", errors.UniqueViolation("duplicate key"), Conflict),
    ],
)
def test_what_the_library_wraps_means_what_is_in_it(dialect: str, cause: Exception, meaning: type[BrokerError]) -> None:
    raised, _ = _raised(dialect, DBAPIError("CONNECT", None, cause))
    assert type(raised) is meaning
    assert ("cannot be reached" in str(raised)) == (meaning is Undecided)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize("error", [NotFound("there is none"), ValueError("a bug"), KeyboardInterrupt()])
def test_what_the_driver_did_not_raise_passes_as_it_is(dialect: str, error: BaseException) -> None:
    assert _raised(dialect, error) == (error, False)


@pytest.mark.parametrize(
    ("dialect", "error"),
    [
        ("sqlite", sqlite3.ProgrammingError("you did not supply a value")),
        ("sqlite", sqlite3.NotSupportedError("no such thing")),
        ("postgresql", errors.UndefinedTable("no such table")),
        ("postgresql", errors.SyntaxError("at or near")),
    ],
)
def test_a_bug_of_ours_is_seen(dialect: str, error: Exception) -> None:
    raised, _ = _raised(dialect, error)
    assert raised is error


def test_the_words_are_one_line_and_never_long() -> None:
    raised, _ = _raised("sqlite", sqlite3.OperationalError("x" * 1000 + "\nDETAIL: secret-of-alice"))
    assert str(raised).endswith("x" * 200)
    assert "secret" not in str(raised)
    assert len(str(raised)) < 300


def test_a_failure_without_words_is_named() -> None:
    raised, _ = _raised("sqlite", sqlite3.OperationalError())
    assert "OperationalError" in str(raised)
