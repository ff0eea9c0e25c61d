"""Grants as rows: one that stands for a person and client, and nothing that brings back what is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from broker.domain.errors import Conflict
from broker.domain.grants import Grant, GrantedScope
from broker.domain.instants import DAY
from broker.store import grants
from broker.store.engine.database import Transaction
from broker.store.grants import Use
from tests.world import START, Connection, World

WRITE, PROFILE = "messages:write", "profile:read"


def _scope(world: World, alice: Connection, scope: str = WRITE) -> GrantedScope:
    (found,) = [each for each in world.grant_by_id(alice.grant_id).scopes if each.scope == scope]
    return found


def _do(world: World, act: Callable[[Transaction], object]) -> object:
    with world.database.write() as transaction:
        return act(transaction)


def _new(world: World, **values: object) -> Grant:
    made = Grant(
        id=(1 << 62) + 1, account_id=world.account("carol"), client_id="tuneloop-share", feature_id="share-a-track",
        feature_epoch=1, all_conversations=False, asked=frozenset({WRITE, PROFILE}), consent_hash="h", created_at=1,
        updated_at=2, present_at=3, presence_ends_at=4, expires_at=5,
    )  # fmt: skip
    return replace(made, **values)  # type: ignore[arg-type]


def test_a_grant_comes_back_as_it_was_written(world: World) -> None:
    scopes = (GrantedScope(WRITE, 7, 8, None, 9), GrantedScope(PROFILE, 7, 8, 10, 11, 12))
    made = _new(world, scopes=scopes)
    with world.database.write() as transaction:
        assert grants.get(transaction, made.id) is None
        grants.add(transaction, made, 7)
        grants.add_scopes(transaction, made.id, scopes)
        assert grants.get(transaction, made.id) == made
        assert grants.standing(transaction, made.account_id, made.client_id) == made
        assert grants.standing(transaction, made.account_id, "tuneloop-app") is None


def test_one_grant_of_a_person_and_client_stands(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    second = _new(world, account_id=world.account("alice"))
    with pytest.raises(Conflict), world.database.write() as transaction:
        grants.add(transaction, second, 7)
    with world.database.write() as transaction:
        assert grants.end(transaction, alice.grant_id, START, "disconnected")
        grants.add(transaction, second, 7)
        assert grants.standing(transaction, second.account_id, second.client_id) == second


def test_a_newer_consent_replaces_what_it_is_about_and_no_more(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    before = world.grant_by_id(alice.grant_id)
    newer = replace(before, all_conversations=not before.all_conversations, asked=frozenset({PROFILE}),
                    consent_hash="newer", updated_at=START + 1, present_at=START + 1, presence_ends_at=START + 2,
                    expires_at=START + 3)  # fmt: skip
    _do(world, lambda t: grants.update_consent(t, newer, 99))
    assert world.grant_by_id(alice.grant_id) == newer
    with world.database.write() as transaction:
        grants.end(transaction, alice.grant_id, START, "disconnected")
        grants.update_consent(transaction, before, 100)
    assert world.grant_by_id(alice.grant_id).consent_hash == "newer"


def test_a_grant_ends_once_and_keeps_its_cause(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    assert _do(world, lambda t: grants.end(t, alice.grant_id, START + 1, "disconnected"))
    assert not _do(world, lambda t: grants.end(t, alice.grant_id, START + 2, "expired"))
    ended = world.grant_by_id(alice.grant_id)
    assert (ended.ended_at, ended.end_cause) == (START + 1, "disconnected")
    assert world.grant_or_none("alice", "tuneloop-share") is None


def test_locking_a_grant_changes_nothing(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    before = world.grant_by_id(alice.grant_id)
    _do(world, lambda t: grants.lock(t, alice.grant_id))
    assert world.grant_by_id(alice.grant_id) == before


# --- presence and use -----------------------------------------------------------------------------------------------


def test_presence_moves_the_end_while_there_is_one_to_move(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    assert _do(world, lambda t: grants.present(t, alice.grant_id, START + 5, START + 9))
    grant = world.grant_by_id(alice.grant_id)
    assert (grant.present_at, grant.presence_ends_at) == (START + 5, START + 9)
    assert not _do(world, lambda t: grants.present(t, alice.grant_id, START + 9, START + 20))
    assert world.grant_by_id(alice.grant_id) == grant


def test_presence_brings_back_no_grant_that_ended_or_expired(world: World) -> None:
    alice, bob = world.connect("alice", "tuneloop-share"), world.connect("bob", "tuneloop-share")
    after = world.grant_by_id(bob.grant_id).expires_at
    _do(world, lambda t: grants.end(t, alice.grant_id, START, "disconnected"))
    _do(world, lambda t: grants.present(t, bob.grant_id, START, after + DAY))
    assert not _do(world, lambda t: grants.present(t, alice.grant_id, START + 1, START + DAY))
    assert not _do(world, lambda t: grants.present(t, bob.grant_id, after, after + 2 * DAY))
    assert world.grant_by_id(bob.grant_id).presence_ends_at == after + DAY


def _use(world: World, alice: Connection, at: int, ends: int, *, now: int | None = None, more: int = 1) -> GrantedScope:
    with world.database.write() as transaction:
        grants.used(transaction, [Use(alice.grant_id, WRITE, at, more, ends)], now or at)
    return _scope(world, alice)


def test_use_moves_the_end_by_disuse_and_never_back(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    first = _scope(world, alice)
    assert (first.last_used_at, first.uses) == (None, 0)
    end = first.unused_ends_at
    used = _use(world, alice, START + 10, end + 10, more=3)
    assert (used.last_used_at, used.unused_ends_at, used.uses) == (START + 10, end + 10, 3)
    late = _use(world, alice, START + 4, end + 4, now=START + 11)  # a record that another worker's overtook
    assert (late.last_used_at, late.unused_ends_at, late.uses) == (START + 10, end + 10, 4)
    assert _scope(world, alice, PROFILE).uses == 0


def test_use_brings_back_no_scope_that_disuse_has_ended(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE)
    before = _scope(world, alice)
    end = before.unused_ends_at
    assert _use(world, alice, end - 1, end + 99, now=end) == before
    assert _use(world, alice, end - 1, end + 99, now=end - 1).unused_ends_at == end + 99


# --- scopes and conversations ---------------------------------------------------------------------------------------


def test_scopes_are_taken_out_one_by_one_or_all(world: World) -> None:
    alice, bob = (world.connect(person, "tuneloop-share", WRITE, PROFILE) for person in ("alice", "bob"))
    assert _do(world, lambda t: grants.drop_scope(t, alice.grant_id, PROFILE))
    assert not _do(world, lambda t: grants.drop_scope(t, alice.grant_id, PROFILE))
    assert [each.scope for each in world.grant_by_id(alice.grant_id).scopes] == [WRITE]
    _do(world, lambda t: grants.drop_scopes(t, alice.grant_id))
    assert world.grant_by_id(alice.grant_id).scopes == ()
    assert len(world.grant_by_id(bob.grant_id).scopes) == 2


def test_the_conversations_of_a_grant_are_replaced_whole(world: World) -> None:
    alice, bob = world.connect("alice", "tuneloop-share"), world.connect("bob", "tuneloop-share")
    hike, flat, books = (world.thread(title) for title in ("Saturday hike", "Flat 3B", "Reading list"))
    with world.database.write() as transaction:
        grants.set_threads(transaction, bob.grant_id, [books])
        for chosen in ([hike, flat], [flat], []):
            grants.set_threads(transaction, alice.grant_id, chosen)
            assert sorted(grants.threads(transaction, alice.grant_id)) == sorted(chosen)
        assert grants.threads(transaction, bob.grant_id) == [books]


# --- lists ----------------------------------------------------------------------------------------------------------


def test_a_list_shows_each_grant_with_the_names_around_it(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    world.clock.advance(minutes=1)
    bob = world.connect("bob", "reelwise-recommend")
    world.disconnect(bob)
    with world.database.read() as transaction:
        newest, oldest = grants.views(transaction)
    assert (newest.grant, oldest.grant) == tuple(world.grant_by_id(each.grant_id) for each in (bob, alice))
    feature = world.feature("share-a-track")
    assert (
        oldest.username, oldest.client_name, oldest.client_state, oldest.feature_name, oldest.feature_purpose,
        oldest.feature_state, oldest.feature_epoch, oldest.feature_ends_at, oldest.feature_shut_down_at,
        oldest.partner_id, oldest.partner_name, oldest.partner_state, oldest.account_state,
    ) == (
        "alice", "TuneLoop", "active", feature.name, feature.purpose, "active", 1, None, None, "tuneloop", "TuneLoop",
        "active", "active",
    )  # fmt: skip


def test_a_list_is_of_whom_it_is_asked_about(world: World) -> None:
    connected = [("alice", "tuneloop-share"), ("alice", "reelwise-recommend"), ("bob", "tuneloop-share")]
    for person, client in connected:
        world.connect(person, client)
    account = world.account("alice")

    def listed(**which: object) -> set[tuple[str, str]]:
        with world.database.read() as transaction:
            return {(v.username, v.grant.client_id) for v in grants.views(transaction, **which)}  # type: ignore[arg-type]

    assert listed() == set(connected)
    assert listed(username="alice") == listed(account_id=account) == set(connected[:2])
    assert listed(client_id="tuneloop-share") == listed(feature_id="share-a-track") == {connected[0], connected[2]}
    assert listed(username="bob", client_id="reelwise-recommend") == set()
    assert len(listed(limit=2)) == 2
