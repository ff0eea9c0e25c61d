"""The revocation feed: where resource servers elsewhere register their nodes, and hear of what was taken from whom.

Asking is confirming and renewing. What is told are opaque marks, keyed for the resource server: no people, no reasons,
and two resource servers cannot join theirs. Nothing here trusts a node with more than its own lease.
"""

from __future__ import annotations

import re
import threading

from flask import Blueprint, Response, request

from broker.domain.errors import Refused
from broker.enforcement.flask import problem
from broker.enforcement.node import Gone, News
from broker.operations import identifiers, nodes
from broker.operations.context import Context
from broker.operations.register import resource_servers
from broker.store.register.resource_servers import ResourceServer
from broker.store.revocations import events
from broker.web.oauth import limits
from broker.web.oauth.answers import json_answer
from broker.web.oauth.parameters import Parameters, basic_credentials, of_form, of_query
from broker.web.request_context import NONE, SINGLE, runs, runtime, serving, transaction, writing

endpoints = Blueprint("revocations", __name__, url_prefix="/oauth/revocations")

HANDLE = "Revocation-Node"
"""The header with a node's secret, which does not belong into an address."""
MAX_WAIT_S = 1.0
_LOOK_S = 0.02
_NUMBER = re.compile(r"[0-9]{1,18}")
_WAIT = re.compile(r"[01](\.[0-9]{1,3})?")
_waiting = threading.BoundedSemaphore(1)  # of this process's few threads one may wait; the others answer at once


class Unproven(Exception):
    """The credentials prove no active resource server."""


@endpoints.post("/nodes")
@runs(NONE)
def register() -> Response:
    """Register a process of a resource server; it gets its first lease from its first question."""
    server_id = _proven()
    given = of_form(request) if request.get_data() or request.query_string else {}
    lease_ms = _number(given, "lease_ms", 3000)
    with writing(f"resource-server:{server_id}") as context:
        _server(context)
        node, made = nodes.register(context, lease_ms * 1000, server_id)
    generation = _generation(server_id, made.generation)
    return json_answer(201, {"node": node, "handle": made.handle, "lease_ms": lease_ms, "generation": generation,
                             "position": made.position})  # fmt: skip


@endpoints.get("")
@runs(NONE)
def poll() -> Response:
    """Note what a node confirms; then, if there is nothing to tell yet, wait a little; then tell, from one snapshot."""
    server_id = _proven()
    asked = of_query(request)
    after, confirmed, wait_s = _number(asked, "after"), _number(asked, "confirmed"), _wait(asked)
    news = _poll(asked, after, confirmed)
    if wait_s and news.complete and news.position == after and _waited(after, wait_s):
        news = _poll(asked, after, confirmed)
    key, receiver = runtime().settings.secret_key, f"resource-server:{server_id}"
    told = [[position, identifiers.mark(key, receiver, mark)] for position, mark in news.events]
    return json_answer(200, {"generation": _generation(server_id, news.generation), "position": news.position,
                             "complete": news.complete, "events": told})  # fmt: skip


@endpoints.delete("/nodes/<node>")
@runs(NONE)
def leave(node: str) -> Response:
    """A node says that it says yes no more: nobody waits for it from now on."""
    server_id = _proven()
    with writing(f"resource-server:{server_id}") as context:
        nodes.leave(context, _handle(), _server(context).id, node)
    return Response(status=204, headers={"Cache-Control": "no-store"})


def _generation(server_id: str, number: int) -> int:
    return identifiers.generation(runtime().settings.secret_key, f"resource-server:{server_id}", number)


def _poll(asked: Parameters, after: int, confirmed: int) -> News:
    """One transaction, which proves the server too: one that was disabled while it waited gets no lease."""
    with writing("resource-server") as context:
        server = _server(context)
        return nodes.poll(context, _handle(), after, confirmed, server.id, _named(asked))


def _waited(after: int, wait_s: float) -> bool:
    """Wait until there is something after a position, or that long; False at once if another request waits here."""
    if not _waiting.acquire(blocking=False):
        return False
    try:
        until = runtime().ticks() + round(wait_s * 1_000_000)
        while runtime().ticks() < until and _head() == after:
            threading.Event().wait(_LOOK_S)
        return True
    finally:
        _waiting.release()


def _head() -> int:
    with serving(SINGLE):
        return events.head(transaction())[1]


def _proven() -> str:
    """The id of the resource server that asks; ``Unproven``. Nobody waits for a lock while it is being found out."""
    given = basic_credentials(request)
    with serving(SINGLE):
        server = None if given is None else resource_servers.authenticate(transaction(), *given)
    if server is None:
        raise Unproven
    return server.id


def _server(context: Context) -> ResourceServer:
    """The same, in the transaction that acts for it."""
    given = basic_credentials(request)
    server = None if given is None else resource_servers.authenticate(context.transaction, *given)
    if server is None:
        raise Unproven
    return server


def _handle() -> str:
    handle = request.headers.get(HANDLE, "")
    if not handle.isascii() or not handle:
        raise Gone
    return handle


def _named(asked: Parameters) -> str:
    if "node" not in asked:
        raise Refused("node is missing")
    return asked["node"]


def _number(asked: Parameters, name: str, default: int | None = None) -> int:
    text = asked.get(name)
    if text is None and default is not None:
        return default
    if text is None or not _NUMBER.fullmatch(text):
        raise Refused(f"{name} must be a whole number")
    return int(text)


def _wait(asked: Parameters) -> float:
    text = asked.get("wait", "0")
    if not _WAIT.fullmatch(text) or float(text) > MAX_WAIT_S:
        raise Refused(f"wait must be a number of seconds, at most {MAX_WAIT_S:g}")
    return float(text)


@endpoints.before_request
def _limited() -> Response | None:
    return limits.refuse_failing_client()


@endpoints.errorhandler(Unproven)
def _unproven(_: Unproven) -> Response:
    answer = problem(401, "unknown-resource-server", "These credentials are not known",
                     "A registered resource server authenticates with HTTP Basic.")  # fmt: skip
    answer.headers["WWW-Authenticate"] = 'Basic realm="palaver", charset="UTF-8"'
    return limits.count_failure(answer)


@endpoints.errorhandler(Gone)
def _gone(_: Gone) -> Response:
    return problem(410, "node-gone", "This node is no more", "Drop everything that it remembers, and register anew.")
