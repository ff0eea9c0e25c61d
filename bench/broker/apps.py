"""The broker's application as it is, and with its guard taken out: the same handlers, the same queries, no check."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Set
from pathlib import Path

from flask import Flask, Response

from bench.broker.seed import CONFIG, LEASED
from broker.domain.decisions import Allowed, decide
from broker.domain.tokens import digest
from broker.enforcement.node import Admission, Node
from broker.enforcement.renewing import Renewing
from broker.enforcement.spool import Spool
from broker.operations.context import Runtime
from broker.settings import load
from broker.store import standing
from broker.store.revocations.listening import Listener
from broker.web.app import create_app
from broker.web.request_context import NONE, runs
from broker.web.runtime import open_runtime
from broker.web.worker import leased_node

DATABASE_VARIABLE = "BENCH_BROKER_DATABASE"


class NoGuard:
    """Says yes to whom it was told to before it served, without asking anybody, and records nothing."""

    def __init__(self, known: dict[str, Allowed]) -> None:
        self._known = known

    def admit(self, authorization: str | None, needed: Set[str], *, for_write: bool = False) -> Admission:
        return Admission(self._known[authorization or ""])

    def record(
        self, admission: Admission, request: str, thread_id: int | None = None, outcome: str | None = None
    ) -> None:
        pass


def guarded() -> Flask:
    """The broker as it is served, for the bench's own way of starting servers."""
    return _served(_runtime())


def leased() -> Flask:
    """The broker whose guard says yes from memory, under a lease that is renewed as a worker does."""
    running = _runtime(LEASED)
    app = _served(running, leased_node(running))
    node: Node = app.extensions["node"]
    node.renew()
    period_s = running.settings.enforcement.lease_ms / 3_000
    app.extensions["renewing"] = Renewing(node, period_s=period_s, wait=Listener(running.database).wait)
    app.extensions["renewing"].start()
    return app


def unguarded() -> Flask:
    """The same without its guard: each token of the world is admitted by a decision that was made beforehand."""
    running = _runtime()
    app = _served(running)
    app.extensions["guard"] = NoGuard(decisions_beforehand(running))
    return app


def decisions_beforehand(running: Runtime) -> dict[str, Allowed]:
    """A yes for each of the world's tokens, by the header that carries it."""
    found: dict[str, Allowed] = {}
    with running.database.read() as transaction:
        for token in os.environ["BENCH_TOKENS"].split():
            decision = decide(standing.read(transaction, digest(token)), {"messages:read"})
            assert isinstance(decision, Allowed)
            found[f"Bearer {token}"] = decision
    return found


def _runtime(config: Path = CONFIG) -> Runtime:
    return open_runtime(load(config), os.environ[DATABASE_VARIABLE])


def _served(running: Runtime, node: Callable[[Spool], Node] | None = None) -> Flask:
    app = create_app(running, node)

    @runs(NONE)
    def healthz() -> Response:
        return Response(json.dumps({"worker": os.getpid()}), content_type="application/json")

    app.view_functions["health.healthz"] = healthz
    return app


def close(app: Flask) -> None:
    """Give up its lease, if it has one, and its connections."""
    if "renewing" in app.extensions:
        app.extensions["renewing"].stop()
    app.extensions["spool"].close()
    app.extensions["broker"].database.close()
