"""Whether a database is set up, and with what."""

from __future__ import annotations

import pytest

from broker.domain.audit import GENESIS
from broker.domain.errors import Conflict
from broker.store import clock, deployment, migrations
from broker.store.engine.database import Database
from broker.store.evidence import audit
from tests.world import START, World


@pytest.mark.parametrize("demo", [True, False])
def test_an_empty_database_is_set_up_with_a_clock_and_a_log(database_url: str, *, demo: bool) -> None:
    database = Database(database_url, clock=lambda: START)
    migrations.upgrade(database)
    with database.write() as transaction:
        assert not deployment.is_seeded(transaction)
        assert not deployment.is_demo(transaction)
        deployment.start(transaction, demo=demo)
    with database.read() as transaction:
        assert deployment.is_seeded(transaction)
        assert deployment.is_demo(transaction) is demo
        assert clock.read(transaction) == START
        assert audit.head(transaction) == (0, GENESIS)
    database.close()


def test_a_database_is_set_up_once(world: World) -> None:
    with pytest.raises(Conflict), world.database.write() as transaction:
        deployment.start(transaction, demo=False)
