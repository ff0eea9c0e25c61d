"""A worker of a leased broker without the web: a node on a world's database, kept by its own thread or by hand."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from broker.domain.decisions import Denied
from broker.domain.errors import Undecided
from broker.domain.tokens import digest
from broker.enforcement.memory import Seen
from broker.enforcement.node import Admission, Node
from broker.enforcement.renewing import Renewing
from broker.operations.nodes import OwnFeed
from broker.store import standing
from broker.store.revocations.listening import Listener
from broker.web.authorities import seen
from broker.web.runtime import ticks
from tests.world import World

LEASE_US, HASTY_US = 3_000_000, 300_000
"""Long enough for a busy machine to confirm in, and short enough to be waited out."""
_PERIOD_S = 0.05
UNDECIDED = "undecided"


@dataclass
class Worker:
    """A node, and how it reads what it has not seen; ``clock`` is its own."""

    world: World
    node: Node
    clock: Callable[[], int]
    readings: list[str] = field(default_factory=list)

    def read(self, token: str) -> Seen | None:
        """What the database says of a token now, as the node would remember it."""
        begun = self.clock()
        with self.world.read() as context:
            found = standing.read(context.transaction, digest(token))
        self.readings.append(token)
        return None if found is None else seen(found, begun)

    def admits(self, token: str, *scopes: str, read: Callable[[], Seen | None] | None = None) -> Admission:
        """Judge one request; ``read`` in place of asking the database. The caller says when it is done."""
        return self.node.admit(digest(token), frozenset(scopes), read or (lambda: self.read(token)))

    def says(self, token: str, *scopes: str, read: Callable[[], Seen | None] | None = None) -> str:
        """The decision in one word: ``allowed``, the reason against it, or ``undecided``."""
        try:
            admission = self.admits(token, *scopes, read=read)
        except Undecided:
            return UNDECIDED
        admission.done()
        decision = admission.decision
        return decision.reason.value if isinstance(decision, Denied) else "allowed"

    def sees(self, token: str, *scopes: str) -> Seen:
        """Have a token that is allowed remembered; what the database said of it just now."""
        found = self.read(token)
        assert found is not None
        assert self.says(token, *scopes) == "allowed"
        before = len(self.readings)
        assert self.says(token, *scopes) == "allowed"
        assert len(self.readings) == before, "it is remembered"
        return found


@contextmanager
def at_work(world: World, lease_us: int = LEASE_US) -> Iterator[Worker]:
    """A worker as a server has it: renewing in a thread, woken by the database, on a clock that runs.

    From then on the world's own narrowings wait on a clock that runs, too.
    """
    world.runtime = replace(world.runtime, ticks=ticks)
    other = world.other_node()
    listener = Listener(other.database)
    node = Node(OwnFeed(replace(other.runtime, ticks=ticks), lease_us), ticks)
    failures: list[Exception] = []
    renewing = Renewing(node, period_s=_PERIOD_S, wait=listener.wait, failed=failures.append)
    node.renew()
    renewing.start()
    try:
        yield Worker(world, node, ticks)
    finally:
        renewing.stop()
        listener.close()
        other.close()
    # Retired with an answer in flight, it registers anew when that was handed on.
    assert [each for each in failures if "still in flight" not in str(each)] == []


class Clock:
    """A node's clock that a test moves."""

    def __init__(self) -> None:
        self.now = 10**9

    def __call__(self) -> int:
        return self.now


def by_hand(world: World, clock: Clock, lease_us: int = 10_000_000) -> Worker:
    """A worker whose clock and renewals are the test's."""
    node = Node(OwnFeed(world.runtime, lease_us), clock)
    node.renew()
    return Worker(world, node, clock)


@contextmanager
def asking(worker: Worker, token: str, *scopes: str) -> Iterator[list[tuple[int, str]]]:
    """Ask again and again in a thread of its own; when each question was asked (on the worker's clock), and what it
    was answered."""
    answers: list[tuple[int, str]] = []
    over, begun = threading.Event(), threading.Event()

    def ask() -> None:
        for number in itertools.count():
            if over.is_set():
                return
            at = worker.clock()
            answers.append((at, worker.says(token, *scopes)))
            if number > 10:
                begun.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    assert begun.wait(30)
    try:
        yield answers
    finally:
        over.set()
        thread.join(30)
