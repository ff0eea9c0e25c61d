"""The deployment: whether the database is set up, and whether it was seeded with the demo world."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select

from broker.store import clock
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement
from broker.store.evidence import audit

_ADD = Statement(insert(s.deployment).values(id=1, demo=bindparam("is_demo"), seeded_at=bindparam("at")))
_GET = Statement(select(s.deployment.c.demo, s.deployment.c.seeded_at))


def is_seeded(transaction: Transaction) -> bool:
    """Whether the register was filled once; serving seeds only an empty database."""
    return transaction.row(_GET) is not None


def is_demo(transaction: Transaction) -> bool:
    """Whether the demo world is in it; true for ever once it was."""
    row = transaction.row(_GET)
    return row is not None and bool(row[0])


def identity(transaction: Transaction) -> int | None:
    """What tells this database from others that had its place, and is the same in each of its backups."""
    row = transaction.row(_GET)
    return None if row is None else int(row[1])


def start(transaction: Transaction, *, demo: bool) -> None:
    """Mark an empty database as set up, with a clock and an audit log."""
    clock.start(transaction)
    audit.start(transaction)
    transaction.run(_ADD, is_demo=demo, at=clock.read(transaction))
