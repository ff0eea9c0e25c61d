"""The composition root: the one place that knows every room, and hands the guard its authority."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask, Response, current_app, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from broker.enforcement.guard import Guard
from broker.enforcement.node import Node
from broker.enforcement.spool import Spool
from broker.network.api import Requests, create_api
from broker.operations.context import Runtime
from broker.web import errors, headers, health, sessions
from broker.web.api import admin_api, standing
from broker.web.authorities import LeasedAuthority, StrictAuthority
from broker.web.express import Express
from broker.web.oauth import authorize, metadata, revocations, token
from broker.web.pages import account, admin, assets, connected_apps, home, inbox, login, partner, wording
from broker.web.request_context import NONE, context, kind_of, serving, transaction


class Broker(Flask):
    """A Flask whose every request runs in one transaction, of the kind that its view asks for."""

    def dispatch_request(self) -> Any:
        view = self.view_functions.get(request.url_rule.endpoint) if request.url_rule is not None else None
        with serving(kind_of(view, request.method) if view is not None else NONE):
            answer = self.make_response(super().dispatch_request())
        sessions.keep_alive()
        return answer


def create_app(running: Runtime, node: Callable[[Spool], Node] | None = None) -> Flask:
    """The application of one worker process; to be called in it, after any fork.

    ``node`` makes the leased node that answers reads from memory, given the spool that it has to flush; without it the
    database is asked each time.
    """
    settings = running.settings
    app = Broker("broker.web")
    app.session_interface = sessions.Cookies()
    app.config.update(
        SECRET_KEY=settings.secret_key, MAX_CONTENT_LENGTH=settings.limits.max_body_bytes,
        MAX_FORM_PARTS=200, MAX_FORM_MEMORY_SIZE=settings.limits.max_body_bytes,
        SESSION_COOKIE_NAME="__Host-palaver" if settings.tls else "palaver", SESSION_COOKIE_SECURE=settings.tls,
        SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_PATH="/",
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=settings.lifetimes.session_absolute_s),
        WTF_CSRF_TIME_LIMIT=settings.lifetimes.session_absolute_s, WTF_CSRF_SSL_STRICT=False,
        TEMPLATES_AUTO_RELOAD=False,
    )  # fmt: skip
    spool = Spool(running.spools)
    own = None if node is None else node(spool)
    authority = StrictAuthority() if own is None else LeasedAuthority(own)
    app.extensions |= {"broker": running, "spool": spool, "guard": Guard(authority, spool.append), "node": own}
    app.url_map.merge_slashes = False  # no redirects of the framework's own: each is one of ours, and 303
    headers.install(app, settings)
    errors.install(app)
    _install_blueprints(app)
    wording.install(app, settings)
    assets.install(app)
    app.wsgi_app = Express(app)  # type: ignore[method-assign]
    if settings.behind_proxy:  # outermost: whoever counts by address means the caller's
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=0)  # type: ignore[method-assign]
    return app


def _guard() -> Guard:
    found: Guard = current_app.extensions["guard"]
    return found


def _install_blueprints(app: Flask) -> None:
    csrf = CSRFProtect(app)
    app.register_error_handler(CSRFError, _stale_form)
    api = create_api(Requests(_guard, transaction, context, runtime_key(app)))
    # no cookie authenticates these
    by_token = (api, standing.create(_guard), token.endpoints, revocations.endpoints, admin_api.endpoints)
    for blueprint in by_token:
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    for blueprint in (metadata.endpoints, authorize.endpoints, home.pages, login.pages, inbox.pages,
                      connected_apps.pages, account.pages, partner.pages, admin.pages, health.endpoints):  # fmt: skip
        app.register_blueprint(blueprint)


def runtime_key(app: Flask) -> bytes:
    """The key that identifiers are written with."""
    running: Runtime = app.extensions["broker"]
    return running.settings.secret_key


def _stale_form(error: CSRFError) -> Response:
    return errors.answer(400, "stale-form", "This form is too old, or not from here",
                         "Nothing was done. Go back, reload the page, and try again.")  # fmt: skip
