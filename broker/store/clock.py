"""The time of a transaction: the database's clock, never below the highest time that was committed."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select, update

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement
from broker.store.standing import now

_NOW = Statement(select(now).where(s.clock.c.id == 1))
_RAISE = Statement(update(s.clock).where(s.clock.c.floor < bindparam("at")).values(floor=bindparam("at")))
_START = Statement(insert(s.clock).values(id=1, floor=0))


def read(transaction: Transaction) -> Instant:
    """Now, in microseconds since the epoch."""
    row = transaction.row(_NOW, instant=transaction.database.instant())
    assert row is not None, "the database is not set up"
    return int(row[0])


def raise_floor(transaction: Transaction, at: Instant) -> None:
    """Commit that this time has been: from now on it is never earlier."""
    transaction.run(_RAISE, at=at)


def start(transaction: Transaction) -> None:
    """Set the clock up in an empty database."""
    transaction.run(_START)
