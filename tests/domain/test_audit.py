"""The chain: each entry tied to the one before; whatever was done to it afterwards is named at the first break."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.audit import GENESIS, Action, Broken, Entry, verify

Chain = list[tuple[Entry, bytes]]


def chain(length: int = 5) -> Chain:
    """A sound log."""
    entries: Chain = []
    previous = GENESIS
    for position in range(1, length + 1):
        entry = Entry(position, position * 10, "operator:ops", "grant.ended", f"grant:{position}", "share-a-track",
                      {"cause": "disconnected", "number": position}, previous)  # fmt: skip
        entries.append((entry, entry.hash()))
        previous = entry.hash()
    return entries


def _verify(entries: Chain, head: tuple[int, bytes] | None = None) -> Broken | None:
    whole = chain()
    return verify(entries, *(head or (whole[-1][0].position, whole[-1][1])))


def test_a_sound_chain_holds_and_so_does_an_empty_one() -> None:
    assert _verify(chain()) is None
    assert verify([], 0, GENESIS) is None


_CHANGES: dict[str, Any] = {
    "at": 999, "actor": "operator:ops2", "action": "grant.revived", "subject": "grant:9", "feature": None,
    "details": {"cause": "expired", "number": 3},
}  # fmt: skip


@pytest.mark.parametrize("name", _CHANGES)
def test_an_edited_entry_is_named(name: str) -> None:
    entries = chain()
    entries[2] = (replace(entries[2][0], **{name: _CHANGES[name]}), entries[2][1])
    assert _verify(entries) == Broken(3, "was changed after it was written")


def test_an_edit_that_is_hashed_again_breaks_the_entry_after_it() -> None:
    entries = chain()
    edited = replace(entries[2][0], actor="operator:ops2")
    entries[2] = (edited, edited.hash())
    assert _verify(entries) == Broken(4, "does not follow the entry before it")


def test_an_edit_of_the_newest_entry_breaks_the_head() -> None:
    entries = chain()
    edited = replace(entries[4][0], actor="operator:ops2")
    entries[4] = (edited, edited.hash())
    assert _verify(entries) == Broken(6, "is missing: the log was cut after it was written")


@pytest.mark.parametrize("position", [1, 3, 5])
def test_a_deleted_entry_is_named(position: int) -> None:
    entries = [each for each in chain() if each[0].position != position]
    why = "is missing: the log was cut after it was written" if position == 5 else "is missing"
    assert _verify(entries) == Broken(position, why)


def test_entries_that_changed_places_are_named() -> None:
    entries = chain()
    second, third = entries[1], entries[2]
    entries[1:3] = [(replace(third[0], position=2), third[1]), (replace(second[0], position=3), second[1])]
    assert _verify(entries) == Broken(2, "does not follow the entry before it")


@pytest.mark.parametrize("left", [0, 1, 4])
def test_a_log_that_was_cut_is_named_where_it_ends(left: int) -> None:
    assert _verify(chain()[:left]) == Broken(left + 1, "is missing: the log was cut after it was written")


def test_an_entry_that_was_added_past_the_head_is_named() -> None:
    entries = chain()
    added = Entry(6, 60, "operator:ops", "grant.ended", "grant:6", None, {}, entries[-1][1])
    assert _verify([*entries, (added, added.hash())]) is not None


def test_the_bytes_that_are_hashed_are_the_same_on_every_machine() -> None:
    entry = Entry(1, 2, "user:ren\u00e9e", "consent.approved", "grant:1", None, {"b": [1], "a": None})
    assert entry.canonical() == (
        b'{"action":"consent.approved","actor":"user:ren\\u00e9e","at":2,"details":{"a":null,"b":[1]},"feature":null,'
        b'"position":1,"previous":"' + b"00" * 32 + b'","subject":"grant:1"}'
    )
    assert entry.hash().hex() == "cf0b93a3081c3c1397598a2eee9d99fc753ec78f9378a654ddae6a3b13e39188"


_json = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda each: st.lists(each, max_size=3))


@given(st.dictionaries(st.text(), _json, max_size=4), st.dictionaries(st.text(), _json, max_size=4))
def test_entries_that_differ_hash_differently_also_after_a_round_through_json(
    one: dict[str, object], other: dict[str, object]
) -> None:
    first, second = (Entry(1, 2, "broker", "x", "y", None, details) for details in (one, other))
    assert (first.hash() == second.hash()) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))
    stored = replace(first, details=json.loads(json.dumps(one, sort_keys=True)))
    assert stored.hash() == first.hash()


def test_actions_are_named_for_what_changed() -> None:
    assert all(action.value.count(".") == 1 for action in Action)
    assert len({action.value for action in Action}) == len(Action)
