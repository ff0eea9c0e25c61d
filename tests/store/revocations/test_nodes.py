"""The row of a node: who is behind, what a confirmation may claim, and how a row goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.errors import Conflict
from broker.store.revocations import nodes
from broker.store.revocations.nodes import Node
from tests.world import START, World

SERVER = "palaver-search"
OWN = Node("n1", None, "live", 300_000, 20, 10, START, START)
HANDLE = b"1" * 32


def _add(world: World, node: Node = OWN, handle: bytes = HANDLE) -> None:
    with world.database.write() as transaction:
        nodes.add(transaction, node, handle)


def _all(world: World) -> list[Node]:
    with world.database.read() as transaction:
        return nodes.all(transaction)


def _renew(world: World, confirmed: int, handle: bytes = HANDLE) -> Node | None:
    with world.database.write() as transaction:
        return nodes.renew(transaction, handle, confirmed, START + 5)


def test_a_node_comes_back_as_it_was_written_the_longest_registered_first(world: World) -> None:
    later = replace(OWN, id="n0", resource_server_id=SERVER, registered_at=START + 1)
    _add(world, later, b"2" * 32)
    _add(world)
    assert _all(world) == [OWN, later]


def test_a_handle_belongs_to_one_node(world: World) -> None:
    _add(world)
    with pytest.raises(Conflict):
        _add(world, replace(OWN, id="n2"))


def test_who_has_not_confirmed_a_position_is_behind_whatever_its_state(world: World) -> None:
    _add(world)
    _add(world, replace(OWN, id="n2", state="retiring", confirmed=9), b"2" * 32)
    with world.database.read() as transaction:
        assert [each.id for each in nodes.behind(transaction, 11)] == ["n1", "n2"]
        assert [each.id for each in nodes.behind(transaction, 10)] == ["n2"]
        assert nodes.behind(transaction, 9) == []


def test_a_renewal_notes_what_is_confirmed_which_only_rises(world: World) -> None:
    _add(world)
    assert _renew(world, 15) == replace(OWN, confirmed=15, renewed_at=START + 5)
    for earlier in (14, 0, -1):
        found = _renew(world, earlier)
        assert found is not None
        assert found.confirmed == 15


def test_more_than_was_sent_is_not_believed(world: World) -> None:
    _add(world)
    found = _renew(world, 21)
    assert found is not None
    assert (found.confirmed, found.sent) == (10, 20)
    with world.database.write() as transaction:
        nodes.set_sent(transaction, "n1", 21)
    found = _renew(world, 21)
    assert found is not None
    assert found.confirmed == 21


def test_an_unknown_handle_renews_nothing(world: World) -> None:
    _add(world)
    assert _renew(world, 20, b"2" * 32) is None
    assert _all(world) == [OWN]


def test_a_retired_node_renews_and_confirms_no_more(world: World) -> None:
    _add(world)
    with world.database.write() as transaction:
        assert nodes.retire(transaction, "n1")
        assert not nodes.retire(transaction, "n1")
        assert not nodes.retire(transaction, "n9")
    assert _renew(world, 20) is None
    assert _all(world) == [replace(OWN, state="retiring")]


def test_only_a_retiring_node_is_removed(world: World) -> None:
    _add(world)
    with world.database.write() as transaction:
        assert not nodes.remove(transaction, "n1")
        nodes.retire(transaction, "n1")
        assert nodes.remove(transaction, "n1")
    assert _all(world) == []


def test_whoever_leaves_is_gone_whatever_its_state(world: World) -> None:
    _add(world)
    _add(world, replace(OWN, id="n2", state="retiring"), b"2" * 32)
    with world.database.write() as transaction:
        nodes.leave(transaction, b"3" * 32)
        assert len(nodes.all(transaction)) == 2
        nodes.leave(transaction, HANDLE)
        nodes.leave(transaction, b"2" * 32)
        assert nodes.all(transaction) == []


def test_a_resource_server_s_live_nodes_are_counted_and_nobody_else_s(world: World) -> None:
    _add(world)
    for number, state in enumerate(("live", "live", "retiring")):
        node = replace(OWN, id=f"r{number}", resource_server_id=SERVER, state=state)
        _add(world, node, bytes([number]) * 32)
    with world.database.write() as transaction:
        assert nodes.count(transaction, SERVER) == 2
        assert nodes.count(transaction, "another") == 0
