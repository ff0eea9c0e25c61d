"""What a node remembers: decisions as they were read, and the marks of what has changed since.

A decision is used while none of its marks has come by with a later position than its own. Both sides are bounded.
Forgetting a decision costs a reading. Forgetting a mark raises the floor, below which no decision is used: so
forgetting never turns a no into a yes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from broker.domain.decisions import Decision, Standing, decide
from broker.domain.instants import Instant

Event = tuple[int, str]
"""A position of the audit log, and the mark of what changed there."""
_SHARE = 16
# What is over goes together with this share of all. The first entry of a dictionary that has lost its first entries is
# found by passing over all of these, so one at a time would cost a search each.


@dataclass(frozen=True, slots=True)
class Seen:
    """A standing as one snapshot had it.

    ``position`` and ``generation`` are the log's in that snapshot; ``read_at`` is when the reading began and
    ``ends_at`` when the first part of it ends by time alone, both on this node's clock; ``claims`` is what an
    introspection said.
    """

    standing: Standing | None
    marks: tuple[str, ...]
    generation: int
    position: int
    read_at: Instant
    ends_at: Instant
    claims: Mapping[str, Any] | None = None
    _decisions: dict[Set[str], Decision] = field(default_factory=dict, compare=False, repr=False)

    def decision(self, needed: Set[str]) -> Decision:
        """The decision on a request that needs one of these scopes; made once."""
        found = self._decisions.get(needed)
        if found is None:
            found = self._decisions[needed] = decide(self.standing, needed)
        return found


class Memory:
    """Bounded, and safe to read in many threads while one thread notes events."""

    def __init__(self, *, decisions: int = 100_000, marks: int = 1_000_000) -> None:
        self._most_decisions, self._most_marks = decisions, marks
        self._seen: dict[bytes, Seen] = {}
        self._marks: OrderedDict[str, int] = OrderedDict()
        self._floor = 0

    def get(self, token_hash: bytes) -> Seen | None:
        """What is remembered of a token; judge it with ``holds``."""
        return self._seen.get(token_hash)

    def put(self, token_hash: bytes, seen: Seen) -> None:
        """Remember; the longest remembered go when there is no room."""
        while len(self._seen) >= self._most_decisions:
            try:
                oldest = list(islice(self._seen, 1 + self._most_decisions // _SHARE))
            except RuntimeError:  # another thread changed it meanwhile
                continue
            for each in oldest:
                self._seen.pop(each, None)
        self._seen[token_hash] = seen

    def drop(self, token_hash: bytes) -> None:
        """Forget one token."""
        self._seen.pop(token_hash, None)

    def holds(self, seen: Seen) -> bool:
        """Whether nothing that it hangs on has changed since it was read, as far as has been noted."""
        position, changed = seen.position, self._marks.get
        for mark in seen.marks:
            if changed(mark, 0) > position:
                return False
        return position >= self._floor  # last: a mark that was not there any more has raised it before it went

    def note(self, events: Iterable[Event]) -> None:
        """Note what has changed. One thread at a time, in order of positions, before a cell that knows of them."""
        marks = self._marks
        for position, mark in events:
            marks[mark] = position
            marks.move_to_end(mark)  # the first are the oldest; and at no moment is it not there
        over = len(marks) - self._most_marks
        if over > 0:
            oldest = list(islice(marks, over + self._most_marks // _SHARE))
            self._floor = max(self._floor, marks[oldest[-1]])  # first the floor: in between, both say no
            for mark in oldest:
                del marks[mark]

    def clear(self, floor: int) -> None:
        """Forget everything, for a new registration at this position: what was read before it is not used."""
        self._floor = floor  # first: a reading that began before may still come in
        self._seen.clear()
        self._marks.clear()
