"""The coordinator of a shutdown: the effect first, then the counting, then a receipt that never changes.

Each step is a transaction of its own and can be repeated: whoever finds a step missing, on any node, takes it. After
the first commit the feature is shut down, whatever happens to the process that did it.
"""

from __future__ import annotations

import json

from broker.domain import decisions
from broker.domain.decisions import Allowed, Standing
from broker.domain.errors import Conflict, NotFound, Undecided
from broker.domain.features import FeatureState
from broker.domain.instants import rfc3339, rfc3339_or_none
from broker.operations import access
from broker.operations.context import Context, Runtime
from broker.operations.coordinator import Tell
from broker.operations.register import ending
from broker.operations.register.features import closed_for
from broker.operations.register.features import get as get_feature
from broker.store import standing
from broker.store.evidence import counts, shutdowns
from broker.store.evidence.shutdowns import Shutdown
from broker.store.register import features

Receipt = dict[str, object]


def shut_down(
    runtime: Runtime, actor: str, feature_id: str, *, reason: str | None = None, op_id: str | None = None,
    cause: str = "operator", count: bool = True, tell: Tell | None = None,
) -> Receipt:  # fmt: skip
    """Shut a feature down; the receipt. When this returns, nothing is admitted under the feature's grants again.

    Asking again gives the same receipt. ``op_id`` names the operation, so that a caller who lost the answer can ask
    again; once the feature was reopened, or if the name was used for another feature, it is refused. With ``count``
    False the answer comes at the effect, and the counting is left to whoever asks next.
    """
    started = runtime.ticks()
    name = op_id or runtime.randomness(8).hex()
    try:
        shutdown = _commit(runtime, actor, feature_id, reason, name, cause)
    except Undecided:
        # The commit may stand or not. Asking again waits for the lost transaction by the same locks, and then knows.
        shutdown = _commit(runtime, actor, feature_id, reason, name, cause)
    return finish(runtime, shutdown.op_id, started=started, count=count, tell=tell)


def _commit(
    runtime: Runtime, actor: str, feature_id: str, reason: str | None, op_id: str, cause: str
) -> Shutdown:  # fmt: skip
    with runtime.write(actor, settles=False) as context:
        feature = closed_for(context, feature_id)
        known = shutdowns.get(context.transaction, op_id)
        if known is not None:
            return _still_in_force(context, known, feature_id)
        if feature.state is not FeatureState.SHUT_DOWN:
            return ending.end(context, feature, cause=cause, reason=reason, op_id=op_id)
        latest = shutdowns.latest(context.transaction, feature_id)
        assert latest is not None, "a feature that is shut down has a shutdown"
        return latest


def _still_in_force(context: Context, known: Shutdown, feature_id: str) -> Shutdown:
    if known.feature_id != feature_id:
        raise Conflict(f"operation {known.op_id} was for another feature")
    feature = get_feature(context, feature_id)
    if feature.state is not FeatureState.SHUT_DOWN or feature.epoch != known.epoch:
        raise Conflict(f"operation {known.op_id} shut {feature_id} down; it was reopened since")
    return known


def finish(
    runtime: Runtime, op_id: str, *, started: int | None = None, count: bool = True, tell: Tell | None = None
) -> Receipt:  # fmt: skip
    """Wait for the nodes, record the effect and count, as far as that is not done; the receipt."""
    with runtime.read() as context:
        known = _get(context, op_id)
    if known.effective_at is None:
        outcomes = runtime.wait_for_nodes(known.position, tell)
        with runtime.write("broker") as context:
            elapsed = None if started is None else runtime.ticks() - started
            nodes = json.dumps([each.document() for each in outcomes])
            shutdowns.set_effect(context.transaction, op_id, context.now, elapsed, nodes)
    if count and known.counted_at is None:
        _count(runtime, op_id)
    with runtime.read() as context:
        return receipt(_get(context, op_id))


def _get(context: Context, op_id: str) -> Shutdown:
    found = shutdowns.get(context.transaction, op_id)
    if found is None:
        raise NotFound(f"there is no operation {op_id!r}")
    return found


def _count(runtime: Runtime, op_id: str) -> None:
    """Count in a snapshot of its own, which holds nobody up; write the result if nobody else has."""
    complete = access.take_in(runtime)
    with runtime.read() as context:
        found = _counts(context, _get(context, op_id)) | {"last_access_complete": complete}
    with runtime.write("broker") as context:
        shutdowns.set_counts(context.transaction, op_id, context.now, json.dumps(found))


def _counts(context: Context, shutdown: Shutdown) -> dict[str, object]:
    transaction, feature_id, epoch = context.transaction, shutdown.feature_id, shutdown.epoch
    at = shutdown.committed_at
    if shutdown.cause == "end_date":  # what the date has ended stood until just before it
        feature = get_feature(context, feature_id)
        at = (feature.shut_down_at or at) - 1
    counts.plan_by_values(transaction)
    left = counts.left(transaction, feature_id, epoch, context.now)
    left["access_tokens"] += _admitted_now(context, shutdown)
    after = counts.admitted_after(transaction, shutdown)
    return {
        "ended": counts.ended(transaction, feature_id, epoch, at),
        "live_after": left | {"admitted_after": after},
        "last_access_at": counts.last_access(transaction, feature_id, epoch),
    }


def _admitted_now(context: Context, shutdown: Shutdown) -> int:
    """Ask the decision itself, in the way requests do, about the newest tokens that the shutdown has ended.

    Of the two barriers, state and epoch, each must refuse them although the other were open.
    """
    newest = counts.newest_tokens(context.transaction, shutdown.feature_id, shutdown.epoch)
    found = [standing.read(context.transaction, hash) for hash in newest]
    return sum(any(map(_admitted, _barriers(each))) for each in found if each is not None)


def _barriers(found: Standing) -> tuple[Standing, Standing, Standing]:
    """A standing as it is, as if only its epoch were over, and as if only its feature's state refused it."""
    epoch = found.feature_epoch
    return (
        found,
        found._replace(feature_state=FeatureState.ACTIVE.value, feature_ends_at=None),
        found._replace(token_epoch=epoch, grant_epoch=epoch),
    )


def _admitted(found: Standing) -> bool:
    return isinstance(decisions.decide(found, frozenset()), Allowed)


def receipt(shutdown: Shutdown) -> Receipt:
    """The receipt of a shutdown, as the contract shapes it; what is not counted yet is null."""
    found = json.loads(shutdown.counts) if shutdown.counts else {}
    return {
        "feature": shutdown.feature_id, "state": "shut_down", "epoch": shutdown.epoch, "op_id": shutdown.op_id,
        "reason": shutdown.reason, "cause": shutdown.cause, "by": shutdown.actor,
        "committed_at": rfc3339(shutdown.committed_at), "effective_at": rfc3339_or_none(shutdown.effective_at),
        "elapsed_ms": None if shutdown.elapsed_us is None else round(shutdown.elapsed_us / 1000, 1),
        "nodes": json.loads(shutdown.nodes), "counted_at": rfc3339_or_none(shutdown.counted_at),
        "ended": found.get("ended"), "live_after": found.get("live_after"),
        "last_access_at": rfc3339_or_none(found.get("last_access_at")),
        "last_access_complete": found.get("last_access_complete"),
    }  # fmt: skip


def receipt_for_partners(shutdown: Shutdown) -> Receipt:
    """The same without who of the network's people has done it."""
    return {name: value for name, value in receipt(shutdown).items() if name != "by"}


def latest_receipt(runtime: Runtime, feature_id: str) -> Receipt | None:
    """A feature's newest receipt, completed if need be; None if it was never shut down."""
    with runtime.read() as context:
        latest = shutdowns.latest(context.transaction, feature_id)
    return None if latest is None else finish(runtime, latest.op_id)


def housekeeping(runtime: Runtime) -> int:
    """Record ends by date that have come, complete receipts that a crash has left; how many. Nothing waits for it."""
    with runtime.read() as context:
        due = features.past_their_end(context.transaction, context.now)
        unfinished = [each.op_id for each in shutdowns.unfinished(context.transaction)]
    for feature_id in due:
        shut_down(runtime, "broker", feature_id, cause="end_date", reason="the end date was reached")
    for op_id in unfinished:
        finish(runtime, op_id)
    return len(due) + len(unfinished)
