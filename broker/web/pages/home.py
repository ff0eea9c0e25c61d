"""The first page: what this is, in a minute; in the demo world also everybody's door."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from broker.domain.redirect_uris import origin
from broker.store.register import clients, features
from broker.web import sessions
from broker.web.pages.login import HOME
from broker.web.request_context import runtime, transaction

pages = Blueprint("home", __name__)
_LOOPBACK = ("http://127.0.0.1:", "http://[::1]:")


@dataclass(frozen=True, slots=True)
class App:
    """A partner's app that runs on this machine, as the demo's do."""

    name: str
    partner_id: str
    feature: str
    address: str


@pages.get("/")
def show() -> str | Response:
    """The page; whoever is logged in goes on to their own."""
    account = sessions.load()
    if account is not None:
        return redirect(HOME[account.role], 303)
    demo = runtime().settings.demo
    return render_template("home.html", demo=demo, apps=_apps() if demo is not None else [])


def _apps() -> list[App]:
    names = {feature.id: feature.name for feature in features.all(transaction())}
    return [
        App(client.name, client.partner_id, names[client.feature_id], origin(local[0]))
        for client in clients.all(transaction())
        if client.enabled and (local := [uri for uri in client.redirect_uris if uri.startswith(_LOOPBACK)])
    ]
