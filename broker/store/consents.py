"""Which consent pages have been answered; each is answered once."""

from __future__ import annotations

from sqlalchemy import bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement

_ANSWER = {
    "sqlite": Statement(sqlite.insert(s.consent_answer).on_conflict_do_nothing()),
    "postgresql": Statement(postgresql.insert(s.consent_answer).on_conflict_do_nothing()),
}
_FORGET = Statement(delete(s.consent_answer).where(s.consent_answer.c.answered_at < bindparam("before")))


def answered(transaction: Transaction, nonce: bytes, at: Instant) -> bool:
    """Record an answer; False if there is one already."""
    return transaction.run(_ANSWER[transaction.database.engine.dialect.name], nonce=nonce, answered_at=at) == 1


def forget_answered(transaction: Transaction, before: Instant) -> int:
    """Forget answers so old that their pages are no longer valid anyway."""
    return transaction.run(_FORGET, before=before)
