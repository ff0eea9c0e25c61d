"""Nodes: what a process may claim of itself, what it is told, and when it is forgotten."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import select

from broker.domain.audit import NARROWING, Action
from broker.domain.errors import NotFound, Refused
from broker.domain.tokens import digest
from broker.enforcement.memory import Event
from broker.enforcement.node import Gone, News, Registration
from broker.operations import nodes
from broker.operations.coordinator import wait_us
from broker.operations.nodes import MAX_LEASE_US, MAX_NODES, Housekeeping, OwnFeed
from broker.operations.register import resource_servers
from broker.store import schema as s
from broker.store.engine.statements import Statement
from broker.store.revocations import nodes as stored
from broker.store.revocations.nodes import Node
from tests.concurrency import together
from tests.world import World

LEASE = 300_000
SERVER, OTHER = "palaver-search", "palaver-export"


def _register(world: World, lease_us: int = LEASE, server: str | None = None) -> tuple[str, Registration]:
    with world.write("broker") as context:
        return nodes.register(context, lease_us, server)


def _poll(world: World, handle: str, after: int, confirmed: int = 0, server: str | None = None) -> News:
    with world.write("broker") as context:
        return nodes.poll(context, handle, after, confirmed, server)


def _news(world: World, position: int, *events: Event, complete: bool = True) -> News:
    return News(1, position, events, complete, world.clock.now)


def _second_server(world: World) -> None:
    with world.write() as context:
        resource_servers.register(context, OTHER, "Palaver export", frozenset({"messages:read"}))


def _all(world: World) -> list[Node]:
    with world.read() as context:
        return stored.all(context.transaction)


def _change(world: World, *subjects: str) -> int:
    """Entries of the log, for which nobody waits."""
    position = 0
    with world.runtime.write("operator:ops", settles=False) as context:
        for subject in subjects:
            position = context.record(Action.GRANT_ENDED, subject)
    return position


# --- registering ------------------------------------------------------------------------------------------------------


def test_a_node_begins_where_the_log_is_and_owes_nothing_of_before(world: World) -> None:
    position = _change(world, "grant:7")
    name, registration = _register(world)
    assert registration[1:] == (1, position, LEASE)
    assert _all(world) == [
        Node(name, None, "live", LEASE, position, position, world.clock.now, world.clock.now)
    ]  # fmt: skip


def test_a_handle_is_a_secret_that_the_database_does_not_hold(world: World) -> None:
    _, registration = _register(world)
    with world.database.read() as transaction:
        row = transaction.row(Statement(select(s.node.c.handle)))
    assert row is not None
    assert bytes(row[0]) == digest(registration.handle)
    assert len(bytes.fromhex(registration.handle)) == 32
    _, second = _register(world)
    assert second.handle != registration.handle


@pytest.mark.parametrize("lease_us", [MAX_LEASE_US + 1, 0, -1])
def test_a_lease_that_would_hold_everybody_up_is_refused(world: World, lease_us: int) -> None:
    with pytest.raises(Refused, match="at most 10 seconds"):
        _register(world, lease_us)
    assert _register(world, MAX_LEASE_US)[1].lease_us == MAX_LEASE_US


def test_a_resource_server_has_at_most_64_nodes_and_others_have_their_own(world: World) -> None:
    names = [_register(world, server=SERVER)[0] for _ in range(MAX_NODES)]
    with pytest.raises(Refused, match="64 nodes already"):
        _register(world, server=SERVER)
    _second_server(world)
    _register(world, server=OTHER)
    _register(world)
    with world.write() as context:
        nodes.retire(context, names[0])
    _register(world, server=SERVER)


def test_a_flood_at_once_is_counted_one_by_one(world: World) -> None:
    for _ in range(MAX_NODES - 1):
        _register(world, server=SERVER)
    came = together(world, *[partial(_register, world, server=SERVER)] * 6)
    assert sum(isinstance(each, Refused) for each in came) == 5


# --- polling ----------------------------------------------------------------------------------------------------------


def test_what_has_changed_is_told_until_it_is_received_and_may_then_be_confirmed(world: World) -> None:
    _, (handle, _, position, _) = _register(world)
    last = _change(world, "grant:7", "resource-server:x", "feature:f")
    expected = _news(world, last, (position + 1, "grant:7"), (position + 3, "feature:f"))
    assert _poll(world, handle, position) == expected
    assert _poll(world, handle, position) == expected, "the answer may have been lost"
    assert _poll(world, handle, last, last) == _news(world, last)
    assert _all(world)[0].confirmed == last


def test_nothing_is_confirmed_that_was_never_told(world: World) -> None:
    _, (handle, _, position, _) = _register(world)
    last = _change(world, "grant:7", "grant:8")
    with pytest.raises(Refused, match="never told"):
        _poll(world, handle, position, last)
    assert _all(world)[0].confirmed == position
    _poll(world, handle, position)
    with pytest.raises(Refused, match="never told"):
        _poll(world, handle, last, last + 1)
    _poll(world, handle, last, last)
    assert _all(world)[0].confirmed == last


def test_a_confirmation_is_never_taken_back(world: World) -> None:
    _, (handle, _, position, _) = _register(world)
    last = _change(world, "grant:7")
    _poll(world, handle, position)
    _poll(world, handle, last, last)
    for earlier in (position, 0, -5):
        _poll(world, handle, position, earlier)
        assert _all(world)[0].confirmed == last


def test_a_page_that_is_not_the_last_says_so_and_only_it_may_be_confirmed(world: World) -> None:
    _, (handle, _, position, _) = _register(world)
    last = _change(world, *(["grant:7"] * 1001))
    news = _poll(world, handle, position)
    assert (news.position, news.complete) == (last - 1, False)
    with pytest.raises(Refused):
        _poll(world, handle, last - 1, last)
    assert _poll(world, handle, last - 1, last - 1) == _news(world, last, (last, "grant:7"))


def test_a_position_that_this_log_has_not_reached_is_of_another_log(world: World) -> None:
    _, (handle, _, position, _) = _register(world)
    with pytest.raises(Gone):
        _poll(world, handle, position + 1)


def test_an_unknown_handle_must_register(world: World) -> None:
    _register(world)
    with pytest.raises(Gone):
        _poll(world, "00" * 32, 0)


@pytest.mark.parametrize(("of", "by"), [(SERVER, OTHER), (SERVER, None), (None, SERVER)])
def test_a_handle_serves_only_whom_it_was_given_to(world: World, of: str | None, by: str | None) -> None:
    _, (handle, _, position, _) = _register(world, server=of)
    last = _change(world, "grant:7")
    _poll(world, handle, position, server=of)
    before = _all(world)
    world.clock.advance(seconds=5)
    with pytest.raises(Gone):
        _poll(world, handle, last, last, server=by)
    assert _all(world) == before, "it has confirmed nothing and renewed nothing"
    _poll(world, handle, last, last, server=of)


def test_a_handle_serves_only_the_name_that_it_was_given_with(world: World) -> None:
    name, (handle, _, position, _) = _register(world, server=SERVER)
    before = _all(world)
    world.clock.advance(seconds=5)
    with pytest.raises(Gone), world.write("broker") as context:
        nodes.poll(context, handle, position, position, SERVER, f"{name}x")
    assert _all(world) == before, "nothing is renewed"
    with world.write("broker") as context:
        assert nodes.poll(context, handle, position, position, SERVER, name).complete


def test_a_resource_servers_node_leaves_by_its_own_handle_and_name_alone(world: World) -> None:
    name, (handle, _, _, _) = _register(world, server=SERVER)
    _, (sibling, _, _, _) = _register(world, server=SERVER)
    for secret, server, claimed in ((sibling, SERVER, name), (handle, OTHER, name), ("00" * 32, SERVER, name)):
        with pytest.raises(Gone), world.write("broker") as context:
            nodes.leave(context, secret, server, claimed)
    assert len(_all(world)) == 2
    with world.write("broker") as context:
        nodes.leave(context, handle, SERVER, name)
    assert [each.id == name for each in _all(world)] == [False]


def test_a_retired_node_gets_nothing_more(world: World) -> None:
    name, (handle, _, position, _) = _register(world)
    with world.write() as context:
        nodes.retire(context, name)
    with pytest.raises(Gone):
        _poll(world, handle, position)
    with pytest.raises(NotFound, match="'n0'"), world.write() as context:
        nodes.retire(context, "n0")


# --- the broker's own workers -----------------------------------------------------------------------------------------


def test_a_worker_s_feed_is_the_database(world: World) -> None:
    feed = OwnFeed(world.runtime, LEASE)
    handle, generation, position, lease_us = feed.register()
    assert (generation, lease_us) == (1, LEASE)
    last = _change(world, "grant:7")
    assert feed.poll(handle, position, position) == _news(world, last, (last, "grant:7"))
    feed.leave("00" * 32)
    assert len(_all(world)) == 1
    feed.leave(handle)
    assert _all(world) == []
    with pytest.raises(Gone):
        feed.poll(handle, last, last)


# --- who is gone ------------------------------------------------------------------------------------------------------


class _Ticks:
    def __init__(self) -> None:
        self.now = 10**9

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def ticks() -> _Ticks:
    """This process's clock, which stands still."""
    return _Ticks()


@pytest.fixture
def housekeeping(world: World, ticks: _Ticks) -> Housekeeping:
    """What each worker does once a second."""
    return Housekeeping(replace(world.runtime, ticks=ticks))


def test_a_retired_node_is_forgotten_when_its_last_lease_must_have_run_out(
    world: World, housekeeping: Housekeeping, ticks: _Ticks
) -> None:
    name, _ = _register(world)
    with world.write() as context:
        nodes.retire(context, name)
    assert housekeeping.once() == 0
    world.clock.advance(days=1)  # a clock that is set says nothing of how long it was
    ticks.now += wait_us(LEASE)
    assert housekeeping.once() == 0
    ticks.now += 1
    assert housekeeping.once() == 1
    assert _all(world) == []
    assert housekeeping.once() == 0


def test_a_process_that_starts_later_counts_from_when_it_has_seen_it(world: World, ticks: _Ticks) -> None:
    name, _ = _register(world)
    with world.write() as context:
        nodes.retire(context, name)
    ticks.now += 10 * wait_us(LEASE)
    assert Housekeeping(replace(world.runtime, ticks=ticks)).once() == 0


def test_a_silent_node_is_retired_and_one_that_renews_is_not(
    world: World, housekeeping: Housekeeping, ticks: _Ticks
) -> None:
    silent, _ = _register(world)
    lively, (handle, _, position, _) = _register(world)
    world.clock.advance(seconds=20 * LEASE / 1_000_000)
    housekeeping.once()
    assert {each.state for each in _all(world)} == {"live"}
    world.clock.advance(seconds=0.001)
    _poll(world, handle, position)
    assert housekeeping.once() == 0
    assert {each.id: each.state for each in _all(world)} == {silent: "retiring", lively: "live"}
    housekeeping.once()
    ticks.now += wait_us(LEASE) + 1
    assert housekeeping.once() == 1
    assert [each.id for each in _all(world)] == [lively]


# --- what has to be waited for ----------------------------------------------------------------------------------------

WIDENS_OR_CHANGES_NO_STANDING = frozenset({
    Action.BROKER_SEEDED, Action.PARTNER_REGISTERED, Action.PARTNER_CHANGED, Action.PARTNER_RESUMED,
    Action.FEATURE_REGISTERED, Action.FEATURE_CHANGED, Action.FEATURE_LAUNCHED, Action.FEATURE_RESUMED,
    Action.FEATURE_WIDENED, Action.FEATURE_REOPENED, Action.CLIENT_REGISTERED, Action.CLIENT_CHANGED,
    Action.CLIENT_SECRET_ROTATED, Action.RESOURCE_SERVER_REGISTERED, Action.CONSENT_DENIED, Action.PRESENCE_CONFIRMED,
    Action.ACCOUNT_REGISTERED, Action.ACCOUNT_ENABLED, Action.OPERATOR_TOKEN_ISSUED, Action.APPROVAL_REQUESTED,
    Action.APPROVAL_GIVEN,
})  # fmt: skip


def test_of_every_action_it_is_decided_whether_nodes_are_waited_for() -> None:
    """A new action must be put on one side by somebody who has thought about it."""
    assert not NARROWING & WIDENS_OR_CHANGES_NO_STANDING
    assert set(Action) == NARROWING | WIDENS_OR_CHANGES_NO_STANDING
