"""Resource servers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.errors import Conflict
from broker.store.register import resource_servers
from broker.store.register.resource_servers import ResourceServer
from tests.world import START, World

ARCHIVE = ResourceServer("archive", "Archive", frozenset({"messages:read", "posts:read"}), "active", b"\x00\xff")


def _add(world: World, server: ResourceServer = ARCHIVE) -> None:
    with world.database.write() as transaction:
        resource_servers.add(transaction, server, START)


def test_a_resource_server_comes_back_as_it_was_written(world: World) -> None:
    _add(world)
    with world.database.read() as transaction:
        assert resource_servers.get(transaction, "archive") == ARCHIVE
        assert resource_servers.get(transaction, "unknown") is None
        assert [each.id for each in resource_servers.all(transaction)] == ["archive", "palaver-search"]


def test_an_id_is_taken_once(world: World) -> None:
    with pytest.raises(Conflict):
        _add(world, replace(ARCHIVE, id="palaver-search"))


def test_a_resource_server_is_disabled_once_and_alone(world: World) -> None:
    _add(world)
    with world.database.write() as transaction:
        assert resource_servers.disable(transaction, "archive")
        assert not resource_servers.disable(transaction, "archive")
        assert not resource_servers.disable(transaction, "unknown")
        states = [each.state for each in resource_servers.all(transaction)]
    assert states == ["disabled", "active"]
