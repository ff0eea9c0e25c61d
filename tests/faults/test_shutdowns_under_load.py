"""Shutdowns while clients read, write, refresh and consent all the time, on several brokers."""

from __future__ import annotations

import os
import signal

import pytest

from tests.faults.conftest import Stage
from tests.faults.proxy import COMMITTED, RENEWAL
from tests.faults.stage.fleet import FEATURE, OTHER_CLIENT, OTHER_FEATURE, Fleet
from tests.faults.stage.history import Returned, Violation


def _everybody(fleet: Fleet, stage: Stage) -> None:
    """Every kind of request, on every node, and another feature's writes beside them."""
    held = {name: [fleet.connect("alice"), fleet.connect("alice")] for name in fleet.names}
    other = fleet.connect("bob", OTHER_CLIENT)
    visitors = [
        fleet.visitor(kind, name, held[name][kind == "refresh"])
        for name in fleet.names for kind in ("read", "write", "refresh")
    ]  # fmt: skip
    visitors += [fleet.visitor("write", name, other) for name in fleet.names]
    visitors.append(fleet.visitor("consent", fleet.names[0], fleet.connect("carol")))
    fleet.start_traffic(stage.directory, *visitors, processes=2)
    for name in fleet.names:
        for kind in ("read", "write", "refresh"):
            fleet.traffic.wait_for(kind, name, 10)
    fleet.traffic.wait_for("redeem", fleet.names[0], 2)


def test_a_shutdown_holds_against_all_kinds_of_requests_on_every_node(stage: Stage) -> None:
    with stage.fleet("a", "b") as fleet:
        _everybody(fleet, stage)
        shutdown = fleet.shut_down("a")
        fleet.traffic.wait_for("ask", "a", 2, after=shutdown.at, ok=False)
        calls = fleet.judge(shutdown, kinds=("read", "write", "refresh"))
        others = [call for call in calls if call.feature == OTHER_FEATURE and call.invoked > shutdown.at]
        assert len(others) > 10
        assert all(call.ok for call in others), "another feature is not disturbed"


def _two_at_once(
    stage: Stage, first: tuple[str, str | None], second: tuple[str, str | None], build: str | None = None
) -> tuple[Returned, Returned]:
    """Two operators shut down, each through a node of its own: a is at it when b is asked, and b hears nothing.

    Given as feature and op_id.
    """
    with stage.fleet("a", "b", behind_proxy="b", lease="1s" if build is None else "2s", build=build) as fleet:
        reader = fleet.readers_and_writers(stage.directory)
        fleet["a"].steps.arm("waiting")
        with stage.proxies["b"].holding(after=RENEWAL, answer=COMMITTED) as held:
            assert held.caught.wait(30)
            earlier = fleet.shutting_down("a", *first)
            fleet["a"].steps.reached("waiting")
            later = fleet.shut_down("b", *second)
            fleet.ask(reader, 5)
            fleet["a"].steps.go("waiting")
            found = earlier.result(60), later
        fleet.judge(*(each for each in found if each.feature == FEATURE))
        return found


@pytest.mark.parametrize("op_ids", [("same", "same"), pytest.param(("one", "two"), marks=pytest.mark.prove)])
def test_whoever_is_second_to_shut_down_waits_as_long_and_gets_the_receipt(
    stage: Stage, op_ids: tuple[str, str]
) -> None:
    first, second = _two_at_once(stage, (FEATURE, op_ids[0]), (FEATURE, op_ids[1]))
    assert first.receipt["op_id"] == second.receipt["op_id"] == op_ids[0]
    assert first.receipt == second.receipt


@pytest.mark.prove
def test_two_features_are_shut_down_at_once_through_two_nodes(stage: Stage) -> None:
    first, second = _two_at_once(stage, (OTHER_FEATURE, None), (FEATURE, None))
    assert [each.receipt["state"] for each in (first, second)] == ["shut_down", "shut_down"]


@pytest.mark.prove
def test_a_second_caller_that_returns_early_is_caught(stage: Stage) -> None:
    with pytest.raises(Violation, match="admitted after the return"):
        _two_at_once(stage, (FEATURE, "same"), (FEATURE, "same"), "without_waiting_as_second")


def test_a_worker_that_dies_costs_its_lease_and_its_successor_says_no(stage: Stage) -> None:
    with stage.fleet("a", "b", workers=2) as fleet:
        fleet.readers_and_writers(stage.directory)
        os.kill(fleet["b"].workers()[0], signal.SIGKILL)
        shutdown = fleet.shut_down("a")
        fleet.wait_for_live_nodes(4)
        fleet.judge(shutdown)
        assert "waited_out" in shutdown.outcomes()
