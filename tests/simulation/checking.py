"""What must be true after every step, and what each answer and each return must not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from broker.domain.decisions import Allowed
from broker.enforcement.node import Admission, Cell
from broker.operations.coordinator import CONFIRMED, Outcome, wait_us
from tests.simulation.database import EPOCH, GrantRow, Key, Server
from tests.simulation.scheduler import Process

if TYPE_CHECKING:
    from tests.simulation.processes import SimNode

_SLACK = 8_000_000
_STEP = 2_000
"""Microseconds that may pass between a request's reading of the clock, which counts, and its answer."""


class Violation(AssertionError):
    """The real code has broken its promise."""


class Invoked(NamedTuple):
    """What had been promised when a request was invoked."""

    closed: int
    ended: bool
    suspension: int | None


@dataclass
class Flight:
    """An answer that was admitted and not handed over yet."""

    node: SimNode
    position: int
    marks: tuple[str, ...]


@dataclass
class Checker:
    """The promises, as outsiders hold them: by what has returned, and when."""

    server: Server
    nodes: list[SimNode] = field(default_factory=list)
    flights: dict[Admission, Flight] = field(default_factory=dict)
    _closed: dict[str, int] = field(default_factory=dict)
    _ended: set[int] = field(default_factory=set)
    _suspended: dict[str, int] = field(default_factory=dict)
    _settled: set[int] = field(default_factory=set)
    _cells: dict[SimNode, tuple[int, Cell]] = field(default_factory=dict)

    def fail(self, what: str) -> None:
        self.server.scheduler.say(f"VIOLATION {what}")
        raise Violation(what)

    # --- what is committed --------------------------------------------------------------------------------------------

    def committed(self, written: Mapping[Key, Any]) -> None:
        """Receipts only after a wait; positions only rise."""
        for (table, key), row in written.items():
            if table == "shutdown" and row.effective_at is not None and row.position not in self._settled:
                self.fail(f"{key} has a receipt, and nobody has waited for its nodes")
            if table == "feature" and row.state == "active":
                self._suspended.pop(key, None)
            if table == "node" and row is not None and row.confirmed > row.sent:
                self.fail(f"{key} has confirmed what it was never told")

    # --- what has returned --------------------------------------------------------------------------------------------

    def settled(
        self, position: int, outcomes: Sequence[Outcome], process: Process, took: int, stopped: int
    ) -> None:  # fmt: skip
        """No lease that lacks the position runs, no answer that it concerns is left where it was confirmed."""
        longest = max((each.node_lease for each in self.nodes), default=0)
        if took > wait_us(longest) * 100 // 98 + stopped + _SLACK:
            self.fail(f"waiting for {position} took {took / 1e6:.3f} s")
        self._settled.add(position)
        mark = self.server.rows["entry", position]
        for node in self.nodes:
            if node.process.alive and node.says_yes_before(position):
                self.fail(f"{node.process.name} still holds a lease that lacks {position}")
        said = {each.node for each in outcomes if each.outcome == CONFIRMED}
        confirmed = {each for each in said if ("node", each) in self.server.rows}
        self.server.scheduler.happened["forgotten while it was awaited"] += len(said - confirmed)
        for flight in self.flights.values():
            late = flight.position < position and mark in flight.marks and flight.node.process.alive
            if late and not confirmed.isdisjoint(flight.node.names):
                self.fail(
                    f"{flight.node.process.name} has confirmed {position} with an answer of {flight.position} in flight"
                )

    def shut_down(self, feature: str, epoch: int) -> None:
        self._closed[feature] = max(epoch, self._closed.get(feature, 0))

    def grant_ended(self, *grants: int) -> None:
        self._ended.update(grants)

    def suspended(self, feature: str, position: int) -> None:
        """The suspension has returned; unless it was resumed since."""
        if self.server.rows["feature", feature].state == "suspended":
            self._suspended[feature] = position

    # --- what is answered ---------------------------------------------------------------------------------------------

    def invoked(self, grant: int) -> Invoked:
        feature = self.server.rows["grant", grant].feature
        return Invoked(self._closed.get(feature, 0), grant in self._ended, self._suspended.get(feature))

    def admitted(self, node: SimNode, grant: int, admission: Admission, promised: Invoked) -> None:
        """A yes is none of those that were promised away before the question."""
        if not isinstance(admission.decision, Allowed):
            return
        row: GrantRow = self.server.rows["grant", grant]
        if row.epoch < promised.closed:
            self.fail(f"{node.process.name} says yes to grant {grant} of epoch {row.epoch} after the return")
        if promised.ended:
            self.fail(f"{node.process.name} says yes to grant {grant}, which had ended")
        if promised.suspension is not None and self._suspended.get(row.feature) == promised.suspension:
            self.fail(f"{node.process.name} says yes under {row.feature}, which is suspended")
        if EPOCH + self.server.scheduler.now > row.expires_at + _STEP:
            self.fail(f"{node.process.name} says yes to grant {grant} after its time")
        if admission.decision.standing.token_epoch != admission.decision.standing.feature_epoch:
            self.fail("a token of another epoch is admitted")

    # --- after every step ---------------------------------------------------------------------------------------------

    def step(self, process: Process) -> None:
        """A node's cell goes forward only, and lies within what it has heard."""
        node: SimNode | None = getattr(process, "node", None)
        if node is None:
            return
        cell = node.cell
        if cell is None:
            return
        before = self._cells.get(node)
        if before is not None and before[1] is cell:
            return
        if before is not None and before[0] == len(node.names) and before[1].version > cell.version:
            self.fail(f"{process.name} goes back from {before[1].version} to {cell.version}")
        self._cells[node] = (len(node.names), cell)
