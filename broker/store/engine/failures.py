"""What a driver's failures mean: undecided (ask again), a conflict, or a bug of ours that must be seen."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from broker.domain.errors import BrokerError, Conflict, Refused, Undecided


@dataclass(frozen=True)
class Failures:
    """One driver's exceptions, sorted."""

    undecided: tuple[type[Exception], ...]
    conflict: tuple[type[Exception], ...]
    refused: tuple[type[Exception], ...]  # values that no column of this kind holds, such as a text with NUL
    damaged: tuple[type[Exception], ...] = ()  # exactly these: what derives from them is a bug of ours

    @contextmanager
    def translated(self, drop: Callable[[], None]) -> Iterator[None]:
        """Turn the driver's exceptions into the broker's; a connection in doubt is dropped.

        An exception during COMMIT is undecided too: the transaction may stand. So no caller may take ``Undecided`` for
        "it did not happen"; it means "nobody can say yet", and asking again is safe for every operation.
        """
        known: tuple[type[Exception], ...] = (
            *self.conflict, *self.refused, *self.undecided, *self.damaged, DBAPIError,
        )  # fmt: skip
        try:
            yield
        except known as error:
            meaning = self._meaning(error)
            if meaning is None or isinstance(meaning, Undecided):
                drop()
            if meaning is None:
                raise
            raise meaning from error

    def _meaning(self, error: Exception) -> BrokerError | None:
        """What a failure means, or None for a bug of ours."""
        connecting = isinstance(error, DBAPIError)  # SQLAlchemy connects, and wraps the driver's own
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        words = _first_line(cause)
        if isinstance(cause, self.conflict):
            return Conflict(f"the database refused it: {words}")
        if isinstance(cause, self.refused):
            return Refused(f"it cannot be stored: {words}")
        if isinstance(cause, self.undecided):
            return Undecided(f"the database cannot {'be reached' if connecting else 'answer now'}: {words}")
        return Undecided(f"the database is damaged: {words}") if type(cause) in self.damaged else None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def failures_of(dialect: str) -> Failures:
    """The failures of a dialect's driver; psycopg is imported only where PostgreSQL is used."""
    if dialect == "sqlite":
        undecided = (sqlite3.OperationalError, sqlite3.InternalError)
        return Failures(undecided, (sqlite3.IntegrityError,), (sqlite3.DataError,), damaged=(sqlite3.DatabaseError,))
    import psycopg  # optional import: an extra

    unanswered = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)
    return Failures(unanswered, (psycopg.IntegrityError,), (psycopg.DataError,))
