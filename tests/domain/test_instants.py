"""Instants: microseconds since the epoch, and their texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.instants import DAY, SECOND, parse_rfc3339, rfc3339, rfc3339_or_none, seconds

YEAR_9999 = 253_402_300_799 * SECOND


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-02T00:00:00.000001Z", DAY + 1),
        ("2026-12-31T00:00:00Z", 1_798_675_200 * SECOND),
        ("2026-12-31T01:00:00+01:00", 1_798_675_200 * SECOND),
        ("2026-12-30T19:00:00-05:00", 1_798_675_200 * SECOND),
    ],
)
def test_a_time_with_an_offset_names_an_instant(text: str, instant: int) -> None:
    assert parse_rfc3339(text) == instant


@pytest.mark.parametrize("text", ["2026-12-31T00:00:00", "2026-12-31", "now", ""])
def test_a_time_without_an_offset_names_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"offset|isoformat"):
        parse_rfc3339(text)


@given(st.integers(0, YEAR_9999))
def test_an_instant_is_written_in_milliseconds_and_read_back(instant: int) -> None:
    text = rfc3339(instant)
    assert len(text) == len("2026-12-31T00:00:00.000Z")
    assert parse_rfc3339(text) == instant // 1000 * 1000
    assert rfc3339_or_none(instant) == text


def test_no_instant_has_no_text() -> None:
    assert rfc3339_or_none(None) is None


def test_whole_seconds_are_rounded_down() -> None:
    assert (seconds(0), seconds(SECOND - 1), seconds(SECOND)) == (0, 0, 1)
