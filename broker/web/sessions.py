"""Who is at the browser: a signed cookie carries a random secret, the store knows whose it is and until when."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from flask import Flask, Request, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from werkzeug.exceptions import Forbidden

from broker.domain.errors import Undecided
from broker.domain.instants import SECOND
from broker.operations.people import accounts
from broker.store.accounts import Account
from broker.web.request_context import context, transaction, writing

_SECRET = "session"
_REFRESH_AFTER = 60 * SECOND


class Cookies(SecureCookieSessionInterface):
    """Flask's signed cookies, without the work of opening one where a request carries none: no API call does."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) not in request.environ.get("HTTP_COOKIE", ""):
            return self.session_class()
        return super().open_session(app, request)


def load() -> Account | None:
    """The account of this request's session, or None; read once a request."""
    if "account" not in g:
        g.account = _find()
        if g.account is not None:
            g.actor = f"{g.account.role}:{g.account.username}"
            g.pop("context", None)  # one that was begun for nobody
    account: Account | None = g.account
    return account


def _find() -> Account | None:
    secret = session.get(_SECRET)
    found = accounts.of_session(transaction(), secret, context().now) if isinstance(secret, str) else None
    if found is None:
        return None
    account, seen_at = found
    g.session_is_old = context().now - seen_at > _REFRESH_AFTER
    return account


def current() -> Account:
    """The account of this request, in a view that requires one."""
    account = load()
    assert account is not None
    return account


def requires_login(view: Callable[..., Any]) -> Callable[..., Any]:
    """Send whoever is not logged in to the login page, and back afterwards if the request was safe."""

    @wraps(view)
    def checked(*args: Any, **values: Any) -> Any:
        if load() is None:
            target = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("login.show", next=target), 303)
        return view(*args, **values)

    return checked


def requires_role(role: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Admit accounts of one role only."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @requires_login
        @wraps(view)
        def checked(*args: Any, **values: Any) -> Any:
            if current().role != role:
                raise Forbidden(f"This page is for {role}s.")
            return view(*args, **values)

        return checked

    return decorate


def open_for(secret: str) -> None:
    """Begin a browser session afresh: nothing of the one before stays, its CSRF token neither."""
    session.clear()
    session[_SECRET] = secret
    session.permanent = False


def secret() -> str | None:
    """The secret of this browser's session, for closing it or binding something to it."""
    found = session.get(_SECRET)
    return found if isinstance(found, str) else None


def forget() -> None:
    """Clear the cookie."""
    session.clear()


def keep_alive() -> None:
    """Move the idle end after the request's own transaction, at most once a minute.

    If the database cannot do it now, the session ends a little earlier; what the request has done stands all the same,
    so its answer must not turn into an error.
    """
    found = secret() if g.pop("session_is_old", False) else None
    if found is not None:  # it is None once the request has logged out
        with suppress(Undecided), writing(g.get("actor", "anonymous")) as own:
            accounts.session_seen(own, found)
