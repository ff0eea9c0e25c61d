"""Clients and their secrets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.errors import Conflict
from broker.store.register import clients, features, partners
from broker.store.register.clients import Client
from tests.world import START, World

TV = Client(
    "tuneloop-tv", "share-a-track", "TuneLoop ü", "none", ("https://tv.example/a", "http://127.0.0.1/b"), "active",
    "operator", "tuneloop", "active", "active", 1,
)  # fmt: skip


def _add(world: World, client: Client = TV) -> None:
    with world.database.write() as transaction:
        clients.add(transaction, client, START)


def test_a_client_comes_back_as_it_was_written_with_the_state_around_it(world: World) -> None:
    _add(world)
    with world.database.write() as transaction:
        assert clients.get(transaction, "tuneloop-tv") == TV
        assert clients.get(transaction, "unknown") is None
        everything = clients.all(transaction)
        partners.set_state(transaction, "tuneloop", "active", "suspended")
        features.shut_down(transaction, "share-a-track", START)
        assert clients.get(transaction, "tuneloop-tv") == replace(
            TV, partner_state="suspended", feature_state="shut_down", feature_epoch=2
        )
    assert TV in everything
    assert [each.id for each in everything] == sorted(each.id for each in everything)


def test_an_id_is_taken_once_and_the_feature_must_be_there(world: World) -> None:
    for client in (replace(TV, id="tuneloop-share"), replace(TV, feature_id="unknown")):
        with pytest.raises(Conflict):
            _add(world, client)


def test_a_client_acts_only_while_it_and_its_partner_are_active() -> None:
    changed: list[dict[str, str]] = [{}, {"state": "disabled"}, {"partner_state": "suspended"}]
    states = [Client("c", "f", "n", "none", (), **({"state": "active"} | each)) for each in changed]  # type: ignore[arg-type]
    assert [client.enabled for client in states] == [True, False, False]


def test_a_client_without_a_secret_is_public() -> None:
    assert [replace(TV, auth_method=each).public for each in ("none", "client_secret_basic")] == [True, False]


def test_no_more_than_two_secrets_live_and_the_oldest_goes_first(world: World) -> None:
    _add(world)
    with world.database.write() as transaction:
        assert clients.with_secrets(transaction, "tuneloop-tv") == (TV, [])
        for number, live in enumerate([[b"0"], [b"0", b"1"], [b"1", b"2"], [b"2", b"3"]]):
            clients.add_secret(transaction, "tuneloop-tv", str(number).encode(), START + number)
            assert clients.secret_hashes(transaction, "tuneloop-tv") == live
        client, hashes = clients.with_secrets(transaction, "tuneloop-tv")
        assert (client, sorted(hashes)) == (TV, [b"2", b"3"])
        assert clients.with_secrets(transaction, "unknown") == (None, [])
        assert len(clients.secret_hashes(transaction, "tuneloop-share")) == 1


def test_a_state_moves_from_where_it_is_said_to_be(world: World) -> None:
    _add(world)
    with world.database.write() as transaction:
        assert not clients.set_state(transaction, "tuneloop-tv", "disabled", "active")
        assert clients.set_state(transaction, "tuneloop-tv", "active", "disabled")
        assert not clients.set_state(transaction, "tuneloop-tv", "active", "disabled")
    assert (world.client("tuneloop-tv").state, world.client("tuneloop-share").state) == ("disabled", "active")


def test_a_name_and_the_redirect_uris_are_replaced(world: World) -> None:
    _add(world)
    with world.database.write() as transaction:
        clients.change(transaction, "tuneloop-tv", "New", ("https://new.example/",))
    assert world.client("tuneloop-tv") == replace(TV, name="New", redirect_uris=("https://new.example/",))
