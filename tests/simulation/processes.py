"""Processes of the simulation: the broker's workers and resource servers elsewhere, each with the real node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from broker.domain.errors import Undecided
from broker.domain.tokens import digest
from broker.enforcement import node as node_module
from broker.enforcement.memory import Event as Change
from broker.enforcement.memory import Memory, Seen
from broker.enforcement.node import Cell, Feed, Gone, News, Node, Registration
from broker.enforcement.renewing import Renewing
from broker.operations import coordinator, nodes
from broker.operations.context import Runtime
from broker.operations.coordinator import Outcome, StoredNodes, Tell
from broker.settings import Settings
from broker.store import standing
from broker.store.engine import database as engine
from broker.store.revocations import nodes as stored
from broker.web.authorities import seen
from tests.simulation.checking import Checker
from tests.simulation.database import Database
from tests.simulation.scheduler import Event, Process, Scheduler

Result = TypeVar("Result")
_CALL_TIMEOUT = 1_000_000


class SimMemory(Memory):
    """The real memory, which lets others run between its steps."""

    def __init__(self, scheduler: Scheduler, *, decisions: int, marks: int) -> None:
        super().__init__(decisions=decisions, marks=marks)
        self._scheduler = scheduler

    def get(self, token_hash: bytes) -> Seen | None:
        self._scheduler.give_way()
        return super().get(token_hash)

    def put(self, token_hash: bytes, seen: Seen) -> None:
        self._scheduler.give_way()
        if len(self._seen) >= self._most_decisions:
            self._scheduler.happened["decision evicted"] += 1
        super().put(token_hash, seen)

    def holds(self, seen: Seen) -> bool:
        self._scheduler.give_way()
        found = super().holds(seen)
        if not found:
            why = "below the floor" if seen.position < self._floor else "marked"
            self._scheduler.happened[f"stale, {why}"] += 1
        return found

    def note(self, events: Iterable[Change]) -> None:
        self._scheduler.give_way()
        super().note(events)
        self._scheduler.give_way()

    def clear(self, floor: int) -> None:
        self._scheduler.give_way()
        super().clear(floor)


class SimNode(Node):
    """The real node, which lets others run before it looks at its cell, at its clock, and before it changes the cell.

    ``names`` are the incarnations that it has registered.
    """

    def __init__(
        self, process: Process, feed: Feed, scheduler: Scheduler, memory: Memory, lease_us: int
    ) -> None:  # fmt: skip
        self.process, self.scheduler, self.node_lease = process, scheduler, lease_us
        self.names: list[str] = []
        self._kept: Cell | None = None

        def clock() -> int:
            scheduler.give_way()
            return self.ticks()

        def flush() -> None:
            scheduler.happened["flushed"] += 1
            scheduler.give_way()

        super().__init__(feed, clock, memory=memory, flush=flush, margin_us=node_module.MARGIN_US)

    def ticks(self) -> int:
        return self.process.offset + int(self.scheduler.now * self.process.rate)

    @property
    def cell(self) -> Cell | None:
        return self._kept

    @property
    def _cell(self) -> Cell | None:
        self.scheduler.give_way()
        return self._kept

    @_cell.setter
    def _cell(self, cell: Cell | None) -> None:
        if self._kept is not None and cell is None:
            self.scheduler.say("forgets its registration", "registers anew")
        self._kept = cell

    def says_yes_before(self, position: int) -> bool:
        """Whether it would admit by a lease that lacks a position at this moment."""
        cell = self._kept
        return cell is not None and cell.version < position and self.ticks() < cell.until - self._margin


class SimRuntime(Runtime):
    """A broker's runtime whose waits pass in virtual time, and are checked when they return."""

    def __init__(self, process: Process, scheduler: Scheduler, checker: Checker) -> None:
        for name, value in (
            ("database", cast(engine.Database, Database(checker.server))),
            ("settings", cast(Settings, None)),
            ("randomness", scheduler.random.randbytes),
            ("ticks", lambda: process.offset + int(scheduler.now * process.rate)),
            ("spools", None), ("process", process), ("scheduler", scheduler), ("checker", checker),
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    process: Process
    scheduler: Scheduler
    checker: Checker

    def wait_for_nodes(self, position: int, tell: Tell | None = None) -> list[Outcome]:
        scheduler, process = self.scheduler, self.process
        begun, stopped = scheduler.now, process.stopped_us

        def pause(seconds: float) -> None:
            scheduler.sleep(int(seconds * 1e6) + scheduler.random.randrange(2_000, 120_000))

        known = StoredNodes(self.database)
        outcomes = coordinator.settle(known, position, self.ticks, pause=pause, tell=tell)
        for each in outcomes:
            scheduler.say(f"{position}: {each.node} {each.outcome}", each.outcome)
        self.checker.settled(position, outcomes, process, scheduler.now - begun, process.stopped_us - stopped)
        return outcomes


class OwnFeed(nodes.OwnFeed):
    """The real feed of a worker; it remembers under which names it was registered."""

    names: list[str]

    def register(self) -> Registration:
        registration = super().register()
        rows = cast(SimRuntime, self.runtime).checker.server.rows
        self.names.append(rows["handle", digest(registration.handle)])
        return registration


class RemoteFeed:
    """A resource server's feed: each question goes to some worker, and may be answered late, twice as late, or never.

    A question that was given up may still arrive, after later ones.
    """

    def __init__(self, scheduler: Scheduler, lease_us: int, brokers: Callable[[], list[SimRuntime]]) -> None:
        self.scheduler, self._lease_us, self._brokers = scheduler, lease_us, brokers
        self.names: list[str] = []

    def ask(self, question: Callable[[SimRuntime], Result]) -> Result:
        """Have a worker answer; ``Undecided`` if no answer comes in time."""
        scheduler, asker, answers = self.scheduler, self.scheduler.process, list[Any]()
        brokers = self._brokers()
        if not brokers:
            scheduler.sleep(_CALL_TIMEOUT)
            raise Undecided("no broker is there")
        runtime = scheduler.random.choice(brokers)

        def serve() -> None:
            try:
                answers.append(question(runtime))
            except (Gone, Undecided) as error:
                answers.append(error)

        delay, given_up = self._delay(), scheduler.now + _CALL_TIMEOUT
        if asker.loses_requests_until <= scheduler.now:
            scheduler.spawn(runtime.process, serve, delay)
        while not answers and scheduler.now < given_up:
            scheduler.sleep(self._delay() // 2 + 5_000)
        if not answers or asker.loses_replies_until > scheduler.now:
            scheduler.say("no answer in time", "question given up")
            scheduler.sleep(max(0, given_up - scheduler.now))
            raise Undecided("no answer")
        if isinstance(answers[0], Exception):
            raise answers[0]
        return cast(Result, answers[0])

    def _delay(self) -> int:
        late = self.scheduler.random.random() < 0.02
        if late:
            self.scheduler.happened["late question"] += 1
        return self.scheduler.random.randrange(200_000, 2_500_000) if late else self.scheduler.random.randrange(5_000)

    def register(self) -> Registration:
        name, registration = self.ask(self._register)
        self.names.append(name)
        return registration

    def _register(self, runtime: SimRuntime) -> tuple[str, Registration]:
        with runtime.write("client:palaver-search") as context:
            return nodes.register(context, self._lease_us)

    def poll(self, handle: str, after: int, confirmed: int) -> News:
        def question(runtime: SimRuntime) -> News:
            with runtime.write("client:palaver-search") as context:
                return nodes.poll(context, handle, after, confirmed)

        return self.ask(question)

    def leave(self, handle: str) -> None:
        def question(runtime: SimRuntime) -> None:
            with runtime.database.write() as transaction:
                stored.leave(transaction, digest(handle))

        self.ask(question)


def read_here(runtime: SimRuntime, node: SimNode, token_hash: bytes) -> Seen | None:
    """First sight of a token in a snapshot of the database, dated by the reader's clock before it."""
    begun = node.ticks()
    with runtime.database.single() as transaction:
        found = standing.read(transaction, token_hash)
    return None if found is None else seen(found, begun)


def read_afar(feed: RemoteFeed, node: SimNode, token_hash: bytes) -> Seen | None:
    """The same through a worker."""
    begun = node.ticks()

    def question(runtime: SimRuntime) -> Any:
        with runtime.database.single() as transaction:
            return standing.read(transaction, token_hash)

    found = feed.ask(question)
    return None if found is None else seen(found, begun)


def renewing(node: SimNode, scheduler: Scheduler, lease_us: int) -> None:
    """The real renewing, without its thread; a failure that is not ``Undecided`` is one of ours."""
    node.finished = Event(scheduler)  # type: ignore[assignment]

    def failed(error: Exception) -> None:
        if not isinstance(error, Undecided):
            raise AssertionError("renewing failed") from error

    found = Renewing(node, period_s=lease_us / 3e6, failed=failed, wait=Event(scheduler).wait)
    found._ended = Event(scheduler)  # type: ignore[assignment]
    found._run()
