"""Accounts: logging in and out, passwords, disabling; and how failures slow the next attempt down."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from broker.domain.audit import Action
from broker.domain.errors import Conflict, NotFound, Refused
from broker.domain.instants import SECOND, Instant
from broker.domain.tokens import TokenKind, digest, well_formed
from broker.operations.context import Context
from broker.operations.people import passwords
from broker.store import accounts, tokens
from broker.store.accounts import Account
from broker.store.engine.database import Transaction

MINUTE_S = 60  # for which the counts of operations/limits.py hold


@dataclass(frozen=True, slots=True)
class TooMany:
    """The attempt was not looked at: too many failures before it; seconds until the next is."""

    retry_after_s: int


def register(
    context: Context, *, username: str, display_name: str, password: str, role: str, partner_id: str | None = None
) -> int:
    """Register an account; its id."""
    passwords.require_decent(password)
    if accounts.by_name(context.transaction, username) is not None:
        raise Conflict(f"there is an account {username} already")
    number = accounts.add(
        context.transaction, username=username, display_name=display_name, role=role, partner_id=partner_id,
        password_hash=passwords.hash_password(password, context.randomness), at=context.now,
    )  # fmt: skip
    context.record(Action.ACCOUNT_REGISTERED, f"account:{number}", username=username, role=role)
    return number


def by_name(context: Context, username: str) -> Account:
    """An account, or ``NotFound``."""
    found = accounts.by_name(context.transaction, username)
    if found is None:
        raise NotFound(f"there is no user {username!r}")
    return found


def check_password(transaction: Transaction, username: str, password: str) -> Account | None:
    """The active account that these prove, or None; as slow for an unknown user as for a wrong password.

    Takes about 30 ms of computing, so it is called outside of transactions that hold locks.
    """
    account = accounts.by_name(transaction, username[:200])
    right = passwords.matches(password, account.password_hash if account is not None else passwords.NOBODY)
    return account if account is not None and right and account.state == "active" else None


# --- backoff: failures only, for an account from an address and for an address, so that nobody can lock a user out
# -----


def _keys(username: str, address: str) -> tuple[str, str]:
    both, alone = f"login {username} {address}", f"login {address}"
    return sha256(both.encode("utf-8", "replace")).hexdigest(), sha256(alone.encode()).hexdigest()


def must_wait(context: Context, username: str, address: str) -> TooMany | None:
    """Whether this attempt comes too soon after failures."""
    if not context.settings.limits.enabled:
        return None
    until = max(accounts.failures(context.transaction, key)[1] for key in _keys(username, address))
    return TooMany(-(-(until - context.now) // SECOND)) if until > context.now else None


def login_failed(context: Context, username: str, address: str) -> None:
    """Count a failure; after the first few each makes the next attempt wait twice as long, to a limit.

    After the longest wait without a failure the count begins anew, so that years of typing errors do not add up.
    """
    limits = context.settings.limits
    for key, allowance in zip(_keys(username, address), (1, 10), strict=True):  # an address may have many people
        before, blocked_until = accounts.failures_for_update(context.transaction, key)
        count = 1 if blocked_until <= context.now - limits.login_wait_max_s * SECOND else before + 1
        beyond = count - limits.login_failures * allowance
        wait = min(limits.login_wait_s * 2 ** min(beyond, 30), limits.login_wait_max_s) if beyond >= 0 else 0
        accounts.failed(context.transaction, key, count, context.after(wait))


def log_in(context: Context, account: Account, address: str) -> str:
    """Open a session for an account whose password was right; the session's secret.

    The password was checked before this transaction: an account that was disabled or got another password since is
    refused, or the session would outlive what has closed all others.
    """
    if accounts.shared(context.transaction, account.id) != account:
        raise Conflict("the account has changed in the meantime; please log in again")
    accounts.forgive(context.transaction, _keys(account.username, address)[0])
    secret = context.new_secret(TokenKind.SESSION)
    lifetimes = context.settings.lifetimes
    accounts.open_session(
        context.transaction, digest(secret), account.id, at=context.now,
        idle_ends_at=context.after(lifetimes.session_idle_s), expires_at=context.after(lifetimes.session_absolute_s),
    )  # fmt: skip
    return secret


def of_session(transaction: Transaction, secret: str, now: Instant) -> tuple[Account, Instant] | None:
    """Whose session a secret opens and when it was last seen, or None."""
    if not well_formed(TokenKind.SESSION, secret):
        return None
    return accounts.of_session(transaction, digest(secret), now)


def session_seen(context: Context, secret: str) -> None:
    """Move a session's idle end."""
    ends_at = context.after(context.settings.lifetimes.session_idle_s)
    accounts.session_seen(context.transaction, digest(secret), context.now, ends_at)


def log_out(context: Context, secret: str) -> None:
    """End a session."""
    accounts.close_session(context.transaction, digest(secret))


def forget_what_is_over(context: Context) -> None:
    """Forget sessions that nobody can use any more, and failures so old that the next one begins anew."""
    accounts.forget_expired_sessions(context.transaction, context.now)
    quiet_s = max(context.settings.limits.login_wait_max_s, MINUTE_S)
    accounts.forget_failures(context.transaction, context.now - quiet_s * SECOND)


# --- what ends access -------------------------------------------------------------------------------------------------


def set_password(context: Context, account: Account, password: str) -> None:
    """Change the password: every session of the account and every token of its grants, or of an operator, is over.

    The grants stay.
    """
    passwords.require_decent(password)
    hashed = passwords.hash_password(password, context.randomness)
    accounts.lock(context.transaction, account.id)  # waits for whoever acts for this user, and sees what they issued
    accounts.set_password(context.transaction, account.id, hashed)
    closed = accounts.close_sessions(context.transaction, account.id)
    ended = tokens.end_families_of(context.transaction, account.id, context.now, "password_changed")
    tokens.end_operator_tokens(context.transaction, account.id)
    context.record(Action.PASSWORD_CHANGED, f"account:{account.id}", sessions=closed, token_families=ended)


def disable(context: Context, username: str) -> None:
    """Disable an account: its sessions are over, and nothing that was granted by it is admitted, at once."""
    account = by_name(context, username)
    if not accounts.set_state(context.transaction, account.id, "active", "disabled"):
        raise Conflict(f"user {username} is disabled already")
    accounts.close_sessions(context.transaction, account.id)
    context.record(Action.ACCOUNT_DISABLED, f"account:{account.id}")


def enable(context: Context, username: str) -> None:
    """Enable a disabled account; its sessions stay closed."""
    account = by_name(context, username)
    if not accounts.set_state(context.transaction, account.id, "disabled", "active"):
        raise Conflict(f"user {username} is not disabled")
    context.record(Action.ACCOUNT_ENABLED, f"account:{account.id}")


def issue_operator_token(context: Context, username: str, scope: str) -> tuple[str, Instant]:
    """A bearer token for the operator API, and when it ends."""
    account = by_name(context, username)
    if account.role != "operator" or account.state != "active":
        raise Refused(f"{username} is not an operator")
    secret = context.new_secret(TokenKind.OPERATOR)
    ends_at = context.after(context.settings.lifetimes.operator_token_s)
    tokens.add_operator_token(
        context.transaction, digest(secret), account.id, scope, at=context.now, expires_at=ends_at
    )
    context.record(Action.OPERATOR_TOKEN_ISSUED, f"account:{account.id}", scope=scope)
    return secret, ends_at
