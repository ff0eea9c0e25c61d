"""An old backup is noticed by the mark, and a sound database never is."""

from __future__ import annotations

from functools import partial

import pytest

from broker.domain.errors import Refused, Undecided
from broker.operations.nodes import OwnFeed
from broker.operations.recovery import current
from broker.operations.register import features, resource_servers
from broker.store import ledger
from tests.operations.recovery.restoring import CLIENT, FEATURE, back_up, identity, keeping, recover
from tests.world import World

LEASE = 300_000


def _refused(world: World) -> str:
    with pytest.raises(Refused) as caught:
        current.require_current(world.runtime)
    return str(caught.value)


def test_a_database_that_nothing_was_taken_from_is_current(world: World) -> None:
    keeping(world)
    current.require_current(world.runtime)
    current.note_committed(world.runtime)
    current.require_current(world.runtime)


def test_a_restored_backup_is_refused_and_named(world: World) -> None:
    kept = keeping(world)
    restore = back_up(world)
    world.shut_down(FEATURE)
    current.require_current(world.runtime)
    restore()
    assert "broker recover" in _refused(world)
    assert not current.watch(world.runtime)
    assert kept.below is not None


def test_a_process_serves_again_when_the_database_was_recovered(world: World) -> None:
    keeping(world)
    other = world.other_node()
    kept = keeping(other)
    restore = back_up(world)
    world.shut_down(FEATURE)
    other.database.close()
    restore()
    assert not current.watch(other.runtime)
    recover(world)
    assert current.watch(other.runtime)
    assert kept.below is None
    other.close()


def test_with_a_mark_that_cannot_be_read_nothing_is_served(world: World) -> None:
    kept = keeping(world)
    world.suspend(FEATURE)
    (kept.directory / f"{identity(world)}.mark").write_text("?")
    assert not current.watch(world.runtime)


def test_a_backup_that_lost_nothing_committed_here_is_current(world: World) -> None:
    keeping(world)
    world.shut_down(FEATURE)
    back_up(world)()
    current.require_current(world.runtime)


def test_what_was_seen_at_the_start_counts_too(world: World) -> None:
    keeping(world)
    restore = back_up(world)
    world.connect("alice", CLIENT)
    current.note_committed(world.runtime)
    restore()
    assert "broker recover" in _refused(world)


def test_another_database_in_its_place_is_not_taken_for_an_old_one(world: World) -> None:
    kept = keeping(world)
    kept.raise_mark(4711, ledger.Mark(9, 9))
    current.require_current(world.runtime)


def test_a_node_gets_no_lease_from_an_old_database(postgres_world: World) -> None:
    keeping(postgres_world)
    feed = OwnFeed(postgres_world.runtime, LEASE)
    restore = back_up(postgres_world)
    with postgres_world.runtime.write("operator:ops", settles=False) as context:
        features.suspend(context, FEATURE)
    handle, _, position, _ = feed.register()
    restore()
    for asked in (feed.register, partial(feed.poll, handle, position, position)):
        with pytest.raises(Undecided, match="broker recover"):
            asked()


def test_a_node_has_written_down_what_it_heard_before_it_can_confirm_it(postgres_world: World) -> None:
    """The one that narrows keeps no ledger here; the node that hears does, in a place of its own."""
    other = postgres_world.other_node()
    kept = keeping(other, "elsewhere")
    feed = OwnFeed(other.runtime, LEASE)
    handle, _, position, _ = feed.register()
    with postgres_world.runtime.write("operator:ops", settles=False) as context:
        resource_servers.disable(context, "palaver-search")
    news = feed.poll(handle, position, position)
    found = ledger.read([kept.directory], identity(postgres_world))
    assert [(each.position, each.action) for each in found.narrowings] == [(news.position, "resource_server.disabled")]
    assert found.mark.position == news.position
    other.close()


def test_a_primary_is_no_standby(world: World) -> None:
    current.require_primary(world.runtime)
