"""The time of a transaction: never before what was committed."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from broker.domain.errors import Conflict
from broker.store import clock
from broker.store import schema as s
from broker.store.engine.database import Database
from broker.store.engine.statements import Statement
from tests.world import START, World


def _now(world: World) -> int:
    with world.database.read() as transaction:
        return clock.read(transaction)


def test_a_clock_that_is_set_back_tells_what_was_committed(world: World) -> None:
    assert _now(world) == START
    world.clock.advance(minutes=1)
    with world.database.write() as transaction:
        clock.raise_floor(transaction, START + 60_000_000)
    world.clock.advance(days=-3)
    assert _now(world) == START + 60_000_000
    world.clock.advance(days=4)
    assert _now(world) == START + 86_400_000_000 + 60_000_000


def test_the_floor_never_sinks(world: World) -> None:
    with world.database.write() as transaction:
        for at in (START + 5, START + 4, START + 6, 0):
            clock.raise_floor(transaction, at)
        assert transaction.row(Statement(select(s.clock.c.floor))) == (START + 6,)


def test_a_floor_that_is_rolled_back_was_none(world: World) -> None:
    def raise_and_fail() -> None:
        with world.database.write() as transaction:
            clock.raise_floor(transaction, START + 5)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        raise_and_fail()
    assert _now(world) == START


def test_without_a_clock_for_tests_the_time_is_the_databases_own(world: World) -> None:
    database = Database(world.url)
    with database.write() as transaction:
        transaction.run(Statement(s.clock.update().values(floor=0)))
    with database.read() as transaction:
        assert abs(clock.read(transaction) - time.time() * 1_000_000) < 5_000_000
    database.close()


def test_a_clock_is_set_up_once(world: World) -> None:
    with pytest.raises(Conflict), world.database.write() as transaction:
        clock.start(transaction)
