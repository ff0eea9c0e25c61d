"""Connected apps: every permission that a person has given, live and ended, and how to end it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from broker.domain.grants import Grant, GrantView
from broker.domain.instants import Instant
from broker.operations import access, grants
from broker.operations.identifiers import GRANT, grant_id, identifiers
from broker.settings import Scope
from broker.store import conversations
from broker.store import grants as stored
from broker.web import sessions
from broker.web.request_context import NONE, READ, context, runs, runtime, serving, transaction

pages = Blueprint("connected_apps", __name__, url_prefix="/connected-apps")


@dataclass(frozen=True, slots=True)
class Row:
    """One grant as the page shows it; ``end`` is None while it stands."""

    id: str
    view: GrantView
    end: tuple[Instant | None, str] | None
    paused: bool
    scopes: tuple[tuple[Scope, Instant | None, int], ...]  # in our words, last used, how often
    threads: tuple[str, ...] | None  # titles of the chosen conversations; None: all of them


@pages.get("")
@runs(NONE)
def show() -> str | Response:
    """The list; records of use that are still in the workers' spools are taken in first."""
    access.take_in(runtime())
    with serving(READ):
        answer: str | Response = _show()
        return answer


@sessions.requires_role("user")
def _show() -> str:
    account = sessions.current()
    titles = dict(conversations.threads(transaction(), account.id))
    rows = [_row(view, titles) for view in stored.views(transaction(), account_id=account.id)]
    live, ended = [row for row in rows if row.end is None], [row for row in rows if row.end is not None]
    return render_template("connected_apps.html", account=account, live=live, ended=ended, now=context().now)


def _row(view: GrantView, titles: dict[int, str]) -> Row:
    grant, end, words = view.grant, view.end(context().now), context().settings.register.scopes
    chosen = () if grant.all_conversations else stored.threads(transaction(), grant.id)
    return Row(
        grant_id(context().settings.secret_key, grant.id), view, None if end is None else (end[0], end[1].value),
        view.paused(), tuple((words[each.scope], each.last_used_at, each.uses) for each in grant.scopes),
        None if grant.all_conversations else tuple(titles[number] for number in chosen if number in titles),
    )  # fmt: skip


def _own(written: str) -> Grant:
    number = identifiers(context().settings.secret_key, "operators").read(GRANT, written)
    return grants.own(context(), sessions.current().id, number)


@pages.post("/<grant>/disconnect")
@sessions.requires_role("user")
def disconnect(grant: str) -> Response:
    """End a whole permission."""
    grants.disconnect(context(), _own(grant))
    return redirect(url_for("connected_apps.show"), 303)


@pages.post("/<grant>/scopes/drop")
@sessions.requires_role("user")
def drop_scope(grant: str) -> Response:
    """Take one part of a permission back."""
    grants.drop_scope(context(), _own(grant), request.form.get("scope", ""))
    return redirect(url_for("connected_apps.show"), 303)


@pages.post("/<grant>/keep")
@sessions.requires_role("user")
def keep(grant: str) -> Response:
    """Say that the app is still wanted: presence, which nobody but the person can show."""
    grants.confirm_presence(context(), _own(grant))
    return redirect(url_for("connected_apps.show"), 303)
