"""A node: who may say yes, when a position is confirmed, and what a late or lost answer does. One thread, own clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from broker.domain.decisions import Allowed, Denied, Reason
from broker.domain.errors import Undecided
from broker.enforcement.memory import Event, Memory, Seen
from broker.enforcement.node import MARGIN_US, Admission, Gone, News, Node, Registration
from tests.domain.test_decisions import SOUND

TOKEN, WRITE = b"t", frozenset({"messages:write"})
LEASE = 3_000_000
FAR = 10**12
MARKS = ("feature:f", "grant:7")


class Broker:
    """A feed that says what a test tells it to say, and remembers what was confirmed."""

    def __init__(self) -> None:
        self.now, self.generation, self.position = 0, 1, 10
        self.events: list[Event] = []
        self.confirmed: list[int] = []
        self.answers: Callable[[], None] = lambda: None
        self.complete = True
        self.left: list[str] = []

    def register(self) -> Registration:
        return Registration("h", self.generation, self.position, LEASE)

    def poll(self, handle: str, after: int, confirmed: int) -> News:
        self.confirmed.append(confirmed)
        self.answers()
        events = tuple(each for each in self.events if each[0] > after)
        return News(self.generation, max(self.position, after), events, self.complete)

    def leave(self, handle: str) -> None:
        self.left.append(handle)

    def change(self, mark: str) -> None:
        self.position += 1
        self.events.append((self.position, mark))

    def seen(self, ends_at: int = FAR) -> Seen:
        standing = SOUND._replace(position=self.position)
        return Seen(standing, MARKS, self.generation, self.position, self.now, ends_at)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def node(broker: Broker) -> Node:
    found = Node(broker, lambda: broker.now)
    found.renew()
    return found


def _ask(node: Node, broker: Broker, seen: Seen | None = None) -> Admission:
    return node.admit(TOKEN, WRITE, lambda: seen or broker.seen())


def test_before_its_first_renewal_a_node_says_nothing(broker: Broker) -> None:
    node = Node(broker, lambda: broker.now)
    with pytest.raises(Undecided):
        _ask(node, broker)


def test_a_token_is_read_once_and_then_remembered(node: Node, broker: Broker) -> None:
    readings: list[int] = []

    def read() -> Seen:
        readings.append(1)
        return broker.seen()

    for _ in range(3):
        admission = node.admit(TOKEN, WRITE, read)
        assert isinstance(admission.decision, Allowed)
        admission.done()
    assert len(readings) == 1


def test_a_lease_counts_from_before_the_question_and_ends_a_margin_early(node: Node, broker: Broker) -> None:
    def slowly() -> None:
        broker.now += 1_000_000

    broker.answers = slowly
    node.renew()
    assert node.cell is not None
    assert node.cell.until == LEASE, "the answer took a second, which the lease does not get"
    broker.now = LEASE - MARGIN_US - 1
    _ask(node, broker).done()
    broker.now += 1
    with pytest.raises(Undecided):
        _ask(node, broker)


def test_an_answer_that_takes_longer_than_the_lease_is_not_given(node: Node, broker: Broker) -> None:
    admission = _ask(node, broker)
    admission.recheck()
    broker.now = LEASE
    with pytest.raises(Undecided):
        admission.recheck()


def test_what_has_changed_is_read_again_and_the_reading_says_why(node: Node, broker: Broker) -> None:
    _ask(node, broker).done()
    broker.change("grant:7")
    node.renew()
    ended = Seen(SOUND._replace(grant_ended_at=1), MARKS, 1, broker.position, 0, 0)
    decision = _ask(node, broker, ended).decision
    assert isinstance(decision, Denied)
    assert decision.reason is Reason.GRANT_ENDED


def test_a_position_is_confirmed_when_nobody_is_left_who_was_judged_before_it(node: Node, broker: Broker) -> None:
    old = _ask(node, broker)
    broker.change("feature:f")
    node.renew()
    assert node.draining
    assert not node.has_to_tell
    new = _ask(node, broker)
    old.done()
    assert node.finished.is_set()
    node.renew()
    assert broker.confirmed[-1] == broker.position, "who was judged after it is not waited for"
    new.done()


def test_who_hangs_on_something_else_is_not_waited_for(node: Node, broker: Broker) -> None:
    other = _ask(node, broker)
    broker.change("grant:8")
    node.renew()
    assert node.has_to_tell
    other.done()


def test_records_are_safe_before_a_confirmation(broker: Broker) -> None:
    done: list[int] = []
    node = Node(broker, lambda: broker.now, flush=lambda: done.append(len(broker.confirmed)))
    node.renew()
    broker.change("feature:f")
    node.renew()
    node.renew()
    assert done == [2]
    assert broker.confirmed[-1] == broker.position


def test_a_late_answer_on_first_sight_does_not_outlive_the_confirmation(node: Node, broker: Broker) -> None:
    late = broker.seen()
    broker.change("grant:7")
    node.renew()
    node.renew()
    assert broker.confirmed[-1] == broker.position
    with pytest.raises(Undecided):
        _ask(node, broker, late)
    assert node.memory.get(TOKEN) is None


def test_an_end_by_time_is_noticed_without_any_event(node: Node, broker: Broker) -> None:
    _ask(node, broker, broker.seen(ends_at=1_000)).done()
    broker.now = 1_000
    ended = Seen(SOUND._replace(now=SOUND.expires_at), MARKS, 1, broker.position, 1_000, 1_000)
    decision = _ask(node, broker, ended).decision
    assert isinstance(decision, Denied)
    assert decision.reason is Reason.TOKEN_EXPIRED


def test_what_is_admitted_from_memory_is_dated_when_it_is_admitted(node: Node, broker: Broker) -> None:
    _ask(node, broker).done()
    broker.change("grant:8")
    node.renew()
    broker.now = 500
    admission = _ask(node, broker)
    assert (admission.at, admission.position) == (SOUND.now + 500, broker.position)
    admission.done()


def test_an_incomplete_answer_gives_no_lease(node: Node, broker: Broker) -> None:
    until = node.cell and node.cell.until
    broker.now, broker.complete = 1_000_000, False
    broker.change("grant:8")
    assert node.renew(), "there is more to hear at once"
    assert node.cell is not None
    assert node.cell.until == until
    assert not node.has_to_tell
    broker.complete = True
    assert not node.renew()
    assert node.has_to_tell


def _gone() -> None:
    raise Gone


def _silent() -> None:
    raise Undecided("nobody answers")


def test_a_node_that_is_retired_says_yes_no_more_and_registers_anew(node: Node, broker: Broker) -> None:
    _ask(node, broker).done()
    before = broker.seen()
    broker.answers = _gone
    node.renew()
    assert node.cell is None
    with pytest.raises(Undecided):
        _ask(node, broker)
    broker.answers = lambda: None
    broker.position += 5
    node.renew()
    assert node.memory.get(TOKEN) is None
    with pytest.raises(Undecided):
        _ask(node, broker, before)
    _ask(node, broker).done()


def test_a_node_registers_anew_only_when_nobody_of_its_former_registration_is_in_flight(
    node: Node, broker: Broker
) -> None:
    """A registration counts as having confirmed what is before it."""
    old = _ask(node, broker)
    broker.answers = _gone
    node.renew()
    broker.answers = lambda: None
    broker.change("feature:f")
    with pytest.raises(Undecided, match="in flight"):
        node.renew()
    old.done()
    node.renew()
    assert broker.confirmed[-1] == broker.position


def test_a_silent_broker_costs_the_lease_and_not_before(node: Node, broker: Broker) -> None:
    broker.answers = _silent
    with pytest.raises(Undecided):
        node.renew()
    _ask(node, broker).done()
    broker.now = LEASE
    with pytest.raises(Undecided):
        _ask(node, broker)


def test_another_generation_is_another_broker(node: Node, broker: Broker) -> None:
    _ask(node, broker).done()
    before = broker.seen()
    broker.generation = 2
    node.renew()
    with pytest.raises(Undecided):
        _ask(node, broker)
    node.renew()
    with pytest.raises(Undecided):
        _ask(node, broker, before)
    _ask(node, broker).done()


def test_a_denial_and_an_unknown_token_are_not_in_flight(node: Node, broker: Broker) -> None:
    denied = node.admit(TOKEN, frozenset({"messages:delete"}), broker.seen)
    unknown = node.admit(b"u", WRITE, lambda: None)
    for each in (denied, unknown):
        assert isinstance(each.decision, Denied)
        assert not each.counted
    broker.change("feature:f")
    node.renew()
    assert node.has_to_tell


def test_who_leaves_says_yes_no_more_and_says_so(node: Node, broker: Broker) -> None:
    node.leave()
    assert broker.left == ["h"]
    with pytest.raises(Undecided):
        _ask(node, broker)


def test_who_leaves_with_a_request_in_flight_lets_the_lease_run_out(node: Node, broker: Broker) -> None:
    flying = _ask(node, broker)
    node.leave()
    assert broker.left == []
    with pytest.raises(Undecided):
        _ask(node, broker)
    flying.done()


def test_an_older_cell_never_replaces_a_newer(broker: Broker) -> None:
    node = Node(broker, lambda: broker.now, memory=Memory())
    broker.now = 1_000_000
    node.renew()
    broker.now = 0
    node.renew()
    assert node.cell is not None
    assert node.cell.until == 1_000_000 + LEASE


def test_an_answer_that_comes_after_it_has_left_gives_no_lease(node: Node, broker: Broker) -> None:
    broker.answers = node.leave
    node.renew()
    assert node.cell is None
    with pytest.raises(Undecided):
        _ask(node, broker)
    assert broker.left == ["h"]


def _interrupted(events: list[Event], asks: Callable[[], object]) -> Iterator[Event]:
    """Events during whose noting somebody asks, as another thread may."""
    for event in events:
        asks()
        yield event


def test_who_is_admitted_while_changes_are_noted_is_waited_for(node: Node, broker: Broker) -> None:
    """Marks are noted first, then the cell: so whoever has the new cell has seen them, and nobody else is younger."""
    _ask(node, broker).done()
    admitted: list[Admission] = []
    broker.change("grant:7")
    events: Any = _interrupted(broker.events, lambda: admitted.append(_ask(node, broker)))
    broker.poll = lambda handle, after, confirmed: News(1, broker.position, events)  # type: ignore[method-assign]
    node.renew()
    assert isinstance(admitted[0].decision, Allowed), "it came before the change was heard of"
    assert node.draining
    assert not node.has_to_tell
    admitted[0].done()
