"""The account page: the password."""

from __future__ import annotations

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from broker.domain.errors import Refused
from broker.operations.people import accounts
from broker.store.accounts import Account
from broker.web import sessions
from broker.web.request_context import NONE, READ, runs, runtime, serving, writing

pages = Blueprint("account", __name__, url_prefix="/account")


@pages.get("")
@sessions.requires_login
def show() -> str:
    """The page."""
    return render_template("account.html", account=sessions.current(), problem=None)


@pages.post("/password")
@runs(NONE)
def change_password() -> BaseResponse:
    """Change the password: every session ends, this one too, and so do all tokens of all apps. Permissions stay."""
    with serving(READ):
        account = sessions.load()
    if account is None:
        return redirect(url_for("login.show"), 303)
    problem = _unproven(account)
    if problem is not None:
        return problem
    try:
        with writing(g.actor) as own:
            accounts.set_password(own, account, request.form.get("new", ""))
    except Refused as refused:
        return _again(f"{str(refused).capitalize()}.", 400)
    sessions.forget()
    return redirect(url_for("login.show", changed="password"), 303)


def _unproven(account: Account) -> Response | None:
    """The answer to somebody who sits at this session and does not know the password; guessing waits as at a login."""
    address = request.remote_addr or ""
    with runtime().read() as own:
        waiting = accounts.must_wait(own, account.username, address)
    if waiting is not None:
        answer = _again("Too many attempts. Please wait before the next one.", 429)
        answer.headers["Retry-After"] = str(waiting.retry_after_s)
        return answer
    with runtime().database.read() as transaction:
        right = accounts.check_password(transaction, account.username, request.form.get("current", ""))
    if right is not None:
        return None
    with writing(g.actor) as own:
        accounts.login_failed(own, account.username, address)
    return _again("That is not your current password.", 403)


def _again(problem: str, status: int) -> Response:
    with serving(READ):
        page = render_template("account.html", account=g.account, problem=problem)
    return Response(page, status, content_type="text/html; charset=utf-8")
