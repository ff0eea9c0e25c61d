"""One holder's tokens, and the rule that one thread at a time renews them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from demo_partners.oauth_client.tokens import Tokens


class Connection:
    """The tokens of one person (or of the partner itself), replaced together when they are renewed.

    Two threads that refresh with the same token look like theft to the server, which then ends the whole family
    (RFC 9700 section 4.14.2). So whoever finds the access token stale waits here, and takes what the first one got.
    """

    def __init__(self, tokens: Tokens, renew: Callable[[Tokens], Tokens]) -> None:
        self._tokens = tokens
        self._renew = renew
        self._lock = Lock()

    @property
    def tokens(self) -> Tokens:
        return self._tokens

    def renewed(self, stale: Tokens) -> Tokens:
        """Return tokens newer than ``stale``; what ``renew`` raises passes through and leaves the old ones in place."""
        with self._lock:
            if self._tokens is stale:
                self._tokens = self._renew(stale)
            return self._tokens
