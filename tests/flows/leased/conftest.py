"""A real broker on PostgreSQL whose two workers answer reads from memory, under a short lease."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import databases
from tests.postgres import Unavailable
from tests.serving import Served, serve
from tests.visitors import configuration
from tests.visitors.site import Site, elsewhere

LEASE_MS = 1000


@pytest.fixture(scope="module")
def leased(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """For all tests of a module."""
    try:
        url = databases.fresh_postgres_database()
    except Unavailable as reason:
        pytest.skip(str(reason))
    enforcement = {"mode": "leased", "lease": f"{LEASE_MS}ms"}
    config = configuration.write(tmp_path_factory.mktemp("leased") / "config", enforcement=enforcement)
    with serve(url, config) as broker:
        yield broker
    databases.drop_postgres_database(url)


@pytest.fixture
def site(leased: Served) -> Iterator[Site]:
    """The same as a place to visit."""
    with elsewhere(leased.url) as site:
        yield site
