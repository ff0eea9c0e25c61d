"""What an answer of Palaver means for the partner that asked.

Every call ends as one of these values. A partner that lets an error travel as an exception shows a crash where the
person should read that access has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import httpx2

from demo_partners.oauth_client.problems import Problem, read_object, read_problem, read_retry_after
from demo_partners.oauth_client.settings import SCOPE


class Verdict(StrEnum):
    """How a call ended."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    ENDED = "ended"
    PAUSED = "paused"
    UNDECIDED = "undecided"
    UNREACHABLE = "unreachable"
    UNEXPECTED = "unexpected"
    NOT_CONNECTED = "not-connected"


class Access(StrEnum):
    """What the partner knows about its access after a call."""

    NONE = "none"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"
    UNKNOWN = "unknown"


_ACCESS = {
    Verdict.ALLOWED: Access.LIVE,
    # Being refused more than was granted leaves what was granted as it is.
    Verdict.REFUSED: Access.LIVE,
    Verdict.ENDED: Access.ENDED,
    Verdict.PAUSED: Access.PAUSED,
    Verdict.NOT_CONNECTED: Access.NONE,
}
_OAUTH_VERDICTS = {
    "access_denied": Verdict.NOT_CONNECTED,
    "invalid_scope": Verdict.NOT_CONNECTED,
    "invalid_grant": Verdict.ENDED,
    "invalid_client": Verdict.ENDED,
    "unauthorized_client": Verdict.ENDED,
    "temporarily_unavailable": Verdict.UNDECIDED,
}
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


@dataclass(frozen=True)
class OAuthRefusal:
    """An OAuth error (RFC 6749 sections 4.1.2.1 and 5.2)."""

    error: str
    description: str | None = None

    def document(self) -> dict[str, object]:
        return {"error": self.error, "error_description": self.description}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one call ended: ``status`` of Palaver's answer, ``retry_after`` in seconds, ``body`` when it was allowed.

    ``oauth_error`` is what the authorization or token endpoint said, when that is what failed. ``uncertain`` marks a
    write that broke off after it was sent: nobody here knows whether it was done. ``reason`` says what made an answer
    unexpected.
    """

    verdict: Verdict
    status: int | None = None
    problem: Problem | None = None
    oauth_error: OAuthRefusal | None = None
    retry_after: int | None = None
    uncertain: bool = False
    reason: str | None = None
    body: Mapping[str, object] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.verdict is Verdict.ALLOWED

    @property
    def access(self) -> Access:
        return _ACCESS.get(self.verdict, Access.UNKNOWN)


def outcome_of_answer(answer: httpx2.Response, now: datetime) -> Outcome:
    """Say what an answer of the messages API means; 401 counts as ended, and only renewing can disprove it."""
    if answer.is_success:
        body = read_object(answer.content) if answer.content else {}
        if body is None:
            return Outcome(verdict=Verdict.UNEXPECTED, status=answer.status_code, reason="it is not a JSON object")
        return Outcome(verdict=Verdict.ALLOWED, status=answer.status_code, body=body)
    problem = read_problem(answer.status_code, answer.headers, answer.content)
    return Outcome(
        verdict=_verdict(problem),
        status=answer.status_code,
        problem=problem,
        retry_after=read_retry_after(answer.headers, now),
    )


def _verdict(problem: Problem) -> Verdict:
    if problem.status == 401:
        return Verdict.ENDED
    if problem.kind == "insufficient-scope" and SCOPE in (problem.scope or "").split():
        # The one permission that was given is gone while the grant stands: narrowed, or not used for too long.
        return Verdict.ENDED
    if problem.kind == "feature-suspended":
        return Verdict.PAUSED
    if problem.status in (429, 503):
        return Verdict.UNDECIDED
    return Verdict.REFUSED if 400 <= problem.status < 500 else Verdict.UNEXPECTED


def outcome_of_oauth_error(error: str, description: str | None) -> Outcome:
    """Say what an error of the authorization or token endpoint means."""
    verdict = _OAUTH_VERDICTS.get(error, Verdict.UNEXPECTED)
    return Outcome(verdict=verdict, oauth_error=OAuthRefusal(error, description))


def outcome_of_broken_call(error: httpx2.TransportError, *, writes: bool) -> Outcome:
    """Say what a call means that got no answer."""
    return Outcome(verdict=Verdict.UNREACHABLE, uncertain=writes and not isinstance(error, _NEVER_SENT))
