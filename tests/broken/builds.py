"""Builds that are broken on purpose, each in the one way that its name says; monkeypatch mends them after the test.

Nowhere else do tests reach into our own code. A safety test is believed only when it fails on these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Table, bindparam, select, update

from broker.domain import decisions
from broker.domain.decisions import Denied, Standing
from broker.domain.grants import GrantedScope
from broker.domain.instants import Instant
from broker.store import grants, standing, tokens
from broker.store import schema as s
from broker.store.engine.database import Database, Transaction
from broker.store.engine.statements import Statement, advisory_lock
from broker.store.register import features

Break = Callable[[pytest.MonkeyPatch], None]

# --- the fence --------------------------------------------------------------------------------------------------------


def without_fence(patch: pytest.MonkeyPatch) -> None:
    """Writers check as readers do: no lock at all. (On SQLite the fence is BEGIN IMMEDIATE; see ``without_begin``.)"""
    patch.setattr(standing, "fenced", standing.read)
    patch.setattr(standing, "fence", lambda transaction, feature_id: None)


def without_closing(patch: pytest.MonkeyPatch) -> None:
    """Whatever narrows takes no exclusive lock."""
    patch.setattr(standing, "close_fence", lambda transaction, *feature_ids: None)


def _fenced(read: dict[Table, Statement], *, after: int = 0, locks: bool) -> Callable[..., Standing | None]:
    """A fence that believes this statement (but for its first columns), after the feature's lock or without."""

    def fenced(transaction: Transaction, hash: bytes, token: Table = s.access_token) -> Standing | None:
        if locks:
            transaction.rows(standing._FENCE[token], hash=hash)
        row = transaction.row(read[token], hash=hash, instant=transaction.database.instant())
        return None if row is None else Standing._make(row[after:])

    return fenced


def with_lock_and_read_in_one(patch: pytest.MonkeyPatch) -> None:
    """The advisory lock and the read of the standing are one statement: it reads what it saw before it waited."""
    merged = {
        table: Statement(
            select(advisory_lock(table.c.feature_id, shared=True), *standing._columns(table))
            .select_from(standing._joined(table)).where(table.c.hash == bindparam("hash"))
        )
        for table in standing._SPENT
    }  # fmt: skip
    patch.setattr(standing, "fenced", _fenced(merged, after=1, locks=False))


def with_rows_locked_by_the_read(patch: pytest.MonkeyPatch) -> None:
    """The rows are locked by the statement that reads the standing: of other rows it sees what was before it waited."""
    rows = [s.account, s.grant]
    locking = {
        table: Statement(
            select(*standing._columns(table)).select_from(_inner(table)).where(table.c.hash == bindparam("hash"))
            .with_for_update(read=True, of=rows)
        )
        for table in standing._SPENT
    }  # fmt: skip
    patch.setattr(standing, "fenced", _fenced(locking, locks=True))


def _inner(token: Table) -> Any:
    return (
        token.join(s.account, s.account.c.id == token.c.account_id)
        .join(s.grant, s.grant.c.id == token.c.grant_id)
        .join(s.token_family, s.token_family.c.id == token.c.family_id)
        .join(s.client, s.client.c.id == token.c.client_id)
        .join(s.feature, s.feature.c.id == token.c.feature_id)
        .join(s.partner, s.partner.c.id == s.feature.c.partner_id)
        .join(s.clock, s.clock.c.id == 1)
        .join(s.audit_head, s.audit_head.c.id == 1)
    )


def with_the_features_lock_alone(patch: pytest.MonkeyPatch) -> None:
    """Writers take the feature's lock and no row's: fenced against operators, not against people."""
    patch.setattr(standing, "fenced", _fenced(standing._PLAIN, locks=True))


def with_scopes_taken_back_unlocked(patch: pytest.MonkeyPatch) -> None:
    """A scope that is taken back locks nothing that its writers have locked."""
    patch.setattr(grants, "lock", lambda transaction, grant_id: None)


def with_consent_that_locks_after_the_log(patch: pytest.MonkeyPatch) -> None:
    """A consent takes the head of the log first and the grant it updates after it, against the order of all others."""
    drop, add = grants.drop_scopes, grants.add_scopes

    def dropping_and_adding(transaction: Transaction, grant_id: int, scopes: Iterable[GrantedScope]) -> None:
        drop(transaction, grant_id)
        add(transaction, grant_id, scopes)

    patch.setattr(grants, "lock", lambda transaction, grant_id: None)
    patch.setattr(grants, "drop_scopes", lambda transaction, grant_id: None)
    patch.setattr(grants, "add_scopes", dropping_and_adding)


# --- transactions -----------------------------------------------------------------------------------------------------


def _transactions(begin: str | None, end: str) -> Callable[[Database], Any]:
    @contextmanager
    def transaction(self: Database) -> Iterator[Transaction]:
        if begin is None:
            with self.failures.translated(self._drop):
                yield Transaction(self, self._cursor())
        else:
            with self._transaction(begin, end) as opened:
                yield opened

    return transaction


def with_repeatable_read(patch: pytest.MonkeyPatch) -> None:
    """Writers see one snapshot, taken before they waited."""
    patch.setattr(Database, "write", _transactions("BEGIN ISOLATION LEVEL REPEATABLE READ", "COMMIT"))


def without_begin(patch: pytest.MonkeyPatch) -> None:
    """The driver's autocommit, and no BEGIN: each statement is a transaction of its own."""
    patch.setattr(Database, "write", _transactions(None, ""))
    patch.setattr(Database, "read", _transactions(None, ""))


def with_a_leaked_cursor(patch: pytest.MonkeyPatch) -> None:
    """Reads begin no transaction, and leave a cursor open that was not read to its end: it pins a snapshot."""
    leaked: list[Any] = []

    @contextmanager
    def read(self: Database) -> Iterator[Transaction]:
        cursor = self._cursor()
        if not leaked:
            leaked.append(cursor.connection.cursor())
            leaked[0].execute("SELECT 1 FROM audit_entry")
            leaked[0].fetchone()
        yield Transaction(self, cursor)

    patch.setattr(Database, "read", read)


# --- decisions and what they rest on ----------------------------------------------------------------------------------


def without_epochs_compared(patch: pytest.MonkeyPatch) -> None:
    """The decision does not ask whether the epochs are one."""

    def grant_end(standing: Standing) -> Instant | None:
        if standing.grant_ended_at is not None:
            return standing.grant_ended_at
        due = min(standing.grant_expires_at or 0, standing.presence_ends_at or 0)
        return due if due <= standing.now else None

    patch.setattr(decisions, "_grant_end", grant_end)


def without_the_state_tested(patch: pytest.MonkeyPatch) -> None:
    """The decision does not ask whether the feature is shut down."""
    for name in ("_grant_denial", "_token_denial"):
        patch.setattr(decisions, name, _as_if_active(getattr(decisions, name)))


def _as_if_active(denial: Callable[[Standing], Denied | None]) -> Callable[[Standing], Denied | None]:
    return lambda standing: denial(standing._replace(feature_state="active"))


def _shutting_down(**values: Any) -> Statement:
    where = (s.feature.c.id == bindparam("feature_id"), s.feature.c.state != "shut_down")
    return Statement(update(s.feature).where(*where).values(**values, shut_down_at=bindparam("at")))


def without_moving_the_epoch(patch: pytest.MonkeyPatch) -> None:
    """A shutdown sets the state and leaves the epoch."""
    patch.setattr(features, "_SHUT_DOWN", _shutting_down(state="shut_down"))


def without_setting_the_state(patch: pytest.MonkeyPatch) -> None:
    """A shutdown moves the epoch and leaves the state."""
    patch.setattr(features, "_SHUT_DOWN", _shutting_down(epoch=s.feature.c.epoch + 1))


def without_conditional_claims(patch: pytest.MonkeyPatch) -> None:
    """A code or refresh token is claimed whether or not somebody has claimed it."""
    for name, table in (("_CLAIM_CODE", s.authorization_code), ("_CLAIM_REFRESH", s.refresh_token)):
        claim = update(table).where(table.c.hash == bindparam("secret")).values(claimed_at=bindparam("at"))
        patch.setattr(tokens, name, Statement(claim))
