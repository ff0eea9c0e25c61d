"""OAuth clients and their secrets; a client belongs to exactly one feature."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Row, Transaction
from broker.store.engine.statements import Statement

_c = s.client.c
_COLUMNS = (_c.id, _c.feature_id, _c.name, _c.auth_method, _c.redirect_uris, _c.state, _c.registered_by,
            s.feature.c.partner_id, s.partner.c.state, s.feature.c.state, s.feature.c.epoch)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Client:
    """A client, with the state of its feature and partner as far as they decide whether it may act."""

    id: str
    feature_id: str
    name: str
    auth_method: str
    redirect_uris: tuple[str, ...]
    state: str
    registered_by: str = "config"
    partner_id: str = ""
    partner_state: str = "active"
    feature_state: str = "active"
    feature_epoch: int = 0

    @property
    def enabled(self) -> bool:
        return self.state == "active" and self.partner_state == "active"

    @property
    def public(self) -> bool:
        return self.auth_method == "none"


_FROM = s.client.join(s.feature, s.feature.c.id == _c.feature_id).join(
    s.partner, s.partner.c.id == s.feature.c.partner_id
)
_GET = Statement(select(*_COLUMNS).select_from(_FROM).where(_c.id == bindparam("id")))
_ALL = Statement(select(*_COLUMNS).select_from(_FROM).order_by(_c.id))
_SECRETS = Statement(
    select(s.client_secret.c.hash)
    .where(s.client_secret.c.client_id == bindparam("id"))
    .order_by(s.client_secret.c.created_at)
)
_WITH_SECRETS = Statement(
    select(*_COLUMNS, s.client_secret.c.hash)
    .select_from(_FROM.join(s.client_secret, s.client_secret.c.client_id == _c.id, isouter=True))
    .where(_c.id == bindparam("id"))
)
_ADD = Statement(insert(s.client))
_ADD_SECRET = Statement(insert(s.client_secret))
_DROP_SECRET = Statement(delete(s.client_secret).where(s.client_secret.c.hash == bindparam("old")))
_STATE = Statement(
    update(s.client).where(_c.id == bindparam("client_id"), _c.state == bindparam("before"))
    .values(state=bindparam("after"))
)  # fmt: skip
_CHANGE = Statement(
    update(s.client)
    .where(_c.id == bindparam("client_id"))
    .values(name=bindparam("new_name"), redirect_uris=bindparam("new_uris"))
)


def _client(row: Row) -> Client:
    values: tuple[Any, ...] = (*row[:4], tuple(json.loads(row[4])), *row[5:])
    return Client(*values)


def get(transaction: Transaction, client_id: str) -> Client | None:
    """One client, or None."""
    row = transaction.row(_GET, id=client_id)
    return None if row is None else _client(row)


def all(transaction: Transaction) -> list[Client]:
    """Every client, by id."""
    return [_client(row) for row in transaction.rows(_ALL)]


def secret_hashes(transaction: Transaction, client_id: str) -> list[bytes]:
    """The hashes of the secrets that are live, oldest first; two at the most, for rotation."""
    return [bytes(row[0]) for row in transaction.rows(_SECRETS, id=client_id)]


def with_secrets(transaction: Transaction, client_id: str) -> tuple[Client | None, list[bytes]]:
    """One client and the hashes of its live secrets, by one statement."""
    rows = transaction.rows(_WITH_SECRETS, id=client_id)
    hashes = [bytes(row[-1]) for row in rows if row[-1] is not None]
    return (_client(rows[0][:-1]) if rows else None), hashes


def add(transaction: Transaction, client: Client, at: Instant) -> None:
    """Add a client."""
    transaction.run(
        _ADD, id=client.id, feature_id=client.feature_id, name=client.name, auth_method=client.auth_method,
        redirect_uris=json.dumps(client.redirect_uris), state=client.state, registered_by=client.registered_by,
        created_at=at,
    )  # fmt: skip


def add_secret(transaction: Transaction, client_id: str, hash: bytes, at: Instant) -> None:
    """Add a secret by its hash; drop the oldest so that no more than two live."""
    live = secret_hashes(transaction, client_id)
    for old in live[: max(0, len(live) - 1)]:
        transaction.run(_DROP_SECRET, old=old)
    transaction.run(_ADD_SECRET, client_id=client_id, hash=hash, created_at=at)


def set_state(transaction: Transaction, client_id: str, before: str, after: str) -> bool:
    """Move from one state to another; False if it was not in the first."""
    return transaction.run(_STATE, client_id=client_id, before=before, after=after) == 1


def change(transaction: Transaction, client_id: str, name: str, redirect_uris: tuple[str, ...]) -> None:
    """Change a client's name and redirect URIs."""
    transaction.run(_CHANGE, client_id=client_id, new_name=name, new_uris=json.dumps(redirect_uris))
