"""The database: connections, the two kinds of transaction, and what their failures mean.

A thread keeps one connection. The driver is in autocommit mode and BEGIN is ours: with the driver's implicit one, two
SELECTs of what looked like one transaction saw different snapshots on SQLite (found by trying). Rows are always fetched
to the end, since one cursor left open pins a snapshot for as long as it lives, and a pinned snapshot says "active"
long after the shutdown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import NullPool

from broker.domain.errors import Refused, Undecided
from broker.domain.instants import Instant
from broker.store.engine.failures import failures_of
from broker.store.engine.statements import Statement
from broker.store.engine.write_queue import WriteQueue
from broker.store.ledger import Ledger, Narrowing

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]


class Transaction:
    """One transaction on one connection: runs statements, and gives rows as tuples, always all of them.

    ``narrowed_at`` is the audit position of what it takes from somebody, for whoever has to wait after the commit;
    ``narrowings`` is what the ledger has to hold before it.
    """

    __slots__ = ("_cursor", "database", "narrowed_at", "narrowings", "statements")

    def __init__(self, database: Database, cursor: Any) -> None:
        self.database = database
        self.statements = 0
        self.narrowed_at: int | None = None
        self.narrowings: list[Narrowing] = []
        self._cursor = cursor

    def rows(self, statement: Statement, /, **values: Any) -> list[Row]:
        """Run and fetch everything."""
        self._execute(statement, values)
        found: list[Row] = self._cursor.fetchall()
        return found

    def row(self, statement: Statement, /, **values: Any) -> Row | None:
        """Run and fetch the first row; the rest is read and dropped."""
        found = self.rows(statement, **values)
        return found[0] if found else None

    def run(self, statement: Statement, /, **values: Any) -> int:
        """Run a statement that writes; how many rows it touched."""
        self._execute(statement, values)
        return int(self._cursor.rowcount)

    def many(self, statement: Statement, values: Sequence[Parameters]) -> None:
        """Run a statement that writes once for each set of values."""
        if values:
            text, carried = statement.text(self.database.engine.dialect)
            self.statements += 1
            self._cursor.executemany(text, [{**carried, **each} for each in values])

    def _execute(self, statement: Statement, values: Parameters) -> None:
        text, carried = statement.text(self.database.engine.dialect)
        self.statements += 1
        try:
            self._cursor.execute(text, {**carried, **values} if carried else values)
        except (UnicodeEncodeError, OverflowError) as error:  # half a surrogate pair, a number of more than 64 bits
            raise Refused("it has a character or number that cannot be stored") from error


class Database:
    """One SQLite file or one PostgreSQL database; safe to share between threads, to be opened after a fork.

    ``clock`` (microseconds) is for tests and simulations; without it SQLite takes this machine's and PostgreSQL its
    own. ``ledger`` hears of each narrowing before its commit, and of the commit.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], Instant] | None = None,
        ledger: Ledger | None = None,
        lock_timeout_ms: int = 5000,
        statement_timeout_ms: int = 10000,
        idle_timeout_ms: int = 10000,
    ) -> None:
        self.url = url
        self.engine = _engine(url, lock_timeout_ms, statement_timeout_ms, idle_timeout_ms)
        self.ledger = ledger
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._clock = clock
        self.failures = failures_of(self.engine.dialect.name)
        self._local = threading.local()
        self._open: list[Connection] = []
        self._opening = threading.Lock()
        self._queue = WriteQueue(self.path, lock_timeout_ms / 1000) if self.is_sqlite else None

    @property
    def path(self) -> Path:
        """The file of a SQLite database."""
        name = self.engine.url.database
        assert name, "a SQLite database is a file"
        return Path(name)

    def instant(self) -> Instant | None:
        """The time to bind into a statement; None asks the database for its own."""
        if self._clock is not None:
            return self._clock()
        return time.time_ns() // 1000 if self.is_sqlite else None

    def read(self) -> AbstractContextManager[Transaction]:
        """A read-only transaction: every statement in it sees one snapshot."""
        begin = "BEGIN" if self.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        return self._transaction(begin, "ROLLBACK")

    def single(self) -> AbstractContextManager[Transaction]:
        """No transaction: each statement is a snapshot of its own. For questions that one statement answers."""
        return self._transaction(None, None)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that commits at the end, or not at all.

        SQLite: one writer at a time, in the order in which they asked. PostgreSQL: READ COMMITTED, so that the
        statement after a lock sees what was committed while it waited.
        """
        self._refuse_nesting()  # before the queue, where a thread would wait for itself
        if self._queue is None:
            with self._transaction("BEGIN", "COMMIT") as transaction:
                yield transaction
        else:
            with self._queue.turn(), self._transaction("BEGIN IMMEDIATE", "COMMIT") as transaction:
                yield transaction

    def alone(self) -> AbstractContextManager[None]:
        """On SQLite: nobody writes, in any process, and this opens no connection."""
        assert self._queue is not None, "PostgreSQL is never one's own"
        return self._queue.turn()

    @contextmanager
    def _transaction(self, begin: str | None, end: str | None) -> Iterator[Transaction]:
        self._refuse_nesting()
        with self.failures.translated(self._drop):
            cursor = self._cursor()
            self._local.busy = True
            try:
                if begin is not None:
                    cursor.execute(begin)
                transaction = Transaction(self, cursor)
                yield transaction
                with self._noted(transaction.narrowings):
                    if end is not None:
                        cursor.execute(end)
                        self._require_committed(end, cursor)
            except BaseException:
                self._roll_back(cursor)
                raise
            finally:
                self._local.busy = False

    @contextmanager
    def _noted(self, narrowings: list[Narrowing]) -> Iterator[None]:
        """The commit inside stands in the ledger before it, and raises the mark once it is known."""
        if self.ledger is None or not narrowings:
            yield
            return
        self.ledger.attempted(narrowings)
        yield
        self.ledger.committed(narrowings)

    def _refuse_nesting(self) -> None:
        assert not getattr(self._local, "busy", False), "a transaction is open in this thread already"

    def _require_committed(self, end: str, cursor: Any) -> None:
        """PostgreSQL answers COMMIT with ROLLBACK, and no error, when a statement before it had failed."""
        if end == "COMMIT" and not self.is_sqlite and cursor.statusmessage != "COMMIT":
            raise Undecided("a statement had failed, so the transaction was not committed")

    def _roll_back(self, cursor: Any) -> None:
        try:
            if self._local.connection is not None and self._in_transaction():
                cursor.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 - a connection that cannot roll back is of no more use; the server rolls back for it
            self._drop()

    def _in_transaction(self) -> bool:
        driver = self._local.connection.connection.driver_connection
        return bool(driver.in_transaction if self.is_sqlite else driver.info.transaction_status)

    def _cursor(self) -> Any:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self.engine.connect()
            driver: Any = connection.connection.driver_connection
            self._local.cursor = driver.cursor()
            with self._opening:
                self._open.append(connection)
        return self._local.cursor

    def _drop(self) -> None:
        """Close this thread's connection after a failure; the next transaction opens another."""
        connection = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            with self._opening:
                self._open.remove(connection)
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        """Close every thread's connection; call it when no thread is inside a transaction."""
        with self._opening:
            for connection in self._open:
                connection.invalidate()
                connection.close()
            self._open.clear()
        self._local = threading.local()
        self.engine.dispose()
        if self._queue is not None:
            self._queue.close()


def _engine(url: str, lock_ms: int, statement_ms: int, idle_ms: int) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database:
            raise Undecided("a SQLite database must be a file: sqlite:///FILE")
        engine = create_engine(
            parsed, poolclass=NullPool, isolation_level="AUTOCOMMIT", paramstyle="named",
            connect_args={"timeout": lock_ms / 1000, "check_same_thread": False},
        )  # fmt: skip
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    options = (
        f"-c lock_timeout={lock_ms} -c statement_timeout={statement_ms}"
        f" -c idle_in_transaction_session_timeout={idle_ms}"
        # Planning a join of nine tables costs more than running it; by primary keys one plan serves every value.
        " -c plan_cache_mode=force_generic_plan -c jit=off"
    )
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"), poolclass=NullPool, isolation_level="AUTOCOMMIT",
        connect_args={"options": options, "connect_timeout": max(1, lock_ms // 1000)},
    )  # fmt: skip


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Durable at each commit (synchronous=FULL), readers beside the writer (WAL), references held."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16384"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
