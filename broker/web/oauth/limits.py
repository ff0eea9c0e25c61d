"""Rate limits: failures only, counted in the database, so that N workers are not N times the limit."""

from __future__ import annotations

from hashlib import sha256

from flask import Response, request

from broker.domain.instants import SECOND
from broker.store import accounts
from broker.web.oauth.answers import json_answer
from broker.web.request_context import context, runtime

_WINDOW_S = 60


def _key() -> str:
    """Failing clients are told apart by where they call from: the id they send is not proven."""
    return sha256(f"client {request.remote_addr}".encode()).hexdigest()


def refuse_failing_client() -> Response | None:
    """429 with Retry-After for an address whose authentications have failed too often lately."""
    limits = runtime().settings.limits
    if not limits.enabled:
        return None
    count, window_ends = accounts.failures(context().transaction, _key())
    if count < limits.token_failures_per_minute or window_ends <= context().now:
        return None
    answer = json_answer(429, {"error": "slow_down", "error_description": "too many failed authentications"})
    answer.headers["Retry-After"] = str(-(-(window_ends - context().now) // SECOND))
    return answer


def count_failure(answer: Response) -> Response:
    """Count an answer that says that a client could not be authenticated."""
    if answer.status_code == 401 and runtime().settings.limits.enabled:
        count, window_ends = accounts.failures(context().transaction, _key())
        if window_ends <= context().now:
            count, window_ends = 0, context().after(_WINDOW_S)
        accounts.failed(context().transaction, _key(), count + 1, window_ends)
    return answer
