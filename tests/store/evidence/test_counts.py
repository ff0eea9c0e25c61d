"""What a shutdown ended and what it left: each count speaks up when what it counts is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Table, select, update

from broker.domain.access import AccessRecord
from broker.domain.tokens import digest
from broker.store import conversations, standing, tokens
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement
from broker.store.evidence import access, audit, counts, shutdowns
from broker.store.evidence.shutdowns import Shutdown
from tests.world import START, Connection, World

FEATURE = "share-a-track"
NONE_LEFT = {"grants": 0, "access_tokens": 0, "refresh_tokens": 0, "codes": 0}
CLOSED = Shutdown("op-1", FEATURE, 2, 50, "operator", "a leak", "operator:ops", START)


def _change(world: World, table: Table, **values: object) -> None:
    with world.database.write() as transaction:
        transaction.run(Statement(update(table).values(**values)))


def _feature(world: World, **values: object) -> None:
    with world.database.write() as transaction:
        transaction.run(Statement(update(s.feature).where(s.feature.c.id == FEATURE).values(**values)))


def _ended(world: World, at: int = START, feature_id: str = FEATURE, epoch: int = 2) -> dict[str, int]:
    with world.database.read() as transaction:
        return counts.ended(transaction, feature_id, epoch, at)


def _left(world: World, at: int = START) -> dict[str, int]:
    with world.database.read() as transaction:
        return counts.left(transaction, FEATURE, 2, at)


def _close(world: World) -> Shutdown:
    """Shut the feature down by its one row, and nothing else; the shutdown that it would be recorded as."""
    with world.database.write() as transaction:
        position = audit.append(
            transaction, at=START, actor="operator:ops", action="feature.shut_down", subject=f"feature:{FEATURE}",
            feature=FEATURE, details={},
        )  # fmt: skip
        transaction.run(
            Statement(
                update(s.feature)
                .where(s.feature.c.id == FEATURE)
                .values(state="shut_down", epoch=2, shut_down_at=START)
            )
        )
        closed = replace(CLOSED, position=position)
        shutdowns.add(transaction, closed)
    return closed


def _three(world: World) -> Connection:
    """Alice twice connected, Bob once, Carol with a code that she has not redeemed; and others elsewhere."""
    alice = world.connect("alice", "tuneloop-share")
    world.connect("alice", "tuneloop-app")
    world.connect("bob", "tuneloop-share")
    world.consent("carol", "tuneloop-share")
    world.connect("bob", "reelwise-recommend")
    return alice


# --- what ended -----------------------------------------------------------------------------------------------------


def test_what_stood_is_counted_and_nothing_else(world: World) -> None:
    alice = _three(world)
    stood = {"grants": 4, "users": 3, "access_tokens": 3, "refresh_tokens": 3, "codes": 1}
    assert _ended(world) == stood
    alice = world.refresh(alice)  # spends a refresh token and adds one of each
    assert _ended(world) == stood | {"access_tokens": 4}
    world.disconnect(alice)
    assert _ended(world) == {"grants": 3, "users": 3, "access_tokens": 2, "refresh_tokens": 2, "codes": 1}
    assert _ended(world, feature_id="recommend-a-show") == {
        "grants": 1, "users": 1, "access_tokens": 1, "refresh_tokens": 1, "codes": 0,
    }  # fmt: skip
    assert set(_ended(world, epoch=3).values()) == set(_ended(world, feature_id="now-playing").values()) == {0}


_ENDS: list[tuple[Table, str, object, set[str]]] = [
    (s.grant, "ended_at", START, {"grants", "access_tokens", "refresh_tokens", "codes"}),
    (s.grant, "expires_at", START, {"grants", "access_tokens", "refresh_tokens", "codes"}),
    (s.grant, "presence_ends_at", START, {"grants", "access_tokens", "refresh_tokens", "codes"}),
    (s.account, "state", "disabled", {"grants", "access_tokens", "refresh_tokens", "codes"}),
    (s.client, "state", "disabled", {"grants", "access_tokens", "refresh_tokens", "codes"}),
    (s.token_family, "ended_at", START, {"access_tokens", "refresh_tokens", "codes"}),
    (s.access_token, "revoked_at", START, {"access_tokens"}),
    (s.access_token, "expires_at", START, {"access_tokens"}),
    (s.refresh_token, "claimed_at", START, {"refresh_tokens"}),
    (s.refresh_token, "expires_at", START, {"refresh_tokens"}),
    (s.authorization_code, "claimed_at", START, {"codes"}),
    (s.authorization_code, "expires_at", START, {"codes"}),
]


@pytest.mark.parametrize(("table", "column", "value", "kinds"), _ENDS)
def test_what_something_else_ended_before_is_not_counted(
    sqlite_world: World, table: Table, column: str, value: object, kinds: set[str]
) -> None:
    _three(sqlite_world)
    before = _ended(sqlite_world)
    _change(sqlite_world, table, **{column: value})
    after = _ended(sqlite_world)
    assert {kind for kind in NONE_LEFT if after[kind] == 0} == kinds
    assert {kind: after[kind] for kind in NONE_LEFT if kind not in kinds} == {
        kind: before[kind] for kind in NONE_LEFT if kind not in kinds
    }


@pytest.mark.parametrize("column", ["ended_at", "expires_at", "presence_ends_at"])
def test_what_ends_after_the_moment_stood_at_it(sqlite_world: World, column: str) -> None:
    _three(sqlite_world)
    before = _ended(sqlite_world)
    _change(sqlite_world, s.grant, **{column: START + 1})
    assert _ended(sqlite_world) == before


# --- what is left ---------------------------------------------------------------------------------------------------


def test_a_shutdown_that_holds_leaves_nothing(world: World) -> None:
    _three(world)
    _close(world)
    assert _left(world) == NONE_LEFT


_BROKEN: list[dict[str, object]] = [
    {"epoch": 1}, {"state": "active"}, {"state": "suspended"}, {"epoch": 1, "state": "active"},
]  # fmt: skip


@pytest.mark.parametrize("broken", _BROKEN)
def test_either_barrier_that_is_broken_alone_is_found(world: World, broken: dict[str, object]) -> None:
    _three(world)
    _close(world)
    _feature(world, **broken)
    left = _left(world)
    assert set(left) == set(NONE_LEFT)
    assert all(left.values()), left


@pytest.mark.parametrize(("table", "column", "value", "kinds"), _ENDS)
def test_what_is_over_in_its_own_right_is_not_left(
    sqlite_world: World, table: Table, column: str, value: object, kinds: set[str]
) -> None:
    _three(sqlite_world)
    _close(sqlite_world)
    _feature(sqlite_world, state="active")
    _change(sqlite_world, table, **{column: value})
    assert {kind for kind, number in _left(sqlite_world).items() if number == 0} == kinds


def test_what_is_given_after_reopening_is_not_left_over(world: World) -> None:
    world.connect("alice", "tuneloop-share")
    world.shut_down(FEATURE)
    world.reopen(FEATURE)
    with world.database.read() as transaction:
        row = transaction.row(Statement(select(s.feature.c.epoch).where(s.feature.c.id == FEATURE)))
    assert row == (2,)
    world.connect("bob", "tuneloop-share")
    assert _left(world)["grants"] == 2  # it is open: both Alice's, which the epoch alone keeps out, and Bob's


# --- after the closing ----------------------------------------------------------------------------------------------


def _token(world: World, alice: Connection) -> tokens.Issued:
    with world.read() as context:
        found = standing.read(context.transaction, digest(alice.access))
    assert found is not None
    return tokens.Issued(b"late", alice.client_id, alice.grant_id, found.account_id, FEATURE, 1, found.family_id,
                         "messages:write", START, START + 600)  # fmt: skip


def _record(issued: tokens.Issued, position: int, **changed: object) -> AccessRecord:
    record = AccessRecord(START, position, issued.client_id, FEATURE, 1, issued.grant_id, issued.account_id,
                          "messages:read", None, "GET /x", "allowed")  # fmt: skip
    return record._replace(**changed)  # type: ignore[arg-type]


def _take_in(transaction: Transaction, record: AccessRecord) -> None:
    access.take_in(transaction, "one", 0, 9, [(0, record)])


def _post(transaction: Transaction, issued: tokens.Issued, **changed: object) -> None:
    assert issued.account_id is not None
    thread, _ = conversations.threads(transaction, issued.account_id)[0]
    admitted: dict[str, object] = {"client_id": issued.client_id, "feature_id": FEATURE, "feature_epoch": 1,
                                   "grant_id": issued.grant_id}  # fmt: skip
    conversations.post(
        transaction, thread_id=thread, author_id=issued.account_id, text="late", at=START, **admitted | changed  # type: ignore[arg-type]
    )  # fmt: skip


Late = Callable[[Transaction, tokens.Issued, int], None]
_LATE: dict[str, Late] = {
    "access token": lambda t, issued, _: tokens.add_access(t, issued),
    "refresh token": lambda t, issued, _: tokens.add_refresh(t, issued),
    "code": lambda t, issued, _: tokens.add_code(t, issued, "https://tuneloop.example", "challenge"),
    "message": lambda t, issued, _: _post(t, issued),
    "read": lambda t, issued, closing: _take_in(t, _record(issued, closing)),
}


def _admitted(world: World, shutdown: Shutdown) -> int:
    with world.database.read() as transaction:
        return counts.admitted_after(transaction, shutdown)


@pytest.mark.parametrize("late", _LATE)
def test_what_was_admitted_after_the_closing_is_found(world: World, late: str) -> None:
    alice = _three(world)
    world.post(alice.access)
    closed = _close(world)
    assert _admitted(world, closed) == 0
    issued = _token(world, alice)
    with world.database.write() as transaction:
        _LATE[late](transaction, issued, closed.position)
    assert _admitted(world, closed) == 1


_FINE: dict[str, Late] = {
    "a read that was refused": lambda t, issued, closing: _take_in(
        t, _record(issued, closing, decision="feature-shut-down")
    ),
    "a read that saw the log before": lambda t, issued, closing: _take_in(t, _record(issued, closing - 1)),
    "a client's own read": lambda t, issued, closing: _take_in(
        t, _record(issued, closing, grant_id=None, account_id=None)
    ),
    "a client's own token": lambda t, issued, _: tokens.add_access(
        t, replace(issued, grant_id=None, account_id=None, family_id=None)
    ),
    "a message of the person": lambda t, issued, _: _post(
        t, issued, client_id=None, feature_id=None, feature_epoch=None, grant_id=None
    ),
    "a message through another feature": lambda t, issued, _: _post(t, issued, feature_id="recommend-a-show"),
    "a token of another feature": lambda t, issued, _: tokens.add_access(
        t, replace(issued, feature_id="recommend-a-show")
    ),
}


@pytest.mark.parametrize("fine", _FINE)
def test_what_the_closing_does_not_concern_is_not_found(sqlite_world: World, fine: str) -> None:
    alice = _three(sqlite_world)
    closed = _close(sqlite_world)
    issued = _token(sqlite_world, alice)
    with sqlite_world.database.write() as transaction:
        _FINE[fine](transaction, issued, closed.position)
    assert _admitted(sqlite_world, closed) == 0


def test_the_last_access_is_the_newest_that_was_let_through(world: World) -> None:
    alice = _three(world)
    issued = _token(world, alice)
    records = [
        _record(issued, 1, at=START + 1),
        _record(issued, 1, at=START + 2),
        _record(issued, 1, at=START + 3, decision="grant-ended"),
        _record(issued, 1, at=START + 4, grant_id=None, account_id=None),
        _record(issued, 1, at=START + 5, feature_id="now-playing"),
        _record(issued, 1, at=START + 6, feature_epoch=2),
    ]
    with world.database.write() as transaction:
        assert counts.last_access(transaction, FEATURE, 2) is None
        access.take_in(transaction, "one", 0, 9, list(enumerate(records)))
        assert counts.last_access(transaction, FEATURE, 2) == START + 2
        assert counts.last_access(transaction, FEATURE, 3) == START + 6


def test_the_newest_tokens_are_those_of_people_under_the_epoch_that_closed(world: World) -> None:
    alice = _three(world)
    with world.database.write() as transaction:
        tokens.add_access(transaction, tokens.Issued(
            b"own", alice.client_id, None, None, FEATURE, 1, None, "register:read", START, START + 600,
        ))  # fmt: skip
        found = counts.newest_tokens(transaction, FEATURE, 2)
        assert counts.newest_tokens(transaction, FEATURE, 3) == []
    assert len(found) == 3
    assert digest(alice.access) in found
    assert b"own" not in found
