"""Whom the guard asks: the database for writes, memory for reads, and how long what was read may be remembered."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from broker.domain.decisions import Allowed, Denied
from broker.domain.marks import of_standing
from broker.domain.tokens import digest
from broker.enforcement.node import Node
from broker.operations import grants
from broker.operations.nodes import OwnFeed
from broker.web.authorities import LeasedAuthority, read, seen
from broker.web.request_context import READ, WRITE, serving
from broker.web.runtime import ticks
from tests.concurrency import LIMIT_S, in_thread
from tests.domain.test_decisions import OWN, SOUND
from tests.world import Connection, World

BEGUN, NEEDED = 5_000_000, frozenset({"messages:write"})


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({}, 1_000_000),
        ({"expires_at": SOUND.now + 70}, 70),
        ({"grant_expires_at": SOUND.now + 60}, 60),
        ({"presence_ends_at": SOUND.now + 50}, 50),
        ({"feature_ends_at": SOUND.now + 40}, 40),
        ({"live_scopes": f"messages:write={SOUND.now + 30} profile:read={SOUND.now + 20}"}, 20),
        ({"live_scopes": f"messages:write={SOUND.now + 30} profile:read={SOUND.now - 20}"}, 30),
        ({"live_scopes": f"messages:write={SOUND.now + 30} posts:read={SOUND.now + 1}"}, 30),
        ({"expires_at": SOUND.now - 5}, 0),
    ],
)
def test_it_is_remembered_until_the_first_part_of_it_ends_by_a_clock_slow_by_one_in_a_hundred(
    changes: dict[str, Any], left: int
) -> None:
    found = SOUND._replace(**changes)
    assert seen(found, BEGUN).ends_at == BEGUN + left * 99 // 100


@pytest.mark.parametrize("standing", [SOUND, OWN], ids=["user", "client"])
def test_it_carries_what_it_hangs_on_and_the_snapshot_that_it_is_of(standing: Any) -> None:
    found = seen(standing, BEGUN)
    assert (found.standing, found.marks, found.read_at) == (standing, of_standing(standing), BEGUN)
    assert (found.generation, found.position, found.claims) == (standing.generation, standing.position, None)


def _leased(world: World) -> LeasedAuthority:
    node = Node(OwnFeed(world.runtime, 10_000_000), ticks)
    node.renew()
    return LeasedAuthority(node)


def _end_behind_its_back(world: World, alice: Connection) -> None:
    """End the grant, and wait for no node: whoever says yes after this says it from memory."""
    account = world.account("alice")
    with world.runtime.write("user:alice", settles=False) as context:
        grants.disconnect(context, grants.own(context, account, alice.grant_id))


def test_a_read_is_answered_from_memory_and_a_write_by_the_database(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    authority = _leased(world)
    with serving(READ, world.runtime):
        first = authority.admit(digest(alice.access), NEEDED, for_write=False)
    _end_behind_its_back(world, alice)
    with serving(READ, world.runtime):
        second = authority.admit(digest(alice.access), NEEDED, for_write=False)
    with serving(WRITE, world.runtime):
        written = authority.admit(digest(alice.access), NEEDED, for_write=True)
    assert isinstance(first.decision, Allowed)
    assert isinstance(second.decision, Allowed)
    assert first.counted
    assert isinstance(written.decision, Denied)
    authority.node.renew()
    with serving(READ, world.runtime):
        third = authority.admit(digest(alice.access), NEEDED, for_write=False)
    assert isinstance(third.decision, Denied)
    for each in (first, second):
        each.done()
    authority.node.leave()


def test_an_unknown_token_is_nothing_to_remember(world: World) -> None:
    with serving(READ, world.runtime):
        assert read(digest("plv_at_unknown")) is None


def test_a_reading_is_dated_by_its_own_snapshot_and_begins_before_it(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    before = ticks()
    with serving(READ, world.runtime):
        _in_another(world)
        found = read(digest(alice.access))
    assert found is not None
    assert found.standing is not None
    assert found.position == found.standing.position
    assert before <= found.read_at <= ticks()


def _in_another(world: World) -> None:
    """Something is committed after the reader's transaction began."""
    other = world.other_node()
    in_thread(partial(other.suspend, "now-playing")).result(LIMIT_S)
    other.close()
