"""What an operation is given: a transaction, the time, who acts, randomness, and the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from broker.domain.audit import NARROWING, Action
from broker.domain.errors import Undecided
from broker.domain.instants import SECOND, Instant
from broker.domain.tokens import RANDOM_BYTES, TokenKind, compose
from broker.operations.coordinator import Outcome, StoredNodes, Tell, settle
from broker.settings import Settings
from broker.store import clock
from broker.store.engine.database import Database, Transaction
from broker.store.evidence import audit

Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Context:
    """One transaction's worth of circumstances; nothing below reads a clock or makes an identifier of its own.

    ``actor`` is kind:name, as in user:alice, client:tuneloop-share, operator:ops, broker.
    """

    transaction: Transaction
    now: Instant
    actor: str
    randomness: Randomness
    settings: Settings

    def after(self, seconds: int) -> Instant:
        """The instant this many seconds from now."""
        return self.now + seconds * SECOND

    def new_secret(self, kind: TokenKind) -> str:
        """A fresh token, code or secret."""
        return compose(kind, self.randomness(RANDOM_BYTES))

    def new_number(self) -> int:
        """A fresh random identifier of 63 bits, which tells nothing about how many there are."""
        return int.from_bytes(self.randomness(8), "big") >> 1

    def new_name(self) -> str:
        """A fresh random identifier for people to copy: 16 hexadecimal digits."""
        return self.randomness(8).hex()

    def record(self, action: Action, subject: str, *, feature: str | None = None, **details: object) -> int:
        """Write the audit entry; its position. Locks the head, so it comes after all other locks."""
        position = audit.append(
            self.transaction, at=self.now, actor=self.actor, action=action.value, subject=subject, feature=feature,
            details=details,
        )  # fmt: skip
        if action in NARROWING:
            self.transaction.narrowed_at = position
        clock.raise_floor(self.transaction, self.now)
        return position


def begin(transaction: Transaction, settings: Settings, actor: str, randomness: Randomness) -> Context:
    """The context of a transaction that has just begun; its time is the database's."""
    return Context(transaction, clock.read(transaction), actor, randomness, settings)


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a running broker has: for those who open transactions themselves (the coordinator, jobs, web, cli).

    ``ticks`` counts microseconds from anywhere and only forward, also while the machine sleeps; ``spools`` is where
    this machine's workers keep theirs.
    """

    database: Database
    settings: Settings
    randomness: Randomness
    ticks: Callable[[], int]
    spools: Path

    @contextmanager
    def read(self, actor: str = "broker") -> Iterator[Context]:
        """A context in one snapshot."""
        with self.database.read() as transaction:
            yield begin(transaction, self.settings, actor, self.randomness)

    @contextmanager
    def write(self, actor: str, *, settles: bool = True) -> Iterator[Context]:
        """A context whose transaction commits at the end, or not at all.

        If it narrows what anybody may do, this returns when no node can act on what was before; with ``settles`` False
        the caller waits for that itself.
        """
        self.require_current()
        with self.database.write() as transaction:
            yield begin(transaction, self.settings, actor, self.randomness)
        if settles:
            self.settle(transaction)

    def require_current(self) -> None:
        """``Undecided`` while this process has seen that its database is behind what was committed to it."""
        kept = self.database.ledger
        if kept is not None and kept.below is not None:
            raise Undecided(kept.below)

    def settle(self, transaction: Transaction) -> None:
        """After a commit: wait until every node has heard of what it narrowed, or can say yes no more."""
        if transaction.narrowed_at is not None:
            self.wait_for_nodes(transaction.narrowed_at)

    def wait_for_nodes(self, position: int, tell: Tell | None = None) -> list[Outcome]:
        """Wait until no node can act on what was before a committed position; what became of each."""
        return settle(StoredNodes(self.database), position, self.ticks, tell=tell)
