"""Nodes: registered processes that say yes from memory, how far each has confirmed, and when its lease ends."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Text, bindparam, case, delete, func, insert, select, update

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Row, Transaction
from broker.store.engine.statements import Statement, greatest

_n = s.node.c
_COLUMNS = (_n.id, _n.resource_server_id, _n.state, _n.lease_us, _n.sent, _n.confirmed, _n.registered_at,
            _n.renewed_at)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """One process; ``resource_server_id`` None: a worker of the broker. ``lease_us`` is fixed for its life."""

    id: str
    resource_server_id: str | None
    state: str
    lease_us: int
    sent: int
    confirmed: int
    registered_at: Instant
    renewed_at: Instant


_ADD = Statement(insert(s.node))
_ALL = Statement(select(*_COLUMNS).order_by(_n.registered_at, _n.id))
_BEHIND = Statement(select(*_COLUMNS).where(_n.confirmed < bindparam("position", type_=BigInteger)).order_by(_n.id))
_COUNT = Statement(
    select(func.count()).where(_n.resource_server_id == bindparam("server_id", type_=Text), _n.state == "live")
)
# An UPDATE that changes nothing locks the row on either database: two that register at once are counted one by one.
_LOCK = Statement(
    update(s.resource_server)
    .where(s.resource_server.c.id == bindparam("server_id"))
    .values(state=s.resource_server.c.state)
)
# What is confirmed only rises, and never above what was sent; the row is its own lock.
_RENEW = Statement(
    update(s.node)
    .where(_n.handle == bindparam("secret"), _n.state == "live")
    .values(
        confirmed=case(
            (bindparam("up_to", type_=BigInteger) <= _n.sent, greatest(_n.confirmed, bindparam("up_to"))),
            else_=_n.confirmed,
        ),
        renewed_at=bindparam("at"),
    )
    .returning(*_COLUMNS)
)
_SENT = Statement(update(s.node).where(_n.id == bindparam("node_id")).values(sent=bindparam("up_to")))
# A node that is frozen in the middle of a renewal holds its row: whoever retires it does not wait for that.
_RETIRE = Statement(
    update(s.node)
    .where(
        _n.id.in_(
            select(_n.id).where(_n.id == bindparam("node_id"), _n.state == "live").with_for_update(skip_locked=True)
        )
    )
    .values(state="retiring")
)
_DELETE = Statement(delete(s.node).where(_n.id == bindparam("node_id"), _n.state == "retiring"))
_LEAVE = Statement(delete(s.node).where(_n.handle == bindparam("secret")))


def _node(row: Row) -> Node:
    return Node(*row)


def add(transaction: Transaction, node: Node, handle: bytes) -> None:
    """Add a node; ``handle`` is the hash of its secret."""
    transaction.run(_ADD, handle=handle, **{name: getattr(node, name) for name in Node.__slots__})


def all(transaction: Transaction) -> list[Node]:
    """Every node, the longest registered first."""
    return [_node(row) for row in transaction.rows(_ALL)]


def behind(transaction: Transaction, position: int) -> list[Node]:
    """Nodes that have not confirmed a position, whatever their state."""
    return [_node(row) for row in transaction.rows(_BEHIND, position=position)]


def count(transaction: Transaction, resource_server_id: str) -> int:
    """How many live nodes a resource server has; the answer holds until this transaction ends."""
    transaction.run(_LOCK, server_id=resource_server_id)
    row = transaction.row(_COUNT, server_id=resource_server_id)
    assert row is not None
    return int(row[0])


def renew(transaction: Transaction, handle: bytes, confirmed: int, at: Instant) -> Node | None:
    """Note what a node confirms, and that it lives; the node, or None if it is not live."""
    row = transaction.row(_RENEW, secret=handle, up_to=confirmed, at=at)
    return None if row is None else _node(row)


def set_sent(transaction: Transaction, node_id: str, position: int) -> None:
    """Note up to which position a node has been told."""
    transaction.run(_SENT, node_id=node_id, up_to=position)


def retire(transaction: Transaction, node_id: str) -> bool:
    """Give a node no lease any more; False if it gets none already, or is renewing. Its last one may still run."""
    return transaction.run(_RETIRE, node_id=node_id) == 1


def remove(transaction: Transaction, node_id: str) -> bool:
    """Forget a retiring node; only after its last lease must have run out."""
    return transaction.run(_DELETE, node_id=node_id) == 1


def leave(transaction: Transaction, handle: bytes) -> None:
    """Forget a node that says itself that it says yes no more."""
    transaction.run(_LEAVE, secret=handle)
