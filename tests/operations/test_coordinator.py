"""Waiting for nodes: by confirmations, else by the clock, and never less. One thread; time passes only in pauses."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from broker.domain.audit import Action
from broker.domain.errors import NotFound, Undecided
from broker.operations import nodes as operations
from broker.operations.context import Context
from broker.operations.coordinator import CONFIRMED, WAITED_OUT, Outcome, StoredNodes, Tell, settle, wait_us
from broker.store.revocations import nodes
from broker.store.revocations.nodes import Node
from tests.concurrency import LIMIT_S, in_thread
from tests.world import World

POSITION, NEVER, START = 20, 10**12, 5_000_000
SECOND = 1_000_000


@dataclass
class Fleet:
    """Nodes that confirm at given times, as a database would tell of them; and the clock by which they do."""

    confirms: dict[str, int]
    leases: dict[str, int] = field(default_factory=dict)
    now: int = START
    woken: list[int] = field(default_factory=list)
    retired: list[tuple[str, int]] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    retiring: set[str] = field(default_factory=set)
    silent_from: int = NEVER
    costs: int = 0

    def all(self) -> list[Node]:
        return self._nodes(everybody=True)

    def behind(self, position: int) -> list[Node]:
        assert position == POSITION
        return self._nodes(everybody=False)

    def _nodes(self, *, everybody: bool) -> list[Node]:
        self.asked.append(self.now)
        if self.now >= self.silent_from:
            raise Undecided("the database does not answer")
        found = [self._node(name) for name, at in self.confirms.items() if everybody or at > self.now]
        self.now += self.costs
        return found

    def _node(self, name: str) -> Node:
        state = "retiring" if name in self.retiring else "live"
        confirmed = 0 if self.confirms[name] > self.now else POSITION
        return Node(name, None, state, self.leases.get(name, SECOND), 0, confirmed, 0, 0)

    def wake(self) -> None:
        self.woken.append(self.now)

    def retire(self, node_id: str) -> None:
        self.retired.append((node_id, self.now))

    def ticks(self) -> int:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += max(1, round(seconds * SECOND))

    def settle(self, tell: Tell | None = None) -> list[Outcome]:
        """Wait for it; the outcomes."""
        return settle(self, POSITION, self.ticks, pause=self.pause, tell=tell)


def test_where_there_is_nobody_nobody_is_waited_for() -> None:
    fleet = Fleet({})
    assert fleet.settle() == []
    assert (fleet.now, fleet.woken, len(fleet.asked)) == (START, [], 1)


def test_whoever_has_confirmed_before_it_was_asked_is_named_too() -> None:
    fleet = Fleet({"n1": 0, "n2": START + 5_000})
    assert [(each.node, each.outcome) for each in fleet.settle()] == [("n1", CONFIRMED), ("n2", CONFIRMED)]
    fleet = Fleet({"n1": 0})
    assert fleet.settle() == [Outcome("n1", CONFIRMED, 0.0)]
    assert (fleet.now, fleet.woken, len(fleet.asked)) == (START, [], 1), "and costs nothing"


def test_it_returns_when_the_last_has_confirmed_and_not_before() -> None:
    fleet = Fleet({"n1": START + 5_000, "n2": START + 31_000})
    outcomes = fleet.settle()
    assert [(each.node, each.outcome) for each in outcomes] == [("n1", CONFIRMED), ("n2", CONFIRMED)]
    assert START + 31_000 <= fleet.now <= START + 34_000
    assert 5 <= outcomes[0].ms <= 8
    assert 31 <= outcomes[1].ms <= 34
    assert fleet.retired == []
    assert fleet.woken == [START], "those that listen are woken once"


def test_a_dead_node_is_waited_out_for_exactly_its_lease_and_retired() -> None:
    fleet = Fleet({"n1": NEVER, "n2": START + 1_000})
    outcomes = fleet.settle()
    until = START + wait_us(SECOND)
    assert [(each.node, each.outcome) for each in outcomes] == [("n1", WAITED_OUT), ("n2", CONFIRMED)]
    assert fleet.retired == [("n1", fleet.now)]
    assert until <= fleet.now <= until + 200, "not before, and not a pause later"
    assert outcomes[0].ms >= wait_us(SECOND) / 1000


def test_the_wait_counts_from_before_the_nodes_are_listed() -> None:
    fleet = Fleet({"n1": NEVER}, costs=7_000)
    fleet.settle()
    assert START + wait_us(SECOND) <= fleet.now <= START + wait_us(SECOND) + 8_000


def test_of_mixed_leases_the_longest_counts_for_all() -> None:
    fleet = Fleet({"n1": NEVER, "n2": NEVER, "n3": START + 1}, {"n1": SECOND, "n2": 3 * SECOND, "n3": SECOND // 5})
    outcomes = fleet.settle()
    assert fleet.now >= START + wait_us(3 * SECOND)
    assert [each.outcome for each in outcomes] == [WAITED_OUT, WAITED_OUT, CONFIRMED]
    assert {name for name, _ in fleet.retired} == {"n1", "n2"}


def test_a_confirmation_in_the_last_moment_is_a_confirmation() -> None:
    fleet = Fleet({"n1": START + wait_us(SECOND) - 50})
    (outcome,) = fleet.settle()
    assert outcome.outcome == CONFIRMED
    assert fleet.retired == []


def test_a_retiring_node_that_is_forgotten_meanwhile_has_not_confirmed() -> None:
    fleet = Fleet({"n1": START + 10_000, "n2": START + 10_000}, retiring={"n1"})
    assert [each.outcome for each in fleet.settle()] == [WAITED_OUT, CONFIRMED]
    assert fleet.retired == []


def test_a_node_that_registers_later_is_not_waited_for() -> None:
    """It reads later, and so has the narrowing in its first snapshot."""
    fleet = Fleet({"n1": START + 10_000})

    def join(_: Sequence[str]) -> None:
        fleet.confirms["n2"] = NEVER

    assert [each.node for each in fleet.settle(join)] == ["n1"]
    assert fleet.now < START + 20_000


def test_who_is_awaited_is_told_while_it_is() -> None:
    fleet, told = Fleet({"n1": START + 5_000, "n2": START + 9_000}), list[tuple[str, ...]]()
    fleet.settle(lambda awaited: told.append(tuple(awaited)))
    assert list(dict.fromkeys(told)) == [("n1", "n2"), ("n2",)]


@pytest.mark.parametrize("after", [0, 10_000], ids=["from the start", "while it waits"])
def test_a_database_that_does_not_answer_is_no_success(after: int) -> None:
    fleet = Fleet({"n1": NEVER}, silent_from=START + after)
    with pytest.raises(Undecided):
        fleet.settle()
    assert fleet.retired == []
    assert fleet.now < START + wait_us(SECOND)


def test_a_retirement_that_fails_is_no_success() -> None:
    fleet = Fleet({"n1": NEVER})
    fleet.retire = _fails  # type: ignore[method-assign]
    with pytest.raises(Undecided):
        fleet.settle()


def _fails(node_id: str) -> None:
    raise Undecided(f"{node_id} cannot be retired")


@pytest.mark.parametrize("lease_us", [200_000, 3_000_000, 10_000_000])
@pytest.mark.parametrize("coordinator", [0.99, 1.0, 1.01])
@pytest.mark.parametrize("node", [0.99, 1.0, 1.01])
def test_no_lease_outlasts_the_wait_whichever_clock_is_slow(lease_us: int, coordinator: float, node: float) -> None:
    """A lease is taken just before the commit. Clocks run at 99 to 101 % of true time."""
    true_end_of_lease = lease_us / node
    true_end_of_wait = wait_us(lease_us) / coordinator
    assert true_end_of_wait > true_end_of_lease


# --- the nodes of a database ------------------------------------------------------------------------------------------


def _registered(world: World, lease_us: int = 300_000) -> tuple[str, str]:
    with world.write("broker") as context:
        name, registration = operations.register(context, lease_us)
    return name, registration.handle


def _poll(world: World, handle: str, after: int, confirmed: int) -> int:
    with world.write("broker") as context:
        return operations.poll(context, handle, after, confirmed).position


def test_a_narrowing_waits_out_a_node_that_is_silent_and_retires_it(world: World) -> None:
    name, _ = _registered(world)
    ticks = world.runtime.ticks()
    with world.write() as context:
        position = context.record(Action.GRANT_ENDED, "grant:7")
    assert world.runtime.ticks() - ticks >= wait_us(300_000)
    with world.read() as context:
        (node,) = nodes.all(context.transaction)
    assert (node.id, node.state) == (name, "retiring")
    assert StoredNodes(world.database).behind(position) == [node]


def test_a_narrowing_returns_when_the_node_has_confirmed_it(world: World) -> None:
    name, handle = _registered(world, 10_000_000)
    with world.runtime.write("operator:ops", settles=False) as context:
        position = context.record(Action.GRANT_ENDED, "grant:7")
    awaiting, other = threading.Event(), world.other_node()
    waiting = in_thread(partial(other.runtime.wait_for_nodes, position, lambda _: awaiting.set()))
    assert awaiting.wait(LIMIT_S)
    assert _poll(world, handle, 0, 0) == position
    assert not waiting.done(), "that it was told is not that it has confirmed"
    _poll(world, handle, position, position)
    assert [(each.node, each.outcome) for each in waiting.result(LIMIT_S)] == [(name, CONFIRMED)]
    other.close()


@pytest.mark.parametrize("action", [Action.FEATURE_RESUMED, Action.CONSENT_DENIED])
def test_what_narrows_nothing_waits_for_nobody(world: World, action: Action) -> None:
    _registered(world, 10_000_000)
    ticks = world.runtime.ticks()
    with world.write() as context:
        context.record(action, "feature:share-a-track")
    assert world.runtime.ticks() - ticks < 100_000


def _narrow_and_fail(context: Context) -> None:
    context.record(Action.GRANT_ENDED, "grant:7")
    operations.retire(context, "n0")


def test_a_narrowing_that_is_rolled_back_waits_for_nobody(world: World) -> None:
    _registered(world, 10_000_000)
    ticks = world.runtime.ticks()
    with pytest.raises(NotFound), world.write() as context:
        _narrow_and_fail(context)
    assert world.runtime.ticks() - ticks < 100_000


def test_who_waits_may_do_it_itself(world: World) -> None:
    _registered(world, 10_000_000)
    ticks = world.runtime.ticks()
    with world.runtime.write("operator:ops", settles=False) as context:
        position = context.record(Action.GRANT_ENDED, "grant:7")
    assert world.runtime.ticks() - ticks < 100_000
    assert [each.confirmed < position for each in StoredNodes(world.database).behind(position)] == [True]
