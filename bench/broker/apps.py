"""The broker's application as it is, and with its guard taken out: the same handlers, the same queries, no check."""

from __future__ import annotations

import json
import os
from collections.abc import Set

from flask import Flask, Response

from bench.broker.seed import CONFIG
from broker.domain.decisions import Allowed, decide
from broker.domain.tokens import digest
from broker.enforcement.node import Admission
from broker.operations.context import Runtime
from broker.settings import load
from broker.store import standing
from broker.web.app import create_app
from broker.web.request_context import NONE, runs
from broker.web.runtime import open_runtime

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


def _runtime() -> Runtime:
    return open_runtime(load(CONFIG), os.environ[DATABASE_VARIABLE])


def _served(running: Runtime) -> Flask:
    app = create_app(running)

    @runs(NONE)
    def healthz() -> Response:
        return Response(json.dumps({"worker": os.getpid()}), content_type="application/json")

    app.view_functions["health.healthz"] = healthz
    return app
