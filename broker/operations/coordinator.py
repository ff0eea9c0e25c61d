"""Waiting until nobody can say yes any more: each node has confirmed, or its lease must have run out.

Called after a narrowing has committed. The clock is read first, then the nodes are listed in a transaction of their
own: who registers later reads later, and has the narrowing in its first snapshot. A lost connection is no evidence of
anything; only a confirmation is, or time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from broker.store.engine.database import Database
from broker.store.revocations import events, nodes
from broker.store.revocations.nodes import Node

CONFIRMED, WAITED_OUT = "confirmed", "waited_out"
_PAUSE_S = 0.002
_GRACE_US = 100_000

Tell = Callable[[Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a node came to say yes no more, and how many milliseconds after the commit that was known."""

    node: str
    outcome: str
    ms: float

    def document(self) -> dict[str, object]:
        """As the receipt shows it."""
        return asdict(self)


def wait_us(lease_us: int) -> int:
    """How long after a commit no lease that was taken before it can still run: clocks differ by 1 % in rate."""
    return lease_us * 102 // 100 + _GRACE_US


class Nodes(Protocol):
    """What the coordinator needs to know and do; each a transaction of its own. ``Undecided`` when it cannot be."""

    def all(self) -> list[Node]:
        """Every node."""
        ...

    def behind(self, position: int) -> list[Node]:
        """The nodes that have not confirmed a position."""
        ...

    def wake(self) -> None:
        """Have nodes look at once, where that is possible."""
        ...

    def retire(self, node_id: str) -> None:
        """Give a node no further lease."""
        ...


@dataclass(frozen=True, slots=True)
class StoredNodes:
    """The nodes as the database knows them."""

    database: Database

    def all(self) -> list[Node]:
        with self.database.single() as transaction:
            return nodes.all(transaction)

    def behind(self, position: int) -> list[Node]:
        with self.database.single() as transaction:
            return nodes.behind(transaction, position)

    def wake(self) -> None:
        with self.database.single() as transaction:
            events.wake(transaction)

    def retire(self, node_id: str) -> None:
        with self.database.write() as transaction:
            nodes.retire(transaction, node_id)


def settle(
    known: Nodes, position: int, ticks: Callable[[], int], *,
    pause: Callable[[float], object] = time.sleep, tell: Tell | None = None,
) -> list[Outcome]:  # fmt: skip
    """Wait until no node can act on what was before a committed position; what became of each node.

    ``ticks`` counts microseconds, also while the machine sleeps. ``Undecided`` if the database does not answer: the
    commit stands, and whoever asks again waits again. ``tell`` hears whenever others are awaited.
    """
    begun = ticks()
    listed = known.all()
    if not listed:
        return []
    at_once = round((ticks() - begun) / 1000, 1)
    outcomes = [Outcome(each.id, CONFIRMED, at_once) for each in listed if each.confirmed >= position]
    awaited = {each.id: each for each in listed if each.confirmed < position}
    if awaited:
        known.wake()
    until = begun + wait_us(max((each.lease_us for each in awaited.values()), default=0))
    while awaited:
        if tell is not None:
            tell(tuple(awaited))
        left = until - ticks()
        still = {each.id: each for each in known.behind(position)}
        late = ticks() >= until
        for node_id in [each for each in awaited if each not in still or late]:
            last = awaited.pop(node_id)
            # Who was seen retiring could confirm no more: if its row is gone, its lease has been waited out elsewhere.
            outcome = WAITED_OUT if node_id in still or last.state == "retiring" else CONFIRMED
            if node_id in still:
                known.retire(node_id)  # so that it costs one narrowing its wait, not every one
            outcomes.append(Outcome(node_id, outcome, round((ticks() - begun) / 1000, 1)))
        awaited = {each: still[each] for each in awaited}
        if awaited:
            pause(min(_PAUSE_S, max(left, 0) / 1_000_000 + 0.0001))
    return sorted(outcomes, key=lambda each: each.node)
