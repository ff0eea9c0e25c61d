"""GET /healthz, /readyz and /metrics: for whoever runs the broker.

The metrics are read from the database when asked: every worker says the same, and nothing is counted in the path of a
request. No value names a person, a client or a token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

from flask import Blueprint, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from broker.domain.features import FeatureState
from broker.enforcement.node import Node
from broker.store import approvals, deployment
from broker.store.evidence import access, audit, shutdowns
from broker.store.register import features
from broker.store.revocations import nodes
from broker.web.request_context import NONE, READ, runs, runtime, transaction

endpoints = Blueprint("health", __name__)


@endpoints.get("/healthz")
@runs(NONE)
def healthz() -> Response:
    """The process is up."""
    return Response("ok\n", content_type="text/plain")


@endpoints.get("/readyz")
@runs(READ)
def readyz() -> Response:
    """Requests may be answered with yes: the database is there and set up, and a leased worker holds its lease."""
    node: Node | None = current_app.extensions["node"]
    if node is not None:
        node.require_lease()
    seeded = deployment.is_seeded(transaction())
    return Response("ready\n" if seeded else "not set up\n", 200 if seeded else 503, content_type="text/plain")


class _Standing(Collector):
    def collect(self) -> Iterable[GaugeMetricFamily]:
        reading = transaction()
        states = Counter(feature.state for feature in features.all(reading))
        by_state = GaugeMetricFamily("broker_features", "Features, by state.", labels=["state"])
        for state in FeatureState:
            by_state.add_metric([state.value], states[state])
        yield by_state
        nodes_by_state = GaugeMetricFamily(
            "broker_nodes", "Nodes that say yes from memory, by state.", labels=["state"]
        )
        known = Counter(node.state for node in nodes.all(reading))
        for name in ("live", "retiring"):
            nodes_by_state.add_metric([name], known[name])
        yield nodes_by_state
        pending = sum(each.state == "pending" for each in approvals.all(reading))
        for name, text, value in (
            ("broker_audit_position", "Entries of the audit log.", audit.head(reading)[0]),
            ("broker_shutdowns_uncounted", "Shutdowns in force whose receipt is not complete yet.",
             len(shutdowns.unfinished(reading))),
            ("broker_approvals_pending", "Requests that wait for a second operator.", pending),
            ("broker_spool_bytes", "Access records of this machine that are not in the database yet.", _behind()),
        ):  # fmt: skip
            yield GaugeMetricFamily(name, text, value=value)


def _behind() -> int:
    behind = 0
    for file in runtime().spools.glob("*.spool"):
        with suppress(FileNotFoundError):  # another has taken it in and removed it
            behind += max(0, file.stat().st_size - access.taken(transaction(), file.name))
    return behind


@endpoints.get("/metrics")
@runs(READ)
def metrics() -> Response:
    """The figures, in the text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Standing())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
