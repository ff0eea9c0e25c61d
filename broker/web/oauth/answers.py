"""Answers of the token, revocation and introspection endpoints: JSON, never cached (RFC 6749 sections 5.1 and 5.2)."""

from __future__ import annotations

import msgspec
from flask import Response

from broker.domain.errors import OAuthError

_encode = msgspec.json.Encoder().encode


def json_answer(status: int, body: object) -> Response:
    """JSON that nobody may keep."""
    answer = Response(_encode(body), status, content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Pragma"] = "no-cache"
    return answer


def error_answer(error: OAuthError) -> Response:
    """An error of RFC 6749 section 5.2; its description in the characters that the RFC allows."""
    text = "".join(c if " " <= c <= "~" and c not in '"\\' else "'" for c in error.description)
    answer = json_answer(error.status, {"error": error.code, "error_description": text})
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="palaver", charset="UTF-8"'
    return answer
