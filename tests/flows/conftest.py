"""Journeys start at a site: the application in this process, or a real broker in processes of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.postgres import Unavailable
from tests.serving import Served, serve
from tests.visitors import configuration
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site, in_process
from tests.world import World


@pytest.fixture
def site(world: World) -> Iterator[Site]:
    """The application on the world's database: the test runs once on each kind."""
    with in_process(world.runtime) as site:
        yield site


@pytest.fixture
def alice(site: Site) -> Person:
    """A person who is logged in."""
    person = Person(site, "alice")
    person.log_in()
    return person


@pytest.fixture
def tuneloop(site: Site) -> Partner:
    """A partner whose app can keep a secret."""
    return Partner(site, "tuneloop-share")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A real broker for all tests of a module, once on each kind of database."""
    directory = tmp_path_factory.mktemp("served")
    config = configuration.write(directory / "config")
    if request.param == "sqlite":
        with serve(databases.fresh_sqlite_database(directory), config) as broker:
            yield broker
        return
    try:
        url = databases.fresh_postgres_database()
    except Unavailable as reason:
        pytest.skip(str(reason))
    with serve(url, config) as broker:
        yield broker
    databases.drop_postgres_database(url)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Configuration files that say what tests/register.py says."""
    return configuration.write(tmp_path / "config")
