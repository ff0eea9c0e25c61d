"""A node: a lease on saying yes from memory, renewed by hearing of everything that has changed.

The order of steps is the promise. A request is counted, then takes the cell, then looks at the marks, and reads the
clock last. A renewal reads the clock first, then its snapshot; it notes the marks, then installs the cell, and confirms
a position only when no request is left that was judged before it and hangs on what changed. Whoever waits for the
confirmation, or for the lease to run out, knows that this node says yes no more.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from broker.domain.decisions import Decision, Denied, Reason
from broker.domain.errors import Undecided
from broker.domain.instants import Instant
from broker.enforcement.memory import Event, Memory, Seen

MARGIN_US = 50_000
"""A lease is given up this long before it ends, in microseconds."""
_READINGS = 4


class Gone(Exception):
    """The node's registration is no more, or it is too far behind: it must register anew."""


class Registration(NamedTuple):
    """What a node gets when it registers; nothing is admitted before the first renewal."""

    handle: str
    generation: int
    position: int
    lease_us: int


class News(NamedTuple):
    """What one snapshot says: everything that changed after the position asked about, up to ``position``.

    ``complete`` is False when there is more than fits; that gives no lease. ``now`` is the broker's time, by which
    what is admitted is dated; 0 where nobody dates anything.
    """

    generation: int
    position: int
    events: tuple[Event, ...]
    complete: bool = True
    now: Instant = 0


class Feed(Protocol):
    """Where a node registers and hears of changes: the database, or the broker's endpoints."""

    def register(self) -> Registration:
        """Register a new incarnation; committed when it returns. ``Undecided`` if it cannot be."""
        ...

    def poll(self, handle: str, after: int, confirmed: int) -> News:
        """Confirm, then read from one snapshot that begins after the call. ``Gone``, or ``Undecided``."""
        ...

    def leave(self, handle: str) -> None:
        """Say that this node says yes no more. ``Undecided`` if it cannot be said."""
        ...


@dataclass(frozen=True, slots=True)
class Cell:
    """What a renewal gave: up to which position everything was heard, and until when that may be relied on.

    ``ahead`` is how far the broker's clock is ahead of this node's, at most; None when it was not told.
    """

    generation: int
    version: int
    until: Instant
    ahead: int | None = None


class Admission:
    """One request's decision, counted until ``done``.

    ``at`` and ``position`` date it: by the snapshot that it was made in, or by the cell and the clock that it was
    admitted by.
    """

    __slots__ = ("_node", "at", "claims", "decision", "marks", "position")

    def __init__(self, decision: Decision, node: Node | None = None) -> None:
        standing = decision.standing
        self.decision = decision
        self.at: Instant = standing.now if standing is not None else 0
        self.position: int = standing.position if standing is not None else 0
        self.claims: Mapping[str, Any] | None = None
        self.marks: tuple[str, ...] = ()
        self._node = node

    @property
    def counted(self) -> bool:
        """Whether somebody waits for this request to be done."""
        return self._node is not None

    def recheck(self) -> None:
        """Before the first byte of the answer: ``Undecided`` if the lease has run out since."""
        if self._node is not None:
            self._node.require_lease()

    def done(self) -> None:
        """The answer was handed on, or there is none; may be called again."""
        node, self._node = self._node, None
        if node is not None:
            node.done(self)


class Node:
    """One process's lease. Requests call ``admit`` in any thread; one thread renews.

    ``clock`` counts microseconds also while the machine sleeps (CLOCK_BOOTTIME); ``flush`` makes the access records of
    finished requests safe, before each confirmation.
    """

    def __init__(
        self, feed: Feed, clock: Callable[[], Instant], *, memory: Memory | None = None,
        flush: Callable[[], None] = lambda: None, margin_us: int = MARGIN_US,
    ) -> None:  # fmt: skip
        self.memory = memory or Memory()
        self._feed, self._clock, self._flush, self._margin = feed, clock, flush, margin_us
        self._changing = threading.RLock()
        self._registration: Registration | None = None
        self._cell: Cell | None = None
        self._received = self._confirmed = self._told = 0
        self._draining: deque[tuple[int, frozenset[str]]] = deque()
        self._flying: dict[Admission, None] = {}
        self.finished = threading.Event()
        """Set when a request is done, for whoever waits to confirm."""

    # --- requests ---------------------------------------------------------------------------------------------------

    def admit(self, token_hash: bytes, needed: Set[str], read: Callable[[], Seen | None]) -> Admission:
        """Judge a request; ``read`` reads a token that is not remembered. ``Undecided`` without a valid lease.

        A yes is counted as in flight until ``done``. A no stands whatever the lease: it is safe to be late with.
        """
        for _ in range(_READINGS):
            seen = self.memory.get(token_hash)
            fresh = seen is None
            if seen is None:
                self.require_lease()  # who may not say yes does not load whoever knows
                seen = read()
                if seen is None:
                    return Admission(Denied(Reason.UNKNOWN_TOKEN))
                decision = seen.decision(needed)
                if isinstance(decision, Denied):
                    return Admission(decision)
            admission = self._judged(seen, needed)
            if admission is not None:
                if fresh and admission.counted:
                    self.memory.put(token_hash, seen)
                return admission
            self.memory.drop(token_hash)
        raise Undecided("the token's standing changes while it is read")

    def _judged(self, seen: Seen, needed: Set[str]) -> Admission | None:
        """The admission by what was seen, or None if that is stale."""
        admission = Admission(seen.decision(needed), self)
        admission.marks, admission.claims = seen.marks, seen.claims
        admission.position = -1  # until it is judged, it is older than everything
        self._flying[admission] = None
        kept = False
        try:
            cell = self._cell
            if cell is None:
                raise Undecided("this node holds no lease")
            admission.position = cell.version
            if seen.generation != cell.generation or not self.memory.holds(seen):
                return None
            now = self._clock()
            if now >= cell.until - self._margin:
                raise Undecided("this node's lease has run out")
            if now >= seen.ends_at:
                return None
            admission.at = admission.at + now - seen.read_at if cell.ahead is None else now + cell.ahead
            kept = not isinstance(admission.decision, Denied)
            return admission
        finally:
            if not kept:
                admission.done()

    def require_lease(self) -> None:
        """``Undecided`` unless this node may say yes at this moment."""
        cell = self._cell
        if cell is None or self._clock() >= cell.until - self._margin:
            raise Undecided("this node holds no lease")

    def done(self, admission: Admission) -> None:
        """Count a request out."""
        if self._flying.pop(admission, self) is None and self._draining:
            self.finished.set()

    # --- renewing ---------------------------------------------------------------------------------------------------

    @property
    def cell(self) -> Cell | None:
        """What this node relies on at the moment."""
        return self._cell

    @property
    def has_to_tell(self) -> bool:
        """Whether a position is confirmed that the feed has not been told of."""
        return self._confirmed > self._told

    @property
    def draining(self) -> bool:
        """Whether requests in flight keep a position from being confirmed."""
        return bool(self._draining)

    def renew(self) -> bool:
        """Hear what has changed and take a new lease; whether there may be more to hear at once.

        ``Undecided`` when the feed does not answer: then the lease that is held runs out in its own time.
        """
        registration = self._registration or self._register()
        self._drain()
        begun = self._clock()  # before the snapshot: a change that the snapshot lacks was committed after this
        confirming = self._confirmed
        try:
            news = self._feed.poll(registration.handle, self._received, confirming)
        except Gone:
            self._forget()
            return True
        with self._changing:
            if self._registration is not registration:  # it has left meanwhile, and nobody waits for it any more
                return True
            self._told = max(self._told, confirming)
            if news.generation != registration.generation or news.position < self._received:
                self._forget()
                return True
            self._take(news.events, news.position)
            if news.complete:
                ahead = news.now - begun if news.now else None
                self._install(Cell(news.generation, news.position, begun + registration.lease_us, ahead))
        self._drain()
        return not news.complete

    def leave(self) -> None:
        """Say yes no more, and say so; if that is not heard, the lease runs out for those who wait.

        Nor is it said while a request is in flight: it may have the cell already, and be about to be admitted by it.
        """
        registration = self._registration
        self._forget()
        if registration is not None and not self._flying:  # first forget: who is counted after this finds no cell
            with suppress(Undecided):
                self._feed.leave(registration.handle)

    def _register(self) -> Registration:
        """Register anew once nobody is in flight: a new registration counts as having confirmed what is before it."""
        if self._flying:
            raise Undecided("answers that were admitted under the former registration are still in flight")
        registration = self._feed.register()
        self.memory.clear(registration.position)
        self._registration = registration
        self._received = self._confirmed = self._told = registration.position
        return registration

    def _forget(self) -> None:
        """Say yes no more: the first step of being another node."""
        with self._changing:
            self._cell = self._registration = None
            self._draining.clear()

    def _take(self, events: Iterable[Event], position: int) -> None:
        marks = []
        for event in events:
            marks.append(event[1])
            self.memory.note((event,))
        self._received = position
        if position > self._confirmed:
            self._draining.append((position, frozenset(marks)))

    def _install(self, cell: Cell) -> None:
        """Never an older one; of the same version the one that lasts longer."""
        now = self._cell
        if now is None or (cell.version, cell.until) > (now.version, now.until):
            self._cell = cell

    def _drain(self) -> None:
        """Confirm as far as no request is left that was judged before the position and hangs on what changed there."""
        while self._draining:
            self.finished.clear()
            position, marks = self._draining[0]
            older = (each for each in list(self._flying) if each.position < position)
            if self._cell is None or self._cell.version < position or any(not marks.isdisjoint(e.marks) for e in older):
                return
            self._flush()
            self._confirmed = position
            self._draining.popleft()
