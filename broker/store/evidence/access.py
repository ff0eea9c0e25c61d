"""Access records in the database, taken in from the workers' spools; taking one in twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from broker.domain.access import AccessRecord
from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement

_r = s.access_record.c
_TAKEN = Statement(select(s.spool.c.taken).where(s.spool.c.name == bindparam("spool_name")))
_NEW = {"name": bindparam("spool_name"), "taken": 0}
_MEET = {
    "sqlite": Statement(sqlite.insert(s.spool).values(**_NEW).on_conflict_do_nothing()),
    "postgresql": Statement(postgresql.insert(s.spool).values(**_NEW).on_conflict_do_nothing()),
}
_ADVANCE = Statement(  # only from where it was read: of two that take in the same lines one goes away empty-handed
    update(s.spool)
    .where(s.spool.c.name == bindparam("spool_name"), s.spool.c.taken == bindparam("before"))
    .values(taken=bindparam("after"))
    .returning(s.spool.c.id)
)
_ADD = Statement(insert(s.access_record))
_SPOOLS = Statement(select(s.spool.c.name))
_FORGET = Statement(delete(s.spool).where(s.spool.c.name == bindparam("spool_name")))


def taken(transaction: Transaction, spool: str) -> int:
    """How many bytes of a spool have been taken in."""
    row = transaction.row(_TAKEN, spool_name=spool)
    return 0 if row is None else int(row[0])


def spools(transaction: Transaction) -> set[str]:
    """Names of all spools that may hold records, on whichever machine."""
    return {row[0] for row in transaction.rows(_SPOOLS)}


def announce(transaction: Transaction, spool: str) -> None:
    """Make a spool known."""
    transaction.run(_MEET[transaction.database.engine.dialect.name], spool_name=spool)


def forget(transaction: Transaction, spool: str) -> None:
    """Forget a spool that is empty and will not be written again."""
    transaction.run(_FORGET, spool_name=spool)


def take_in(
    transaction: Transaction, spool: str, before: int, after: int, records: Sequence[tuple[int, AccessRecord]]
) -> bool:
    """Add records, each with its place in the spool, and move the mark to ``after``; False if it was not ``before``."""
    announce(transaction, spool)
    moved = transaction.row(_ADVANCE, spool_name=spool, before=before, after=after)
    if moved is None:
        return False
    transaction.many(_ADD, [{"spool_id": moved[0], "place": place, **record._asdict()} for place, record in records])
    return True


def records(
    transaction: Transaction, *, grant_id: int | None = None, feature_id: str | None = None,
    account_id: int | None = None, since: Instant = 0, limit: int = 100,
) -> list[AccessRecord]:  # fmt: skip
    """The newest records, newest first."""
    given = ((_r.grant_id, grant_id), (_r.feature_id, feature_id), (_r.account_id, account_id))
    where = [column == value for column, value in given if value is not None]
    columns = [_r[name] for name in AccessRecord._fields]
    found = select(*columns).where(_r.at >= since, *where).order_by(_r.at.desc()).limit(limit)
    return [AccessRecord(*row) for row in transaction.rows(Statement(found))]
