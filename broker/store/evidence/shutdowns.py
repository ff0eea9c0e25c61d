"""Shutdowns: the row that a receipt is made of."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select, update

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Row, Transaction
from broker.store.engine.statements import Statement

_s = s.shutdown.c
_COLUMNS = (_s.op_id, _s.feature_id, _s.epoch, _s.position, _s.cause, _s.reason, _s.actor, _s.committed_at,
            _s.effective_at, _s.elapsed_us, _s.nodes, _s.counted_at, _s.counts)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shutdown:
    """One shutdown of a feature; ``epoch`` is the one it moved the feature to, ``counts`` JSON once it is counted."""

    op_id: str
    feature_id: str
    epoch: int
    position: int
    cause: str
    reason: str | None
    actor: str
    committed_at: Instant
    effective_at: Instant | None = None
    elapsed_us: int | None = None
    nodes: str = "[]"
    counted_at: Instant | None = None
    counts: str | None = None


_GET = Statement(select(*_COLUMNS).where(_s.op_id == bindparam("op")))
_LATEST = Statement(
    select(*_COLUMNS).where(_s.feature_id == bindparam("feature")).order_by(_s.epoch.desc()).limit(1)
)  # fmt: skip
_TO_EPOCH = Statement(
    select(*_COLUMNS).where(_s.feature_id == bindparam("feature"), _s.epoch == bindparam("to_epoch"))
)  # fmt: skip
_ALL = Statement(select(*_COLUMNS).order_by(_s.position.desc()))
_UNFINISHED = Statement(select(*_COLUMNS).where(_s.counted_at.is_(None)).order_by(_s.position))
_ADD = Statement(insert(s.shutdown))
_EFFECT = Statement(
    update(s.shutdown)
    .where(_s.op_id == bindparam("op"), _s.effective_at.is_(None))
    .values(effective_at=bindparam("at"), elapsed_us=bindparam("us"), nodes=bindparam("outcomes"))
)
_COUNT = Statement(
    update(s.shutdown)
    .where(_s.op_id == bindparam("op"), _s.counted_at.is_(None))
    .values(counted_at=bindparam("at"), counts=bindparam("result"))
)


def _one(row: Row | None) -> Shutdown | None:
    return None if row is None else Shutdown(*row)


def get(transaction: Transaction, op_id: str) -> Shutdown | None:
    """One shutdown by its operation id, or None."""
    return _one(transaction.row(_GET, op=op_id))


def latest(transaction: Transaction, feature_id: str) -> Shutdown | None:
    """A feature's newest shutdown, or None."""
    return _one(transaction.row(_LATEST, feature=feature_id))


def to_epoch(transaction: Transaction, feature_id: str, epoch: int) -> Shutdown | None:
    """The shutdown that moved a feature to this epoch, or None."""
    return _one(transaction.row(_TO_EPOCH, feature=feature_id, to_epoch=epoch))


def all(transaction: Transaction) -> list[Shutdown]:
    """Every shutdown, newest first."""
    return [Shutdown(*row) for row in transaction.rows(_ALL)]


def unfinished(transaction: Transaction) -> list[Shutdown]:
    """Shutdowns in force whose receipt is not complete, oldest first."""
    return [Shutdown(*row) for row in transaction.rows(_UNFINISHED)]


def add(transaction: Transaction, shutdown: Shutdown) -> None:
    """Add a shutdown."""
    transaction.run(_ADD, **{name: getattr(shutdown, name) for name in Shutdown.__slots__})


def set_effect(transaction: Transaction, op_id: str, at: Instant, elapsed_us: int | None, nodes: str = "[]") -> bool:
    """Record when the effect was in force, and what became of each node (JSON); False if it is recorded already."""
    return transaction.run(_EFFECT, op=op_id, at=at, us=elapsed_us, outcomes=nodes) == 1


def set_counts(transaction: Transaction, op_id: str, at: Instant, counts: str) -> bool:
    """Complete the receipt, once; False if another has."""
    return transaction.run(_COUNT, op=op_id, at=at, result=counts) == 1
