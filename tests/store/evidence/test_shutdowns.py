"""Shutdowns as rows: each comes back as it was written, and what completes it is written once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.errors import Conflict
from broker.store.evidence import shutdowns
from broker.store.evidence.shutdowns import Shutdown
from tests.world import START, World

FEATURE = "share-a-track"
CLOSED = Shutdown("op-1", FEATURE, 2, 50, "operator", "a leak", "operator:ops", START)


def test_a_shutdown_comes_back_as_it_was_written(world: World) -> None:
    second = replace(CLOSED, op_id="op-2", epoch=3, position=60, reason=None)
    other = replace(CLOSED, op_id="op-3", feature_id="now-playing", position=55)
    with world.database.write() as transaction:
        for each in (second, CLOSED, other):
            shutdowns.add(transaction, each)
        assert shutdowns.get(transaction, "op-1") == CLOSED
        assert shutdowns.get(transaction, "op-4") is None
        assert shutdowns.latest(transaction, FEATURE) == second
        assert shutdowns.latest(transaction, "recommend-a-show") is None
        assert shutdowns.to_epoch(transaction, FEATURE, 2) == CLOSED
        assert shutdowns.to_epoch(transaction, FEATURE, 4) is None
        assert shutdowns.all(transaction) == [second, other, CLOSED]
        assert shutdowns.unfinished(transaction) == [CLOSED, other, second]


def test_an_epoch_is_closed_by_one_shutdown(world: World) -> None:
    with world.database.write() as transaction:
        shutdowns.add(transaction, CLOSED)
    with pytest.raises(Conflict), world.database.write() as transaction:
        shutdowns.add(transaction, replace(CLOSED, op_id="op-2"))


def test_effect_and_counts_are_recorded_once(world: World) -> None:
    with world.database.write() as transaction:
        shutdowns.add(transaction, CLOSED)
        shutdowns.add(transaction, replace(CLOSED, op_id="op-2", epoch=3))
        assert shutdowns.set_effect(transaction, "op-1", START + 1, 700)
        assert not shutdowns.set_effect(transaction, "op-1", START + 2, 800)
        assert shutdowns.set_counts(transaction, "op-1", START + 3, "{}")
        assert not shutdowns.set_counts(transaction, "op-1", START + 4, "[]")
        assert not shutdowns.set_counts(transaction, "unknown", START, "{}")
        done = replace(CLOSED, effective_at=START + 1, elapsed_us=700, counted_at=START + 3, counts="{}")
        assert shutdowns.get(transaction, "op-1") == done
        assert [each.op_id for each in shutdowns.unfinished(transaction)] == ["op-2"]
