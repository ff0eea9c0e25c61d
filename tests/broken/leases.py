"""Builds whose leases are broken on purpose, each in the one way that its name says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import bindparam, update

from broker.domain.decisions import Denied, Reason
from broker.enforcement.memory import Event, Memory, Seen
from broker.enforcement.node import Admission, Cell, Node
from broker.operations import context as contexts
from broker.operations.context import Context, Runtime
from broker.operations.coordinator import Outcome, StoredNodes, settle
from broker.store import schema as s
from broker.store.engine.statements import Statement
from broker.store.revocations import nodes

# --- the node ---------------------------------------------------------------------------------------------------------


def without_draining(patch: pytest.MonkeyPatch) -> None:
    """A position is confirmed when it was heard of, whoever is still in flight."""

    def drain(self: Node) -> None:
        while self._draining:
            self._confirmed = self._draining.popleft()[0]

    patch.setattr(Node, "_drain", drain)


def with_a_lease_from_the_receipt(patch: pytest.MonkeyPatch) -> None:
    """The lease counts from when the answer came."""
    install = Node._install

    def later(self: Node, cell: Cell) -> None:
        assert self._registration is not None
        install(self, replace(cell, until=self._clock() + self._registration.lease_us))

    patch.setattr(Node, "_install", later)


def with_the_cell_before_the_marks(patch: pytest.MonkeyPatch) -> None:
    """The new cell is there before what has changed is noted."""
    take = Node._take

    def install_first(self: Node, events: Iterable[Event], position: int) -> None:
        assert self._cell is not None
        self._install(replace(self._cell, version=position))
        take(self, events, position)

    patch.setattr(Node, "_take", install_first)


def with_a_late_answer_believed(patch: pytest.MonkeyPatch) -> None:
    """What is read on first sight is remembered and used, whatever has been heard since."""
    judged = Node._judged

    def admit(self: Node, token_hash: bytes, needed: Set[str], read: Callable[[], Seen | None]) -> Admission:
        seen = self.memory.get(token_hash) or read()
        if seen is None:
            return Admission(Denied(Reason.UNKNOWN_TOKEN))
        self.memory.put(token_hash, seen)
        return judged(self, seen, needed) or Admission(seen.decision(needed))

    patch.setattr(Node, "admit", admit)


def without_looking_again(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the lease again before the answer leaves."""
    patch.setattr(Admission, "recheck", lambda self: None)


def without_leaving(patch: pytest.MonkeyPatch) -> None:
    """Who leaves, or is gone, keeps the lease that it has."""
    patch.setattr(Node, "_forget", lambda self: None)


# --- its memory -------------------------------------------------------------------------------------------------------


def without_marks(patch: pytest.MonkeyPatch) -> None:
    """What has changed is heard, and not noted."""
    patch.setattr(Memory, "note", lambda self, events: None)


def without_a_floor_for_what_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Forgetting a mark leaves nothing in its place."""
    note = Memory.note

    def forgetful(self: Memory, events: Iterable[Event]) -> None:
        before = self._floor
        note(self, events)
        self._floor = before

    patch.setattr(Memory, "note", forgetful)


def without_a_floor_for_what_was_before(patch: pytest.MonkeyPatch) -> None:
    """A new registration forgets all, and believes whoever comes late with something older."""
    clear = Memory.clear
    patch.setattr(Memory, "clear", lambda self, floor: clear(self, 0))


# --- who waits for it -------------------------------------------------------------------------------------------------


def without_waiting(patch: pytest.MonkeyPatch) -> None:
    """Whatever narrows returns once it has committed."""
    patch.setattr(contexts, "settle", lambda *_, **__: [])


def without_the_rows_being_checked(patch: pytest.MonkeyPatch) -> None:
    """A retired node renews as if it were live."""
    renewing = (
        update(s.node).where(s.node.c.handle == bindparam("secret"))
        .values(confirmed=s.node.c.confirmed, renewed_at=bindparam("at")).returning(*nodes._COLUMNS)
    )  # fmt: skip
    patch.setattr(nodes, "_RENEW", Statement(renewing))


def _writing(wait: Callable[[Runtime, int, int, set[str]], list[Outcome]]) -> Callable[..., object]:
    """A ``Runtime.write`` that notes the clock and the nodes before its transaction, and gives them to its wait."""

    @contextmanager
    def write(self: Runtime, actor: str, *, settles: bool = True) -> Iterator[Context]:
        begun, known = self.ticks(), {each.id for each in StoredNodes(self.database).behind(1 << 62)}
        with self.database.write() as transaction:
            yield contexts.begin(transaction, self.settings, actor, self.randomness)
        if settles and transaction.narrowed_at is not None:
            wait(self, transaction.narrowed_at, begun, known)

    return write


def with_the_nodes_of_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """Those are waited for who were there when it began."""

    def wait(running: Runtime, position: int, _: int, known: set[str]) -> list[Outcome]:
        return running.wait_for_nodes(position) if known else []

    patch.setattr(Runtime, "write", _writing(wait))


def with_the_clock_of_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """The wait counts from when the transaction began."""

    def wait(running: Runtime, position: int, begun: int, _: set[str]) -> list[Outcome]:
        behind = iter([begun])
        return settle(StoredNodes(running.database), position, lambda: next(behind, None) or running.ticks())

    patch.setattr(Runtime, "write", _writing(wait))
