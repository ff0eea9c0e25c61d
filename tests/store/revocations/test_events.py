"""What nodes hear: the log in the order of commits, only what can change a standing, a page at a time."""

from __future__ import annotations

from functools import partial

from broker.store.engine.database import Transaction
from broker.store.evidence import audit
from broker.store.revocations import events
from tests.concurrency import together
from tests.world import START, World


def _append(transaction: Transaction, *subjects: str) -> int:
    at = 0
    for subject in subjects:
        at = audit.append(transaction, at=START, actor="operator:ops", action="test.done", subject=subject,
                          feature=None, details={})  # fmt: skip
    return at


def _write(world: World, *subjects: str) -> int:
    with world.database.write() as transaction:
        return _append(transaction, *subjects)


def test_the_head_is_the_log_s(world: World) -> None:
    position = _write(world, "grant:7")
    with world.database.read() as transaction:
        assert events.head(transaction) == (1, position)
        assert audit.head(transaction)[0] == position


def test_what_changes_a_standing_is_told_in_order_and_the_rest_only_counts(world: World) -> None:
    before = _write(world, "grant:1")
    last = _write(world, "grant:7", "resource-server:search", "account:3", "approval:9")
    with world.database.read() as transaction:
        found = events.after(transaction, before)
        assert found == (last, [(before + 1, "grant:7"), (before + 3, "account:3")], True)
        assert events.after(transaction, last) == (last, [], True)


def test_a_long_absence_is_told_a_page_at_a_time_and_nothing_between_is_lost(world: World) -> None:
    before = _write(world, "grant:0")
    last = _write(world, *(f"grant:{number}" for number in range(events.MOST + 2)))
    with world.database.read() as transaction:
        position, first, complete = events.after(transaction, before)
        assert (position, len(first), complete) == (before + events.MOST, events.MOST, False)
        position, rest, complete = events.after(transaction, position)
    assert (position, len(rest), complete) == (last, 2, True)
    assert [mark for _, mark in first + rest] == [f"grant:{number}" for number in range(events.MOST + 2)]


def test_exactly_one_page_is_all(world: World) -> None:
    before = _write(world, "grant:0")
    _write(world, *(["grant:1"] * events.MOST))
    with world.database.read() as transaction:
        assert events.after(transaction, before)[2]


def test_a_reader_that_follows_writers_misses_no_position(world: World) -> None:
    """A position is given in the order of commits: whoever has heard up to one has heard everything before it."""
    start = _write(world, "grant:0")
    heard: list[int] = []

    def follow() -> None:
        position = start
        while len(heard) < 60:
            with world.database.read() as transaction:
                position, found, _ = events.after(transaction, position)
            heard.extend(at for at, _ in found)

    def append(name: str) -> None:
        for _ in range(20):
            _write(world, name)

    outcomes = together(world, follow, *(partial(append, f"grant:{number}") for number in range(3)))
    assert outcomes == [None] * 4
    assert heard == list(range(start + 1, start + 61))


def test_waking_costs_nothing_where_nobody_listens(world: World) -> None:
    with world.database.single() as transaction:
        events.wake(transaction)
