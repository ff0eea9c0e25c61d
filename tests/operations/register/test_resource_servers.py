"""Resource servers: registered for scopes that exist, proven by a secret, disabled at once."""

from __future__ import annotations

import pytest

from broker.domain.errors import Conflict, NotFound, Refused
from broker.domain.tokens import TokenKind, well_formed
from broker.operations.register import resource_servers
from tests.register import secret_of
from tests.world import World

READ = frozenset({"messages:read"})


def _proves(world: World, server_id: str, secret: str) -> bool:
    with world.read() as context:
        found = resource_servers.authenticate(context.transaction, server_id, secret)
    assert found is None or found.id == server_id
    return found is not None


def test_a_resource_server_gets_a_secret_that_is_shown_once(world: World) -> None:
    with world.write() as context:
        secret = resource_servers.register(context, "palaver-export", "Palaver export", READ)
        with pytest.raises(Conflict, match="palaver-export is registered already"):
            resource_servers.register(context, "palaver-export", "Palaver export", READ)
    assert well_formed(TokenKind.RESOURCE_SERVER_SECRET, secret)
    assert _proves(world, "palaver-export", secret)
    assert world.log()[-1] == "resource_server.registered"


@pytest.mark.parametrize(
    ("server_id", "name", "scopes", "words"),
    [
        ("Export", "Export", READ, "the id or name must be 2 to 63 lower-case"),
        ("export", "Official export", READ, "the id or name must not have the reserved word 'official'"),
        ("export", "Export", frozenset[str](), "unknown scopes: none given"),
        ("export", "Export", READ | {"messages:shout"}, "unknown scopes: messages:shout"),
    ],
)
def test_an_unsound_resource_server_is_refused(
    world: World, server_id: str, name: str, scopes: frozenset[str], words: str
) -> None:
    with pytest.raises(Refused, match=words), world.write() as context:
        resource_servers.register(context, server_id, name, scopes)


def test_only_the_right_secret_of_an_active_server_proves_it(world: World) -> None:
    secret = secret_of("palaver-search")
    assert _proves(world, "palaver-search", secret)
    for server_id, presented in (("palaver-search", ""), ("palaver-search", secret[:-1]), ("palaver-export", secret),
                                 ("palaver-search", "\ud800")):  # fmt: skip
        assert not _proves(world, server_id, presented)
    with world.write() as context:
        resource_servers.disable(context, "palaver-search")
    assert not _proves(world, "palaver-search", secret)


def test_a_resource_server_is_disabled_once(world: World) -> None:
    with world.write() as context:
        resource_servers.disable(context, "palaver-search")
        with pytest.raises(Conflict, match="palaver-search is disabled already"):
            resource_servers.disable(context, "palaver-search")
        with pytest.raises(NotFound, match="no resource server 'palaver-export'"):
            resource_servers.disable(context, "palaver-export")
    assert world.log().count("resource_server.disabled") == 1
