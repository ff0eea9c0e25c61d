"""Ending grants, or parts of them: the user disconnects, an operator revokes, an end that is due is recorded."""

from __future__ import annotations

from broker.domain.audit import Action
from broker.domain.errors import NotFound
from broker.domain.features import Feature
from broker.domain.grants import EndCause, Grant
from broker.domain.instants import Instant
from broker.operations.context import Context
from broker.store import grants
from broker.store.evidence import shutdowns
from broker.store.register import features


def own(context: Context, account_id: int, grant_id: int | None) -> Grant:
    """A person's own grant; another's, or none, is ``NotFound`` alike."""
    found = grants.get(context.transaction, grant_id) if grant_id is not None else None
    if found is None or found.account_id != account_id:
        raise NotFound("there is no such connected app")
    return found


def end_of(context: Context, grant: Grant) -> tuple[Instant, EndCause] | None:
    """When and why a grant is over, recorded or not, by its own doing or its feature's; None while it stands."""
    own, feature = grant.own_end(context.now), features.get(context.transaction, grant.feature_id)
    assert feature is not None
    if own is not None and grant.ended_at is not None:
        return own
    ends = [own] if own is not None else []
    if feature.epoch != grant.feature_epoch:
        ends.append((_closed_at(context, grant, feature), EndCause.FEATURE_SHUT_DOWN))
    elif feature.ends_at is not None and feature.ends_at <= context.now:
        ends.append((feature.ends_at, EndCause.FEATURE_ENDED))
    return min(ends, default=None)


def _closed_at(context: Context, grant: Grant, feature: Feature) -> Instant:
    """When a grant's epoch was closed; the feature itself knows only of its newest shutdown."""
    if feature.epoch == grant.feature_epoch + 1 and feature.shut_down_at is not None:
        return feature.shut_down_at
    shutdown = shutdowns.to_epoch(context.transaction, feature.id, grant.feature_epoch + 1)
    assert shutdown is not None, "an epoch moves by a shutdown"
    return shutdown.committed_at


def disconnect(context: Context, grant: Grant) -> bool:
    """The user takes permission back. False if the grant was over already."""
    return _end(context, grant, EndCause.DISCONNECTED)


def revoke(context: Context, grant_id: int | None) -> bool:
    """An operator ends a grant. False if it was over already."""
    found = grants.get(context.transaction, grant_id) if grant_id is not None else None
    if found is None:
        raise NotFound("there is no such grant")
    return _end(context, found, EndCause.REVOKED)


def _end(context: Context, grant: Grant, cause: EndCause) -> bool:
    if end_of(context, grant) is not None or not grants.end(context.transaction, grant.id, context.now, cause):
        return False
    context.record(Action.GRANT_ENDED, f"grant:{grant.id}", feature=grant.feature_id, cause=cause.value,
                   account=grant.account_id, client=grant.client_id)  # fmt: skip
    return True


def record_end(context: Context, grant: Grant, at: int, cause: EndCause) -> None:
    """Record an end that has come by itself, at the instant at which it came, before anything could move it."""
    if grants.end(context.transaction, grant.id, at, cause):
        context.record(Action.GRANT_ENDED, f"grant:{grant.id}", feature=grant.feature_id, cause=cause.value,
                       ended_at=at, account=grant.account_id, client=grant.client_id)  # fmt: skip


def drop_scope(context: Context, grant: Grant, scope: str) -> bool:
    """The user takes one scope back; live tokens lose it too. False if the grant did not hold it."""
    grants.lock(context.transaction, grant.id)  # waits for whoever is using the scope
    if not grants.drop_scope(context.transaction, grant.id, scope):
        return False
    context.record(Action.GRANT_ENDED, f"grant:{grant.id}", feature=grant.feature_id, scope=scope,
                   cause="scope_taken_back", account=grant.account_id, client=grant.client_id)  # fmt: skip
    return True


def confirm_presence(context: Context, grant: Grant) -> bool:
    """The user says on our page that the app is still wanted. False if the grant is over: that cannot be undone."""
    ends_at = context.after(context.settings.lifetimes.presence_s)
    if end_of(context, grant) is not None or not grants.present(context.transaction, grant.id, context.now, ends_at):
        return False
    context.record(Action.PRESENCE_CONFIRMED, f"grant:{grant.id}", feature=grant.feature_id,
                   account=grant.account_id, client=grant.client_id)  # fmt: skip
    return True
