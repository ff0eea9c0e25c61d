"""A node is frozen, or held up, in the middle of what it does, while a shutdown goes through another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.concurrency import waits
from tests.faults.conftest import Stage
from tests.faults.proxy import BEGUN, RENEWAL
from tests.faults.stage.history import Call, Returned, Violation, judge_disclosure

_prove = pytest.mark.prove
# Where the freeze falls into a transaction that takes access records in, the node holds the clock's row, and the
# shutdown answers 503 until PostgreSQL ends that transaction: right, but these cannot choose where it falls.
_unsteady = pytest.mark.skip(reason="a freeze may fall into a transaction that the shutdown has to wait for")


def _frozen_beyond_its_lease(stage: Stage, build: str | None = None) -> None:
    """Node b thaws with requests that came while it was frozen, and before it hears anything."""
    with stage.fleet("a", "b", behind_proxy="b", build=build) as fleet:
        reader = fleet.readers_and_writers(stage.directory, writers="a")
        with stage.proxies["b"].holding(after=RENEWAL, answer=BEGUN) as held:
            assert held.caught.wait(30)
            with fleet["b"].frozen():
                shutdown = fleet.shut_down_at_last("a")
                queued = fleet.asking(reader, 4)
            for each in queued:
                each.result(60)
        fleet.judge(shutdown, kinds=["read"])
        assert "waited_out" in shutdown.outcomes()


@_unsteady
def test_a_node_that_was_frozen_beyond_its_lease_says_no_when_it_thaws(stage: Stage) -> None:
    _frozen_beyond_its_lease(stage)


@_unsteady
@_prove
def test_a_lease_that_outlasts_the_freeze_is_caught(stage: Stage) -> None:
    with pytest.raises(Violation, match="admitted after the return"):
        _frozen_beyond_its_lease(stage, "with_leases_that_never_end")


def _frozen_in_the_middle_of_its_renewal(stage: Stage, build: str | None = None) -> None:
    """Node b holds its own row in the database."""
    with stage.fleet("a", "b", build=build) as fleet:
        reader = fleet.readers_and_writers(stage.directory, writers="a")
        fleet["b"].steps.arm("renewing")
        fleet["b"].steps.reached("renewing")
        with fleet["b"].frozen():
            shutdown = fleet.shut_down("a")
            queued = fleet.asking(reader, 2)
        fleet["b"].steps.go("renewing")
        for each in queued:
            each.result(60)
        fleet.judge(shutdown, kinds=["read"])
        assert "waited_out" in shutdown.outcomes()


@_unsteady
def test_a_node_that_is_frozen_in_its_renewal_holds_a_shutdown_up_for_its_lease_only(stage: Stage) -> None:
    _frozen_in_the_middle_of_its_renewal(stage)


@_prove
def test_a_coordinator_that_waits_for_the_row_of_a_frozen_node_is_caught(stage: Stage) -> None:
    with pytest.raises(AssertionError, match="status=503"):
        _frozen_in_the_middle_of_its_renewal(stage, "with_retiring_that_waits_for_renewals")


# --- between the check and what follows from it -----------------------------------------------------------------------


def _held_call(calls: Iterable[Call], kind: str, shutdown: Returned) -> Call:
    """The call at b that was under way when the shutdown was asked for."""
    held = [c for c in calls if (c.kind, c.node) == (kind, "b") and c.invoked < shutdown.invoked < c.returned]
    assert len(held) == 1, held
    return held[0]


def _frozen_between_check_and_write(stage: Stage, build: str | None = None) -> None:
    """The database gives up on node b's transaction at last; until then the shutdown is not done."""
    with stage.fleet("a", "b", idle="3s" if build is None else "10s", build=build) as fleet:
        fleet.readers_and_writers(stage.directory)
        fleet["b"].steps.arm("writing")
        fleet["b"].steps.reached("writing")
        with fleet["b"].frozen():
            shutdown = fleet.shut_down("a")
            fleet["b"].steps.go("writing")
        calls = fleet.judge(shutdown)
        assert not _held_call(calls, "write", shutdown).ok


def test_a_write_that_was_frozen_after_its_check_does_not_commit_after_the_return(stage: Stage) -> None:
    _frozen_between_check_and_write(stage)


@_prove
def test_a_write_without_a_fence_is_caught_when_it_thaws(stage: Stage) -> None:
    with pytest.raises(Violation, match="committed after the return"):
        _frozen_between_check_and_write(stage, "without_fence")


_HELD_UP = [("writing", "write"), ("issuing", "refresh"), pytest.param("consenting", "ask", marks=_prove)]
"""The step, and the kind of call that comes by it."""


def _held_up_between_check_and_commit(stage: Stage, step: str, kind: str, build: str | None = None) -> None:
    with stage.fleet("a", "b", build=build) as fleet:
        refresher = fleet.visitor("refresh", "b", fleet.connect("carol"))
        fleet.readers_and_writers(stage.directory)
        if kind == "ask":
            fleet.start_traffic(stage.directory, replace(refresher, kind="consent"))
            fleet.traffic.wait_for("redeem", "b", 1)
        fleet["b"].steps.arm(step)
        asked = fleet.asking(refresher) if kind == "refresh" else []
        fleet["b"].steps.reached(step)
        shutting = fleet.shutting_down("a")
        if build is None:
            assert waits(fleet.register, shutting), "the shutdown does not wait for what was admitted"
        else:
            shutting.result(60)
        fleet["b"].steps.go(step)
        for each in asked:
            each.result(60)
        shutdown = shutting.result(60)
        assert _held_call(fleet.judge(shutdown), kind, shutdown).ok, "it was there before the shutdown"


@pytest.mark.parametrize(
    ("step", "kind"), [pytest.param(*each, marks=_prove) if each[1] == "write" else each for each in _HELD_UP]
)
def test_a_shutdown_waits_for_what_was_admitted_on_another_node(stage: Stage, step: str, kind: str) -> None:
    _held_up_between_check_and_commit(stage, step, kind)


@_prove
@pytest.mark.parametrize(("step", "kind"), _HELD_UP)
def test_a_shutdown_that_does_not_wait_for_writers_is_caught(stage: Stage, step: str, kind: str) -> None:
    with pytest.raises(Violation, match="committed after the return"):
        _held_up_between_check_and_commit(stage, step, kind, "without_fence")


def _held_up_between_check_and_answer(stage: Stage, build: str | None = None) -> None:
    """Node b lives and hears of the shutdown, and has an answer in flight that was admitted before."""
    with stage.fleet("a", "b", build=build) as fleet:
        fleet.readers_and_writers(stage.directory)
        fleet["b"].steps.arm("reading")
        fleet["b"].steps.reached("reading")
        shutdown = fleet.shut_down("a")
        fleet["b"].steps.go("reading")
        calls = fleet.judge(shutdown)
        judge_disclosure(_held_call(calls, "read", shutdown), shutdown)


def test_a_node_confirms_only_when_what_it_admitted_before_was_answered(stage: Stage) -> None:
    _held_up_between_check_and_answer(stage)


@_prove
def test_a_node_that_confirms_without_draining_is_caught(stage: Stage) -> None:
    with pytest.raises(Violation, match="answered after"):
        _held_up_between_check_and_answer(stage, "without_draining")


def _first_sight_that_comes_late(stage: Stage, build: str | None = None) -> None:
    """Node b reads the standing of a token that it has not seen, and is held up before it judges it."""
    with stage.fleet("a", "b", build=build) as fleet:
        newcomer = fleet.visitor("read", "b", fleet.connect("carol"))
        fleet.readers_and_writers(stage.directory)
        fleet["b"].steps.arm("first-sight")
        late = fleet.asking(newcomer)[0]
        fleet["b"].steps.reached("first-sight")
        shutdown = fleet.shut_down("a")
        fleet["b"].steps.go("first-sight")
        late.result(60)
        fleet.ask(newcomer, 5)
        fleet.judge(shutdown)


def test_a_first_sight_from_before_the_shutdown_is_not_believed_after_it(stage: Stage) -> None:
    _first_sight_that_comes_late(stage)


@_prove
def test_a_late_first_sight_that_is_kept_is_caught(stage: Stage) -> None:
    with pytest.raises(Violation, match="admitted after the return"):
        _first_sight_that_comes_late(stage, "with_late_answers_kept")
