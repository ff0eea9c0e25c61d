"""Features, with their ceilings."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Select, bindparam, delete, insert, select, update

from broker.domain.features import CeilingEntry, Feature, FeatureState
from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Row, Transaction
from broker.store.engine.statements import Statement

_f = s.feature.c
_COLUMNS = (_f.id, _f.partner_id, s.partner.c.name, s.partner.c.state, _f.name, _f.purpose, _f.needs, _f.state,
            _f.epoch, _f.ends_at, _f.shut_down_at, _f.grant_lifetime_s, _f.registered_by)  # fmt: skip
_c = s.feature_scope.c
_CEILING_COLUMNS = (_c.feature_id, _c.scope, _c.reason, _c.required, _c.since, _c.beyond_need)


def _features() -> Select[Any]:
    return select(*_COLUMNS).select_from(s.feature.join(s.partner))


_GET = Statement(_features().where(_f.id == bindparam("id")))
_ALL = Statement(_features().order_by(_f.partner_id, _f.id))
_OF_PARTNER = Statement(_features().where(_f.partner_id == bindparam("partner_id")).order_by(_f.id))
_CEILING = Statement(select(*_CEILING_COLUMNS).where(_c.feature_id == bindparam("id")).order_by(_c.scope))
_CEILINGS = Statement(select(*_CEILING_COLUMNS).order_by(_c.scope))
_DUE = Statement(
    select(_f.id).where(_f.state != "shut_down", _f.ends_at <= bindparam("now")).order_by(_f.id)
)  # fmt: skip
_ADD = Statement(insert(s.feature))
_ADD_SCOPE = Statement(insert(s.feature_scope))
_DROP_SCOPE = Statement(delete(s.feature_scope).where(_c.feature_id == bindparam("id"), _c.scope == bindparam("name")))
_SCOPE_WORDS = Statement(
    update(s.feature_scope)
    .where(_c.feature_id == bindparam("id"), _c.scope == bindparam("name"))
    .values(reason=bindparam("new_reason"), beyond_need=bindparam("new_beyond"), required=bindparam("new_required"))
)
_STATE = Statement(
    update(s.feature)
    .where(_f.id == bindparam("feature_id"), _f.state == bindparam("before"), _f.epoch == bindparam("at_epoch"))
    .values(state=bindparam("after"))
)
_SHUT_DOWN = Statement(
    update(s.feature)
    .where(_f.id == bindparam("feature_id"), _f.state != "shut_down")
    .values(state="shut_down", epoch=_f.epoch + 1, shut_down_at=bindparam("at"))
)
_SCHEDULE = Statement(
    update(s.feature).where(_f.id == bindparam("feature_id")).values(ends_at=bindparam("new_end"))
)  # fmt: skip
_WORDS = Statement(
    update(s.feature)
    .where(_f.id == bindparam("feature_id"))
    .values(name=bindparam("new_name"), purpose=bindparam("new_purpose"), needs=bindparam("new_needs"),
            grant_lifetime_s=bindparam("new_lifetime"))
)  # fmt: skip


def _feature(row: Row, ceiling: list[CeilingEntry]) -> Feature:
    values: tuple[Any, ...] = (*row[:6], tuple(row[6].split()), FeatureState(row[7]), *row[8:], tuple(ceiling))
    return Feature(*values)


def _entry(row: Row) -> CeilingEntry:
    return CeilingEntry(row[1], row[2], bool(row[3]), row[4], row[5])


def get(transaction: Transaction, feature_id: str) -> Feature | None:
    """One feature with its ceiling, or None."""
    row = transaction.row(_GET, id=feature_id)
    if row is None:
        return None
    return _feature(row, [_entry(each) for each in transaction.rows(_CEILING, id=feature_id)])


def all(transaction: Transaction) -> list[Feature]:
    """Every feature with its ceiling, by partner and id."""
    return _with_ceilings(transaction, transaction.rows(_ALL))


def of_partner(transaction: Transaction, partner_id: str) -> list[Feature]:
    """A partner's features, by id."""
    return _with_ceilings(transaction, transaction.rows(_OF_PARTNER, partner_id=partner_id))


def _with_ceilings(transaction: Transaction, rows: list[Row]) -> list[Feature]:
    ceilings = defaultdict(list)
    for each in transaction.rows(_CEILINGS):
        ceilings[each[0]].append(_entry(each))
    return [_feature(row, ceilings[row[0]]) for row in rows]


def past_their_end(transaction: Transaction, now: Instant) -> list[str]:
    """Ids of the features whose end date is reached and not yet recorded as a shutdown."""
    return [row[0] for row in transaction.rows(_DUE, now=now)]


def add(transaction: Transaction, feature: Feature, at: Instant) -> None:
    """Add a feature with its ceiling."""
    transaction.run(
        _ADD, id=feature.id, partner_id=feature.partner_id, name=feature.name, purpose=feature.purpose,
        needs=" ".join(feature.needs), state=feature.state.value, epoch=feature.epoch, ends_at=feature.ends_at,
        shut_down_at=feature.shut_down_at, grant_lifetime_s=feature.grant_lifetime_s,
        registered_by=feature.registered_by, created_at=at,
    )  # fmt: skip
    for entry in feature.ceiling:
        add_scope(transaction, feature.id, entry)


def add_scope(transaction: Transaction, feature_id: str, entry: CeilingEntry) -> None:
    """Let a scope into a ceiling; ``since`` keeps it from grants that are older."""
    transaction.run(
        _ADD_SCOPE, feature_id=feature_id, scope=entry.scope, reason=entry.reason, beyond_need=entry.beyond_need,
        required=entry.required, since=entry.since,
    )  # fmt: skip


def drop_scope(transaction: Transaction, feature_id: str, scope: str) -> None:
    """Take a scope out of a ceiling; from the commit on no token under it has it."""
    transaction.run(_DROP_SCOPE, id=feature_id, name=scope)


def set_scope_words(transaction: Transaction, feature_id: str, entry: CeilingEntry) -> None:
    """Change a scope's reason and whether it is required, not since when it is held."""
    transaction.run(
        _SCOPE_WORDS, id=feature_id, name=entry.scope, new_reason=entry.reason, new_beyond=entry.beyond_need,
        new_required=entry.required,
    )  # fmt: skip


def set_state(transaction: Transaction, feature_id: str, epoch: int, before: FeatureState, after: FeatureState) -> bool:
    """Compare and set: from this state at this epoch to another; False if it was elsewhere."""
    values = {"feature_id": feature_id, "at_epoch": epoch, "before": before.value, "after": after.value}
    return transaction.run(_STATE, **values) == 1


def shut_down(transaction: Transaction, feature_id: str, at: Instant) -> bool:
    """Shut down from whichever state, and move the epoch: the one row that ends every grant. False if already."""
    return transaction.run(_SHUT_DOWN, feature_id=feature_id, at=at) == 1


def schedule(transaction: Transaction, feature_id: str, ends_at: Instant | None) -> None:
    """Set or clear the end date."""
    transaction.run(_SCHEDULE, feature_id=feature_id, new_end=ends_at)


def set_words(
    transaction: Transaction, feature_id: str, *, name: str, purpose: str, needs: tuple[str, ...], lifetime_s: int
) -> None:
    """Change what people read about a feature, and how long new grants last."""
    transaction.run(
        _WORDS, feature_id=feature_id, new_name=name, new_purpose=purpose, new_needs=" ".join(needs),
        new_lifetime=lifetime_s,
    )  # fmt: skip
