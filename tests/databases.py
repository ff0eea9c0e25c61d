"""A new database for each test, on SQLite or on PostgreSQL, quickly: a copy of one that was prepared once, or on
PostgreSQL one that an earlier test has given back, with exactly the rows of the prepared one.

PostgreSQL is the server that ``BROKER_TEST_POSTGRES_URL`` names (as a superuser), else one that this process starts at
the first need. ``close`` ends it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.postgres import PostgresServer, Unavailable, binaries

GIVEN_URL = "BROKER_TEST_POSTGRES_URL"

Prepare = Callable[[str], None]
"""Brings the empty database of a URL to where tests start, and closes all its connections to it."""


@dataclass(frozen=True)
class Contents:
    """All rows of a prepared database, to bring another that has the same tables back to them in a few milliseconds."""

    tables: dict[str, bytes]
    sequences: dict[str, int | None]

    @classmethod
    def of(cls, url: str) -> Contents:
        """Read them."""
        with psycopg.connect(url) as connection:
            tables = {name: _copied_out(connection, name) for name in _tables(connection)}
            sequences = connection.execute("SELECT sequencename, last_value FROM pg_sequences").fetchall()
        return cls(tables, dict(sequences))

    def restored(self, url: str) -> bool:
        """Bring a database back to them, whoever is connected to it; False if its tables are no longer the same."""
        try:
            with psycopg.connect(url) as connection:
                connection.execute(_DISCONNECT_OTHERS)
                connection.execute("SET LOCAL session_replication_role = replica")  # references hold again in the end
                if _tables(connection) != list(self.tables):
                    return False
                for name, rows in self.tables.items():
                    connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
                    _copy_in(connection, name, rows)
                for name, last in self.sequences.items():
                    connection.execute("SELECT setval(%s, %s, %s)", (name, last or 1, last is not None))
        except psycopg.Error:
            return False
        return True


_DISCONNECT_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def _tables(connection: psycopg.Connection) -> list[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    return [name for (name,) in found]


def _copied_out(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
        return b"".join(bytes(part) for part in copy)


def _copy_in(connection: psycopg.Connection, table: str, rows: bytes) -> None:
    if rows:
        with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
            copy.write(rows)


class Postgres:
    """The server that this process tests on, and the databases it was asked for."""

    def __init__(self) -> None:
        self._server: PostgresServer | None = None
        self._unavailable: Unavailable | None = None
        self._numbers = itertools.count(1)
        self._made: set[str] = set()
        self._templates: dict[Prepare, str] = {}
        self._contents: dict[Prepare, Contents] = {}
        self._lent: dict[str, Prepare] = {}
        self._returned: dict[Prepare, list[str]] = defaultdict(list)

    def url(self, database: str) -> str:
        """The URL of a database; ``Unavailable`` when no server is to be had."""
        return urlsplit(self._maintenance_url())._replace(path=f"/{database}").geturl()

    def create(self, template: str = "template1") -> str:
        """Create a database as a copy of another, and return its name."""
        name = self._new_name()
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        self._made.add(name)
        return name

    def _new_name(self) -> str:
        return f"broker_test_{os.getpid()}_{next(self._numbers)}"

    def _renamed(self, before: str) -> str:
        """The same database under a new name: what is kept by a database's URL is not to be found by the next test."""
        name = self._new_name()
        self._run("ALTER DATABASE {} RENAME TO {}", before, name)
        self._made.discard(before)
        self._made.add(name)
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self._made.discard(name)

    def template(self, prepare: Prepare) -> str:
        """The name of the database that was prepared so, the first time it was asked for."""
        if prepare not in self._templates:
            name = self.create()
            prepare(self.url(name))
            self._templates[prepare] = name
            self._contents[prepare] = Contents.of(self.url(name))
        return self._templates[prepare]

    def prepared(self, prepare: Prepare) -> str:
        """The name of a database that is as it was prepared: one that was given back, or a new copy."""
        template = self.template(prepare)
        name = self._as_prepared(prepare) or self.create(template)
        self._lent[name] = prepare
        return name

    def _as_prepared(self, prepare: Prepare) -> str | None:
        while self._returned[prepare]:
            name = self._returned[prepare].pop()
            if self._contents[prepare].restored(self.url(name)):
                return self._renamed(name)
            self.drop(name)
        return None

    def give_back(self, name: str) -> None:
        """Keep a prepared database for the next test, drop any other."""
        prepare = self._lent.pop(name, None)
        if prepare is None:
            self.drop(name)
        else:
            self._returned[prepare].append(name)

    def close(self) -> None:
        """Leave nothing behind: remove the server that was started here, or what was made on a given one."""
        for cache in (self._templates, self._contents, self._lent, self._returned):
            cache.clear()
        if self._server is not None:
            self._server.remove()
            self._server = None
            self._made.clear()
        for name in sorted(self._made):
            self.drop(name)

    def _maintenance_url(self) -> str:
        return os.environ.get(GIVEN_URL) or self._started().url()

    def _started(self) -> PostgresServer:
        if self._unavailable is not None:
            raise self._unavailable
        if self._server is None:
            try:
                server = PostgresServer(binaries())
                server.start()
            except Unavailable as reason:
                self._unavailable = reason
                raise
            self._server = server
        return self._server

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._maintenance_url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


class Sqlite:
    """Files, and the prepared files that they are copies of."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._directory: Path | None = None
        self._templates: dict[Prepare, Path] = {}

    @staticmethod
    def url(file: Path) -> str:
        """The URL of a database file."""
        return f"sqlite:///{file.absolute()}"

    def create(self, directory: Path, template: Path | None = None) -> Path:
        """A file in a directory that is new, or a copy of another."""
        file = directory / f"broker-{next(self._numbers)}.sqlite3"
        if template is not None:
            shutil.copyfile(template, file)
        return file

    def template(self, prepare: Prepare) -> Path:
        """The file that was prepared so, the first time it was asked for."""
        if prepare not in self._templates:
            self._directory = self._directory or Path(tempfile.mkdtemp(prefix="broker-sqlite-"))
            file = self.create(self._directory)
            prepare(self.url(file))
            # The last connection that closes moves the log into the file; a log that is left would not be copied.
            assert not file.with_name(f"{file.name}-wal").exists(), "a connection to the template was left open"
            self._templates[prepare] = file
        return self._templates[prepare]

    def close(self) -> None:
        """Remove the prepared files."""
        self._templates.clear()
        if self._directory is not None:
            shutil.rmtree(self._directory)
            self._directory = None


postgres = Postgres()
sqlite = Sqlite()


def fresh_postgres_database(prepare: Prepare | None = None) -> str:
    """The URL of a new database, empty or prepared; ``Unavailable`` when no server is to be had."""
    return postgres.url(postgres.prepared(prepare) if prepare else postgres.create())


def drop_postgres_database(url: str) -> None:
    """Give up a database that a test is done with: each takes 8 MB and half a second, and a run asks for hundreds."""
    postgres.give_back(urlsplit(url).path.removeprefix("/"))


def fresh_sqlite_database(directory: Path, prepare: Prepare | None = None) -> str:
    """The URL of a new database in a directory, which is the test's to remove; empty or prepared."""
    return sqlite.url(sqlite.create(directory, sqlite.template(prepare) if prepare else None))


def close() -> None:
    """End what this process started or made."""
    postgres.close()
    sqlite.close()
