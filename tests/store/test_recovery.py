"""What a recovery does to everything at once."""

from __future__ import annotations

from broker.store import recovery
from broker.store.evidence import audit
from tests.world import START, World


def test_all_that_was_issued_ends_and_is_counted_once(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.connect("bob", "tuneloop-share")
    with world.database.write() as transaction:
        ended = recovery.end_what_was_issued(transaction, START)
    assert ended["token_families"] == 2
    assert world.says(alice.access) == "token-revoked"
    with world.database.write() as transaction:
        assert set(recovery.end_what_was_issued(transaction, START).values()) == {0}


def test_a_generation_is_set_and_read(world: World) -> None:
    with world.database.write() as transaction:
        assert audit.generation(transaction) == 1
        recovery.set_generation(transaction, 7)
    with world.database.read() as transaction:
        assert audit.generation(transaction) == 7


def test_an_epoch_never_falls(world: World) -> None:
    for given, then in ((5, 5), (3, 5)):
        with world.database.write() as transaction:
            recovery.shut_down(transaction, "share-a-track", given, START)
        feature = world.feature("share-a-track")
        assert (feature.state.value, feature.epoch) == ("shut_down", then)


def test_the_scopes_of_a_grant_and_the_writers_of_ledgers_are_told(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    with world.database.read() as transaction:
        assert recovery.scopes_of(transaction, alice.grant_id) == set(alice.scopes)
        assert recovery.writers(transaction) == set()
