"""How often a client may fail to authenticate; counted in the database, so that N workers are not N times the limit.

Failing clients are told apart by where they call from: the id that they send is not proven.
"""

from __future__ import annotations

from hashlib import sha256

from broker.domain.instants import SECOND
from broker.operations.context import Context
from broker.store import accounts

WINDOW_S = 60


def _key(address: str) -> str:
    return sha256(f"client {address}".encode("utf-8", "replace")).hexdigest()


def client_must_wait(context: Context, address: str) -> int | None:
    """For how many seconds nothing from this address is looked at, or None: too many failures in this minute."""
    limits = context.settings.limits
    if not limits.enabled:
        return None
    count, window_ends_at = accounts.failures(context.transaction, _key(address))
    if count < limits.token_failures_per_minute or window_ends_at <= context.now:
        return None
    return -(-(window_ends_at - context.now) // SECOND)


def client_failed(context: Context, address: str) -> None:
    """Count a failed authentication; the first one opens the window."""
    if not context.settings.limits.enabled:
        return
    count, window_ends_at = accounts.failures_for_update(context.transaction, _key(address))
    if window_ends_at <= context.now:
        count, window_ends_at = 0, context.after(WINDOW_S)
    accounts.failed(context.transaction, _key(address), count + 1, window_ends_at)
