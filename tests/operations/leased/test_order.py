"""The order of an ending's steps: commit, then the clock, then who there is; each seen by a node that comes between."""

from __future__ import annotations

from dataclasses import replace

from broker.operations import grants
from broker.operations.context import Context
from tests.operations.leased.worker import HASTY_US, Clock, by_hand
from tests.operations.races.narrowings import CLIENT, WRITE
from tests.world import Connection, World


class Ticking(Clock):
    """A clock that goes on by itself, a little each time that it is read."""

    def __call__(self) -> int:
        self.now += 5_000
        return self.now


def _on(world: World, clock: Clock) -> World:
    """Another process on the same database, with connections of its own, that counts by this clock."""
    other = world.other_node()
    other.runtime = replace(other.runtime, ticks=clock)
    return other


def _disconnect(context: Context, alice: Connection, account: int) -> None:
    grants.disconnect(context, grants.own(context, account, alice.grant_id))


def test_a_node_that_registers_while_an_ending_commits_is_waited_for(postgres_world: World) -> None:
    """It has read what was before the commit, although nobody knew of it when the ending began."""
    world, clock = postgres_world, Ticking()
    alice, account = world.connect("alice", CLIENT), world.account("alice")
    world.runtime, beside = replace(world.runtime, ticks=clock), _on(world, clock)
    with world.write("user:alice") as context:
        _disconnect(context, alice, account)
        late = by_hand(beside, clock, HASTY_US)
        late.sees(alice.access, WRITE)
    assert late.says(alice.access, WRITE) != "allowed"
    beside.close()


def test_the_wait_counts_from_the_commit_and_not_from_before_it(postgres_world: World) -> None:
    """A lease that is taken at the end of a long transaction still runs when that has committed."""
    world, clock = postgres_world, Ticking()
    alice, account = world.connect("alice", CLIENT), world.account("alice")
    world.runtime, beside = replace(world.runtime, ticks=clock), _on(world, clock)
    worker = by_hand(beside, clock, HASTY_US)
    with world.write("user:alice") as context:
        _disconnect(context, alice, account)
        clock.now += 10_000_000
        worker.node.renew()
        worker.sees(alice.access, WRITE)
    assert worker.says(alice.access, WRITE) != "allowed"
    beside.close()


def test_a_node_that_was_waited_out_must_register_anew_before_it_says_anything(world: World) -> None:
    clock = Ticking()
    alice = world.connect("alice", CLIENT)
    world.runtime = replace(world.runtime, ticks=clock)
    worker = by_hand(world, clock, HASTY_US)
    worker.sees(alice.access, WRITE)
    world.disconnect(alice)
    worker.node.renew()
    assert worker.node.cell is None, "it must register anew"
    assert worker.says(alice.access, WRITE) != "allowed"
    worker.node.renew()
    assert worker.says(alice.access, WRITE) == "grant-ended"
