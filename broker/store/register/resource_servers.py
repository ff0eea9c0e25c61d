"""Resource servers that may introspect tokens of the scopes they serve."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select, update

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Row, Transaction
from broker.store.engine.statements import Statement

_r = s.resource_server.c
_COLUMNS = (_r.id, _r.name, _r.scopes, _r.state, _r.secret_hash)


@dataclass(frozen=True, slots=True)
class ResourceServer:
    """A resource server; a token is for it if it holds any of its scopes."""

    id: str
    name: str
    scopes: frozenset[str]
    state: str
    secret_hash: bytes


_GET = Statement(select(*_COLUMNS).where(_r.id == bindparam("id")))
_ALL = Statement(select(*_COLUMNS).order_by(_r.id))
_ADD = Statement(insert(s.resource_server))
_DISABLE = Statement(
    update(s.resource_server).where(_r.id == bindparam("server_id"), _r.state == "active").values(state="disabled")
)


def _server(row: Row) -> ResourceServer:
    return ResourceServer(row[0], row[1], frozenset(row[2].split()), row[3], bytes(row[4]))


def get(transaction: Transaction, server_id: str) -> ResourceServer | None:
    """One resource server, or None."""
    row = transaction.row(_GET, id=server_id)
    return None if row is None else _server(row)


def all(transaction: Transaction) -> list[ResourceServer]:
    """Every resource server, by id."""
    return [_server(row) for row in transaction.rows(_ALL)]


def add(transaction: Transaction, server: ResourceServer, at: Instant) -> None:
    """Add a resource server."""
    transaction.run(
        _ADD, id=server.id, name=server.name, scopes=" ".join(sorted(server.scopes)), state=server.state,
        secret_hash=server.secret_hash, created_at=at,
    )  # fmt: skip


def disable(transaction: Transaction, server_id: str) -> bool:
    """Disable it; False if it was not active."""
    return transaction.run(_DISABLE, server_id=server_id) == 1
