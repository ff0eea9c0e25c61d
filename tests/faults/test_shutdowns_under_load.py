"""Shutdowns while clients read, write, refresh and consent all the time, on several brokers."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Stage
from tests.faults.proxy import COMMITTED, RENEWAL
from tests.faults.stage.fleet import FEATURE, OTHER_CLIENT, OTHER_FEATURE, Fleet
from tests.faults.stage.history import Violation, require_traffic


def _everybody(fleet: Fleet, stage: Stage, *, consents: bool = True) -> None:
    """Every kind of request, on every node, and another feature's writes beside them."""
    held = {name: [fleet.connect("alice"), fleet.connect("alice")] for name in fleet.names}
    other = fleet.connect("bob", OTHER_CLIENT)
    visitors = [
        fleet.visitor(kind, name, held[name][kind == "refresh"])
        for name in fleet.names for kind in ("read", "write", "refresh")
    ]  # fmt: skip
    visitors += [fleet.visitor("write", name, other) for name in fleet.names]
    if consents:
        visitors.append(fleet.visitor("consent", fleet.names[0], fleet.connect("carol")))
    fleet.start_traffic(stage.directory, *visitors)
    for name in fleet.names:
        for kind in ("read", "write", "refresh"):
            fleet.traffic.wait_for(kind, name, 10)
    if consents:
        fleet.traffic.wait_for("redeem", fleet.names[0], 2)


def test_a_shutdown_holds_against_all_kinds_of_requests_on_every_node(stage: Stage) -> None:
    with stage.fleet("a", "b") as fleet:
        _everybody(fleet, stage)
        shutdown = fleet.shut_down("a")
        for name in fleet.names:
            for kind in ("read", "write", "refresh"):
                fleet.traffic.wait_for(kind, name, 10, after=shutdown.at, ok=False)
        fleet.traffic.wait_for("ask", "a", 2, after=shutdown.at, ok=False)
        calls = fleet.judge(shutdown)
        require_traffic(calls, shutdown, "read", "write", "refresh", nodes=fleet.names)
        assert set(shutdown.outcomes()) == {"confirmed"}
        others = [call for call in calls if call.feature == OTHER_FEATURE and call.invoked > shutdown.at]
        assert len(others) > 10
        assert all(call.ok for call in others), "another feature is not disturbed"
        fleet.register.verify_audit()


def _shut_down_while_a_node_hears_nothing(stage: Stage, build: str | None = None) -> None:
    """Node b says yes, and what the database answers to its renewals does not arrive."""
    with stage.fleet("a", "b", behind_proxy="b", build=build) as fleet:
        _everybody(fleet, stage, consents=False)
        reader = fleet.visitor("read", "b", fleet.connect("bob"))
        with stage.proxies["b"].holding(after=RENEWAL, answer=COMMITTED) as held:
            assert held.caught.wait(30)
            fleet.ask(reader)
            shutdown = fleet.shut_down("a")
            fleet.ask(reader, 5)
            fleet.traffic.wait_for("read", "b", 10, after=shutdown.at, ok=False)
        calls = fleet.judge(shutdown)
        require_traffic(calls, shutdown, "read", "write", nodes=fleet.names)
        assert sorted(shutdown.outcomes()) == ["confirmed", "waited_out"]


def test_a_node_that_hears_nothing_says_yes_no_more_when_the_shutdown_returns(stage: Stage) -> None:
    _shut_down_while_a_node_hears_nothing(stage)


@pytest.mark.prove
def test_a_coordinator_that_does_not_wait_is_caught(stage: Stage) -> None:
    with pytest.raises(Violation, match=FEATURE):
        _shut_down_while_a_node_hears_nothing(stage, "without_waiting")
