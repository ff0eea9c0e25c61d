"""Ends by time alone, at a node that hears of none: its memory carries each of them, on a clock of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from broker.domain.instants import SECOND
from broker.operations.register import features
from tests.operations.leased.worker import UNDECIDED, Clock, Worker, by_hand
from tests.operations.races.narrowings import FEATURE, WRITE
from tests.world import Connection, World

CLIENT, PROFILE = "tuneloop-share", "profile:read"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _pass(world: World, clock: Clock, worker: Worker, seconds: float, rate: float = 1.0) -> None:
    """Time passes, by the database's clock and (at this rate) by the node's, which renews at the end of it."""
    world.clock.advance(seconds=seconds)
    clock.now += round(seconds * rate * SECOND)
    worker.node.renew()


def _token(world: World) -> Connection:
    """Its access token lives for ten minutes."""
    return world.connect("alice", CLIENT, WRITE, PROFILE)


def _feature(world: World) -> Connection:
    """An end date in ten minutes, with a token that was given before it was set."""
    alice = _token(world)
    with world.write() as context:
        features.schedule(context, FEATURE, world.clock.now + 500 * SECOND)
    return alice


def _presence(world: World) -> Connection:
    """A grant whose user was not there for 90 days but for the last minutes, with a fresh token."""
    alice = _token(world)
    for days in (25, 25, 25):
        world.clock.advance(days=days)
        alice = world.refresh(alice)
        world.use(alice.access, WRITE)
    world.clock.advance(days=15, seconds=-400)
    return world.refresh(alice)


def _disuse(world: World) -> Connection:
    """The same, whose scope nobody has used."""
    alice = _token(world)
    for days in (25, 25, 25):
        world.clock.advance(days=days)
        alice = world.refresh(alice)
    world.clock.advance(days=15, seconds=-300)
    return world.refresh(alice)


ENDS: list[tuple[Callable[[World], Connection], int]] = [(_token, 600), (_feature, 500), (_presence, 400),
                                                        (_disuse, 300)]  # fmt: skip


@pytest.mark.parametrize("rate", [0.99, 1.0, 1.01])
@pytest.mark.parametrize(("connect", "left_s"), ENDS, ids=lambda each: getattr(each, "__name__", "")[1:])
def test_an_end_by_time_is_a_no_at_once_however_slow_the_node_s_clock(
    world: World, clock: Clock, connect: Callable[[World], Connection], left_s: int, rate: float
) -> None:
    alice = connect(world)
    worker = by_hand(world, clock)
    worker.sees(alice.access, WRITE)
    _pass(world, clock, worker, left_s - 0.001, rate)
    assert worker.says(alice.access, WRITE) == "allowed"
    _pass(world, clock, worker, 0.001, rate)
    assert worker.says(alice.access, WRITE) == world.says(alice.access, WRITE) != "allowed"


def test_a_token_is_remembered_until_close_to_its_end(world: World, clock: Clock) -> None:
    alice = _token(world)
    worker = by_hand(world, clock)
    worker.sees(alice.access, WRITE)
    _pass(world, clock, worker, 590)
    readings = len(worker.readings)
    assert worker.says(alice.access, WRITE) == "allowed"
    assert len(worker.readings) == readings


def test_an_end_date_that_is_set_after_a_token_was_seen_is_heard_of(world: World, clock: Clock) -> None:
    alice = _token(world)
    worker = by_hand(world, clock)
    worker.sees(alice.access, WRITE)
    with world.runtime.write("operator:ops", settles=False) as context:
        features.schedule(context, FEATURE, world.clock.now + 60 * SECOND)
    _pass(world, clock, worker, 59)
    assert worker.says(alice.access, WRITE) == "allowed"
    _pass(world, clock, worker, 1)
    assert worker.says(alice.access, WRITE) == "feature-shut-down"


def test_without_a_renewal_nothing_is_said_whatever_is_remembered(world: World, clock: Clock) -> None:
    alice = _token(world)
    worker = by_hand(world, clock)
    worker.sees(alice.access, WRITE)
    clock.now += 10 * SECOND
    assert worker.says(alice.access, WRITE) == UNDECIDED
    worker.node.renew()
    assert worker.says(alice.access, WRITE) == "allowed"
