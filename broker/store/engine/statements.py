"""Statements: built with SQLAlchemy Core, compiled once per dialect, run on the driver's own connection.

Core's ``execute`` costs about 30 µs a statement more than the driver's; the guard has 40 in all. So every statement
of the store goes the short way, and there is one way only. The price: values come back as the driver has them
(booleans as 0 and 1 on SQLite).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Executable,
    Insert,
    Table,
    Text,
    bindparam,
    insert,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.functions import FunctionElement


class Statement:
    """A Core statement and its text in each dialect that has asked for it."""

    __slots__ = ("_compiled", "_core")

    def __init__(self, core: Executable) -> None:
        self._core = core
        self._compiled: dict[str, tuple[str, dict[str, Any]]] = {}

    def text(self, dialect: Dialect) -> tuple[str, dict[str, Any]]:
        """The SQL text and the values that the statement itself carries."""
        found = self._compiled.get(dialect.name)
        if found is None:
            assert isinstance(self._core, ClauseElement)
            compiled = self._core.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
            carried = {name: value for name, value in compiled.params.items() if value is not None}
            found = self._compiled[dialect.name] = (str(compiled), carried)
        return found


class greatest(FunctionElement[int]):  # noqa: N801 - named as the SQL function that it is
    """The larger of two values; SQLite calls it max, PostgreSQL greatest."""

    type = BigInteger()
    inherit_cache = True


@compiles(greatest)
def _greatest(element: greatest, compiler: Any, **kw: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **kw)})"


@compiles(greatest, "sqlite")
def _greatest_sqlite(element: greatest, compiler: Any, **kw: Any) -> str:
    return f"max({compiler.process(element.clauses, **kw)})"


class joined(FunctionElement[str]):  # noqa: N801
    """Texts of many rows joined by spaces, as one value."""

    type = Text()
    inherit_cache = True


@compiles(joined)
def _joined(element: joined, compiler: Any, **kw: Any) -> str:
    return f"string_agg({compiler.process(element.clauses, **kw)}, ' ')"


@compiles(joined, "sqlite")
def _joined_sqlite(element: joined, compiler: Any, **kw: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **kw)}, ' ')"


class database_clock(FunctionElement[int]):  # noqa: N801
    """The database's own clock in microseconds: of the statement, not of the transaction."""

    type = BigInteger()
    inherit_cache = True


@compiles(database_clock, "postgresql")
def _clock_postgresql(element: database_clock, compiler: Any, **kw: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"


@compiles(database_clock, "sqlite")
def _clock_sqlite(element: database_clock, compiler: Any, **kw: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"


class advisory_lock(FunctionElement[int]):  # noqa: N801
    """PostgreSQL's advisory lock, held to the end of the transaction; shared or exclusive."""

    type = BigInteger()
    inherit_cache = True
    name = "pg_advisory_xact_lock"

    def __init__(self, text: ColumnElement[str], *, shared: bool) -> None:
        super().__init__(text)
        self.shared = shared


@compiles(advisory_lock, "postgresql")
def _advisory_lock(element: advisory_lock, compiler: Any, **kw: Any) -> str:
    name = "pg_advisory_xact_lock_shared" if element.shared else "pg_advisory_xact_lock"
    return f"{name}(hashtextextended({compiler.process(element.clauses, **kw)}, 0))"


def adding(table: Table, **computed: ColumnElement[Any]) -> Insert:
    """An INSERT with a parameter for each column, but for the row number that the database gives and the computed."""
    given = {
        column.name: bindparam(column.name, type_=column.type)
        for column in table.columns
        if column.name not in computed and column is not table.autoincrement_column
    }
    return insert(table).values(**given, **computed)
