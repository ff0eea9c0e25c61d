"""The broker as one side of a comparison: ``broker serve`` on a new database, with the bench's world in it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.broker.apps import DATABASE_VARIABLE
from bench.broker.seed import CONFIG, seed
from bench.measures.context import Bench
from bench.servers import WORKERS, announced, granian
from bench.sides import Side


@contextmanager
def broker_side(bench: Bench) -> Iterator[Side]:
    """The broker as people run it."""
    with broker_on(bench.new_database()) as side:
        yield side


@contextmanager
def broker_on(url: str, *, config: Path = CONFIG, workers: int = WORKERS) -> Iterator[Side]:
    """The same on a database of the caller's."""
    credentials = seed(url)
    command = [sys.executable, "-m", "broker.cli.main", "serve", "--config", str(config), "--database", url,
               "--port", "0", "--workers", str(workers)]  # fmt: skip
    with announced(command, {}) as server:
        yield Side(server, credentials)


@contextmanager
def with_and_without_guard(bench: Bench, guarded_app: str) -> Iterator[tuple[Side, Side]]:
    """Two servers on one database: with the guard (``guarded`` or ``leased``), and with it taken out."""
    url = bench.new_database()
    credentials = seed(url)
    environment = {DATABASE_VARIABLE: url, "BENCH_TOKENS": " ".join(reader.token for reader in credentials.readers)}
    with (
        granian(f"bench.broker.apps:{guarded_app}", environment) as guarded,
        granian("bench.broker.apps:unguarded", environment) as unguarded,
    ):
        yield Side(guarded, credentials), Side(unguarded, credentials)
