"""Nodes: register a process that will say yes from memory, hear what it confirms and tell it what has changed."""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.domain.errors import NotFound, Refused, Undecided
from broker.domain.tokens import digest
from broker.enforcement.node import Gone, News, Registration
from broker.operations.context import Context, Runtime
from broker.operations.coordinator import wait_us
from broker.operations.recovery import current
from broker.store.revocations import events, nodes
from broker.store.revocations.nodes import Node

MAX_LEASE_US = 10_000_000
MAX_NODES = 64
"""Of one resource server."""
_HANDLE_BYTES = 32
_SILENT_LEASES = 20


def register(context: Context, lease_us: int, resource_server_id: str | None = None) -> tuple[str, Registration]:
    """Register a process; its public name, and what it renews with. It gets its first lease from its first renewal."""
    if not 0 < lease_us <= MAX_LEASE_US:
        raise Refused(f"a lease lasts at most {MAX_LEASE_US // 1_000_000} seconds")
    if resource_server_id is not None and nodes.count(context.transaction, resource_server_id) >= MAX_NODES:
        raise Refused(f"{resource_server_id} has {MAX_NODES} nodes already; those that are gone are retired by and by")
    generation, position = events.head(context.transaction)
    handle = context.randomness(_HANDLE_BYTES).hex()
    node = Node(f"n{context.new_name()}", resource_server_id, "live", lease_us, position, position, context.now,
                context.now)  # fmt: skip
    nodes.add(context.transaction, node, digest(handle))
    return node.id, Registration(handle, generation, position, lease_us)


def poll(
    context: Context, handle: str, after: int, confirmed: int, resource_server_id: str | None = None,
    node_id: str | None = None,
) -> News:  # fmt: skip
    """Note what a node confirms, then tell it what came after a position; ``Gone`` if it must register anew.

    Of a resource server's node it is asked who it says that it is: a handle works for its own server and name alone.

    Its own row is looked at before the log: a node that is retired meanwhile has begun to renew before that.
    """
    node = nodes.renew(context.transaction, digest(handle), confirmed, context.now)
    if node is None or node.resource_server_id != resource_server_id or node_id not in (None, node.id):
        raise Gone
    if confirmed > node.sent:
        raise Refused("a node cannot confirm what it was never told")
    generation, head = events.head(context.transaction)
    if after > head:
        raise Gone
    position, found, complete = events.after(context.transaction, after)
    if position > node.sent:
        nodes.set_sent(context.transaction, node.id, position)
    return News(generation, position, tuple(found), complete, context.now)


def leave(context: Context, handle: str, resource_server_id: str, node_id: str) -> None:
    """Forget a resource server's node, which says that it says yes no more; ``Gone`` if it is not its own."""
    node = nodes.renew(context.transaction, digest(handle), 0, context.now)
    if node is None or (node.resource_server_id, node.id) != (resource_server_id, node_id):
        raise Gone
    nodes.leave(context.transaction, digest(handle))


@dataclass(frozen=True, slots=True)
class OwnFeed:
    """The feed of the broker's own workers: the database itself."""

    runtime: Runtime
    lease_us: int

    def register(self) -> Registration:
        self._require_current()
        with self.runtime.write("broker") as context:
            name, registration = register(context, self.lease_us)
            current.note_presence(context, name)
            return registration

    def poll(self, handle: str, after: int, confirmed: int) -> News:
        """What is heard stands in this machine's ledger before this returns, so before it is confirmed."""
        self._require_current()
        with self.runtime.write("broker") as context:
            news = poll(context, handle, after, confirmed)
        if news.position > after:
            current.hear(self.runtime, after)
        return news

    def _require_current(self) -> None:
        """No lease is taken from a database that is behind what was committed to it."""
        why = current.behind(self.runtime)
        if why is not None:
            raise Undecided(why)

    def leave(self, handle: str) -> None:
        """Say that this process says yes no more."""
        with self.runtime.database.write() as transaction:
            nodes.leave(transaction, digest(handle))


def retire(context: Context, node_id: str) -> None:
    """Give a node no further lease (an operator's decision); it is forgotten once its last must have run out."""
    if node_id not in {each.id for each in nodes.all(context.transaction)}:
        raise NotFound(f"there is no node {node_id!r}")
    nodes.retire(context.transaction, node_id)


@dataclass(slots=True)
class Housekeeping:
    """Retires the silent, and forgets the retired when no lease of theirs can run; by this process's own clock.

    A time in the database is no measure of how long ago something was: clocks are set.
    """

    runtime: Runtime
    _retiring_since: dict[str, int] = field(default_factory=dict)

    def once(self) -> int:
        """How many nodes were forgotten."""
        with self.runtime.read() as context:
            known, now = nodes.all(context.transaction), context.now
        silent = [
            each for each in known if each.state == "live" and each.renewed_at + _SILENT_LEASES * each.lease_us < now
        ]
        for node in silent:
            with self.runtime.database.write() as transaction:
                nodes.retire(transaction, node.id)
        retiring = {each.id: each for each in known if each.state == "retiring"}
        ticks = self.runtime.ticks()
        self._retiring_since = {each: self._retiring_since.get(each, ticks) for each in retiring}
        over = [
            each for each, since in self._retiring_since.items() if ticks > since + wait_us(retiring[each].lease_us)
        ]
        for node_id in over:
            with self.runtime.database.write() as transaction:
                nodes.remove(transaction, node_id)
        return len(over)
