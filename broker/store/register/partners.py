"""Partners: the organisations whose features ask for permission."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select, update

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement

_COLUMNS = (s.partner.c.id, s.partner.c.name, s.partner.c.homepage, s.partner.c.state, s.partner.c.registered_by)


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner as it stands; ``state`` is active or suspended."""

    id: str
    name: str
    homepage: str | None
    state: str
    registered_by: str


_GET = Statement(select(*_COLUMNS).where(s.partner.c.id == bindparam("id")))
_ALL = Statement(select(*_COLUMNS).order_by(s.partner.c.id))
_ADD = Statement(insert(s.partner))
_STATE = Statement(
    update(s.partner)
    .where(s.partner.c.id == bindparam("partner_id"), s.partner.c.state == bindparam("before"))
    .values(state=bindparam("after"))
)
# An UPDATE that changes nothing: the row lock of a narrowing, known to both databases.
_LOCK = Statement(update(s.partner).where(s.partner.c.id == bindparam("partner_id")).values(state=s.partner.c.state))
_WORDS = Statement(
    update(s.partner)
    .where(s.partner.c.id == bindparam("partner_id"))
    .values(name=bindparam("new_name"), homepage=bindparam("new_homepage"))
)


def get(transaction: Transaction, partner_id: str) -> Partner | None:
    """One partner, or None."""
    row = transaction.row(_GET, id=partner_id)
    return None if row is None else Partner(*row)


def all(transaction: Transaction) -> list[Partner]:
    """Every partner, by id."""
    return [Partner(*row) for row in transaction.rows(_ALL)]


def lock(transaction: Transaction, partner_id: str) -> None:
    """Keep a partner from being suspended, and from getting features, until this transaction ends."""
    transaction.run(_LOCK, partner_id=partner_id)


def add(transaction: Transaction, partner: Partner, at: Instant) -> None:
    """Add a partner."""
    transaction.run(
        _ADD, id=partner.id, name=partner.name, homepage=partner.homepage, state=partner.state,
        registered_by=partner.registered_by, created_at=at,
    )  # fmt: skip


def set_state(transaction: Transaction, partner_id: str, before: str, after: str) -> bool:
    """Move from one state to another; False if it was not in the first."""
    return transaction.run(_STATE, partner_id=partner_id, before=before, after=after) == 1


def set_words(transaction: Transaction, partner_id: str, name: str, homepage: str | None) -> None:
    """Change what people read about a partner."""
    transaction.run(_WORDS, partner_id=partner_id, new_name=name, new_homepage=homepage)
