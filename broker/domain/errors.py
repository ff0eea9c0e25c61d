"""What can go wrong, as values that carry facts; the edges (web, cli) turn them into answers."""

from __future__ import annotations


class BrokerError(Exception):
    """A refusal with one clear sentence for people."""


class NotFound(BrokerError):
    """The named thing does not exist, or is not this caller's to see."""


class Refused(BrokerError):
    """The request is understood and may not be done."""


class Conflict(Refused):
    """The state that the caller expected is no longer the state there is."""


class Undecided(BrokerError):
    """The broker cannot decide now: no answer is given, nothing was consumed; ask again."""

    retry_after_s = 1


class OAuthError(BrokerError):
    """An error of the token, authorization or revocation endpoint (RFC 6749 sections 4.1.2.1 and 5.2)."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status
