"""Time as the broker counts it: an ``Instant`` is an integer, microseconds since 1970-01-01T00:00:00Z."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

Instant = int

SECOND = 1_000_000
DAY = 86_400 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - its offset is written by hand, which is much quicker


@lru_cache(maxsize=4096)  # a page of messages is asked for again and again
def _second(seconds: int) -> str:
    return (_NAIVE_EPOCH + timedelta(seconds=seconds)).isoformat()


def rfc3339(instant: Instant) -> str:
    """Format an instant as RFC 3339 in UTC, with milliseconds."""
    whole, rest = divmod(instant, SECOND)
    return f"{_second(whole)}.{rest // 1000:03}Z"


def rfc3339_or_none(instant: Instant | None) -> str | None:
    """Format an instant, or pass None on."""
    return None if instant is None else rfc3339(instant)


def parse_rfc3339(text: str) -> Instant:
    """Read an RFC 3339 time with an offset; ValueError without one, since a local time names no instant."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC (write 2026-12-31T00:00:00Z)")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def seconds(instant: Instant) -> int:
    """Whole seconds since the epoch, rounded down: the form that OAuth's ``exp`` and ``iat`` have."""
    return instant // SECOND
