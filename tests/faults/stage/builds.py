"""Builds of the broker that are broken on purpose, for processes of their own: each in the way that its name says.

A fault test is believed only when it fails on those that it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import bindparam, update

from broker.enforcement.node import Admission, Cell, Node
from broker.operations import context, shutdowns
from broker.operations.shutdowns import Receipt
from broker.store import schema
from broker.store.engine.statements import Statement
from broker.store.evidence import shutdowns as stored
from broker.store.revocations import nodes
from tests.broken import builds as within_one_process

Build = Callable[[pytest.MonkeyPatch], None]


def without_waiting(patch: pytest.MonkeyPatch) -> None:
    """The coordinator does not wait for any node."""
    patch.setattr(context, "settle", lambda *_, **__: [])


def without_waiting_as_second(patch: pytest.MonkeyPatch) -> None:
    """Who finds the feature shut down by somebody else returns at once, though that one still waits."""
    original = shutdowns.shut_down

    def shut_down(running: context.Runtime, actor: str, feature_id: str, **options: Any) -> Receipt:
        with running.read() as reading:
            latest = stored.latest(reading.transaction, feature_id)
        return original(running, actor, feature_id, **options) if latest is None else shutdowns.receipt(latest)

    patch.setattr(shutdowns, "shut_down", shut_down)


def without_draining(patch: pytest.MonkeyPatch) -> None:
    """A node confirms what it has heard although requests are in flight that were judged before."""

    def drain(self: Node) -> None:
        while self._draining and self._cell is not None and self._cell.version >= self._draining[0][0]:
            self._flush()
            self._confirmed = self._draining.popleft()[0]

    patch.setattr(Node, "_drain", drain)


def with_leases_counted_from_the_answer(patch: pytest.MonkeyPatch) -> None:
    """A lease begins when the answer is there, not when it was asked for."""
    install = Node._install

    def counted_from_now(self: Node, cell: Cell) -> None:
        assert self._registration is not None
        install(self, replace(cell, until=self._clock() + self._registration.lease_us))

    patch.setattr(Node, "_install", counted_from_now)


def with_leases_that_never_end(patch: pytest.MonkeyPatch) -> None:
    """A node says yes until it hears otherwise."""
    install = Node._install
    patch.setattr(Node, "_install", lambda self, cell: install(self, replace(cell, until=cell.until + 10**12)))


def with_late_answers_kept(patch: pytest.MonkeyPatch) -> None:
    """What was read of a token is remembered as of when it came in, not as of when it was read."""
    admit = Node.admit

    def dated_late(self: Node, token_hash: bytes, needed: Any, read: Callable[[], Any]) -> Admission:
        def late() -> Any:
            seen, cell = read(), self._cell
            return seen if seen is None or cell is None else replace(seen, position=cell.version)

        return admit(self, token_hash, needed, late)

    patch.setattr(Node, "admit", dated_late)


def with_retiring_that_waits_for_renewals(patch: pytest.MonkeyPatch) -> None:
    """A node that is waited out is retired when it has let go of its row."""
    n = schema.node.c
    where = (n.id == bindparam("node_id"), n.state == "live")
    patch.setattr(nodes, "_RETIRE", Statement(update(schema.node).where(*where).values(state="retiring")))


BUILDS: dict[str, Build] = {
    each.__name__: each
    for each in (
        without_waiting, without_waiting_as_second, without_draining, with_leases_counted_from_the_answer,
        with_leases_that_never_end, with_late_answers_kept, with_retiring_that_waits_for_renewals,
        within_one_process.without_fence,
    )
}  # fmt: skip
