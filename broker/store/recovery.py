"""What a recovery does to the whole database at once: few statements, however many rows."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, text, update

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement, greatest

CAUSE = "recovered"

_GENERATION = Statement(update(s.audit_head).values(generation=bindparam("to")))
_FAMILIES = Statement(
    update(s.token_family)
    .where(s.token_family.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"), end_cause=bindparam("cause"))
)
_CLIENTS_TOKENS = Statement(
    update(s.access_token)
    .where(s.access_token.c.grant_id.is_(None), s.access_token.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)
_SESSIONS = Statement(delete(s.session))
_OPERATORS_TOKENS = Statement(delete(s.operator_token))
_APPROVALS = Statement(
    update(s.approval)
    .where(s.approval.c.state == "pending")
    .values(state="refused", decided_by=bindparam("by"), decided_at=bindparam("at"))
)
_SHUT_DOWN = Statement(
    update(s.feature)
    .where(s.feature.c.id == bindparam("feature_id"))
    .values(state="shut_down", epoch=greatest(s.feature.c.epoch, bindparam("to_epoch")), shut_down_at=bindparam("at"))
)
_SCOPES = Statement(select(s.grant_scope.c.scope).where(s.grant_scope.c.grant_id == bindparam("grant")))
_NODES = Statement(select(s.node.c.id).where(s.node.c.resource_server_id.is_(None)))
_SPOOLS = Statement(select(s.spool.c.name))
_UNHURRIED = Statement(text("SET LOCAL statement_timeout = 0"))


def set_generation(transaction: Transaction, generation: int) -> None:
    """Begin a generation: every lease, and everything remembered, of an older one is void."""
    transaction.run(_GENERATION, to=generation)


def end_what_was_issued(transaction: Transaction, at: Instant) -> dict[str, int]:
    """End every token, code, session and request that was issued so far; how many of each."""
    if not transaction.database.is_sqlite:
        transaction.run(_UNHURRIED)  # a statement's timeout is for requests, of which there are none now
    return {
        "token_families": transaction.run(_FAMILIES, at=at, cause=CAUSE),
        "clients_own_tokens": transaction.run(_CLIENTS_TOKENS, at=at),
        "sessions": transaction.run(_SESSIONS),
        "operator_tokens": transaction.run(_OPERATORS_TOKENS),
        "approvals": transaction.run(_APPROVALS, at=at, by="broker"),
    }


def shut_down(transaction: Transaction, feature_id: str, epoch: int, at: Instant) -> None:
    """Shut a feature down at this epoch or the higher one that it has."""
    transaction.run(_SHUT_DOWN, feature_id=feature_id, to_epoch=epoch, at=at)


def scopes_of(transaction: Transaction, grant_id: int) -> set[str]:
    """The scopes that a grant holds."""
    return {row[0] for row in transaction.rows(_SCOPES, grant=grant_id)}


def writers(transaction: Transaction) -> set[str]:
    """Names of the broker's own processes that the database knows of: each has written to some ledger."""
    return {row[0] for statement in (_NODES, _SPOOLS) for row in transaction.rows(statement)}
