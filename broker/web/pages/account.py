"""The account page: the password."""

from __future__ import annotations

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from broker.domain.errors import Refused
from broker.operations import accounts
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
    with runtime().database.read() as transaction:
        right = accounts.check_password(transaction, account.username, request.form.get("current", ""))
    if right is None:
        return _again("That is not your current password.", 403)
    try:
        with writing(g.actor) as own:
            accounts.set_password(own, account, request.form.get("new", ""))
    except Refused as problem:
        return _again(f"{str(problem).capitalize()}.", 400)
    sessions.forget()
    return redirect(url_for("login.show", changed="password"), 303)


def _again(problem: str, status: int) -> Response:
    with serving(READ):
        page = render_template("account.html", account=g.account, problem=problem)
    return Response(page, status, content_type="text/html; charset=utf-8")
