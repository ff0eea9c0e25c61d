"""Clients: registered soundly, authenticated by what they hold, given new secrets while the old one still works."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.errors import Conflict, NotFound, Refused
from broker.domain.tokens import TokenKind, well_formed
from broker.operations.register import clients
from broker.store.register.clients import Client
from tests.register import HTTPS, secret_of
from tests.world import World

NEW = Client("tuneloop-new", "share-a-track", "TuneLoop", "client_secret_basic", (HTTPS,), "active", "operator")


def _register(world: World, client: Client, secret: str | None = None) -> str | None:
    with world.write() as context:
        return clients.register(context, client, secret)


def _proves(world: World, client_id: str, secret: str | None, method: str = "client_secret_basic") -> bool:
    with world.read() as context:
        found = clients.authenticate(context.transaction, client_id, secret, method)
    assert found is None or found.id == client_id
    return found is not None


def _rotate(world: World, client_id: str) -> str:
    with world.write() as context:
        return clients.rotate_secret(context, client_id)


def test_a_new_client_gets_a_secret_that_is_shown_once(world: World) -> None:
    secret = _register(world, NEW)
    assert secret is not None
    assert well_formed(TokenKind.CLIENT_SECRET, secret)
    assert _proves(world, "tuneloop-new", secret)
    assert world.log()[-1] == "client.registered"
    with pytest.raises(Conflict, match="tuneloop-new is registered already"):
        _register(world, NEW)


def test_a_public_client_has_no_secret_and_needs_none(world: World) -> None:
    public = replace(NEW, auth_method="none")
    assert _register(world, public) is None
    assert _proves(world, "tuneloop-new", None, "none")
    assert not _proves(world, "tuneloop-new", None)
    with pytest.raises(Refused, match="is public and has no secret"):
        _rotate(world, "tuneloop-new")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "tuneloop"}, "client id 'tuneloop' must have a hyphen"),
        ({"id": "TuneLoop-New"}, "must be 2 to 63 lower-case"),
        ({"name": "Palaver Support"}, "the name of client tuneloop-new must not have the reserved word 'palaver'"),
        ({"auth_method": "private_key_jwt"}, "the authentication method is one of client_secret_basic"),
        ({"redirect_uris": ()}, "needs a redirect URI"),
        ({"redirect_uris": (HTTPS, "http://tuneloop.example/")}, "uses http on a host that is not a loopback address"),
    ],
)
def test_an_unsound_client_is_refused(world: World, changes: dict[str, object], words: str) -> None:
    with pytest.raises(Refused, match=words):
        _register(world, replace(NEW, **changes))  # type: ignore[arg-type]


def test_a_client_is_registered_for_a_feature_that_exists(world: World) -> None:
    with pytest.raises(NotFound, match="no feature 'share-nothing'"):
        _register(world, replace(NEW, feature_id="share-nothing"))


@pytest.mark.parametrize(
    ("client_id", "secret", "method"),
    [
        ("tuneloop-share", "wrong", "client_secret_basic"),
        ("tuneloop-share", "", "client_secret_basic"),
        ("tuneloop-share", None, "client_secret_basic"),
        ("tuneloop-share", None, "none"),
        ("tuneloop-share", secret_of("tuneloop-share"), "client_secret_post"),
        ("tuneloop-share", secret_of("northbank-notice"), "client_secret_basic"),
        ("nobody-at-all", secret_of("tuneloop-share"), "client_secret_basic"),
        ("nobody-at-all", None, "none"),
        ("tuneloop-share", "\ud800", "client_secret_basic"),
    ],
)
def test_what_proves_nothing_is_refused_alike(world: World, client_id: str, secret: str | None, method: str) -> None:
    assert _proves(world, "tuneloop-share", secret_of("tuneloop-share"))
    assert not _proves(world, client_id, secret, method)


def test_two_secrets_live_during_a_rotation_and_never_three(world: World) -> None:
    old = secret_of("tuneloop-share")
    world.clock.advance(seconds=1)
    second = _rotate(world, "tuneloop-share")
    assert _proves(world, "tuneloop-share", old)
    assert _proves(world, "tuneloop-share", second)
    world.clock.advance(seconds=1)
    third = _rotate(world, "tuneloop-share")
    assert [_proves(world, "tuneloop-share", each) for each in (old, second, third)] == [False, True, True]


def test_secrets_that_were_made_at_one_instant_are_rotated_too(world: World) -> None:
    secrets = [secret_of("tuneloop-share"), *(_rotate(world, "tuneloop-share") for _ in range(3))]
    proven = [_proves(world, "tuneloop-share", each) for each in secrets]
    assert sum(proven) == 2
    assert proven[-1]


def test_a_client_is_disabled_once(world: World) -> None:
    with world.write() as context:
        clients.disable(context, "tuneloop-share")
    with pytest.raises(Conflict, match="tuneloop-share is disabled already"), world.write() as context:
        clients.disable(context, "tuneloop-share")
    with pytest.raises(NotFound, match="no client 'nobody-at-all'"), world.write() as context:
        clients.disable(context, "nobody-at-all")
    assert world.log().count("client.disabled") == 1


def test_a_change_is_judged_like_a_new_client(world: World) -> None:
    with pytest.raises(Refused, match="has a fragment"), world.write() as context:
        clients.change(context, "tuneloop-share", "TuneLoop", ("https://tuneloop.example/#",))
    assert world.client("tuneloop-share").redirect_uris[0] == HTTPS
