"""The end of a feature: one row moves, and every grant of its epoch is over."""

from __future__ import annotations

from broker.domain.audit import Action
from broker.domain.errors import Conflict
from broker.domain.features import Feature
from broker.operations.context import Context
from broker.store.evidence import shutdowns
from broker.store.evidence.shutdowns import Shutdown
from broker.store.register import features

CONFIGURED = "the configuration says shut_down"


def end(context: Context, feature: Feature, *, cause: str, reason: str | None, op_id: str | None = None) -> Shutdown:
    """Shut a feature down whose fence this transaction has closed. In force when the transaction commits.

    ``cause`` is operator, configuration or end_date. An end by date is dated when it was due, not when it was noticed.
    """
    at = feature.ends_at if cause == "end_date" and feature.ends_at is not None else context.now
    if not features.shut_down(context.transaction, feature.id, at):
        raise Conflict(f"feature {feature.id} is shut down already")
    epoch = feature.epoch + 1
    position = context.record(
        Action.FEATURE_SHUT_DOWN, f"feature:{feature.id}", feature=feature.id, epoch=epoch, cause=cause, reason=reason
    )
    shutdown = Shutdown(
        op_id or context.new_name(), feature.id, epoch, position, cause, reason, context.actor, context.now
    )
    shutdowns.add(context.transaction, shutdown)
    return shutdown


def require_receipt(context: Context, feature_id: str) -> None:
    """Refuse to go on while the newest shutdown of a feature has not been counted."""
    latest = shutdowns.latest(context.transaction, feature_id)
    if latest is not None and latest.counted_at is None:
        raise Conflict(f"the receipt of {feature_id}'s shutdown is not complete yet; ask again in a moment")
