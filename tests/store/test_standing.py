"""The strict check: one statement that says everything a decision needs, and a fence around what it said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Table, update

from broker.domain.decisions import Standing
from broker.domain.errors import Undecided
from broker.domain.features import CeilingEntry
from broker.domain.tokens import digest
from broker.store import clock, standing, tokens
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement
from broker.store.evidence import audit
from tests.world import START, Connection, World

WRITE, PROFILE = "messages:write", "profile:read"


def _change(transaction: Transaction, table: Table, **values: object) -> int:
    return transaction.run(Statement(update(table).values(**values)))


def _read(world: World, hash: bytes, token: Table = s.access_token) -> Standing | None:
    with world.database.read() as transaction:
        return standing.read(transaction, hash, token)


def _scopes(world: World, alice: Connection) -> set[str]:
    found = _read(world, digest(alice.access))
    assert found is not None
    return {item.partition("=")[0] for item in (found.live_scopes or "").split()}


def _tell_apart(world: World, spent: str, token: Table) -> None:
    """Give everything that a standing speaks of a value that nothing else has."""
    with world.database.write() as t:
        _change(t, token, issued_at=101, expires_at=102, feature_epoch=103, scopes="token-scopes", **{spent: 104})
        _change(t, s.token_family, ended_at=105)
        _change(t, s.grant, feature_epoch=106, ended_at=107, expires_at=108, presence_ends_at=109,
                all_conversations=True)  # fmt: skip
        _change(t, s.feature, state="state-of-feature", epoch=110, ends_at=111, shut_down_at=112)
        _change(t, s.client, state="state-of-client", name="name-of-client")
        _change(t, s.partner, state="state-of-partner")
        _change(t, s.account, state="state-of-account")
        _change(t, s.grant_scope, unused_ends_at=113)


@pytest.mark.parametrize(
    ("token", "spent"),
    [(s.access_token, "revoked_at"), (s.refresh_token, "claimed_at"), (s.authorization_code, "claimed_at")],
)
def test_each_field_says_what_it_is_named_for(world: World, token: Table, spent: str) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE)
    secret = {"access_token": alice.access, "refresh_token": alice.refresh, "authorization_code": alice.code}
    before = _read(world, digest(secret[token.name]), token)
    assert before is not None
    _tell_apart(world, spent, token)
    with world.database.read() as transaction:
        position, _ = audit.head(transaction)
    assert _read(world, digest(secret[token.name]), token) == Standing(
        client_id="tuneloop-share", grant_id=alice.grant_id, account_id=world.account("alice"),
        feature_id="share-a-track", token_epoch=103, token_scopes="token-scopes", issued_at=101, expires_at=102,
        revoked_at=104, family_id=before.family_id, family_ended_at=105, grant_epoch=106, grant_ended_at=107,
        grant_expires_at=108, presence_ends_at=109, all_conversations=True, feature_state="state-of-feature",
        feature_epoch=110, feature_ends_at=111, feature_shut_down_at=112, client_state="state-of-client",
        client_name="name-of-client", partner_id="tuneloop", partner_state="state-of-partner",
        account_state="state-of-account", live_scopes=f"{WRITE}=113", now=START, position=position, generation=1,
    )  # fmt: skip


def test_what_is_not_set_is_none(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    found = _read(world, digest(alice.access))
    assert found is not None
    nothing = {name for name, value in found._asdict().items() if value is None}
    assert nothing == {"revoked_at", "family_ended_at", "grant_ended_at", "feature_ends_at", "feature_shut_down_at"}


@pytest.mark.parametrize("token", [s.access_token, s.refresh_token, s.authorization_code])
def test_an_unknown_secret_has_no_standing(world: World, token: Table) -> None:
    world.connect("alice", "tuneloop-share")
    assert _read(world, digest("never issued"), token) is None
    with world.database.write() as transaction:
        assert standing.fenced(transaction, digest("never issued"), token) is None


def test_a_secret_of_one_kind_is_none_of_another(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    assert _read(world, digest(alice.refresh)) is None
    assert _read(world, digest(alice.access), s.refresh_token) is None
    assert _read(world, digest(alice.access), s.authorization_code) is None


def test_a_token_of_the_client_itself_has_neither_grant_nor_user(world: World) -> None:
    with world.database.write() as transaction:
        tokens.add_access(transaction, tokens.Issued(
            b"own", "tuneloop-share", None, None, "share-a-track", 1, None, "register:read", START, START + 600,
        ))  # fmt: skip
    found = _read(world, b"own")
    assert found is not None
    assert (found.client_id, found.feature_id, found.token_scopes) == (
        "tuneloop-share", "share-a-track", "register:read",
    )  # fmt: skip
    of_a_user = (found.grant_id, found.account_id, found.family_id, found.grant_epoch, found.grant_expires_at,
                 found.presence_ends_at, found.all_conversations, found.account_state, found.live_scopes)  # fmt: skip
    assert of_a_user == (None,) * 9
    with world.database.write() as transaction:
        assert standing.fenced(transaction, b"own") == found


# --- ceilings, and the clock ----------------------------------------------------------------------------------------


def test_a_narrowed_ceiling_leaves_a_scope_out_at_once(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    assert _scopes(world, alice) == {WRITE, PROFILE}
    world.narrow("share-a-track", PROFILE)
    assert _scopes(world, alice) == {WRITE}


def test_a_scope_that_came_back_into_the_ceiling_is_not_what_was_given(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    world.narrow("share-a-track", PROFILE)
    world.widen("share-a-track", CeilingEntry(PROFILE, "We greet you.", required=False, since=0, beyond_need="Kind."))
    assert PROFILE in world.feature("share-a-track").scopes
    assert _scopes(world, alice) == {WRITE}
    bob = world.connect("bob", "tuneloop-share", WRITE, PROFILE)
    assert _scopes(world, bob) == {WRITE, PROFILE}


def test_a_scope_that_the_person_did_not_give_is_left_out(world: World) -> None:
    assert _scopes(world, world.connect("alice", "tuneloop-share", WRITE)) == {WRITE}


def test_scopes_of_one_grant_are_not_those_of_another(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE)
    bob = world.connect("bob", "tuneloop-share", WRITE, PROFILE)
    assert (_scopes(world, alice), _scopes(world, bob)) == ({WRITE}, {WRITE, PROFILE})


def test_the_time_is_never_before_what_was_committed(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    with world.database.write() as transaction:
        clock.raise_floor(transaction, START + 5_000)
    for moved, now in ((0, START + 5_000), (-1, START + 5_000), (1, START + 3_600_000_000)):
        world.clock.now = START
        world.clock.advance(hours=moved)
        found = _read(world, digest(alice.access))
        assert found is not None
        assert found.now == now


# --- the fence ------------------------------------------------------------------------------------------------------


_NARROWINGS = [
    (s.account, {"state": "disabled"}),
    (s.grant, {"ended_at": START}),
    (s.token_family, {"ended_at": START}),
    (s.access_token, {"revoked_at": START}),
]


def _narrow(world: World, table: Table, values: dict[str, object]) -> int:
    with world.database.write() as transaction:
        return _change(transaction, table, **values)


@pytest.mark.parametrize(("table", "values"), _NARROWINGS)
def test_what_a_write_was_admitted_by_cannot_change_before_it_ends(
    postgres_world: World, table: Table, values: dict[str, object]
) -> None:
    alice = postgres_world.connect("alice", "tuneloop-share")
    other = postgres_world.other_node(lock_timeout_ms=50)
    with postgres_world.database.write() as writing:
        assert standing.fenced(writing, digest(alice.access)) is not None
        with pytest.raises(Undecided):
            _narrow(other, table, values)
    assert _narrow(other, table, values) >= 1
    other.close()


@pytest.mark.parametrize(("table", "values"), _NARROWINGS)
def test_a_read_keeps_nobody_waiting(postgres_world: World, table: Table, values: dict[str, object]) -> None:
    alice = postgres_world.connect("alice", "tuneloop-share")
    other = postgres_world.other_node(lock_timeout_ms=50)
    with postgres_world.database.write() as reading:
        assert standing.read(reading, digest(alice.access)) is not None
        assert _narrow(other, table, values) >= 1
    other.close()


def _close(world: World, *feature_ids: str) -> None:
    with world.database.write() as transaction:
        standing.close_fence(transaction, *feature_ids)


def _fence_of_a_token(secret: Callable[[Connection], str], token: Table) -> Callable[[Transaction, Connection], object]:
    return lambda transaction, alice: standing.fenced(transaction, digest(secret(alice)), token)


@pytest.mark.parametrize(
    "fence",
    [
        _fence_of_a_token(lambda alice: alice.access, s.access_token),
        _fence_of_a_token(lambda alice: alice.refresh, s.refresh_token),
        _fence_of_a_token(lambda alice: alice.code, s.authorization_code),
        lambda transaction, _: standing.fence(transaction, "share-a-track"),
    ],
)
def test_a_feature_is_not_closed_while_somebody_acts_under_it(
    postgres_world: World, fence: Callable[[Transaction, Connection], object]
) -> None:
    alice = postgres_world.connect("alice", "tuneloop-share")
    other, third = (postgres_world.other_node(lock_timeout_ms=50) for _ in range(2))
    with postgres_world.database.write() as writing:
        fence(writing, alice)
        with third.database.write() as beside:
            fence(beside, alice)  # acting under it does not keep others from acting
        with pytest.raises(Undecided):
            _close(other, "share-a-track")
        _close(other, "now-playing", "recommend-a-show")
    _close(other, "share-a-track")
    other.close()
    third.close()


def test_nobody_begins_to_act_under_a_feature_that_is_being_closed(postgres_world: World) -> None:
    alice = postgres_world.connect("alice", "tuneloop-share")
    other = postgres_world.other_node(lock_timeout_ms=50)
    with postgres_world.database.write() as closing:
        standing.close_fence(closing, "share-a-track", "now-playing")
        for feature_id in ("share-a-track", "now-playing"):
            with pytest.raises(Undecided), other.database.write() as writing:
                standing.fence(writing, feature_id)
        with pytest.raises(Undecided), other.database.write() as writing:
            standing.fenced(writing, digest(alice.access))
        assert _read(other, digest(alice.access)) is not None
    other.close()


@pytest.mark.parametrize(
    ("token", "claim"), [(s.refresh_token, tokens.claim_refresh), (s.authorization_code, tokens.claim_code)]
)
def test_a_secret_that_is_to_be_claimed_is_not_locked(
    postgres_world: World, token: Table, claim: Callable[[Transaction, bytes, int], bool]
) -> None:
    code = postgres_world.consent("alice", "tuneloop-share")
    alice = postgres_world.connect("bob", "tuneloop-share")
    hash = digest(alice.refresh if token is s.refresh_token else code)
    other = postgres_world.other_node(lock_timeout_ms=50)
    with postgres_world.database.write() as one:
        assert standing.fenced(one, hash, token) is not None
        with other.database.write() as another:
            assert claim(another, hash, START)
    other.close()


def test_on_sqlite_the_writer_is_alone_and_needs_no_fence(sqlite_world: World) -> None:
    alice = sqlite_world.connect("alice", "tuneloop-share")
    with sqlite_world.database.write() as writing:
        standing.close_fence(writing, "share-a-track")
        standing.fence(writing, "share-a-track")
        assert standing.fenced(writing, digest(alice.access)) == standing.read(writing, digest(alice.access))
        assert writing.statements == 2
