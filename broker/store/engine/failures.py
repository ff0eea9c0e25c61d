"""What a driver's failures mean: undecided (ask again), a conflict, or a bug of ours that must be seen."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from broker.domain.errors import Conflict, Undecided


@dataclass(frozen=True)
class Failures:
    """One driver's exceptions, sorted."""

    undecided: tuple[type[Exception], ...]
    conflict: tuple[type[Exception], ...]
    damaged: tuple[type[Exception], ...] = ()  # exactly these: what derives from them is a bug of ours

    @contextmanager
    def translated(self, drop: Callable[[], None]) -> Iterator[None]:
        """Turn the driver's exceptions into the broker's; a connection in doubt is dropped.

        An exception during COMMIT is undecided too: the transaction may stand. So no caller may take ``Undecided`` for
        "it did not happen"; it means "nobody can say yet", and asking again is safe for every operation.
        """
        try:
            yield
        except self.conflict as error:
            raise Conflict(f"the database refused it: {_first_line(error)}") from error
        except self.undecided as error:
            drop()
            raise Undecided(f"the database cannot answer now: {_first_line(error)}") from error
        except self.damaged as error:
            if type(error) not in self.damaged:
                raise
            drop()
            raise Undecided(f"the database is damaged: {_first_line(error)}") from error
        except DBAPIError as error:  # while connecting, SQLAlchemy wraps the driver's own
            drop()
            if error.orig is not None and isinstance(error.orig, self.undecided):
                raise Undecided(f"the database cannot be reached: {_first_line(error.orig)}") from error
            if type(error.orig) in self.damaged:
                raise Undecided(f"the database is damaged: {_first_line(error.orig or error)}") from error
            raise


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def failures_of(dialect: str) -> Failures:
    """The failures of a dialect's driver; psycopg is imported only where PostgreSQL is used."""
    if dialect == "sqlite":
        undecided = (sqlite3.OperationalError, sqlite3.InternalError)
        return Failures(undecided, (sqlite3.IntegrityError,), damaged=(sqlite3.DatabaseError,))
    import psycopg  # optional import: an extra

    unanswered = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)
    return Failures(unanswered, (psycopg.IntegrityError,))
