"""What waits for a second operator."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select, update

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement

_a = s.approval.c


@dataclass(frozen=True, slots=True)
class Approval:
    """One request that widens something; ``parameters`` is canonical JSON, and exactly that is approved."""

    id: str
    operation: str
    parameters: str
    summary: str
    state: str
    requested_by: str
    requested_at: Instant
    decided_by: str | None = None
    decided_at: Instant | None = None


_COLUMNS = tuple(_a[name] for name in Approval.__slots__)
_GET = Statement(select(*_COLUMNS).where(_a.id == bindparam("id")))
_ALL = Statement(select(*_COLUMNS).order_by(_a.requested_at.desc(), _a.id))
_SAME = Statement(
    select(*_COLUMNS).where(_a.state == "pending", _a.operation == bindparam("operation"),
                            _a.parameters == bindparam("parameters"))
)  # fmt: skip
_ADD = Statement(insert(s.approval))
_DECIDE = Statement(
    update(s.approval)
    .where(_a.id == bindparam("approval_id"), _a.state == "pending")
    .values(state=bindparam("outcome"), decided_by=bindparam("by"), decided_at=bindparam("at"))
)


def get(transaction: Transaction, approval_id: str) -> Approval | None:
    """One approval, or None."""
    row = transaction.row(_GET, id=approval_id)
    return None if row is None else Approval(*row)


def pending_same(transaction: Transaction, operation: str, parameters: str) -> Approval | None:
    """A pending request for exactly this, or None."""
    row = transaction.row(_SAME, operation=operation, parameters=parameters)
    return None if row is None else Approval(*row)


def all(transaction: Transaction) -> list[Approval]:
    """Every approval, newest first."""
    return [Approval(*row) for row in transaction.rows(_ALL)]


def add(transaction: Transaction, approval: Approval) -> None:
    """Add a request."""
    transaction.run(_ADD, **{name: getattr(approval, name) for name in Approval.__slots__})


def decide(transaction: Transaction, approval_id: str, *, outcome: str, by: str, at: Instant) -> bool:
    """Decide a pending request; False if it is not pending."""
    return transaction.run(_DECIDE, approval_id=approval_id, outcome=outcome, by=by, at=at) == 1
