"""The Flask app of one partner: pages, headers, CSRF, errors."""

from __future__ import annotations

from secrets import token_bytes

from flask import Flask
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from demo_partners.oauth_client.palaver import Palaver
from demo_partners.pages.answers import mistake
from demo_partners.pages.beyond import beyond
from demo_partners.pages.connecting import connecting
from demo_partners.pages.partner import Partner
from demo_partners.pages.sessions import Browsers
from demo_partners.pages.site import EXTENSION, Site
from demo_partners.pages.standing import ceiling_rows, receipt_rows, state_in_words
from demo_partners.pages.views import pages

MAX_BODY = 16 * 1024
HOST = "127.0.0.1"
_OUT_OF_DATE = (
    "This form is out of date, or was not ours. Open the page again and retry. (CSRF token missing or wrong.)"
)
_WORDS = {
    404: "There is no such page here.",
    405: "This page cannot be used in that way.",
    413: "That is more than this page takes.",
    500: "Something went wrong in this app. It has been written to its log.",
}


def create_app(partner: Partner, palaver: Palaver) -> Flask:
    """Build the app of a partner; its templates and static files are those of its package, then the shared ones."""
    app = Flask(partner.package)
    app.config.update(
        # Sessions live in memory, so a key that lives as long serves them; nobody has to keep it secret on a disk.
        SECRET_KEY=token_bytes(32),
        # Cookies do not tell ports apart: partners on one host need names of their own.
        SESSION_COOKIE_NAME=f"{partner.key}_session",
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=MAX_BODY,
        TRUSTED_HOSTS=[HOST],
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.extensions[EXTENSION] = Site(partner, palaver, Browsers())
    CSRFProtect(app)
    for blueprint in (pages, connecting, beyond):
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, _explain)
    for as_words in (state_in_words, ceiling_rows, receipt_rows):
        app.add_template_filter(as_words)
    policy = content_security_policy(palaver.broker)
    app.after_request(lambda response: _add_headers(response, policy))
    return app


def content_security_policy(broker: str) -> str:
    """Allow our own styles and forms, and the redirect of the connect form to the broker.

    Chromium applies ``form-action`` to every redirect that follows the POST, so the broker's origin has to be named.
    """
    return (
        f"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {broker}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )


def _add_headers(response: Response, policy: str) -> Response:
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    # The callback's address holds a code.
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


def _explain(error: HTTPException) -> Response:
    words = _OUT_OF_DATE if isinstance(error, CSRFError) else _WORDS.get(error.code or 500) or str(error.description)
    response = mistake(words, error.name, error.code or 500)
    if error.code == 405 and error.response is None:
        response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ())
    return response
