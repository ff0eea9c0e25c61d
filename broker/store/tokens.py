"""Codes, access tokens, refresh tokens and their families. Rows hold hashes; claiming is one conditional UPDATE."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table, bindparam, delete, insert, select, update

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement, adding

_POSITION = select(s.audit_head.c.position).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Issued:
    """What bounds a code, access token or refresh token; a client's own token has neither grant, account nor family."""

    hash: bytes
    client_id: str
    grant_id: int | None
    account_id: int | None
    feature_id: str
    feature_epoch: int
    family_id: int | None
    scopes: str
    issued_at: Instant
    expires_at: Instant


def _add(table: Table) -> Statement:
    """The position is read by this very statement, not taken from what the fence saw (see schema.py)."""
    return Statement(adding(table, position=_POSITION))


_ADD_ACCESS = _add(s.access_token)
_ADD_REFRESH = _add(s.refresh_token)
_ADD_CODE = _add(s.authorization_code)


def _values(issued: Issued, spent: str) -> dict[str, object]:
    return {name: getattr(issued, name) for name in Issued.__slots__} | {spent: None}


def add_access(transaction: Transaction, issued: Issued) -> None:
    """Add an access token."""
    transaction.run(_ADD_ACCESS, **_values(issued, "revoked_at"))


def add_refresh(transaction: Transaction, issued: Issued) -> None:
    """Add a refresh token."""
    transaction.run(_ADD_REFRESH, **_values(issued, "claimed_at"))


def add_code(transaction: Transaction, issued: Issued, redirect_uri: str, code_challenge: str) -> None:
    """Add an authorization code with what its redemption must repeat."""
    extra = {"redirect_uri": redirect_uri, "code_challenge": code_challenge}
    transaction.run(_ADD_CODE, **_values(issued, "claimed_at"), **extra)


_BINDING = Statement(
    select(s.authorization_code.c.redirect_uri, s.authorization_code.c.code_challenge)
    .where(s.authorization_code.c.hash == bindparam("hash"))
)  # fmt: skip


def code_binding(transaction: Transaction, hash: bytes) -> tuple[str, str]:
    """The redirect URI and the challenge that a code is bound to."""
    row = transaction.row(_BINDING, hash=hash)
    assert row is not None
    return row[0], row[1]


def _claim(table: Table) -> Statement:
    where = (table.c.hash == bindparam("secret"), table.c.claimed_at.is_(None))
    return Statement(update(table).where(*where).values(claimed_at=bindparam("at")))


_CLAIM_CODE = _claim(s.authorization_code)
_CLAIM_REFRESH = _claim(s.refresh_token)
_REVOKE_ACCESS = Statement(
    update(s.access_token)
    .where(s.access_token.c.hash == bindparam("secret"), s.access_token.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)


def claim_code(transaction: Transaction, hash: bytes, at: Instant) -> bool:
    """Claim a code; of any number of callers at once exactly one gets True."""
    return transaction.run(_CLAIM_CODE, secret=hash, at=at) == 1


def claim_refresh(transaction: Transaction, hash: bytes, at: Instant) -> bool:
    """Claim a refresh token; of any number of callers at once exactly one gets True."""
    return transaction.run(_CLAIM_REFRESH, secret=hash, at=at) == 1


def revoke_access(transaction: Transaction, hash: bytes, at: Instant) -> bool:
    """Revoke one access token; False if it was already."""
    return transaction.run(_REVOKE_ACCESS, secret=hash, at=at) == 1


# --- families -------------------------------------------------------------------------------------------------------

_f = s.token_family.c
_ADD_FAMILY = Statement(insert(s.token_family))
_FAMILY_END = Statement(select(_f.expires_at).where(_f.id == bindparam("id")))
_END_FAMILY = Statement(
    update(s.token_family)
    .where(_f.id == bindparam("family_id"), _f.ended_at.is_(None))
    .values(ended_at=bindparam("at"), end_cause=bindparam("cause"))
)
_END_OF_ACCOUNT = Statement(
    update(s.token_family)
    .where(_f.account_id == bindparam("account"), _f.ended_at.is_(None))
    .values(ended_at=bindparam("at"), end_cause=bindparam("cause"))
)


@dataclass(frozen=True, slots=True)
class Family:
    """Everything that comes from one authorization code."""

    id: int
    grant_id: int
    account_id: int
    feature_id: str
    feature_epoch: int
    created_at: Instant
    expires_at: Instant


def add_family(transaction: Transaction, family: Family) -> None:
    """Add a family."""
    values = {name: getattr(family, name) for name in Family.__slots__}
    transaction.run(_ADD_FAMILY, **values, ended_at=None, end_cause=None)


def family_expires_at(transaction: Transaction, family_id: int) -> Instant:
    """The absolute end of a family, which no refresh moves."""
    row = transaction.row(_FAMILY_END, id=family_id)
    assert row is not None
    return int(row[0])


def end_family(transaction: Transaction, family_id: int, at: Instant, cause: str) -> bool:
    """End a family with all its tokens in one row; False if it has ended already."""
    return transaction.run(_END_FAMILY, family_id=family_id, at=at, cause=cause) == 1


def end_families_of(transaction: Transaction, account_id: int, at: Instant, cause: str) -> int:
    """End every family of an account; how many."""
    return transaction.run(_END_OF_ACCOUNT, account=account_id, at=at, cause=cause)


# --- operators' tokens ----------------------------------------------------------------------------------------------

_o = s.operator_token.c
_ADD_OPERATOR = Statement(insert(s.operator_token))
_END_OPERATOR = Statement(delete(s.operator_token).where(_o.account_id == bindparam("account")))
_OPERATOR = Statement(
    select(s.account.c.username, _o.scopes)
    .select_from(s.operator_token.join(s.account))
    .where(_o.hash == bindparam("hash"), _o.expires_at > bindparam("now"), s.account.c.state == "active",
           s.account.c.role == "operator")
)  # fmt: skip


def add_operator_token(
    transaction: Transaction, hash: bytes, account_id: int, scopes: str, *, at: Instant, expires_at: Instant
) -> None:
    """Add an operator's token."""
    transaction.run(_ADD_OPERATOR, hash=hash, account_id=account_id, scopes=scopes, issued_at=at, expires_at=expires_at)


def end_operator_tokens(transaction: Transaction, account_id: int) -> int:
    """End every token of an operator; how many."""
    return transaction.run(_END_OPERATOR, account=account_id)


def operator_of(transaction: Transaction, hash: bytes, now: Instant) -> tuple[str, frozenset[str]] | None:
    """The operator's username and the scopes of a live operator token, or None."""
    row = transaction.row(_OPERATOR, hash=hash, now=now)
    return None if row is None else (row[0], frozenset(row[1].split()))
