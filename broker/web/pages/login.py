"""Logging in and out."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from broker.domain.redirect_uris import matches, origin
from broker.operations import consent
from broker.operations.people import accounts
from broker.operations.people.accounts import TooMany
from broker.store.accounts import Account
from broker.store.register import clients
from broker.web import sessions
from broker.web.headers import allow_form_target
from broker.web.request_context import NONE, READ, context, runs, runtime, serving, writing

pages = Blueprint("login", __name__)

HOME = {"user": "/inbox", "operator": "/admin", "partner": "/partner"}
_AUTHORIZE = "/oauth/authorize"
_OWN = (_AUTHORIZE, "/inbox", "/connected-apps", "/account", "/partner", "/admin")


def own_path(target: str | None) -> str | None:
    """A path of ours to return to; anything else is dropped: nobody is sent away by a link to this page."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target or len(target) > 16_384:
        return None
    if any(character < " " for character in target):
        return None
    parts = urlsplit(target)
    own = any(parts.path == path or parts.path.startswith(path + "/") for path in _OWN)
    return target if own and not parts.netloc and not parts.scheme else None


def _client_of(target: str | None) -> tuple[str, str] | None:
    """The client id and redirect URI in a target that leads to the consent page."""
    if target is None or urlsplit(target).path != _AUTHORIZE:
        return None
    given = parse_qs(urlsplit(target).query)
    client_id, uri = given.get("client_id", [""])[0], given.get("redirect_uri", [""])[0]
    return (client_id, uri) if client_id and uri else None


def _form(target: str | None, **more: object) -> str:
    """The form. If logging in may go straight on to a partner, this page must admit that partner's address too."""
    asking = _client_of(target)
    client = clients.get(context().transaction, asking[0]) if asking is not None else None
    if client is not None and asking is not None and matches(asking[1], client.redirect_uris, native=client.public):
        allow_form_target(origin(asking[1]))
    return render_template("login.html", next=target, client=client, demo=runtime().settings.demo, **more)


@pages.get("/login")
def show() -> BaseResponse:
    """The login page."""
    target, account = own_path(request.args.get("next")), sessions.load()
    if account is not None:
        return redirect(target or HOME[account.role], 303)
    return Response(_form(target), content_type="text/html; charset=utf-8")


@pages.post("/login")
@runs(NONE)
def log_in() -> BaseResponse:
    """Check a password, outside of any lock, since that takes its time; then open a session."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    target, address = own_path(request.form.get("next")), request.remote_addr or ""
    with runtime().read() as own:
        waiting = accounts.must_wait(own, username, address)
    if waiting is not None:
        return _again(target, username, 429, waiting)
    with runtime().database.read() as transaction:
        account = accounts.check_password(transaction, username, password)
    if account is None:
        with writing("anonymous") as own:
            accounts.login_failed(own, username, address)
        return _again(target, username, 401)
    return _welcome(account, target, address)


def _again(target: str | None, username: str, status: int, waiting: TooMany | None = None) -> Response:
    with serving(READ):
        page = _form(target, failed=True, waiting=waiting, username=username[:200])
    answer = Response(page, status, content_type="text/html; charset=utf-8")
    if waiting is not None:
        answer.headers["Retry-After"] = str(waiting.retry_after_s)
    return answer


def _welcome(account: Account, target: str | None, address: str) -> BaseResponse:
    asking = _client_of(target)
    with writing(f"{account.role}:{account.username}") as own:
        secret = accounts.log_in(own, account, address)
        if asking is not None:
            consent.signed_in_through(own, account.id, asking[0])
    sessions.open_for(secret)
    return redirect(target or HOME[account.role], 303)


@pages.post("/logout")
def log_out() -> BaseResponse:
    """End the session; a page of ours that was asked for can be returned to as somebody else."""
    secret = sessions.secret()
    if secret is not None:
        accounts.log_out(context(), secret)
    sessions.forget()
    return redirect(url_for("login.show", next=own_path(request.form.get("next"))), 303)
