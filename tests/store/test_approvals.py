"""What waits for a second operator, and is decided once."""

from __future__ import annotations

from dataclasses import replace

from broker.store import approvals
from broker.store.approvals import Approval
from tests.concurrency import together
from tests.world import START, World

ONE = Approval("a1", "feature.resume", '{"feature":"share-a-track"}', "Resume it", "pending", "ops", START)


def _add(world: World, *wanted: Approval) -> None:
    with world.database.write() as transaction:
        for each in wanted:
            approvals.add(transaction, each)


def _decide(world: World, by: str = "ops2", outcome: str = "approved") -> bool:
    with world.database.write() as transaction:
        return approvals.decide(transaction, "a1", outcome=outcome, by=by, at=START + 1)


def test_requests_come_back_as_they_were_written_newest_first(world: World) -> None:
    later = replace(ONE, id="a2", requested_at=START + 1)
    decided = replace(ONE, id="a0", state="refused", decided_by="ops2", decided_at=START)
    _add(world, later, ONE, decided)
    with world.database.read() as transaction:
        assert approvals.get(transaction, "a1") == ONE
        assert approvals.get(transaction, "unknown") is None
        assert approvals.all(transaction) == [later, decided, ONE]


def test_the_same_request_is_found_while_it_waits(world: World) -> None:
    _add(world, ONE)
    with world.database.read() as transaction:
        assert approvals.pending_same(transaction, ONE.operation, ONE.parameters) == ONE
        assert approvals.pending_same(transaction, "feature.reopen", ONE.parameters) is None
        assert approvals.pending_same(transaction, ONE.operation, "{}") is None
    _decide(world)
    with world.database.read() as transaction:
        assert approvals.pending_same(transaction, ONE.operation, ONE.parameters) is None


def test_a_request_is_decided_once(world: World) -> None:
    _add(world, ONE, replace(ONE, id="a2"))
    assert _decide(world)
    assert not _decide(world, "ops", "refused")
    with world.database.read() as transaction:
        assert approvals.get(transaction, "a1") == replace(
            ONE, state="approved", decided_by="ops2", decided_at=START + 1
        )
        assert approvals.get(transaction, "a2") == replace(ONE, id="a2")


def test_of_many_that_decide_at_once_one_does(world: World) -> None:
    _add(world, ONE)
    assert sorted(together(world, *[lambda: _decide(world)] * 4)) == [False, False, False, True]  # type: ignore[type-var]
