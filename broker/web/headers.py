"""Security headers, and which requests are answered at all."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest

from broker.settings import Settings
from broker.web import errors

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_PROBES = ("/healthz", "/readyz", "/metrics")  # whoever probes names a machine, not a site
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_")  # as WSGI spells them
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self'; connect-src 'self';"
    " base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


def allow_form_target(origin: str) -> None:
    """Let this page's form end at a validated redirect URI: Chromium holds form-action against the whole chain."""
    g.form_targets = (*g.get("form_targets", ()), origin)


def for_everything(settings: Settings) -> list[tuple[str, str]]:
    """The headers that every answer has."""
    known = [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")]
    if settings.tls:
        known.append(("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))
    return known


def ordinary_host(settings: Settings, environ: dict[str, Any]) -> bool:
    """Whether a request surely names a host that is served, and comes as it should; if not, ask more closely."""
    host = environ.get("HTTP_HOST", "").rsplit(":", 1)[0]
    if settings.demo is not None:
        return host in _LOOPBACK and not any(name.startswith(_FORWARDED) for name in environ)
    return host in (settings.allowed_hosts or _LOOPBACK)


def _host_problem(settings: Settings) -> str | None:
    named = request.host
    host = named.rsplit(":", 1)[0] if not named.endswith("]") else named
    if settings.demo is not None:
        if any(name.startswith(_FORWARDED) for name in request.environ):
            return "the demo world is not served through a proxy"
        return None if host in _LOOPBACK else "the demo world is served on a loopback address only"
    allowed = settings.allowed_hosts or _LOOPBACK
    served = host in allowed or named in allowed or request.path in _PROBES
    return None if served else "this host is not served here"


def _body_problem() -> str | None:
    """What is wrong with a body before anybody reads it as anything.

    The server hands on what has come when a connection ends in the middle of a body: a form without its last fields
    would be another form. And no text of ours has a NUL; PostgreSQL fails on it much later.
    """
    if request.content_length and len(request.get_data()) != request.content_length:
        return "the body ended early"
    fields = [] if errors.for_programs() else request.form.items(multi=True)
    nul = "\0" in request.path or any("\0" in value for _, value in fields)
    return "there is a NUL character in it" if nul else None


def install(app: Flask, settings: Settings) -> None:
    """Check the host and the body before, and set the headers after, each request."""

    everywhere = for_everything(settings)

    @app.before_request
    def refuse_what_is_not_for_us() -> None:
        problem = _host_problem(settings) or _body_problem()
        if problem is not None:
            raise BadRequest(problem)

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        for name, value in everywhere:
            headers[name] = value
        if headers.get("Content-Type", "").startswith("text/html"):
            targets = "".join(f" {origin}" for origin in g.get("form_targets", ()))
            headers["Content-Security-Policy"] = _POLICY + targets
            headers["X-Frame-Options"] = "DENY"
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
            headers.setdefault("Cache-Control", "no-store")
        return response
