"""Errors, mapped to answers at the edge and only here: problem+json for programs, a page for people."""

from __future__ import annotations

import structlog
from flask import Flask, Response, render_template, request
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException

from broker.domain.errors import BrokerError, Conflict, NotFound, Undecided
from broker.enforcement.flask import problem

_PROGRAMS = ("/api/", "/oauth/", "/admin/api/", "/.well-known/")

log = structlog.get_logger("broker.web")


def for_programs() -> bool:
    """Whether who asks is a program: it gets JSON, and its body is read strictly elsewhere."""
    return request.path.startswith(_PROGRAMS) and request.path != "/oauth/authorize"


def answer(status: int, kind: str, title: str, detail: str) -> Response:
    """One answer in the form that the one who asks can read."""
    if for_programs():
        return problem(status, kind, title, detail)
    if request_ctx.url_adapter is None:  # a Host that is none: a page would fail at its own addresses
        return _plain(status, f"{title}. {detail}")
    page = render_template("error.html", title=title, detail=detail, status=status)
    return Response(page, status, content_type="text/html; charset=utf-8")


def _plain(status: int, words: str) -> Response:
    return Response(f"{words}\n", status, content_type="text/plain; charset=utf-8")


def _route() -> str:
    """Which view it was, for the log; not the path, where somebody may have put a token by mistake."""
    return f"{request.method} {request.url_rule or 'nowhere'}"


def _undecided(error: Undecided) -> Response:
    log.warning("undecided", route=_route(), why=str(error))
    found = answer(503, "cannot-decide", "The broker cannot decide now", "Please try again shortly; that is safe.")
    found.headers["Retry-After"] = str(error.retry_after_s)
    return found


def _refused(error: BrokerError) -> Response:
    if isinstance(error, NotFound):
        return answer(404, "not-found", "Not found", _sentence(error))
    if isinstance(error, Conflict):
        return answer(409, "conflict", "This is no longer so", _sentence(error))
    return answer(400, "bad-request", "This cannot be done", _sentence(error))


def _sentence(error: BrokerError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _http(error: HTTPException) -> Response:
    code = error.code or 500
    found = answer(code, error.name.lower().replace(" ", "-"), error.name, error.description or "")
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            found.headers[name] = value
    return found


def _unexpected(error: Exception) -> Response:
    """A bug of ours is no yes either: nothing was committed, and the log has the traceback without any value of it."""
    log.error("unexpected", route=_route(), error=type(error).__name__, exc_info=error)
    words = "Something went wrong here. Nothing was done. Please try again shortly."
    # No template is used: what went wrong may be the templates.
    found = problem(503, "cannot-decide", "Something went wrong here", words) if for_programs() else _plain(503, words)
    found.headers["Retry-After"] = "5"
    return found


def install(app: Flask) -> None:
    """Install the handlers."""
    app.register_error_handler(Undecided, _undecided)
    app.register_error_handler(BrokerError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)
