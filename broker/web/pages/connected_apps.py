"""Connected apps: every permission that a person has given, live and ended, and how to end it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from broker.domain import scopes
from broker.domain.features import Feature
from broker.domain.grants import Grant, GrantedScope, GrantView
from broker.domain.instants import Instant
from broker.operations import access, grants
from broker.operations.identifiers import GRANT, grant_id, identifiers
from broker.settings import Scope
from broker.store import conversations
from broker.store import grants as stored
from broker.store.register import features
from broker.web import sessions
from broker.web.request_context import NONE, READ, context, runs, runtime, serving, transaction

pages = Blueprint("connected_apps", __name__, url_prefix="/connected-apps")


@dataclass(frozen=True, slots=True)
class Part:
    """One scope of a grant, in our words; ``over`` is why it is gone although the grant may stand: unused, narrowed."""

    scope: Scope
    last_used_at: Instant | None
    uses: int
    unused_ends_at: Instant
    over: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One grant as the page shows it; ``end`` is None while it stands."""

    id: str
    view: GrantView
    end: tuple[Instant | None, str] | None
    paused: bool
    until: Instant
    parts: tuple[Part, ...]
    bound: bool  # whether it is for conversations at all
    threads: tuple[str, ...] | None  # titles of the chosen conversations; None: all of them


@pages.get("")
@runs(NONE)
def show() -> str | Response:
    """The list; records of use that are still in the workers' spools are taken in first, for whoever is logged in."""
    with serving(READ):
        known = sessions.load() is not None
    if known:
        access.take_in(runtime())
        g.pop("account")  # the session is judged again in the snapshot that the page is of
    with serving(READ):
        page: str | Response = _show()
    return page


@sessions.requires_role("user")
def _show() -> str:
    account = sessions.current()
    titles = dict(conversations.threads(transaction(), account.id))
    register = {feature.id: feature for feature in features.all(transaction())}
    views = stored.views(transaction(), account_id=account.id)
    rows = [_row(view, register[view.grant.feature_id], titles) for view in views]
    live, ended = [row for row in rows if row.end is None], [row for row in rows if row.end is not None]
    return render_template("connected_apps.html", account=account, live=live, ended=ended, now=context().now)


def _row(view: GrantView, feature: Feature, titles: dict[int, str]) -> Row:
    grant, end = view.grant, view.end(context().now)
    chosen = () if grant.all_conversations else stored.threads(transaction(), grant.id)
    return Row(
        grant_id(context().settings.secret_key, grant.id), view, None if end is None else (end[0], end[1].value),
        view.paused(), min(grant.expires_at, view.feature_ends_at or grant.expires_at),
        tuple(_part(each, feature) for each in grant.scopes),
        bool({each.scope for each in grant.scopes} & scopes.BY_CONVERSATION),
        None if grant.all_conversations else tuple(titles[number] for number in chosen if number in titles),
    )  # fmt: skip


def _part(held: GrantedScope, feature: Feature) -> Part:
    """What the decision would say of this scope alone: in the ceiling since before it was given, and in use."""
    since = {entry.scope: entry.since for entry in feature.ceiling}
    over = None
    if since.get(held.scope, held.position + 1) > held.position:
        over = "narrowed"
    elif held.unused_ends_at <= context().now:
        over = "unused"
    words = context().settings.register.scopes.get(held.scope) or Scope(held.scope, held.scope, "", "", False)
    return Part(words, held.last_used_at, held.uses, held.unused_ends_at, over)


def _own(written: str) -> Grant:
    number = identifiers(context().settings.secret_key, "operators").read(GRANT, written)
    return grants.own(context(), sessions.current().id, number)


@pages.post("/<grant>/disconnect")
@sessions.requires_role("user")
def disconnect(grant: str) -> Response:
    """End a whole permission."""
    done = grants.disconnect(context(), _own(grant))
    flash("Disconnected. Nothing that this app held works any more." if done else "This had ended already.")
    return redirect(url_for("connected_apps.show"), 303)


@pages.post("/<grant>/scopes/drop")
@sessions.requires_role("user")
def drop_scope(grant: str) -> Response:
    """Take one part of a permission back."""
    done = grants.drop_scope(context(), _own(grant), request.form.get("scope", ""))
    flash("Taken back. The app cannot use it any more." if done else "The app did not hold that.")
    return redirect(url_for("connected_apps.show"), 303)


@pages.post("/<grant>/keep")
@sessions.requires_role("user")
def keep(grant: str) -> Response:
    """Say that the app is still wanted: presence, which nobody but the person can show."""
    done = grants.confirm_presence(context(), _own(grant))
    flash("Kept. It ends later now." if done else "This had ended already, and that cannot be undone.")
    return redirect(url_for("connected_apps.show"), 303)
