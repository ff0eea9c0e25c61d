"""People at the pages of a broker on SQLite, in this process, with the world's clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site, in_process
from tests.world import World


@pytest.fixture
def site(sqlite_world: World) -> Iterator[Site]:
    """The application on the world's database."""
    with in_process(sqlite_world.runtime) as site:
        yield site


def _logged_in(site: Site, name: str) -> Person:
    person = Person(site, name)
    person.log_in()
    return person


@pytest.fixture
def alice(site: Site) -> Person:
    return _logged_in(site, "alice")


@pytest.fixture
def bob(site: Site) -> Person:
    return _logged_in(site, "bob")


@pytest.fixture
def ops(site: Site) -> Person:
    return _logged_in(site, "ops")


@pytest.fixture
def partner_login(site: Site) -> Person:
    """Somebody of TuneLoop's."""
    return _logged_in(site, "tuneloop")


@pytest.fixture
def tuneloop(site: Site) -> Partner:
    """A feature that needs one scope, and would like another."""
    return Partner(site, "tuneloop-share")


@pytest.fixture
def reelwise(site: Site) -> Partner:
    """A feature that needs two scopes, and would like a third."""
    return Partner(site, "reelwise-recommend")
