"""Access records: what is noted of a decision, and the line that it is in a spool."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.access import ALLOWED, AccessRecord, decode, encode, record_of
from broker.domain.decisions import decide
from tests.domain.test_decisions import NOW, SOUND

RECORD = AccessRecord(NOW, 11, "tuneloop-share", "share-a-track", 2, 7, 3, "messages:write", 5, "POST /api", ALLOWED)


def test_the_record_of_a_yes_says_which_scope_was_used() -> None:
    record = record_of(decide(SOUND, {"messages:write", "messages:read"}), SOUND, "POST /api", 5)
    assert record == RECORD


def test_the_record_of_a_no_says_which_scopes_were_needed_and_why_not() -> None:
    record = record_of(decide(SOUND, {"posts:read", "messages:read"}), SOUND, "GET /api", None)
    assert (record.scope, record.decision, record.thread_id) == ("messages:read posts:read", "insufficient-scope", None)


def test_an_admitted_request_that_came_to_nothing_is_no_use() -> None:
    record = record_of(decide(SOUND, {"messages:write"}), SOUND, "POST /api", None, outcome="not-found")
    assert record.decision == "not-found"
    refused = record_of(decide(SOUND, {"posts:read"}), SOUND, "POST /api", None, outcome="not-found")
    assert refused.decision == "insufficient-scope"


_numbers = st.integers(0, 1 << 62)
_words = st.text(st.characters(codec="ascii", exclude_characters="\t\n\0"), min_size=1)


@given(_numbers, st.none() | _numbers, st.none() | _numbers, st.none() | _numbers, _words, _words)
def test_a_record_is_read_as_it_was_written(
    number: int, grant: int | None, account: int | None, thread: int | None, scope: str, request: str
) -> None:
    record = AccessRecord(number, number, "a-client", "a-feature", 1, grant, account, scope, thread, request, ALLOWED)
    line = encode(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == record


@pytest.mark.parametrize("cut", range(1, 30, 7))
def test_a_line_that_was_cut_is_no_record(cut: int) -> None:
    assert decode(encode(RECORD)[:-cut].replace(b"\t", b"", 1)) is None
    assert decode(encode(RECORD)[: cut + 1]) is None


_SPOILT = [
    b"",
    b"\n",
    b"\xff\xfe\n",
    b"\t" * 10 + b"\n",
    b"x\t1\tc\tf\t1\t\t\ts\t\tr\tallowed\n",
    encode(RECORD).replace(b"tuneloop", b"tune\0oop"),
    encode(RECORD).replace(b"tuneloop", b"tune\xffoop"),
    encode(RECORD._replace(at=1 << 63)),
    encode(RECORD._replace(grant_id=-1)),
]


@pytest.mark.parametrize("line", _SPOILT)
def test_what_is_no_record_is_passed_over(line: bytes) -> None:
    assert decode(line) is None
