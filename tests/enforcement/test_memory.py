"""A node's memory: what holds, what does not, and that forgetting never says yes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from broker.domain.decisions import Allowed
from broker.enforcement.memory import Memory, Seen
from tests.domain.test_decisions import SOUND

FEATURE, GRANT = "feature:recommend", "grant:7"


def _seen(position: int, *marks: str) -> Seen:
    return Seen(SOUND, marks or (FEATURE, GRANT), 1, position, 0, 1_000)


def test_what_was_read_holds_until_a_mark_of_it_comes_by() -> None:
    memory = Memory()
    memory.note([(5, FEATURE)])
    assert memory.holds(_seen(5)), "the reading has seen it"
    memory.note([(6, "grant:8"), (7, "client:other")])
    assert memory.holds(_seen(5))
    memory.note([(8, GRANT)])
    assert not memory.holds(_seen(5))
    assert not memory.holds(_seen(7))
    assert memory.holds(_seen(8))


def test_forgetting_a_mark_makes_old_decisions_useless_and_never_a_yes() -> None:
    memory = Memory(marks=2)
    memory.note([(5, GRANT), (6, "grant:8"), (7, "grant:9")])
    assert not memory.holds(_seen(4)), "its mark is forgotten, and the floor is in its place"
    assert not memory.holds(_seen(4, "grant:10")), "as good as forgotten"
    assert memory.holds(_seen(5))


class Meanwhile(tuple[str, ...]):
    """Marks; what another thread does comes when they begin to be looked at."""

    __slots__ = ()
    does: Callable[[], object]

    def __iter__(self) -> Iterator[str]:
        type(self).does()
        return super().__iter__()


@pytest.mark.parametrize("forget", [
    lambda memory: memory.note([(6, "grant:8"), (7, "grant:9")]),
    lambda memory: memory.clear(7),
], ids=["for want of room", "all"])  # fmt: skip
def test_a_mark_that_is_forgotten_while_it_is_looked_for_is_never_a_yes(forget: Callable[[Memory], None]) -> None:
    memory = Memory(marks=2)
    memory.note([(5, GRANT)])
    marks = Meanwhile((GRANT,))
    Meanwhile.does = lambda: forget(memory)
    assert not memory.holds(Seen(SOUND, marks, 1, 4, 0, 1_000))


def test_a_mark_that_comes_again_is_forgotten_last() -> None:
    memory = Memory(marks=2)
    memory.note([(5, GRANT), (6, "grant:8"), (7, GRANT), (8, "grant:9")])
    assert not memory.holds(_seen(6))
    assert memory.holds(_seen(7))


class _Watched(str):
    """A mark at each of whose look-ups somebody else asks, as another thread may."""

    __slots__ = ("asks",)
    asks: Callable[[], None]

    def __hash__(self) -> int:
        self.asks()
        return super().__hash__()


def test_a_mark_that_comes_again_is_at_no_moment_forgotten() -> None:
    memory, answers = Memory(), list[bool]()
    memory.note([(5, FEATURE)])
    again = _Watched(FEATURE)
    again.asks = lambda: answers.append(memory.holds(_seen(4)))
    memory.note([(6, again)])
    assert answers
    assert not any(answers)


def test_decisions_are_bounded_and_the_longest_remembered_goes() -> None:
    memory = Memory(decisions=2)
    for name in (b"a", b"b", b"c"):
        memory.put(name, _seen(1))
    assert memory.get(b"a") is None
    assert memory.get(b"b") is not None
    memory.drop(b"b")
    memory.drop(b"b")
    assert memory.get(b"b") is None


def test_after_a_new_registration_nothing_older_is_used_whoever_brings_it() -> None:
    memory = Memory()
    late = _seen(5)
    memory.note([(6, GRANT)])
    memory.clear(9)
    memory.put(b"a", late)
    assert not memory.holds(late)
    assert memory.holds(_seen(9))


def test_a_decision_is_made_once_for_each_need() -> None:
    seen = _seen(1)
    first = seen.decision(frozenset({"messages:write"}))
    assert isinstance(first, Allowed)
    assert seen.decision(frozenset({"messages:write"})) is first
    assert not isinstance(seen.decision(frozenset({"messages:read"})), Allowed)
