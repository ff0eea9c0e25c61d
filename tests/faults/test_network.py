"""The way to the database is cut in one direction, slow, or gone; an answer to COMMIT is lost."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Stage
from tests.faults.proxy import BEGUN, COMMITTED, RENEWAL, SHUTDOWN
from tests.faults.stage.fleet import OTHER_CLIENT
from tests.faults.stage.history import Violation

_SOUND, _BROKEN = "1s", "2s"
"""Leases: on a broken build there is to be time enough to be caught."""


def _lease(build: str | None) -> str:
    return _SOUND if build is None else _BROKEN


# --- a node that is not answered --------------------------------------------------------------------------------------


def _a_node_that_hears_nothing(stage: Stage, build: str | None = None) -> None:
    """Node b says yes; it renews, and what the database answers does not arrive."""
    with stage.fleet("a", "b", behind_proxy="b", build=build, lease=_lease(build)) as fleet:
        reader = fleet.readers_and_writers(stage.directory)
        with stage.proxies["b"].holding(after=RENEWAL, answer=COMMITTED) as held:
            assert held.caught.wait(30)
            shutdown = fleet.shut_down("a")
            fleet.ask(reader, 5)
            for kind in ("read", "write"):
                fleet.traffic.wait_for(kind, "b", 5, after=shutdown.at, ok=False)
        fleet.judge(shutdown)
        assert "waited_out" in shutdown.outcomes()


def test_a_node_that_hears_nothing_says_yes_no_more_when_the_shutdown_returns(stage: Stage) -> None:
    _a_node_that_hears_nothing(stage)


@pytest.mark.prove
@pytest.mark.parametrize("build", ["without_waiting", "with_leases_that_never_end"])
def test_yes_from_a_node_that_hears_nothing_is_caught(stage: Stage, build: str) -> None:
    with pytest.raises(Violation, match="admitted after the return"):
        _a_node_that_hears_nothing(stage, build)


def _an_answer_that_comes_late(stage: Stage, build: str | None = None) -> None:
    """What b hears comes after the shutdown has returned, and is of before it."""
    with stage.fleet("a", "b", behind_proxy="b", build=build, lease=_lease(build)) as fleet:
        reader = fleet.readers_and_writers(stage.directory)
        with stage.proxies["b"].holding(after=RENEWAL, answer=COMMITTED) as held:
            assert held.caught.wait(30)
            shutdown = fleet.shut_down("a")
            with stage.proxies["b"].holding(after=RENEWAL, answer=BEGUN) as following:
                held.let_through()
                assert following.caught.wait(30), "b has taken the late answer, and asks again"
                fleet.ask(reader, 5)
        fleet.judge(shutdown)
        assert "waited_out" in shutdown.outcomes()


def test_an_answer_that_comes_late_gives_no_lease(stage: Stage) -> None:
    _an_answer_that_comes_late(stage)


@pytest.mark.prove
def test_a_lease_counted_from_the_answer_is_caught(stage: Stage) -> None:
    with pytest.raises(Violation, match="admitted after the return"):
        _an_answer_that_comes_late(stage, "with_leases_counted_from_the_answer")


@pytest.mark.skip(reason="the cut may fall into a transaction that the shutdown has to wait for")
@pytest.mark.prove
def test_a_node_that_is_cut_off_in_one_direction_holds_a_shutdown_up_for_its_lease_only(stage: Stage) -> None:
    with stage.fleet("a", "b", behind_proxy="b") as fleet:
        reader = fleet.readers_and_writers(stage.directory)
        with stage.proxies["b"].holding() as held:
            assert held.caught.wait(30)
            shutdown = fleet.shut_down("a")
            waiting = fleet.asking(reader, 4)
        assert [call.ok for each in waiting for call in each.result(60)] == [False] * 4
        fleet.ask(reader, 5)
        fleet.judge(shutdown)
        assert "waited_out" in shutdown.outcomes()


# --- a database that is slow, or gone ---------------------------------------------------------------------------------


@pytest.mark.prove
@pytest.mark.parametrize(("through", "delay_s"), [("a", 0.12), ("b", 0.01)], ids=["of-a-node", "of-the-coordinator"])
def test_a_slow_way_to_the_database_costs_answers_and_not_the_promise(
    stage: Stage, through: str, delay_s: float
) -> None:
    """The longer delay makes a renewal take longer than the lease."""
    with stage.fleet("a", "b", behind_proxy="b", lease="600ms") as fleet:
        reader = fleet.readers_and_writers(stage.directory)
        stage.proxies["b"].delay_s = delay_s
        shutdown = fleet.shut_down(through)
        fleet.ask(reader, 3)
        stage.proxies["b"].delay_s = 0
        fleet.judge(shutdown)


def test_a_node_without_a_database_says_yes_no_more_and_comes_back_with_it(stage: Stage) -> None:
    with stage.fleet("a", "b", behind_proxy="b") as fleet:
        reader = fleet.readers_and_writers(stage.directory)
        other = fleet.visitor("write", "b", fleet.connect("bob", OTHER_CLIENT))
        stage.proxies["b"].vanish()
        shutdown = fleet.shut_down("a")
        assert {call.status for call in fleet.ask(reader, 5)} == {503}
        stage.proxies["b"].come_back()
        back = fleet.until_ok(other)
        assert fleet.ask(reader)[0].status in (401, 503)
        assert back > shutdown.at
        fleet.judge(shutdown)


def test_a_coordinator_that_loses_its_database_does_not_say_that_it_is_done(stage: Stage) -> None:
    with stage.fleet("a", "b", behind_proxy="a") as fleet:
        fleet.readers_and_writers(stage.directory)
        fleet["a"].steps.arm("waiting")
        unknown = fleet.shutting_down("a", op_id="once")
        fleet["a"].steps.reached("waiting")
        stage.proxies["a"].vanish()
        fleet["a"].steps.go("waiting")
        assert unknown.result(60).status == 503
        shutdown = fleet.shut_down("b", op_id="once")
        stage.proxies["a"].come_back()
        fleet.judge(shutdown)
        assert shutdown.receipt["op_id"] == "once"


# --- an answer to COMMIT is lost --------------------------------------------------------------------------------------


def _a_lost_answer_to_the_commit(stage: Stage, build: str | None = None) -> None:
    with stage.fleet("a", "b", behind_proxy="a", build=build, lease=_lease(build)) as fleet:
        fleet.readers_and_writers(stage.directory)
        lost = stage.proxies["a"].losing(after=SHUTDOWN, answer=COMMITTED)
        shutdown = fleet.shut_down("a", op_id="once")
        assert lost.caught.is_set()
        fleet.judge(shutdown)
        assert (shutdown.receipt["op_id"], shutdown.receipt["epoch"]) == ("once", 2)


def test_a_shutdown_whose_commit_was_not_answered_is_found_done_and_finished(stage: Stage) -> None:
    _a_lost_answer_to_the_commit(stage)
