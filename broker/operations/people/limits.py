"""How often in a minute; counted in the database, so that N workers are not N times the limit.

Failing clients are told apart by where they call from: the id that they send is not proven.
"""

from __future__ import annotations

from hashlib import sha256

from broker.domain.instants import SECOND, Instant
from broker.operations.context import Context, Runtime
from broker.store import accounts, clock

WINDOW_S = 60


def _key(what: str) -> str:
    return sha256(what.encode("utf-8", "replace")).hexdigest()


def _seconds_left(now: Instant, window_ends_at: Instant) -> int | None:
    return -(-(window_ends_at - now) // SECOND) if window_ends_at > now else None


def _count(context: Context, key: str, count: int, window_ends_at: Instant) -> None:
    """Count one more; the first of a minute opens the window."""
    if window_ends_at <= context.now:
        count, window_ends_at = 0, context.after(WINDOW_S)
    accounts.failed(context.transaction, key, count + 1, window_ends_at)


def client_must_wait(runtime: Runtime, address: str) -> int | None:
    """For how many seconds nothing from this address is looked at, or None: too many failures in this minute.

    One statement, unless there were as many.
    """
    limits = runtime.settings.limits
    if not limits.enabled:
        return None
    with runtime.database.single() as transaction:
        count, window_ends_at = accounts.failures(transaction, _key(f"client {address}"))
        over = count >= limits.token_failures_per_minute
        return _seconds_left(clock.read(transaction), window_ends_at) if over else None


def client_failed(context: Context, address: str) -> None:
    """Count a failed authentication."""
    if context.settings.limits.enabled:
        key = _key(f"client {address}")
        _count(context, key, *accounts.failures_for_update(context.transaction, key))


def sent_back(context: Context, account_id: int) -> int | None:
    """Count that a person is sent back to an app without being asked, and say for how many seconds that is enough.

    Any page can make a browser ask again and again, and each time a code is written.
    """
    limits = context.settings.limits
    if not limits.enabled:
        return None
    key = _key(f"authorization {account_id}")
    seen = accounts.failures_for_update(context.transaction, key)
    over = seen[0] >= limits.authorizations_per_minute
    wait_s = _seconds_left(context.now, seen[1]) if over else None
    if wait_s is None:
        _count(context, key, *seen)
    return wait_s
