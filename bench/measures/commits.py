"""How many durable commits the machine does: one connection, one small row each. No broker can issue faster alone."""

from __future__ import annotations

import os
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
from sqlalchemy import make_url

from bench.catalogue import Database
from bench.measures.context import Bench

NAMES = ("machine.commits.per_s",)
_WINDOWS = 3


def run(bench: Bench) -> None:
    """Measure the median of several windows."""
    bench.say("durable commits of one row")
    open_table = _sqlite_table if bench.database is Database.SQLITE else _postgresql_table
    with open_table(bench.new_database()) as commit_a_row:
        rates = [_per_second(commit_a_row, bench.plan.seconds) for _ in range(_WINDOWS)]
    bench.record("machine.commits.per_s", statistics.median(rates), least=min(rates), greatest=max(rates))


def _per_second(commit_a_row: Callable[[], None], seconds: float) -> float:
    done = 0
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        commit_a_row()
        done += 1
    return done / elapsed


@contextmanager
def _sqlite_table(url: str) -> Iterator[Callable[[], None]]:
    with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE hash (hash BLOB PRIMARY KEY)")
        yield lambda: _insert(connection, "INSERT INTO hash VALUES (?)")


@contextmanager
def _postgresql_table(url: str) -> Iterator[Callable[[], None]]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE hash (hash BYTEA PRIMARY KEY)")
        yield lambda: _insert(connection, "INSERT INTO hash VALUES (%s)")


def _insert(connection: sqlite3.Connection | psycopg.Connection, statement: str) -> None:
    connection.execute(statement, (os.urandom(32),))
