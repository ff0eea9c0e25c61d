"""The coordinator of a shutdown dies, or is frozen, at each of its steps; somebody else finishes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.conftest import Stage
from tests.faults.proxy import COMMITTED, RENEWAL
from tests.faults.stage.history import Returned, Violation

_prove = pytest.mark.prove


def _killed(stage: Stage, step: str, build: str | None = None) -> Returned:
    """Node a is killed at a step; who asked knows nothing; b is asked the same again. All the while b hears nothing."""
    with stage.fleet("a", "b", behind_proxy="b", build=build, lease="1s" if build is None else "2s") as fleet:
        reader = fleet.readers_and_writers(stage.directory)
        fleet["a"].steps.arm(step)
        with stage.proxies["b"].holding(after=RENEWAL, answer=COMMITTED) as held:
            assert held.caught.wait(30)
            unknown = fleet.shutting_down("a", op_id="once")
            fleet["a"].steps.reached(step)
            fleet["a"].served.kill()
            assert unknown.result(60).status == 0
            shutdown = fleet.shut_down("b", op_id="once")
            fleet.ask(reader, 5)
        fleet.judge(shutdown, nodes="b")
        return shutdown


@pytest.mark.parametrize(
    "step",
    ["committed", pytest.param("waiting", marks=_prove), pytest.param("waited", marks=_prove),
     pytest.param("counting", marks=_prove)],
)  # fmt: skip
def test_a_shutdown_whose_coordinator_was_killed_is_finished_by_whoever_asks_again(stage: Stage, step: str) -> None:
    shutdown = _killed(stage, step)
    assert (shutdown.receipt["op_id"], shutdown.receipt["epoch"]) == ("once", 2)
    assert "waited_out" in shutdown.outcomes()


@_prove
def test_who_finishes_another_s_shutdown_without_waiting_is_caught(stage: Stage) -> None:
    with pytest.raises(Violation, match="admitted after the return"):
        _killed(stage, "committed", "without_waiting")


def _left_to_housekeeping(stage: Stage, build: str | None = None) -> None:
    """Node a is killed as it waits, and nobody asks again. Node c says yes and hears nothing."""
    with stage.fleet("a", "b", "c", behind_proxy="c", build=build, lease="1s" if build is None else "3s") as fleet:
        reader = fleet.readers_and_writers(stage.directory)
        fleet["a"].steps.arm("committed")
        with stage.proxies["c"].holding(after=RENEWAL, answer=COMMITTED) as held:
            assert held.caught.wait(30)
            unknown = fleet.shutting_down("a")
            fleet["a"].steps.reached("committed")
            fleet["a"].served.kill()
            assert unknown.result(60).status == 0
            shutdown = fleet.finished()
            fleet.ask(reader, 5)
        fleet.judge(shutdown, nodes="bc")
        assert "waited_out" in shutdown.outcomes()


def test_a_shutdown_that_nobody_asks_about_is_finished_by_housekeeping(stage: Stage) -> None:
    _left_to_housekeeping(stage)


@_prove
def test_housekeeping_that_does_not_wait_is_caught(stage: Stage) -> None:
    with pytest.raises(Violation, match="admitted after the return"):
        _left_to_housekeeping(stage, "without_waiting")


def test_a_frozen_coordinator_is_overtaken_and_gives_the_same_receipt_when_it_thaws(stage: Stage) -> None:
    with stage.fleet("a", "b") as fleet:
        reader = replace(fleet.readers_and_writers(stage.directory, writers="b"), node="a", url=fleet["a"].url)
        fleet["a"].steps.arm("waiting")
        first = fleet.shutting_down("a", op_id="once")
        fleet["a"].steps.reached("waiting")
        with fleet["a"].frozen():
            fleet["a"].steps.go("waiting")
            second = fleet.shut_down("b", op_id="once")
            queued = fleet.asking(reader, 2)
        assert not any(call.ok for each in queued for call in each.result(60))
        fleet.judge(second, first.result(60), kinds=["read"])
        assert first.result().receipt == second.receipt
        assert "waited_out" in second.outcomes()
