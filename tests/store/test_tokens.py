"""Codes, tokens and families: claimed once, ended once, and dated by the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Table, select

from broker.domain.errors import Conflict
from broker.domain.tokens import digest
from broker.store import schema as s
from broker.store import standing, tokens
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement
from broker.store.evidence import audit
from tests.concurrency import together
from tests.world import CHALLENGE, START, Connection, World

Claim = Callable[[Transaction, bytes, int], bool]


def _issued(world: World, alice: Connection, hash: bytes) -> tokens.Issued:
    """What another token of the same connection would be."""
    with world.read() as context:
        found = standing.read(context.transaction, digest(alice.access))
    assert found is not None
    return tokens.Issued(hash, alice.client_id, alice.grant_id, found.account_id, found.feature_id, 1, found.family_id,
                         "messages:write", START, START + 600)  # fmt: skip


def _column(world: World, table: Table, column: str, hash: bytes) -> object:
    with world.database.read() as transaction:
        row = transaction.row(Statement(select(table.c[column]).where(table.c.hash == hash)))
    assert row is not None
    return row[0]


def _add_code(transaction: Transaction, issued: tokens.Issued) -> None:
    tokens.add_code(transaction, issued, "https://tuneloop.example/callback", CHALLENGE)


_KINDS = [
    (s.authorization_code, _add_code, tokens.claim_code, "claimed_at"),
    (s.refresh_token, tokens.add_refresh, tokens.claim_refresh, "claimed_at"),
    (s.access_token, tokens.add_access, tokens.revoke_access, "revoked_at"),
]


@pytest.mark.parametrize(("table", "add", "claim", "spent"), _KINDS)
def test_a_secret_is_spent_once_and_keeps_when(
    world: World, table: Table, add: Callable[[Transaction, tokens.Issued], None], claim: Claim, spent: str
) -> None:
    issued = _issued(world, world.connect("alice", "tuneloop-share"), b"new")
    with world.database.write() as transaction:
        add(transaction, issued)
    assert _column(world, table, spent, b"new") is None
    with world.database.write() as transaction:
        assert claim(transaction, b"new", START + 1)
        assert not claim(transaction, b"new", START + 2)
        assert not claim(transaction, b"never issued", START)
    assert _column(world, table, spent, b"new") == START + 1


@pytest.mark.parametrize("claim", [tokens.claim_code, tokens.claim_refresh, tokens.revoke_access])
def test_of_many_that_claim_at_once_one_gets_it(world: World, claim: Claim) -> None:
    issued = _issued(world, world.connect("alice", "tuneloop-share"), b"new")
    with world.database.write() as transaction:
        for _, add, _, _ in _KINDS:
            add(transaction, issued)

    def take() -> bool:
        with world.database.write() as transaction:
            return claim(transaction, b"new", START)

    assert sorted(together(world, *[take] * 4)) == [False, False, False, True]  # type: ignore[type-var]


def test_a_claim_that_is_rolled_back_was_none(world: World) -> None:
    hash = digest(world.consent("alice", "tuneloop-share"))

    def claim_and_fail() -> None:
        with world.database.write() as transaction:
            assert tokens.claim_code(transaction, hash, START)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        claim_and_fail()
    with world.database.write() as transaction:
        assert tokens.claim_code(transaction, hash, START)


def test_the_position_is_the_logs_at_the_very_insertion(world: World) -> None:
    issued = _issued(world, world.connect("alice", "tuneloop-share"), b"new")
    with world.database.write() as transaction:
        for _, add, _, _ in _KINDS:
            add(transaction, issued)
        before, _ = audit.head(transaction)
        position = audit.append(
            transaction, at=START, actor="broker", action="x", subject="y", feature=None, details={}
        )
        tokens.add_access(transaction, _with_hash(issued, b"newer"))
    assert {_column(world, table, "position", b"new") for table, *_ in _KINDS} == {before}
    assert _column(world, s.access_token, "position", b"newer") == position == before + 1


def _with_hash(issued: tokens.Issued, hash: bytes) -> tokens.Issued:
    values = {name: getattr(issued, name) for name in tokens.Issued.__slots__}
    return tokens.Issued(**values | {"hash": hash})


def test_a_code_is_bound_to_what_its_redemption_repeats(world: World) -> None:
    code = world.consent("alice", "tuneloop-share")
    with world.database.read() as transaction:
        bound = tokens.code_binding(transaction, digest(code))
    assert bound == (world.client("tuneloop-share").redirect_uris[0], CHALLENGE)


def test_no_two_secrets_have_one_hash(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    issued = _issued(world, alice, digest(alice.access))
    with pytest.raises(Conflict), world.database.write() as transaction:
        tokens.add_access(transaction, issued)


# --- families -------------------------------------------------------------------------------------------------------


def test_a_family_ends_once_and_keeps_its_cause(world: World) -> None:
    alice, bob = world.connect("alice", "tuneloop-share"), world.connect("bob", "tuneloop-share")
    family = _issued(world, alice, b"").family_id
    assert family is not None
    with world.database.write() as transaction:
        assert tokens.family_expires_at(transaction, family) > START
        assert tokens.end_family(transaction, family, START + 1, "replayed")
        assert not tokens.end_family(transaction, family, START + 2, "revoked")
        row = transaction.row(Statement(select(s.token_family.c.ended_at, s.token_family.c.end_cause).where(
            s.token_family.c.id == family)))  # fmt: skip
    assert row == (START + 1, "replayed")
    assert (world.says(alice.access), world.says(bob.access)) == ("token-revoked", "allowed")


def test_a_family_is_stored_as_it_was_made(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    made = tokens.Family(7, alice.grant_id, world.account("alice"), "share-a-track", 3, START + 1, START + 2)
    columns = [s.token_family.c[name] for name in tokens.Family.__slots__]
    with world.database.write() as transaction:
        tokens.add_family(transaction, made)
        row = transaction.row(Statement(select(*columns).where(s.token_family.c.id == 7)))
    assert row is not None
    assert tokens.Family(*row) == made


def test_every_family_of_one_account_ends_and_no_other(world: World) -> None:
    alice = [world.connect("alice", client) for client in ("tuneloop-share", "reelwise-recommend")]
    bob, account = world.connect("bob", "tuneloop-share"), world.account("alice")
    with world.database.write() as transaction:
        assert tokens.end_families_of(transaction, account, START, "password_changed") == 2
        assert tokens.end_families_of(transaction, account, START, "password_changed") == 0
    assert [world.says(each.access) for each in (*alice, bob)] == ["token-revoked", "token-revoked", "allowed"]


# --- operators' tokens ----------------------------------------------------------------------------------------------


def test_an_operators_token_is_good_until_its_end_and_for_operators_who_are_active(world: World) -> None:
    ops, alice = world.account("ops"), world.account("alice")
    with world.database.write() as transaction:
        tokens.add_operator_token(transaction, b"ops", ops, "audit:read features:end", at=START, expires_at=START + 9)
        tokens.add_operator_token(transaction, b"alice", alice, "audit:read", at=START, expires_at=START + 9)
        assert tokens.operator_of(transaction, b"ops", START + 8) == ("ops", frozenset({"audit:read", "features:end"}))
        assert tokens.operator_of(transaction, b"ops", START + 9) is None
        assert tokens.operator_of(transaction, b"alice", START) is None
        assert tokens.operator_of(transaction, b"unknown", START) is None
        transaction.run(Statement(s.account.update().where(s.account.c.id == ops).values(state="disabled")))
        assert tokens.operator_of(transaction, b"ops", START) is None
