"""New databases for a run: SQLite files in a temporary directory, or databases of a PostgreSQL started for it."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from bench.catalogue import Database
from tests.postgres import PostgresServer, binaries

NewDatabase = Callable[[], str]
"""Creates an empty database and gives its URL."""

# As PostgreSQL comes, where the tests' server is smaller. Every commit is durable: fsync and synchronous_commit are on.
_POSTGRES_SETTINGS = {"shared_buffers": "128MB", "max_wal_size": "1GB", "autovacuum": "on"}


@contextmanager
def databases(kind: Database) -> Iterator[NewDatabase]:
    """As many new databases of one kind as are asked for; they go with the block.

    Raises tests.postgres.Unavailable where there is no PostgreSQL to start.
    """
    numbers = itertools.count(1)
    if kind is Database.SQLITE:
        with tempfile.TemporaryDirectory(prefix="broker-bench-") as directory:
            yield lambda: f"sqlite:///{Path(directory) / f'bench-{next(numbers)}.sqlite3'}"
    else:
        server = PostgresServer(binaries(), _POSTGRES_SETTINGS)
        try:
            server.start()
            yield lambda: _created(server, f"bench_{next(numbers)}")
        finally:
            server.remove()


def _created(server: PostgresServer, name: str) -> str:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return server.url(name)
