"""What nodes hear of: the audit log in the order of its positions, which is the order of commits."""

from __future__ import annotations

from sqlalchemy import BigInteger, bindparam, func, select

from broker.domain.marks import concerns_standing
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement

MOST = 1000
"""How many entries one answer looks at."""

_e = s.audit_entry.c
_HEAD = Statement(select(s.audit_head.c.generation, s.audit_head.c.position))
_AFTER = Statement(
    select(_e.position, _e.subject)
    .where(_e.position > bindparam("after", type_=BigInteger))
    .order_by(_e.position)
    .limit(MOST + 1)
)
_NOTIFY = Statement(select(func.pg_notify("broker_revocations", "")))


def head(transaction: Transaction) -> tuple[int, int]:
    """The generation, and the position of the newest entry."""
    row = transaction.row(_HEAD)
    assert row is not None, "the database is not set up"
    return int(row[0]), int(row[1])


def after(transaction: Transaction, position: int) -> tuple[int, list[tuple[int, str]], bool]:
    """One statement's view of the log after a position: up to where, what changed a standing there, and whether that
    is all."""
    rows = transaction.rows(_AFTER, after=position)
    page = rows[:MOST]
    events = [(int(at), str(subject)) for at, subject in page if concerns_standing(subject)]
    return (int(page[-1][0]) if page else position), events, len(rows) <= MOST


def wake(transaction: Transaction) -> None:
    """Let the nodes that listen on PostgreSQL look at once. Only a hint: they look by themselves too."""
    if not transaction.database.is_sqlite:
        transaction.row(_NOTIFY)
