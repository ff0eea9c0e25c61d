"""Accounts, their sessions, and the failures that make guessing slow."""

from __future__ import annotations

import pytest

from broker.domain.errors import Conflict, Undecided
from broker.store import accounts
from tests.concurrency import together
from tests.world import START, World


def _add(world: World, username: str = "dave", role: str = "user", partner_id: str | None = None) -> int:
    with world.database.write() as transaction:
        return accounts.add(
            transaction, username=username, display_name="Dave", password_hash="hash-1", role=role,
            partner_id=partner_id, at=START,
        )  # fmt: skip


def test_an_account_is_found_by_its_id_and_its_exact_name(world: World) -> None:
    number = _add(world, role="partner", partner_id="tuneloop")
    dave = accounts.Account(number, "dave", "Dave", "partner", "tuneloop", "active", "hash-1")
    with world.database.write() as transaction:
        assert accounts.shared(transaction, number) == dave
        assert accounts.get(transaction, number) == accounts.by_name(transaction, "dave") == dave
        assert [accounts.by_name(transaction, name) for name in ("Dave", "dave ", "", "erin")] == [None] * 4
        assert accounts.get(transaction, 1 << 40) is None
        names = [each.username for each in accounts.all(transaction)]
    assert names == ["alice", "bob", "carol", "dave", "ops", "ops2", "tuneloop"]


def test_a_name_is_taken_once(world: World) -> None:
    with pytest.raises(Conflict):
        _add(world, "alice")


def test_a_state_moves_from_where_it_is_said_to_be(world: World) -> None:
    alice = world.account("alice")
    with world.database.write() as transaction:
        assert not accounts.set_state(transaction, alice, "disabled", "active")
        assert accounts.set_state(transaction, alice, "active", "disabled")
        assert not accounts.set_state(transaction, alice, "active", "disabled")
        found = [accounts.by_name(transaction, name) for name in ("alice", "bob")]
    assert [each.state for each in found if each] == ["disabled", "active"]


def test_a_password_is_replaced_for_one_account(world: World) -> None:
    alice = world.account("alice")
    with world.database.write() as transaction:
        accounts.set_password(transaction, alice, "new-hash")
        found = [accounts.by_name(transaction, name) for name in ("alice", "bob")]
    assert [each.password_hash == "new-hash" for each in found if each] == [True, False]


def test_an_account_that_is_shared_cannot_be_locked_and_one_that_is_locked_cannot_be_shared(
    postgres_world: World,
) -> None:
    alice, bob = postgres_world.account("alice"), postgres_world.account("bob")
    other = postgres_world.other_node(lock_timeout_ms=50)
    with postgres_world.database.write() as one:
        assert accounts.shared(one, alice) is not None
        accounts.lock(one, bob)
        with other.database.write() as another:
            assert accounts.shared(another, alice) is not None
        with pytest.raises(Undecided), other.database.write() as another:
            accounts.lock(another, alice)
        with pytest.raises(Undecided), other.database.write() as another:
            accounts.shared(another, bob)
    with other.database.write() as another:
        accounts.lock(another, alice)
    other.close()


# --- sessions -------------------------------------------------------------------------------------------------------


def _open(world: World, hash: bytes, account: int, *, idle: int = 100, end: int = 1000) -> None:
    with world.database.write() as transaction:
        accounts.open_session(
            transaction, hash, account, at=START, idle_ends_at=START + idle, expires_at=START + end
        )  # fmt: skip


def _whose(world: World, hash: bytes, after: int) -> tuple[str, int] | None:
    with world.database.read() as transaction:
        found = accounts.of_session(transaction, hash, START + after)
    return None if found is None else (found[0].username, found[1] - START)


def test_a_session_is_over_at_its_idle_end_and_at_its_last(world: World) -> None:
    _open(world, b"one", world.account("alice"), idle=100, end=150)
    assert _whose(world, b"one", 99) == ("alice", 0)
    assert [_whose(world, hash, after) for hash, after in ((b"one", 100), (b"two", 1))] == [None, None]
    with world.database.write() as transaction:
        accounts.session_seen(transaction, b"one", START + 60, START + 160)
    assert _whose(world, b"one", 149) == ("alice", 60)
    assert _whose(world, b"one", 150) is None


def test_a_session_that_is_over_is_not_brought_back_and_its_end_moves_only_on(world: World) -> None:
    _open(world, b"one", world.account("alice"))
    with world.database.write() as transaction:
        accounts.session_seen(transaction, b"one", START + 50, START + 70)
    assert _whose(world, b"one", 99) == ("alice", 50)
    with world.database.write() as transaction:
        accounts.session_seen(transaction, b"one", START + 100, START + 200)
    assert _whose(world, b"one", 100) is None


def test_a_disabled_account_has_no_session(world: World) -> None:
    alice = world.account("alice")
    _open(world, b"one", alice)
    with world.database.write() as transaction:
        accounts.set_state(transaction, alice, "active", "disabled")
    assert _whose(world, b"one", 1) is None


def test_sessions_are_closed_one_by_one_or_all_of_an_account(world: World) -> None:
    alice, bob = world.account("alice"), world.account("bob")
    for hash, account in ((b"one", alice), (b"two", alice), (b"three", alice), (b"four", bob)):
        _open(world, hash, account)
    with world.database.write() as transaction:
        accounts.close_session(transaction, b"one")
    assert [_whose(world, hash, 1) is None for hash in (b"one", b"two")] == [True, False]
    with world.database.write() as transaction:
        assert accounts.close_sessions(transaction, alice) == 2
    assert [_whose(world, hash, 1) for hash in (b"two", b"three", b"four")] == [None, None, ("bob", 0)]


def test_only_sessions_that_are_over_for_good_are_forgotten(world: World) -> None:
    for hash, end in ((b"one", 10), (b"two", 11)):
        _open(world, hash, world.account("alice"), end=end)
    with world.database.write() as transaction:
        assert accounts.forget_expired_sessions(transaction, START + 10) == 1
    assert _whose(world, b"two", 1) == ("alice", 0)


# --- failures -------------------------------------------------------------------------------------------------------


def _fail(world: World, key: str = "one") -> int:
    with world.database.write() as transaction:
        count, _ = accounts.failures_for_update(transaction, key)
        accounts.failed(transaction, key, count + 1, START + count)
        return count + 1


def _failures(world: World, key: str = "one") -> tuple[int, int]:
    with world.database.read() as transaction:
        return accounts.failures(transaction, key)


def test_failures_are_counted_for_each_key_until_they_are_forgiven(world: World) -> None:
    assert _failures(world) == (0, 0)
    assert [_fail(world), _fail(world), _fail(world, "two")] == [1, 2, 1]
    assert _failures(world) == (2, START + 1)
    with world.database.write() as transaction:
        accounts.forgive(transaction, "one")
        accounts.forgive(transaction, "unknown")
    assert (_failures(world), _failures(world, "two")) == ((0, 0), (1, START))


def test_of_guesses_that_are_made_at_once_none_goes_uncounted(world: World) -> None:
    assert sorted(together(world, *[lambda: _fail(world)] * 4)) == [1, 2, 3, 4]  # type: ignore[type-var]
    assert _failures(world)[0] == 4
