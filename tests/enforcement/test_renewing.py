"""Renewing: again and again, at once where there is something to say, and whatever goes wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from broker.domain.decisions import Allowed
from broker.domain.errors import Undecided
from broker.enforcement.node import Gone, Node
from broker.enforcement.renewing import Renewing
from tests.concurrency import LIMIT_S, in_thread
from tests.enforcement.test_node import TOKEN, WRITE, Broker

LONG_S, SHORT_S = 600.0, 0.02
"""Longer than any test, and short enough for a few rounds."""


def until(come: Callable[[], bool]) -> bool:
    """Wait for what another thread does; whether it came."""
    ends = time.monotonic() + LIMIT_S
    while not come() and time.monotonic() < ends:
        time.sleep(0.001)
    return come()


class Bell:
    """A wait that ends when it is rung, as a database's notification ends it."""

    def __init__(self) -> None:
        self.rung = threading.Semaphore(0)
        self.waits: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.rung.acquire(timeout=seconds)


@contextmanager
def _kept(broker: Broker, period_s: float, wait: Bell | None = None) -> Iterator[tuple[Node, list[Exception]]]:
    node, failures = Node(broker, lambda: broker.now), list[Exception]()
    renewing = Renewing(node, period_s=period_s, wait=wait, failed=failures.append)
    renewing.start()
    try:
        yield node, failures
    finally:
        if wait is not None:
            wait.rung.release(9)
        renewing.stop()


def test_the_first_lease_is_there_soon_and_is_given_up_in_the_end() -> None:
    broker = Broker()
    with _kept(broker, SHORT_S) as (node, failures):
        assert until(lambda: node.cell is not None)
    assert (node.cell, broker.left, failures) == (None, ["h"], [])


def test_it_renews_once_in_each_period() -> None:
    broker, bell = Broker(), Bell()
    with _kept(broker, LONG_S, bell) as (node, _):
        assert until(lambda: bell.waits == [LONG_S])
        assert len(broker.confirmed) == 1
        broker.now = 1_000
        bell.rung.release()
        assert until(lambda: len(bell.waits) == 2)
        assert node.cell is not None
        assert node.cell.until == 1_000 + 3_000_000


def test_without_a_bell_the_period_is_waited() -> None:
    broker = Broker()
    with _kept(broker, SHORT_S):
        assert until(lambda: len(broker.confirmed) > 3)


def test_a_change_is_confirmed_as_soon_as_it_is_heard_of() -> None:
    broker, bell = Broker(), Bell()
    with _kept(broker, LONG_S, bell):
        assert until(lambda: len(bell.waits) == 1)
        broker.change("grant:7")
        bell.rung.release()
        assert until(lambda: broker.confirmed[-1] == broker.position), "not a period later"


def test_a_change_is_confirmed_as_soon_as_the_last_request_is_done() -> None:
    broker, bell = Broker(), Bell()
    with _kept(broker, 4 * LIMIT_S, bell) as (node, _):
        assert until(lambda: len(bell.waits) == 1)
        admission = node.admit(TOKEN, WRITE, broker.seen)
        assert isinstance(admission.decision, Allowed)
        broker.change("grant:7")
        bell.rung.release()
        assert until(lambda: node.draining)
        assert broker.confirmed[-1] < broker.position
        admission.done()
        assert until(lambda: broker.confirmed[-1] == broker.position)


def test_more_than_one_answer_holds_is_asked_for_at_once() -> None:
    broker, bell = Broker(), Bell()
    broker.complete = False

    def complete() -> None:
        broker.complete = len(broker.confirmed) >= 4

    broker.answers = complete
    with _kept(broker, LONG_S, bell):
        assert until(lambda: len(bell.waits) == 1)
    assert len(broker.confirmed) == 4


def test_a_feed_that_does_not_answer_is_asked_again_and_told_of() -> None:
    broker = Broker()

    def silent() -> None:
        if len(broker.confirmed) < 4:
            raise Undecided("nobody answers")

    broker.answers = silent
    with _kept(broker, SHORT_S) as (node, failures):
        assert until(lambda: node.cell is not None)
    assert [str(each) for each in failures] == ["nobody answers"] * 3


def test_a_bug_does_not_end_the_renewing() -> None:
    broker = Broker()

    def broken() -> None:
        if len(broker.confirmed) == 1:
            raise ZeroDivisionError

    broker.answers = broken
    with _kept(broker, SHORT_S) as (node, failures):
        assert until(lambda: node.cell is not None)
    assert [type(each) for each in failures] == [ZeroDivisionError]


def test_a_node_that_is_retired_registers_anew_by_itself() -> None:
    broker = Broker()

    def gone() -> None:
        if len(broker.confirmed) == 2:
            raise Gone

    broker.answers = gone
    with _kept(broker, SHORT_S) as (node, failures):
        assert until(lambda: len(broker.confirmed) > 3)
        assert node.cell is not None
    assert failures == []


def test_stopping_waits_for_no_request() -> None:
    broker = Broker()
    node = Node(broker, lambda: broker.now)
    renewing = Renewing(node, period_s=SHORT_S)
    renewing.start()
    assert until(lambda: node.cell is not None)
    admission = node.admit(TOKEN, WRITE, broker.seen)
    broker.change("grant:7")
    in_thread(renewing.stop).result(LIMIT_S)
    assert node.cell is None
    assert broker.left == [], "what is in flight may still be admitted: its lease runs out"
    admission.done()
