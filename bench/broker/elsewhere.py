"""A resource server elsewhere that answers a constant: guarded from memory, guarded by asking each time, unguarded."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Set
from typing import Any

import httpx2
from flask import Flask

from broker.domain.decisions import Denied, Reason
from broker.domain.scopes import MESSAGES_READ
from broker.enforcement.bearer import token_hash
from broker.enforcement.feed import Ask, read
from broker.enforcement.flask import guarded
from broker.enforcement.node import Admission
from broker.enforcement.remote import boottime, connect

ISSUER_VARIABLE, SERVER_VARIABLE = "BENCH_ISSUER", "BENCH_RESOURCE_SERVER"
PATH = "/constant"
View = Callable[[], dict[str, object]]


class AskingGuard:
    """Introspects the token of every request, over a connection that stays open, and remembers nothing."""

    def __init__(self, issuer: str, resource_server: str, secret: str) -> None:
        self._ask = Ask(httpx2.Client(base_url=issuer), resource_server, secret, boottime)

    def promise(self, needed: Set[str], *, for_write: bool = False) -> None:
        """Nothing is promised here that needs a lease."""

    def admit(self, authorization: str | None, needed: Set[str], *, for_write: bool = False) -> Admission:
        if token_hash(authorization) is None or authorization is None:
            return Admission(Denied(Reason.UNKNOWN_TOKEN))
        seen = read(self._ask, authorization[7:], boottime)
        if seen is None:
            return Admission(Denied(Reason.UNKNOWN_TOKEN))
        admission = Admission(seen.decision(needed))
        admission.claims = seen.claims
        return admission

    def record(
        self, admission: Admission, request: str, thread_id: int | None = None, outcome: str | None = None
    ) -> None:
        pass


def leased() -> Flask:
    """From memory: a token is introspected on first sight."""
    guard = connect(*_asking())
    guard.start()
    return _serving(guarded(guard, MESSAGES_READ))


def strict() -> Flask:
    """Introspected each time."""
    return _serving(guarded(AskingGuard(*_asking()), MESSAGES_READ))


def constant() -> Flask:
    """No guard at all."""
    return _serving(lambda view: view)


def environment(issuer: str, resource_server: tuple[str, str]) -> Mapping[str, str]:
    """What the three need to be served; the resource server as (id, secret)."""
    return {ISSUER_VARIABLE: issuer, SERVER_VARIABLE: " ".join(resource_server)}


def _asking() -> tuple[str, str, str]:
    name, secret = os.environ[SERVER_VARIABLE].split()
    return os.environ[ISSUER_VARIABLE], name, secret


def _serving(before: Callable[[View], Any]) -> Flask:
    app = Flask(__name__)

    def answer() -> dict[str, object]:
        return {"answer": "a constant"}

    app.add_url_rule(PATH, view_func=before(answer))
    app.add_url_rule("/healthz", "healthz", lambda: {"worker": os.getpid()})
    return app
