"""Builds that are broken on purpose, each in the one way that its name says; monkeypatch mends them after the test.

Most are the real function with one line of its source changed, so they stay what the real one is but for that line; a
line that is not there any more is an error.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from greenlet import getcurrent  # type: ignore[import-untyped]

from broker.enforcement import node as node_module
from broker.enforcement.memory import Memory
from broker.enforcement.node import Node
from broker.operations import coordinator, shutdowns
from broker.store.revocations import nodes
from tests.simulation import database

Break = Callable[[pytest.MonkeyPatch], None]


def _edit(patch: pytest.MonkeyPatch, owner: Any, name: str, old: str, new: str) -> None:
    """Put a function in the real one's place that differs from it in one piece of text."""
    real = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(real))
    assert source.count(old) == 1, f"{name} has changed: {old!r} is there {source.count(old)} times"
    scope = sys.modules[real.__module__].__dict__
    made: dict[str, Any] = {}
    exec(compile(source.replace(old, new), f"<broken {name}>", "exec", flags=0x1000000), scope, made)
    patch.setattr(owner, name, made[name])


def without_drain(patch: pytest.MonkeyPatch) -> None:
    """A position is confirmed while answers that were judged before it are in flight."""
    _edit(
        patch, Node, "_drain", "older = (each for each in list(self._flying) if each.position < position)", "older = ()"
    )


def lease_from_receipt(patch: pytest.MonkeyPatch) -> None:
    """A lease counts from the answer instead of from before the question."""
    _edit(patch, Node, "renew", "self._take(news.events, news.position)",
          "begun = self._clock(); self._take(news.events, news.position)")  # fmt: skip


def margin_and_wait_too_short(patch: pytest.MonkeyPatch) -> None:
    """No margin at the node, and no allowance for clocks at the coordinator."""
    patch.setattr(node_module, "MARGIN_US", 0)
    waits_for_the_lease_alone(patch)


def waits_for_the_lease_alone(patch: pytest.MonkeyPatch) -> None:
    """The coordinator waits L by its own clock, not W."""
    patch.setattr(coordinator, "wait_us", lambda lease_us: lease_us)


def marks_not_noted(patch: pytest.MonkeyPatch) -> None:
    """What has changed is heard, confirmed and forgotten."""
    patch.setattr(Memory, "note", lambda self, events: None)


def cell_before_marks(patch: pytest.MonkeyPatch) -> None:
    """The new cell is there before the marks that it speaks of."""
    _edit(patch, Node, "renew", "self._take(news.events, news.position)",
          "self._install(Cell(news.generation, news.position, begun + registration.lease_us));"
          " self._take(news.events, news.position)")  # fmt: skip


def late_first_sight_kept(patch: pytest.MonkeyPatch) -> None:
    """What was read is dated by when it came, not by its snapshot."""
    _edit(patch, Node, "admit", "seen = read()",
          "seen = read()\n            if seen is not None and self._cell is not None:\n"
          "                from dataclasses import replace\n"
          "                seen = replace(seen, position=max(seen.position, self._cell.version))")  # fmt: skip


def floor_not_raised(patch: pytest.MonkeyPatch) -> None:
    """A mark is forgotten, and nothing remembers that there was one."""
    _edit(patch, Memory, "note", "self._floor = max(self._floor, marks[oldest[-1]])", "pass")


def clear_without_floor(patch: pytest.MonkeyPatch) -> None:
    """A new registration forgets the marks, and not what is being read meanwhile."""
    _edit(patch, Memory, "clear", "self._floor = floor", "pass")


def nodes_listed_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """The coordinator awaits the nodes that were there before its commit."""
    listed: dict[Any, set[str]] = {}
    commit, settle = shutdowns._commit, coordinator.settle

    def listing(runtime: Any, *values: Any) -> Any:
        with runtime.database.single() as transaction:
            listed[getcurrent()] = {each.id for each in nodes.all(transaction)}
        return commit(runtime, *values)

    class Listed(coordinator.StoredNodes):
        def behind(self, position: int) -> list[nodes.Node]:
            known = listed.get(getcurrent())
            return [each for each in super().behind(position) if known is None or each.id in known]

    patch.setattr(shutdowns, "_commit", listing)
    patch.setattr(coordinator, "settle", lambda known, *values, **more: settle(Listed(known.database), *values, **more))


def no_wait(patch: pytest.MonkeyPatch) -> None:
    """The coordinator returns at once."""
    patch.setattr(coordinator, "settle", lambda *values, **more: [])


def retired_nodes_get_leases(patch: pytest.MonkeyPatch) -> None:
    """A renewal does not look at its own row's state."""
    patch.setattr(database.Server, "renews_retired", True)


def incomplete_news_give_a_lease(patch: pytest.MonkeyPatch) -> None:
    """A first page of what has changed renews the lease as if it were all."""
    _edit(patch, Node, "renew", "if news.complete:", "if True:")


def stale_receipt(patch: pytest.MonkeyPatch) -> None:
    """An operation that is asked for again gives its receipt, although the feature was reopened."""
    patch.setattr(shutdowns, "_still_in_force", lambda context, known, feature_id: known)


def lease_survives_another_generation(patch: pytest.MonkeyPatch) -> None:
    """A node goes on when the broker says that it is another generation."""
    _edit(patch, Node, "renew", "news.generation != registration.generation or ", "")
    _edit(patch, Node, "_judged", "seen.generation != cell.generation or ", "")


def not_counted_before_the_cell_is_taken(patch: pytest.MonkeyPatch) -> None:
    """A request takes the cell first, and is counted afterwards."""
    _edit(patch, Node, "_judged", "self._flying[admission] = None", "cell = self._cell; self._flying[admission] = None")


def never_gives_up(patch: pytest.MonkeyPatch) -> None:
    """The coordinator waits for confirmations alone, however long they take."""
    _edit(patch, coordinator, "settle", "late = ticks() >= until", "late = False")
