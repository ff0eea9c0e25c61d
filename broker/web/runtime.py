"""Opening a broker's database with what surrounds it, by one rule for the server and for the command line."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from broker.domain.errors import Refused
from broker.operations.context import Runtime
from broker.settings import DEVELOPMENT, Settings, problem_with_database_url
from broker.store.engine.database import Database
from broker.store.ledger import Ledger

STATE = DEVELOPMENT.parents[1] / "var"
"""Where a checkout keeps what running it leaves behind."""

_SQLITE = "sqlite:///"


def default_database_url(settings: Settings) -> str:
    """The configured database, else in development a SQLite file; production names its own (``Refused``).

    Were a production broker to fall back to a new file, a forgotten variable would look like an empty register.
    """
    if settings.database.url is not None:
        return settings.database.url
    if settings.environment == "production":
        raise Refused("no database is configured: give --database, BROKER_DATABASE_URL or database.url")
    return f"{_SQLITE}{(settings.state_dir or STATE) / 'palaver.db'}"


def sqlite_file(database_url: str) -> Path | None:
    """The file of a SQLite database, or None for another kind."""
    return Path(database_url.removeprefix(_SQLITE)) if database_url.startswith(_SQLITE) else None


def spool_directory(settings: Settings, database_url: str) -> Path:
    """Where this machine's workers leave access records for one database; never one place for two databases."""
    file = sqlite_file(database_url)
    if settings.state_dir is not None:
        return settings.state_dir / "spools"
    if file is not None:
        return file.with_name(f"{file.name}.spools")
    parts = urlsplit(database_url)
    place = sha256(f"{parts.hostname}:{parts.port}{parts.path}?{parts.query}".encode()).hexdigest()[:12]
    return STATE / "spools" / place


def ledger_directory(settings: Settings, database_url: str) -> Path:
    """Where this machine keeps what was taken from people, and how far the log had come: never in the database."""
    spools = spool_directory(settings, database_url)
    if settings.state_dir is None and sqlite_file(database_url) is not None:
        return spools.with_suffix(".ledger")
    return spools.parent / ("ledger" if settings.state_dir is not None else f"{spools.name}.ledger")


def open_runtime(settings: Settings, database_url: str) -> Runtime:
    """A runtime on a database, which is created with its directory if it is a SQLite file; connects on first use.

    Call it after a fork, and close ``runtime.database`` at the end. ``Refused`` for a URL or a place that will not do.
    """
    problem = problem_with_database_url(database_url)
    if problem is not None:
        raise Refused(f"the database URL {problem}")
    try:
        file = sqlite_file(database_url)
        if file is not None:
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.touch(mode=0o600)  # SQLite would let everybody on this machine read it
        database = Database(
            database_url,
            ledger=Ledger(ledger_directory(settings, database_url)),
            lock_timeout_ms=settings.database.lock_timeout_ms,
            statement_timeout_ms=settings.database.statement_timeout_ms,
            idle_timeout_ms=settings.database.idle_in_transaction_timeout_ms,
        )
    except OSError as error:
        raise Refused(f"the database cannot be opened: {error}") from error
    except ModuleNotFoundError as error:
        raise Refused("PostgreSQL needs psycopg: install the broker with its extra 'postgres'") from error
    return Runtime(database, settings, os.urandom, ticks, spool_directory(settings, database_url))


def ticks() -> int:
    """Microseconds since the machine started, also while it sleeps: no lease runs on because nobody counted."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
