"""Browsers, and what this partner holds for each: in memory, gone when the process ends.

The cookie carries a random id and nothing else; tokens never leave the process but towards Palaver.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from secrets import token_urlsafe
from threading import Lock

from demo_partners.oauth_client.authorization import PendingAuthorization
from demo_partners.oauth_client.connection import Connection

MAX_BROWSERS = 1000
MAX_PENDING = 8


@dataclass
class Browser:
    """One browser: requests sent and not answered, its connection, and what the last calls showed."""

    pending: dict[str, PendingAuthorization] = field(default_factory=dict)
    connection: Connection | None = None
    access: str = "none"
    titles: dict[str, str] = field(default_factory=dict)
    last_message: dict[str, object] | None = None
    last_result: dict[str, object] | None = None

    def expect(self, pending: PendingAuthorization) -> None:
        """Remember a request; the oldest is forgotten where somebody opens one after the other."""
        while len(self.pending) >= MAX_PENDING:
            self.pending.pop(next(iter(self.pending)), None)
        self.pending[pending.state] = pending

    def name_of(self, thread: str) -> str:
        """Name a conversation as the person knows it, if this browser has seen its title."""
        return f"“{self.titles[thread]}”" if thread in self.titles else "the conversation"


class Browsers:
    """All browsers; the one that was away longest makes room when there are too many."""

    def __init__(self, limit: int = MAX_BROWSERS) -> None:
        self._limit = limit
        self._known: OrderedDict[str, Browser] = OrderedDict()
        self._lock = Lock()

    def find(self, browser_id: str | None) -> Browser | None:
        with self._lock:
            if browser_id is None or browser_id not in self._known:
                return None
            self._known.move_to_end(browser_id)
            return self._known[browser_id]

    def admit(self, browser: Browser) -> str:
        """Keep a browser under a fresh id, and return the id."""
        browser_id = token_urlsafe(32)
        with self._lock:
            self._known[browser_id] = browser
            while len(self._known) > self._limit:
                self._known.popitem(last=False)
        return browser_id

    def forget(self, browser_id: str | None) -> None:
        with self._lock:
            self._known.pop(browser_id or "", None)
