"""What every test can ask for, and what holds in all of them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests import databases
from tests.postgres import Unavailable
from tests.world import World, prepare

_LOOPBACK = ("127.", "::1", "localhost")

# Examples are the same in every run and take what time they need; `make prove` is where the dice are thrown.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("prove", deadline=None, print_blob=True, max_examples=1000)
hypothesis.settings.load_profile("repeatable")


def _only_loopback(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse a connection to anywhere but this machine, whatever code asks for it."""
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not str(address[0]).startswith(_LOOPBACK):
            raise PermissionError(f"a test may not connect to {address[0]}")


sys.addaudithook(_only_loopback)


def pytest_sessionfinish() -> None:
    """Stop what this process started, however the run ended."""
    databases.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line each what this machine lacks, and how many tests that left out."""
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple))
    for reason, number in reasons.most_common():
        terminalreporter.write_line(f"{number} skipped: {reason.removeprefix('Skipped: ')}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new, empty database: the test runs once on each kind."""
    if request.param == "sqlite":
        yield databases.fresh_sqlite_database(tmp_path)
    else:
        yield from _on_postgres()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database, for what is said of PostgreSQL alone."""
    yield from _on_postgres()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a new, empty SQLite database, for what is said of SQLite alone."""
    return databases.fresh_sqlite_database(tmp_path)


def _on_postgres(prepare: databases.Prepare | None = None) -> Iterator[str]:
    try:
        url = databases.fresh_postgres_database(prepare)
    except Unavailable as reason:
        pytest.skip(str(reason))
    yield url
    databases.drop_postgres_database(url)


# --- worlds: a seeded broker, on each database ------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A broker with the small register of tests/register.py: the test runs once on each database."""
    yield from _worlds_on(request.param, tmp_path)


@pytest.fixture
def postgres_world(tmp_path: Path) -> Iterator[World]:
    """The same, for what is said of PostgreSQL alone."""
    yield from _worlds_on("postgresql", tmp_path)


@pytest.fixture
def sqlite_world(tmp_path: Path) -> Iterator[World]:
    """The same, for what is said of SQLite alone, or does not hang on the database."""
    yield from _worlds_on("sqlite", tmp_path)


def _worlds_on(kind: str, directory: Path) -> Iterator[World]:
    sqlite = kind == "sqlite"
    for url in [databases.fresh_sqlite_database(directory, prepare)] if sqlite else _on_postgres(prepare):
        world = World(url, directory)
        yield world
        world.close()


@pytest.fixture(autouse=True)
def _the_audit_chain_holds(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did to a world, the audit log of that world still verifies."""
    names = [name for name in request.fixturenames if name == "world" or name.endswith("_world")]
    worlds = [request.getfixturevalue(name) for name in names]
    yield
    for world in worlds:
        world.verify_audit()
