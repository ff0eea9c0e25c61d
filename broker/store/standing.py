"""The strict check: one statement that reads everything a decision needs, in the caller's snapshot.

The same statement judges access tokens, refresh tokens and authorization codes. For a write it comes in a fenced form:
first, each as a statement of its own, PostgreSQL's advisory lock of the feature (shared), and the rows of account,
grant, family and token locked FOR SHARE; then the standing. Lock and read must not be one statement: it would read what
it saw before it waited (of the rows that it locks PostgreSQL reads the newest version, of all others the one before).
On SQLite BEGIN IMMEDIATE is the fence and the plain form is right.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, Table, Text, and_, bindparam, cast, func, select

from broker.domain.decisions import Standing
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement, advisory_lock, database_clock, greatest, joined

_SPENT = {s.access_token: "revoked_at", s.refresh_token: "claimed_at", s.authorization_code: "claimed_at"}

now: ColumnElement[int] = greatest(
    func.coalesce(bindparam("instant", type_=BigInteger, required=False), database_clock()), s.clock.c.floor
)


def _live_scopes(token: Table) -> ColumnElement[str]:
    """The grant's scopes that the ceiling still holds since before they were given, each with its end by disuse."""
    ends = s.grant_scope.c.scope + "=" + cast(s.grant_scope.c.unused_ends_at, Text)
    return (
        select(joined(ends))
        .select_from(
            s.grant_scope.join(
                s.feature_scope,
                and_(
                    s.feature_scope.c.feature_id == token.c.feature_id,
                    s.feature_scope.c.scope == s.grant_scope.c.scope,
                    s.feature_scope.c.since <= s.grant_scope.c.position,
                ),
            )
        )
        .where(s.grant_scope.c.grant_id == token.c.grant_id)
        .correlate(token)
        .scalar_subquery()
    )


def _columns(token: Table) -> list[ColumnElement[object]]:
    """In the order of ``Standing``'s fields."""
    return [
        token.c.client_id, token.c.grant_id, token.c.account_id, token.c.feature_id, token.c.feature_epoch,
        token.c.scopes, token.c.issued_at, token.c.expires_at, token.c[_SPENT[token]], token.c.family_id,
        s.token_family.c.ended_at, s.grant.c.feature_epoch, s.grant.c.ended_at, s.grant.c.expires_at,
        s.grant.c.presence_ends_at, s.grant.c.all_conversations, s.feature.c.state, s.feature.c.epoch,
        s.feature.c.ends_at, s.feature.c.shut_down_at, s.client.c.state, s.client.c.name, s.partner.c.id,
        s.partner.c.state, s.account.c.state, _live_scopes(token), now, s.audit_head.c.position,
        s.audit_head.c.generation,
    ]  # fmt: skip


def _joined(token: Table) -> FromClause:
    return (
        token.join(s.client, s.client.c.id == token.c.client_id)
        .join(s.feature, s.feature.c.id == token.c.feature_id)
        .join(s.partner, s.partner.c.id == s.feature.c.partner_id)
        .join(s.account, s.account.c.id == token.c.account_id, isouter=True)
        .join(s.grant, s.grant.c.id == token.c.grant_id, isouter=True)
        .join(s.token_family, s.token_family.c.id == token.c.family_id, isouter=True)
        .join(s.clock, s.clock.c.id == 1)
        .join(s.audit_head, s.audit_head.c.id == 1)
    )


def _plain(token: Table) -> Select[Any]:
    columns: list[Any] = _columns(token)
    return select(*columns).select_from(_joined(token)).where(token.c.hash == bindparam("hash"))


def _locked(token: Table) -> Select[Any]:
    """The rows of a user's token that narrowings change; a client's own token has none, and admits no write.

    A code or refresh token is not locked: it is claimed by one conditional UPDATE, and two that shared it would wait
    for each other for ever.
    """
    rows = [s.account, s.grant] + ([s.token_family, token] if token is s.access_token else [])
    joined = (
        token.join(s.account, s.account.c.id == token.c.account_id)
        .join(s.grant, s.grant.c.id == token.c.grant_id)
        .join(s.token_family, s.token_family.c.id == token.c.family_id)
    )
    found = select(s.grant.c.id).select_from(joined).where(token.c.hash == bindparam("hash"))
    return found.with_for_update(read=True, of=rows)


_PLAIN = {token: Statement(_plain(token)) for token in _SPENT}
_LOCKED = {token: Statement(_locked(token)) for token in _SPENT}
_FENCE = {
    token: Statement(
        select(advisory_lock(token.c.feature_id, shared=True)).where(token.c.hash == bindparam("hash"))
    )
    for token in _SPENT
}  # fmt: skip


def read(transaction: Transaction, hash: bytes, token: Table = s.access_token) -> Standing | None:
    """The standing of a token by its hash in this transaction's snapshot; None if there is no such token."""
    row = transaction.row(_PLAIN[token], hash=hash, instant=transaction.database.instant())
    return None if row is None else Standing._make(row)


def fenced(transaction: Transaction, hash: bytes, token: Table = s.access_token) -> Standing | None:
    """The standing of a token for a write: nothing that it says can change before this transaction ends."""
    if not transaction.database.is_sqlite:
        transaction.rows(_FENCE[token], hash=hash)
        transaction.rows(_LOCKED[token], hash=hash)
    return read(transaction, hash, token)


_SHARED = Statement(select(advisory_lock(bindparam("feature_id", type_=Text), shared=True)))
_EXCLUSIVE = Statement(select(advisory_lock(bindparam("feature_id", type_=Text), shared=False)))


def fence(transaction: Transaction, feature_id: str) -> None:
    """Keep a feature from being narrowed until this transaction ends. Read its standing in a later statement."""
    if not transaction.database.is_sqlite:
        transaction.rows(_SHARED, feature_id=feature_id)


def close_fence(transaction: Transaction, *feature_ids: str) -> None:
    """Wait until nobody acts under these features any more, and let nobody begin; always in order of their ids."""
    if not transaction.database.is_sqlite:
        for feature_id in sorted(set(feature_ids)):
            transaction.rows(_EXCLUSIVE, feature_id=feature_id)
