"""The end of a feature: one row moves, with one entry and one shutdown, and it is dated when it was due."""

from __future__ import annotations

import pytest

from broker.domain.errors import Conflict
from broker.domain.instants import DAY
from broker.operations.register import ending, features
from broker.store.evidence import audit
from tests.world import START, World


def test_one_commit_moves_the_state_and_the_epoch_and_says_so(world: World) -> None:
    with world.write() as context:
        feature = features.closed_for(context, "share-a-track")
        shutdown = ending.end(context, feature, cause="operator", reason="it is over", op_id="op-1")
        (entry,) = audit.latest(context.transaction, 1)
    assert (shutdown.op_id, shutdown.epoch, shutdown.position, shutdown.committed_at) == (
        "op-1",
        2,
        entry.position,
        START,
    )
    assert (entry.action, entry.feature, entry.details) == (
        "feature.shut_down", "share-a-track", {"epoch": 2, "cause": "operator", "reason": "it is over"},
    )  # fmt: skip
    ended = world.feature("share-a-track")
    assert (ended.state.value, ended.epoch, ended.shut_down_at) == ("shut_down", 2, START)


def test_a_feature_does_not_end_twice(world: World) -> None:
    with world.write() as context:
        feature = features.closed_for(context, "share-a-track")
        ending.end(context, feature, cause="operator", reason=None)
        with pytest.raises(Conflict, match="is shut down already"):
            ending.end(context, feature, cause="operator", reason=None)
    assert world.feature("share-a-track").epoch == 2


def test_an_end_by_date_is_dated_when_it_was_due_and_any_other_when_it_is_done(world: World) -> None:
    with world.write() as context:
        for name in ("share-a-track", "now-playing"):
            features.schedule(context, name, START + DAY)
    world.clock.advance(days=3)
    with world.write() as context:
        due, other = features.get(context, "share-a-track"), features.get(context, "transfer-notice")
        assert ending.end(context, due, cause="end_date", reason=None).committed_at == START + 3 * DAY
        ending.end(context, other, cause="end_date", reason=None)
        features.closed_for(context, "now-playing")
    assert world.feature("share-a-track").shut_down_at == START + DAY
    assert world.feature("now-playing").shut_down_at == START + DAY
    assert world.feature("transfer-notice").shut_down_at == START + 3 * DAY


def test_a_receipt_is_required_of_the_newest_shutdown(world: World) -> None:
    with world.read() as context:
        ending.require_receipt(context, "share-a-track")
    world.shut_down("share-a-track", count=False)
    with world.read() as context, pytest.raises(Conflict, match="is not complete yet"):
        ending.require_receipt(context, "share-a-track")
    world.shut_down("share-a-track")
    with world.read() as context:
        ending.require_receipt(context, "share-a-track")
