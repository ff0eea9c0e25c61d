"""Leased nodes in this process, each with a guard and a renewing thread of its own, to ask as fast as can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.broker.seed import FEATURE, LEASED
from broker.domain.decisions import Allowed
from broker.domain.errors import Undecided
from broker.domain.scopes import MESSAGES_READ
from broker.enforcement.bearer import token_hash
from broker.enforcement.guard import Guard
from broker.enforcement.memory import Seen
from broker.enforcement.node import Node
from broker.enforcement.renewing import Renewing
from broker.operations.context import Runtime
from broker.operations.nodes import OwnFeed
from broker.settings import load
from broker.store.revocations.listening import Listener
from broker.web.authorities import LeasedAuthority
from broker.web.request_context import SINGLE, serving

_NEEDED = frozenset({MESSAGES_READ})


@dataclass(slots=True)
class Tried:
    """How many requests were tried, how many of them admitted, how many answered neither yes nor no."""

    requests: int = 0
    admitted: int = 0
    undecided: int = 0


class Asked:
    """Nodes to which the same tokens are shown."""

    def __init__(self, running: Runtime, nodes: Sequence[Node], headers: Sequence[str]) -> None:
        self._running, self._headers = running, headers
        self._guards = [(node, Guard(LeasedAuthority(node), lambda _record: None)) for node in nodes]
        self._remembered: dict[tuple[int, str], Seen] = {}

    def remember(self) -> None:
        """Have each node admit each token, and keep what it remembers of it. RuntimeError if one does not."""
        for number, (node, guard) in enumerate(self._guards):
            for header in self._headers:
                hash, tried = token_hash(header), Tried()
                self._ask(guard, header, tried)
                seen = None if hash is None else node.memory.get(hash)
                if not tried.admitted or seen is None:
                    raise RuntimeError(f"a node does not admit {FEATURE} before its shutdown")
                self._remembered[number, header] = seen

    def try_again(self, tried: Tried) -> None:
        """Show each token to each node once more, which finds in its memory what it remembered at first: as if an
        answer from before the shutdown had come late."""
        for number, (node, guard) in enumerate(self._guards):
            for header in self._headers:
                hash = token_hash(header)
                assert hash is not None
                node.memory.put(hash, self._remembered[number, header])
                self._ask(guard, header, tried)

    def _ask(self, guard: Guard, header: str, tried: Tried) -> None:
        tried.requests += 1
        try:
            with serving(SINGLE, self._running):
                admission = guard.admit(header, _NEEDED)
        except Undecided:
            tried.undecided += 1
            return
        tried.admitted += isinstance(admission.decision, Allowed)
        admission.done()


@contextmanager
def asked(running: Runtime, headers: Sequence[str], count: int) -> Iterator[Asked]:
    """As many nodes on a database, renewing as workers do while the block runs."""
    enforcement = load(LEASED).enforcement
    nodes = [Node(OwnFeed(running, enforcement.lease_us), running.ticks) for _ in range(count)]
    renewing = [
        Renewing(node, period_s=enforcement.lease_ms / 3_000, wait=Listener(running.database).wait) for node in nodes
    ]
    for node, each in zip(nodes, renewing, strict=True):
        node.renew()
        each.start()
    try:
        yield Asked(running, nodes, headers)
    finally:
        for each in renewing:
            each.stop()
