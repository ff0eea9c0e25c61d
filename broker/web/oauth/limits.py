"""The limit on failing clients, as the endpoints where clients authenticate apply it."""

from __future__ import annotations

from flask import Response, request

from broker.operations.people import limits
from broker.web.oauth.answers import json_answer
from broker.web.request_context import WRITE, context, runtime, serving


def refuse_failing_client() -> Response | None:
    """429 with Retry-After for an address whose authentications have failed too often lately."""
    wait_s = limits.client_must_wait(runtime(), request.remote_addr or "")
    if wait_s is None:
        return None
    answer = json_answer(429, {"error": "slow_down", "error_description": "too many failed authentications"})
    answer.headers["Retry-After"] = str(wait_s)
    return answer


def count_failure(answer: Response) -> Response:
    """Count an answer that says that a client could not be authenticated."""
    if answer.status_code == 401 and runtime().settings.limits.enabled:
        with serving(WRITE):
            limits.client_failed(context(), request.remote_addr or "")
    return answer
