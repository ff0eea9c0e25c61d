"""The world that both servers serve: readers, each with a thread, and twenty messages in it.

Everything follows from an index, so both sides tell the same story without sharing a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

READERS = 100
PAGE = 20
POSTED_BY_APP = 4  # every fourth message came through an app

_BEGINNING = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
_LINES = (
    "Have you seen the new season already, or shall I keep quiet about it for another week?",
    "Half of it. The one with the lighthouse is the best they have made so far, I think.",
    "Then Thursday at yours, and I bring something to eat.",
    "Shared a track with you: Low Tide, by The Harbour Lights.",
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a reader's thread. ``by_reader``: else the reader's friend wrote it."""

    text: str
    sent_at: datetime
    by_reader: bool
    by_app: bool


def messages(reader: int) -> Iterator[Message]:
    """The messages of a reader's one thread, oldest first."""
    for index in range(PAGE):
        yield Message(
            text=_LINES[index % len(_LINES)],
            sent_at=_BEGINNING + timedelta(hours=reader, minutes=3 * index),
            by_reader=index % 2 == 0,
            by_app=index % POSTED_BY_APP == POSTED_BY_APP - 1,
        )
