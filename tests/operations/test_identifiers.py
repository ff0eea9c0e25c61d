"""Identifiers that leave the broker: nobody joins two receivers', and nobody makes one up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.operations import identifiers as ids
from broker.operations.identifiers import GRANT, MESSAGE, PERSON, SUBJECT, THREAD, generation, identifiers, mark

KEY = b"tests-0123456789abcdef0123456789abcdef"
_numbers = st.integers(0, (1 << 63) - 1)
_tags = st.sampled_from([THREAD, MESSAGE, PERSON, SUBJECT, GRANT])
_contexts = st.integers(0, (1 << 56) - 1)
_receivers = st.sampled_from(["client:tuneloop-share", "client:northbank-notice", "partner:tuneloop", "operators"])


@given(_receivers, _tags, _numbers, _contexts)
def test_an_identifier_is_read_back_by_its_receiver(receiver: str, tag: int, number: int, context: int) -> None:
    own = identifiers(KEY, receiver)
    text = own.write(tag, number, context)
    assert re.fullmatch(r"[0-9bcdfgh]{32}", text)
    assert own.read(tag, text, context) == number
    assert own.write(tag, number, context) == text


@given(_tags, _numbers, _contexts, _tags, _contexts)
def test_it_is_unknown_to_every_other_receiver_kind_and_context(
    tag: int, number: int, context: int, other_tag: int, other_context: int
) -> None:
    own, other = identifiers(KEY, "client:tuneloop-share"), identifiers(KEY, "client:northbank-notice")
    text = own.write(tag, number, context)
    assert other.read(tag, text, context) is None
    assert identifiers(b"another key", "client:tuneloop-share").read(tag, text, context) is None
    assert (own.read(other_tag, text, other_context) is None) == ((other_tag, other_context) != (tag, context))


@given(_tags, _numbers)
def test_two_receivers_never_hold_one_identifier_of_one_thing(tag: int, number: int) -> None:
    one, other = (identifiers(KEY, receiver).write(tag, number) for receiver in ("client:a-b", "client:c-d"))
    assert one != other


@pytest.mark.parametrize(
    "text",
    ["", "0" * 31, "0" * 33, "a" * 32, "Z" * 32, "0" * 31 + "\n", "\u0661" * 32, "0" * 32, "b" * 32, "\ud800" * 32],
)
def test_what_was_made_up_is_unknown(text: str) -> None:
    assert identifiers(KEY, "client:tuneloop-share").read(THREAD, text) is None


@given(st.text(st.sampled_from("0123456789bcdfgh"), min_size=32, max_size=32))
def test_a_guess_in_the_right_letters_is_unknown_too(text: str) -> None:
    assert identifiers(KEY, "client:tuneloop-share").read(MESSAGE, text, 5) is None


@given(_tags, st.lists(_numbers, max_size=20), _contexts)
def test_many_are_written_as_each_would_be(tag: int, numbers: list[int], context: int) -> None:
    own = identifiers(KEY, "client:tuneloop-share")
    assert own.write_many(tag, numbers, context) == [own.write(tag, number, context) for number in numbers]


def test_a_person_is_somebody_else_to_each_partner_and_a_grant_is_one_to_all() -> None:
    subjects = {ids.subject(KEY, receiver, 3) for receiver in ("partner:tuneloop", "partner:northbank",
                                                               "resource-server:palaver-search")}  # fmt: skip
    assert len(subjects) == 3
    assert ids.subject(KEY, "partner:tuneloop", 3) in subjects
    assert ids.subject(KEY, "partner:tuneloop", 4) not in subjects
    assert identifiers(KEY, "operators").read(GRANT, ids.grant_id(KEY, 7)) == 7


def test_a_mark_is_the_same_for_one_receiver_and_joins_with_nobody_elses() -> None:
    own = mark(KEY, "resource-server:palaver-search", "grant:7")
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", own)
    assert mark(KEY, "resource-server:palaver-search", "grant:7") == own
    others = {
        mark(KEY, "resource-server:palaver-export", "grant:7"),
        mark(b"another key", "resource-server:palaver-search", "grant:7"),
        mark(KEY, "resource-server:palaver-search", "grant:8"),
    }
    assert len(others | {own}) == 4


def test_a_generation_is_another_when_the_database_is_restored_or_the_key_of_the_marks_changed() -> None:
    receiver = "resource-server:palaver-search"
    own = generation(KEY, receiver, 1)
    assert generation(KEY, receiver, 1) == own < 1 << 53
    assert len({own, generation(KEY, receiver, 2), generation(b"another key", receiver, 1)}) == 3
