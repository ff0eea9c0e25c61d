"""Accounts: passwords and sessions, failures that slow the next attempt down, operators' tokens."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from broker.domain.errors import Conflict, NotFound, Refused
from broker.domain.instants import SECOND
from broker.domain.tokens import TokenKind, digest, well_formed
from broker.operations.people import accounts
from broker.operations.people.accounts import TooMany
from broker.store import schema, tokens
from broker.store.accounts import Account
from broker.store.engine.statements import Statement
from tests.concurrency import LIMIT_S, in_thread, stopped, waits
from tests.register import SETTINGS
from tests.world import World

HERE, THERE = "192.0.2.1", "192.0.2.2"


def _prove(world: World, username: str, password: str) -> Account | None:
    with world.read() as context:
        return accounts.check_password(context.transaction, username, password)


def _log_in(world: World, username: str = "alice") -> str:
    with world.write(f"user:{username}") as context:
        return accounts.log_in(context, accounts.by_name(context, username), HERE)


def _whose(world: World, secret: str) -> str | None:
    with world.read() as context:
        found = accounts.of_session(context.transaction, secret, context.now)
    return found[0].username if found is not None else None


# --- passwords --------------------------------------------------------------------------------------------------------


def test_a_right_password_proves_an_active_account_and_nothing_else_does(world: World) -> None:
    proven = _prove(world, "alice", "alice-demo")
    assert proven is not None
    assert (proven.username, proven.role, proven.partner_id) == ("alice", "user", None)
    for username, password in (("alice", "bob-demo"), ("alice", ""), ("Alice", "alice-demo"), ("nobody", "alice-demo"),
                               ("a" * 500, "x"), ("\u00e9", "x")):  # fmt: skip
        assert _prove(world, username, password) is None
    with world.write() as context:
        accounts.disable(context, "alice")
    assert _prove(world, "alice", "alice-demo") is None


def test_an_account_is_registered_once_and_decently(world: World) -> None:
    with world.write() as context:
        number = accounts.register(context, username="frank", display_name="Frank", password="a password", role="user")
        with pytest.raises(Conflict, match="there is an account frank already"):
            accounts.register(context, username="frank", display_name="F", password="a password", role="user")
        for password in ("short", "x" * 129):
            with pytest.raises(Refused, match="a password has 8 to 128 characters"):
                accounts.register(context, username="grace", display_name="G", password=password, role="user")
    proven = _prove(world, "frank", "a password")
    assert proven is not None
    assert proven.id == number
    with world.read() as context, pytest.raises(NotFound, match="no user 'grace'"):
        accounts.by_name(context, "grace")


def test_a_new_password_replaces_the_old(world: World) -> None:
    with world.write("user:alice") as context:
        account = accounts.by_name(context, "alice")
        with pytest.raises(Refused, match="8 to 128 characters"):
            accounts.set_password(context, account, "short")
        accounts.set_password(context, account, "a new password")
    assert _prove(world, "alice", "alice-demo") is None
    assert _prove(world, "alice", "a new password") is not None


def test_what_is_disabled_is_enabled_once_and_the_other_way_round(world: World) -> None:
    with world.write() as context:
        with pytest.raises(Conflict, match="alice is not disabled"):
            accounts.enable(context, "alice")
        accounts.disable(context, "alice")
        with pytest.raises(Conflict, match="alice is disabled already"):
            accounts.disable(context, "alice")
        accounts.enable(context, "alice")
    assert world.log()[-2:] == ["account.disabled", "account.enabled"]


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_is_its_user_s_until_it_is_left_alone_for_two_hours(world: World) -> None:
    session = _log_in(world)
    assert well_formed(TokenKind.SESSION, session)
    assert _whose(world, session) == "alice"
    world.clock.advance(hours=2, seconds=-1)
    assert _whose(world, session) == "alice"
    world.clock.advance(seconds=1)
    assert _whose(world, session) is None


def test_a_session_that_is_used_lasts_twelve_hours_and_no_longer(world: World) -> None:
    session = _log_in(world)
    for _ in range(7):
        world.clock.advance(minutes=100)
        with world.write("user:alice") as context:
            accounts.session_seen(context, session)
        assert _whose(world, session) == "alice"
    world.clock.advance(minutes=20)
    assert _whose(world, session) is None


def test_a_session_that_is_over_is_not_brought_back_by_a_visit(world: World) -> None:
    session = _log_in(world)
    world.clock.advance(hours=2)
    with world.write("user:alice") as context:
        accounts.session_seen(context, session)
    assert _whose(world, session) is None


def test_a_session_says_when_it_was_seen_last(world: World) -> None:
    session = _log_in(world)
    world.clock.advance(minutes=5)
    with world.write("user:alice") as context:
        accounts.session_seen(context, session)
    with world.read() as context:
        found = accounts.of_session(context.transaction, session, context.now)
    assert found is not None
    assert found[1] == world.clock.now


def test_logging_out_ends_one_session(world: World) -> None:
    one, other = _log_in(world), _log_in(world)
    with world.write("user:alice") as context:
        accounts.log_out(context, one)
    assert (_whose(world, one), _whose(world, other)) == (None, "alice")


@pytest.mark.parametrize("secret", ["", "plv_se_", "plv_se_" + "A" * 49, "\ud800"])
def test_what_is_no_session_s_secret_opens_none(world: World, secret: str) -> None:
    assert _whose(world, secret) is None


@pytest.mark.parametrize("act", ["password", "disable"])
def test_a_login_that_raced_with_what_closes_all_sessions_opens_none(world: World, act: str) -> None:
    """The password was right when it was checked, outside of this transaction."""
    proven = _prove(world, "alice", "alice-demo")
    assert proven is not None

    def close(step: object) -> None:
        with world.write() as context:
            if act == "password":
                accounts.set_password(context, proven, "a new password")
            else:
                accounts.disable(context, "alice")
            step()  # type: ignore[operator]

    def log_in() -> str:
        with world.write("user:alice") as context:
            return accounts.log_in(context, proven, HERE)

    with stopped(close) as (closing, step):
        late = in_thread(log_in)
        assert waits(world, late)
        step.released.set()
        closing.result(LIMIT_S)
        assert isinstance(late.exception(LIMIT_S), Conflict)


# --- failures ---------------------------------------------------------------------------------------------------------


def _fail(world: World, times: int, username: str = "alice", address: str = HERE) -> None:
    for _ in range(times):
        with world.write("anonymous") as context:
            accounts.login_failed(context, username, address)


def _wait_s(world: World, username: str = "alice", address: str = HERE) -> int:
    with world.read() as context:
        waiting = accounts.must_wait(context, username, address)
    return waiting.retry_after_s if waiting is not None else 0


def test_the_first_failures_cost_nothing_and_each_further_one_twice_as_much(world: World) -> None:
    _fail(world, 4)
    assert _wait_s(world) == 0
    waits = []
    for _ in range(12):
        _fail(world, 1)
        waits.append(_wait_s(world))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_waiting_is_over_when_the_time_is(world: World) -> None:
    _fail(world, 7)
    assert _wait_s(world) == 4
    world.clock.advance(seconds=3.5)
    assert _wait_s(world) == 1
    world.clock.advance(seconds=0.5)
    assert _wait_s(world) == 0


def test_an_attacker_elsewhere_does_not_lock_anybody_out(world: World) -> None:
    _fail(world, 20, address=THERE)
    assert _wait_s(world, address=HERE) == 0
    assert _wait_s(world, "bob", THERE) == 0


def test_an_address_that_tries_many_accounts_has_to_wait_for_all_of_them(world: World) -> None:
    for number in range(51):
        _fail(world, 1, f"user{number}", THERE)
    assert _wait_s(world, "somebody", THERE) > 0
    assert _wait_s(world, "somebody", HERE) == 0


def test_a_success_forgives_the_failures_before_it(world: World) -> None:
    _fail(world, 4)
    _log_in(world)
    _fail(world, 4)
    assert _wait_s(world) == 0


def test_failures_are_forgotten_after_the_longest_wait(world: World) -> None:
    _fail(world, 6)
    assert _wait_s(world) == 2
    world.clock.advance(minutes=15, seconds=2)
    _fail(world, 1)
    assert _wait_s(world) == 0


def test_nobody_waits_where_limits_are_off(world: World) -> None:
    _fail(world, 9)
    lax = replace(SETTINGS, limits=replace(SETTINGS.limits, enabled=False))
    with world.configured(lax).read() as context:
        assert accounts.must_wait(context, "alice", HERE) is None


def test_a_name_of_any_characters_can_fail(world: World) -> None:
    _fail(world, 6, "\ud800\0 \u00e9" * 50)
    assert _wait_s(world, "\ud800\0 \u00e9" * 50) == 2
    assert TooMany(2).retry_after_s == 2


# --- operators' tokens ------------------------------------------------------------------------------------------------


def test_an_operator_s_token_holds_its_scope_for_an_hour(world: World) -> None:
    with world.write() as context:
        secret, ends_at = accounts.issue_operator_token(context, "ops", "operate")
    assert well_formed(TokenKind.OPERATOR, secret)
    assert ends_at == world.clock.now + 3600 * SECOND

    def operator() -> tuple[str, frozenset[str]] | None:
        with world.read() as context:
            return tokens.operator_of(context.transaction, digest(secret), context.now)

    assert operator() == ("ops", frozenset({"operate"}))
    world.clock.advance(hours=1)
    assert operator() is None


def test_only_an_active_operator_gets_or_has_an_operator_s_token(world: World) -> None:
    with world.write() as context:
        for name in ("alice", "tuneloop"):
            with pytest.raises(Refused, match=f"{name} is not an operator"):
                accounts.issue_operator_token(context, name, "operate")
        secret, _ = accounts.issue_operator_token(context, "ops", "operate")
        accounts.disable(context, "ops")
        with pytest.raises(Refused, match="ops is not an operator"):
            accounts.issue_operator_token(context, "ops", "operate")
        assert tokens.operator_of(context.transaction, digest(secret), context.now) is None


# --- what is only kept for a while ------------------------------------------------------------------------------------


def test_sessions_and_failures_are_forgotten_once_they_mean_nothing_any_more(world: World) -> None:
    """Forgetting changes no answer: it comes after the last moment at which there was another."""
    session = _log_in(world)
    with world.write("anonymous") as context:
        accounts.login_failed(context, "bob", HERE)
    for minutes, left in ((0, (1, 2)), (14, (1, 2)), (1, (1, 0)), (12 * 60 - 16, (1, 0)), (1, (0, 0))):
        world.clock.advance(minutes=minutes)
        with world.write("broker") as context:
            accounts.forget_what_is_over(context)
        assert _rows(world) == left
    assert _whose(world, session) is None


def _rows(world: World) -> tuple[int, int]:
    """How many sessions and counts of failures there are."""
    with world.read() as context:
        sessions, failures = (
            context.transaction.rows(Statement(select(func.count()).select_from(table)))[0][0]
            for table in (schema.session, schema.failure)
        )
    return sessions, failures


def test_a_new_password_ends_an_operators_tokens(world: World) -> None:
    with world.write() as context:
        secret, _ = accounts.issue_operator_token(context, "ops", "operate")
        assert tokens.operator_of(context.transaction, digest(secret), context.now) is not None
    with world.write() as context:
        accounts.set_password(context, accounts.by_name(context, "ops"), "another password")
        assert tokens.operator_of(context.transaction, digest(secret), context.now) is None
