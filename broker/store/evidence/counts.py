"""What a shutdown has ended, and what is left: the queries that a receipt is counted by.

What ended: rows of the epoch that closed which at that moment nothing else had ended.

What is left: an independent question with queries of its own, asked of the two barriers one by one. A row counts as
left over unless its feature's state refuses it AND its epoch refuses it, although either would be enough: so the count
also speaks up when one of the two is broken.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    distinct,
    func,
    or_,
    select,
    true,
    union_all,
)

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Row, Transaction
from broker.store.engine.statements import Statement
from broker.store.evidence.shutdowns import Shutdown

_FEATURE = bindparam("feature", type_=Text)
_EPOCH = bindparam("epoch", type_=BigInteger)
_AT = bindparam("at", type_=BigInteger)
_ISSUED = (("access_tokens", s.access_token, "revoked_at"), ("refresh_tokens", s.refresh_token, "claimed_at"),
           ("codes", s.authorization_code, "claimed_at"))  # fmt: skip


def _still(column: ColumnElement[int]) -> ColumnElement[bool]:
    """Not set by the instant asked about. What bears that very instant came before: a clock that stands still is one
    that was set back, and many things bear the time at which it stands."""
    return or_(column.is_(None), column > _AT)


def _own_life(table: Table, spent: str) -> tuple[ColumnElement[bool], ...]:
    return _still(table.c[spent]), table.c.expires_at > _AT, table.c.grant_id.is_not(None)


def _idle() -> Select[Any]:
    return select(s.account.c.id).where(s.account.c.state != "active")


def _disabled() -> Select[Any]:
    return select(s.client.c.id).where(s.client.c.state != "active")


def _over_grants() -> CTE:
    """Grants of the feature that are over, by themselves, their user or their client: few beside all there are.

    Three questions rather than one with OR, so that PostgreSQL can tell how few; a grant may be named more than once.
    """
    g = s.grant.c
    ways = (
        or_(g.ended_at <= _AT, g.expires_at <= _AT, g.presence_ends_at <= _AT),
        g.account_id.in_(_idle()),
        g.client_id.in_(_disabled()),
    )
    return union_all(*(select(g.id).where(g.feature_id == _FEATURE, way) for way in ways)).cte("over")


def _gone() -> Select[Any]:
    f = s.token_family.c
    return select(f.id).where(f.feature_id == _FEATURE, f.ended_at <= _AT, f.ended_at.is_not(None))


def _left(table: Table, *own: ColumnElement[bool]) -> Select[Any]:
    """Rows that the epoch would admit, and rows that the state would, each looked at with all that it hangs on.

    While the feature is closed, both end in the index before the first row. The current epoch is written as a range:
    by an equation PostgreSQL, when nearly all rows are of one epoch, would expect nearly all and read the whole table.
    """
    f, g, family, mine = s.feature.c, s.grant.c, s.token_family, table.c
    rows: FromClause = table
    if table is not s.grant:
        rows = table.join(s.grant, g.id == mine.grant_id).join(family, family.c.id == mine.family_id)
    rows = rows.join(s.account, s.account.c.id == g.account_id).join(s.client, s.client.c.id == g.client_id)
    life = (_still(g.ended_at), g.expires_at > _AT, g.presence_ends_at > _AT, s.account.c.state == "active",
            s.client.c.state == "active", *own)  # fmt: skip
    current = select(f.epoch).where(f.id == _FEATURE).scalar_subquery()
    is_open = select(f.id).where(f.id == _FEATURE, f.state != "shut_down").exists()
    barriers = (mine.feature_epoch.between(current, current), and_(mine.feature_epoch < _EPOCH, is_open))
    counts = union_all(*(
        select(func.count().label("n")).select_from(rows).where(mine.feature_id == _FEATURE, barrier, *life)
        for barrier in barriers
    )).subquery()  # fmt: skip
    return select(func.coalesce(func.sum(counts.c.n), 0))


def _after(table: Table, *more: ColumnElement[bool]) -> Select[Any]:
    """By the closed epoch, and by any later one: two ranges of the index, where one would be all of it."""
    of_feature = (table.c.feature_id == _FEATURE, table.c.position >= bindparam("closing"), *more)
    closed = select(func.count().label("n")).where(*of_feature, table.c.feature_epoch == _EPOCH - 1)
    later = select(func.count().label("n")).where(*of_feature, table.c.feature_epoch >= _EPOCH)
    counts = union_all(closed, later).subquery()
    return select(func.coalesce(func.sum(counts.c.n), 0))


def _of_closed_epoch(table: Table) -> ColumnElement[bool]:
    return and_(table.c.feature_id == _FEATURE, table.c.feature_epoch == _EPOCH - 1)


_g = s.grant.c
_ended_grants = and_(
    _of_closed_epoch(s.grant), _still(_g.ended_at), _g.expires_at > _AT, _g.presence_ends_at > _AT,
    _g.account_id.not_in(_idle()), _g.client_id.not_in(_disabled()),
)  # fmt: skip
_ENDED_GRANTS = Statement(select(_g.client_id, func.count()).where(_ended_grants).group_by(_g.client_id))
_ENDED_USERS = Statement(select(func.count(distinct(_g.account_id))).where(_ended_grants))
# What is over is looked up in a list of the few: looking at each row's own grant would touch a million.
_over = _over_grants()  # of three counts in one statement, found once
_ENDED_TOKENS = Statement(
    select(*(
        select(func.count())
        .where(_of_closed_epoch(table), *_own_life(table, spent),
               table.c.grant_id.not_in(select(_over.c.id)), table.c.family_id.not_in(_gone()))
        .scalar_subquery()
        for _, table, spent in _ISSUED
    ))
)  # fmt: skip
_LEFT = {"grants": Statement(_left(s.grant))} | {
    kind: Statement(_left(table, *_own_life(table, spent), _still(s.token_family.c.ended_at)))
    for kind, table, spent in _ISSUED
}
_PLAN_BY_VALUES = Statement(
    select(func.set_config("plan_cache_mode", "force_custom_plan", true()),
           func.set_config("work_mem", "256MB", true()))
)  # fmt: skip
_allowed = and_(s.access_record.c.decision == "allowed", s.access_record.c.grant_id.is_not(None))
_AFTER = [
    *(Statement(_after(table, table.c.grant_id.is_not(None))) for _, table, _ in _ISSUED),
    Statement(_after(s.message)),
    # What was admitted after the closing is after it on the clock too, and by that there is an index. A node dates what
    # it admits from memory by its own clock, which a lease keeps within a second of the database's.
    Statement(_after(s.access_record, _allowed, s.access_record.c.at >= _AT - 1_000_000)),
]  # fmt: skip
_LAST_ACCESS = Statement(
    select(s.access_record.c.at)
    .where(s.access_record.c.feature_id == _FEATURE, s.access_record.c.feature_epoch < _EPOCH, _allowed)
    .order_by(s.access_record.c.at.desc())
    .limit(1)
)
_SAMPLE = Statement(
    select(s.access_token.c.hash)
    .where(s.access_token.c.feature_id == _FEATURE, s.access_token.c.feature_epoch == _EPOCH - 1,
           s.access_token.c.grant_id.is_not(None))
    .order_by(s.access_token.c.position.desc()).limit(100)
)  # fmt: skip


def plan_by_values(transaction: Transaction) -> None:
    """Let PostgreSQL plan this transaction's counts by how many rows there are, with room for a hash of what is over.

    One plan for every value, as the short statements of a request have, would be a guess at a million rows; and a list
    that PostgreSQL expects not to fit its hash is searched row by row, a million times.
    """
    if not transaction.database.is_sqlite:
        transaction.row(_PLAN_BY_VALUES)


def ended(transaction: Transaction, feature_id: str, epoch: int, at: Instant) -> dict[str, int]:
    """What stood under the epoch before ``epoch`` at the moment of closing: grants, users, tokens, codes."""
    values = {"feature": feature_id, "epoch": epoch, "at": at}
    by_client = [row[1] for row in transaction.rows(_ENDED_GRANTS, **values)]
    # A person has one standing grant for a client, so with one client there is nobody to count twice.
    users = sum(by_client) if len(by_client) < 2 else _number(transaction.row(_ENDED_USERS, **values))
    counts = {"grants": sum(by_client), "users": users}
    tokens = transaction.row(_ENDED_TOKENS, **values)
    assert tokens is not None
    return counts | {kind: int(number) for (kind, _, _), number in zip(_ISSUED, tokens, strict=True)}


def left(transaction: Transaction, feature_id: str, epoch: int, now: Instant) -> dict[str, int]:
    """What the admission predicate would still let through, row by row; zeros when the shutdown holds."""
    values = {"feature": feature_id, "epoch": epoch, "at": now}
    return {kind: _number(transaction.row(statement, **values)) for kind, statement in _LEFT.items()}


def admitted_after(transaction: Transaction, shutdown: Shutdown) -> int:
    """Rows that were written, or reads that were allowed, under the feature at or after its closing position."""
    values = {"feature": shutdown.feature_id, "epoch": shutdown.epoch, "closing": shutdown.position,
              "at": shutdown.committed_at}  # fmt: skip
    return sum(_number(transaction.row(statement, **values)) for statement in _AFTER)


def last_access(transaction: Transaction, feature_id: str, epoch: int) -> Instant | None:
    """When the closed epochs last let anything through, as far as the access records say."""
    row = transaction.row(_LAST_ACCESS, feature=feature_id, epoch=epoch)
    return None if row is None else row[0]


def newest_tokens(transaction: Transaction, feature_id: str, epoch: int) -> list[bytes]:
    """Hashes of the newest access tokens of the closed epoch, for asking the decision itself."""
    return [bytes(row[0]) for row in transaction.rows(_SAMPLE, feature=feature_id, epoch=epoch)]


def _number(row: Row | None) -> int:
    assert row is not None
    return int(row[0])
