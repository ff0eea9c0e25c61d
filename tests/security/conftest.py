"""The checklist of docs/threat-model.md is tried at the application itself, on SQLite unless the database matters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site, in_process
from tests.world import World


@pytest.fixture
def site(sqlite_world: World) -> Iterator[Site]:
    """The application on SQLite."""
    with in_process(sqlite_world.runtime) as site:
        yield site


@pytest.fixture
def both(world: World) -> Iterator[Site]:
    """The application, once on each kind of database."""
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
