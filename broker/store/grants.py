"""Grants: one standing row a person and client, its scopes, and the conversations it is for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    delete,
    distinct,
    exists,
    func,
    insert,
    select,
    update,
)

from broker.domain.grants import Grant, GrantedScope, GrantView
from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Row, Transaction
from broker.store.engine.statements import Statement, greatest

_g = s.grant.c
_COLUMNS = (_g.id, _g.account_id, _g.client_id, _g.feature_id, _g.feature_epoch, _g.all_conversations, _g.asked,
            _g.consent_hash, _g.created_at, _g.updated_at, _g.present_at, _g.presence_ends_at, _g.expires_at,
            _g.ended_at, _g.end_cause)  # fmt: skip
_gs = s.grant_scope.c
_SCOPE_COLUMNS = (_gs.scope, _gs.position, _gs.granted_at, _gs.last_used_at, _gs.unused_ends_at, _gs.uses)

_STANDING = Statement(
    select(*_COLUMNS).where(_g.account_id == bindparam("account"), _g.client_id == bindparam("client"),
                            _g.ended_at.is_(None))
)  # fmt: skip
_GET = Statement(select(*_COLUMNS).where(_g.id == bindparam("id")))
_SCOPES = Statement(select(*_SCOPE_COLUMNS).where(_gs.grant_id == bindparam("id")).order_by(_gs.scope))
_ADD = Statement(insert(s.grant))
_UPDATE = Statement(
    update(s.grant)
    .where(_g.id == bindparam("grant_id"), _g.ended_at.is_(None))
    .values(
        position=bindparam("new_position"), all_conversations=bindparam("all_threads"), asked=bindparam("new_asked"),
        consent_hash=bindparam("new_hash"), updated_at=bindparam("at"), present_at=bindparam("at"),
        presence_ends_at=bindparam("presence_end"), expires_at=bindparam("new_end"),
    )
)  # fmt: skip
_END = Statement(
    update(s.grant)
    .where(_g.id == bindparam("grant_id"), _g.ended_at.is_(None))
    .values(ended_at=bindparam("at"), end_cause=bindparam("cause"))
)
_PRESENT = Statement(  # never for a grant that is over already: presence cannot bring it back
    update(s.grant)
    .where(_g.id == bindparam("grant_id"), _g.ended_at.is_(None), _g.presence_ends_at > bindparam("at"),
           _g.expires_at > bindparam("at"))
    .values(present_at=bindparam("at"), presence_ends_at=bindparam("presence_end"))
)  # fmt: skip
# An UPDATE that changes nothing: the row lock of a narrowing, known to both databases.
_LOCK = Statement(update(s.grant).where(_g.id == bindparam("grant_id")).values(position=_g.position))
_DROP_SCOPES = Statement(delete(s.grant_scope).where(_gs.grant_id == bindparam("grant")))
_DROP_SCOPE = Statement(delete(s.grant_scope).where(_gs.grant_id == bindparam("grant"), _gs.scope == bindparam("name")))
_ADD_SCOPE = Statement(insert(s.grant_scope))
_DROP_THREADS = Statement(delete(s.grant_thread).where(s.grant_thread.c.grant_id == bindparam("grant")))
_ADD_THREAD = Statement(insert(s.grant_thread))
_THREADS = Statement(select(s.grant_thread.c.thread_id).where(s.grant_thread.c.grant_id == bindparam("grant")))
_USED = Statement(  # only while disuse has not ended it: a late record cannot bring it back
    update(s.grant_scope)
    .where(_gs.grant_id == bindparam("grant"), _gs.scope == bindparam("name"),
           _gs.unused_ends_at > bindparam("now"))
    .values(
        last_used_at=greatest(func.coalesce(_gs.last_used_at, 0), bindparam("at", type_=BigInteger)),
        unused_ends_at=greatest(_gs.unused_ends_at, bindparam("new_end", type_=BigInteger)),
        uses=_gs.uses + bindparam("more"),
    )
)  # fmt: skip


def _grant(row: Row, scopes: Iterable[Row]) -> Grant:
    held = tuple(GrantedScope(*each) for each in scopes)
    values: tuple[Any, ...] = (*row[:5], bool(row[5]), frozenset(row[6].split()), *row[7:], held)
    return Grant(*values)


def get(transaction: Transaction, grant_id: int) -> Grant | None:
    """One grant with its scopes, or None."""
    row = transaction.row(_GET, id=grant_id)
    return None if row is None else _grant(row, transaction.rows(_SCOPES, id=grant_id))


def standing(transaction: Transaction, account_id: int, client_id: str) -> Grant | None:
    """The grant of this person and client that nothing of its own has ended; whether it is live is for the domain."""
    row = transaction.row(_STANDING, account=account_id, client=client_id)
    return None if row is None else _grant(row, transaction.rows(_SCOPES, id=row[0]))


def lock(transaction: Transaction, grant_id: int) -> None:
    """Wait for whoever acts under this grant, and keep others from it until this transaction ends."""
    transaction.run(_LOCK, grant_id=grant_id)


def add(transaction: Transaction, grant: Grant, position: int) -> None:
    """Add a grant, without its scopes."""
    transaction.run(
        _ADD, id=grant.id, account_id=grant.account_id, client_id=grant.client_id, feature_id=grant.feature_id,
        feature_epoch=grant.feature_epoch, position=position, all_conversations=grant.all_conversations,
        asked=" ".join(sorted(grant.asked)), consent_hash=grant.consent_hash, created_at=grant.created_at,
        updated_at=grant.updated_at, present_at=grant.present_at, presence_ends_at=grant.presence_ends_at,
        expires_at=grant.expires_at, ended_at=None, end_cause=None,
    )  # fmt: skip


def update_consent(transaction: Transaction, grant: Grant, position: int) -> None:
    """Record a newer consent on a standing grant, without its scopes."""
    transaction.run(
        _UPDATE, grant_id=grant.id, new_position=position, all_threads=grant.all_conversations,
        new_asked=" ".join(sorted(grant.asked)), new_hash=grant.consent_hash, at=grant.updated_at,
        presence_end=grant.presence_ends_at, new_end=grant.expires_at,
    )  # fmt: skip


def drop_scopes(transaction: Transaction, grant_id: int) -> None:
    """Take every scope out of a grant."""
    transaction.run(_DROP_SCOPES, grant=grant_id)


def add_scopes(transaction: Transaction, grant_id: int, scopes: Iterable[GrantedScope]) -> None:
    """Add scopes that a grant does not have."""
    transaction.many(
        _ADD_SCOPE,
        [
            {"grant_id": grant_id, "scope": each.scope, "position": each.position, "granted_at": each.granted_at,
             "last_used_at": each.last_used_at, "uses": each.uses, "unused_ends_at": each.unused_ends_at}
            for each in scopes
        ],
    )  # fmt: skip


def drop_scope(transaction: Transaction, grant_id: int, scope: str) -> bool:
    """Take one scope out of a grant; False if it had none such."""
    return transaction.run(_DROP_SCOPE, grant=grant_id, name=scope) == 1


def set_threads(transaction: Transaction, grant_id: int, thread_ids: Iterable[int]) -> None:
    """Replace the conversations that a grant is for."""
    transaction.run(_DROP_THREADS, grant=grant_id)
    transaction.many(_ADD_THREAD, [{"grant_id": grant_id, "thread_id": each} for each in thread_ids])


def threads(transaction: Transaction, grant_id: int) -> list[int]:
    """The conversations that were chosen; meaningless for a grant that is for all of them."""
    return [row[0] for row in transaction.rows(_THREADS, grant=grant_id)]


def end(transaction: Transaction, grant_id: int, at: Instant, cause: str) -> bool:
    """Record the end of a grant; False if it has one already."""
    return transaction.run(_END, grant_id=grant_id, at=at, cause=cause) == 1


def present(transaction: Transaction, grant_id: int, at: Instant, presence_ends_at: Instant) -> bool:
    """Record that the user was present; False if the grant is over."""
    return transaction.run(_PRESENT, grant_id=grant_id, at=at, presence_end=presence_ends_at) == 1


@dataclass(frozen=True, slots=True)
class Use:
    """Uses of one scope of one grant: the last at ``at``, ``more`` than were known; disuse ends it at the new end."""

    grant: int
    name: str
    at: Instant
    more: int
    new_end: Instant


def used(transaction: Transaction, uses: Iterable[Use], now: Instant) -> None:
    """Record uses of scopes, and move each end by disuse, unless that is reached already; in one round trip."""
    transaction.many(_USED, [{**asdict(each), "now": now} for each in uses])


def count(
    transaction: Transaction, feature_id: str, epoch: int, now: Instant, scopes: Iterable[str] | None = None
) -> tuple[int, int]:
    """How many grants of this epoch stand, and of how many people; with ``scopes``, those that hold any of them.

    One stands if neither it itself nor its client's or user's disabling has ended it.
    """
    active = (
        _g.client_id.in_(select(s.client.c.id).where(s.client.c.state == "active")),
        _g.account_id.in_(select(s.account.c.id).where(s.account.c.state == "active")),
    )
    where = [_g.feature_id == feature_id, _g.feature_epoch == epoch, _g.ended_at.is_(None), _g.expires_at > now,
             _g.presence_ends_at > now, *active]  # fmt: skip
    if scopes is not None:
        where.append(exists().where(_gs.grant_id == _g.id, _gs.scope.in_(sorted(scopes))))
    row = transaction.row(Statement(select(func.count(), func.count(distinct(_g.account_id))).where(*where)))
    assert row is not None
    return row[0], row[1]


# --- lists ----------------------------------------------------------------------------------------------------------

_VIEW_COLUMNS = (
    *_COLUMNS, s.account.c.username, s.client.c.name, s.client.c.state, s.feature.c.name, s.feature.c.purpose,
    s.feature.c.state, s.feature.c.epoch, s.feature.c.ends_at, s.feature.c.shut_down_at, s.partner.c.id,
    s.partner.c.name, s.partner.c.state, s.account.c.state,
)  # fmt: skip


def _views(*where: ColumnElement[bool]) -> Select[Any]:
    joined = (
        s.grant.join(s.account, s.account.c.id == _g.account_id)
        .join(s.client, s.client.c.id == _g.client_id)
        .join(s.feature, s.feature.c.id == _g.feature_id)
        .join(s.partner, s.partner.c.id == s.feature.c.partner_id)
    )
    return select(*_VIEW_COLUMNS).select_from(joined).where(*where).order_by(_g.created_at.desc(), _g.id)


def views(
    transaction: Transaction, *, username: str | None = None, client_id: str | None = None,
    feature_id: str | None = None, account_id: int | None = None, limit: int = 1000,
) -> list[GrantView]:  # fmt: skip
    """Grants, newest first, live and ended, with the names around them."""
    given = ((s.account.c.username, username), (_g.client_id, client_id), (_g.feature_id, feature_id),
             (_g.account_id, account_id))  # fmt: skip
    where = [column == value for column, value in given if value is not None]
    rows = transaction.rows(Statement(_views(*where).limit(limit)))
    ids = [row[0] for row in rows]
    scopes: dict[int, list[Row]] = defaultdict(list)
    of_these = select(_gs.grant_id, *_SCOPE_COLUMNS).where(_gs.grant_id.in_(ids)).order_by(_gs.scope)
    for each in transaction.rows(Statement(of_these)) if ids else ():
        scopes[each[0]].append(each[1:])
    width = len(_COLUMNS)
    return [GrantView(_grant(row[:width], scopes[row[0]]), *row[width:]) for row in rows]
