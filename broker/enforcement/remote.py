"""The guard in a resource server elsewhere: a token is introspected on first sight, and then judged from memory.

What makes that safe is the same node as the broker's own workers have, only that it hears through the revocation feed.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from broker.domain.access import AccessRecord, record_of
from broker.domain.decisions import Denied, Reason
from broker.domain.errors import Undecided
from broker.domain.instants import Instant
from broker.enforcement.bearer import token_hash
from broker.enforcement.feed import Ask, HttpFeed, read
from broker.enforcement.node import Admission, Node
from broker.enforcement.renewing import Renewing

Record = Callable[[AccessRecord, Mapping[str, Any]], None]
MAX_LEASE_MS = 10_000
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_TIMEOUT_S = 2.0
log = logging.getLogger("broker.enforcement")


def boottime() -> Instant:
    """Microseconds since the machine started, also while it sleeps."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


def connect(
    issuer: str, resource_server: str, secret: str, *, lease_ms: int = 3000, admission_only: bool = False,
    record: Record | None = None, transport: httpx2.BaseTransport | None = None,
    clock: Callable[[], Instant] = boottime,
) -> RemoteGuard:  # fmt: skip
    """A guard for ``broker.enforcement.flask.guarded`` in any Flask app, by a registered resource server's credentials.

    It registers a node in each process, at its first request or at ``start``. ``record`` gets each decision on a known
    token, with what introspection said of it. ``admission_only``: the app knows that a write in a database of its own
    may commit after a shutdown has returned, and uses scopes that write nevertheless. ``ValueError`` for an issuer that
    the secret would travel to in the clear, and for a lease that the broker would refuse.
    """
    parts = urlsplit(issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("the issuer must be an https address, or one of this machine")
    if not 0 < lease_ms <= MAX_LEASE_MS:
        raise ValueError(f"a lease lasts at most {MAX_LEASE_MS} milliseconds")

    def http() -> httpx2.Client:
        return httpx2.Client(base_url=issuer, timeout=_TIMEOUT_S, transport=transport, follow_redirects=False)

    make = _Making(http, resource_server, secret, lease_ms, clock)
    return RemoteGuard(make, admission_only=admission_only, record=record)


@dataclass(frozen=True, slots=True)
class _Making:
    """What it takes to be a node; each process makes its own."""

    http: Callable[[], httpx2.Client]
    resource_server: str
    secret: str
    lease_ms: int
    clock: Callable[[], Instant]

    def process(self) -> _Process:
        http = self.http()
        ask = Ask(http, self.resource_server, self.secret, self.clock)
        feed = HttpFeed(ask, self.lease_ms)
        node = Node(feed, self.clock)
        renewing = Renewing(node, period_s=self.lease_ms / 3000, wait=feed.pause, failed=_Failures())
        return _Process(os.getpid(), http, ask, node, renewing, self.clock)


@dataclass(frozen=True, slots=True)
class _Process:
    """The node of one process, and what keeps it going."""

    pid: int
    http: httpx2.Client
    ask: Ask
    node: Node
    renewing: Renewing
    clock: Callable[[], Instant]

    def start(self) -> None:
        with suppress(Undecided):  # then the thread goes on trying, and until then nobody is admitted
            self.node.renew()
        self.renewing.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """End; in a child that inherited this by a fork, nothing: the node is not its own."""
        atexit.unregister(self.stop)
        if os.getpid() == self.pid:
            self.renewing.stop()
            self.http.close()


class _Failures:
    """Says why there is no lease, once for each reason and not each time."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, error: Exception) -> None:
        if str(error) != self._last:
            self._last = str(error)
            log.warning("the lease is not renewed: %s", error)


class RemoteGuard:
    """Judges requests by a broker elsewhere; safe to share between threads, and to carry through a fork."""

    def __init__(self, make: _Making, *, admission_only: bool, record: Record | None) -> None:
        self._make, self._admission_only, self._record = make, admission_only, record
        self._forked()
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        """A child is another node: it has a lock that nobody holds, and no lease."""
        self._process: _Process | None = None
        self._starting = threading.Lock()

    def start(self) -> Node:
        """Register this process's node and take its first lease, unless that is done; the node."""
        return self._here().node

    def stop(self) -> None:
        """Give the lease up, and say so. The next request starts anew."""
        with self._starting:
            process, self._process = self._process, None
        if process is not None:
            process.stop()

    def _here(self) -> _Process:
        found = self._process
        if found is None:
            with self._starting:
                found = self._process
                if found is None:
                    found = self._make.process()
                    found.start()
                    self._process = found
        return found

    def promise(self, needed: Set[str], *, for_write: bool = False) -> None:
        """``ValueError`` for what cannot be promised here: that no write commits after a shutdown has returned."""
        writing = sorted(scope for scope in needed if not scope.endswith(":read"))
        if (writing or for_write) and not self._admission_only:
            what = ", ".join(writing) or "a view that writes"
            raise ValueError(f"{what}: a shutdown does not wait for writes in this app's own database; say"
                             " admission_only=True if it is enough that later requests are refused")  # fmt: skip

    def admit(self, authorization: str | None, needed: Set[str], *, for_write: bool = False) -> Admission:
        """Judge a request by its Authorization header; ``NoToken`` if there is none, ``Undecided`` without a lease."""
        self.promise(needed, for_write=for_write)
        hash = token_hash(authorization)
        if hash is None or authorization is None:
            return Admission(Denied(Reason.UNKNOWN_TOKEN))
        here, token = self._here(), authorization[7:].strip(" ")
        return here.node.admit(hash, needed, lambda: read(here.ask, token, here.clock))

    def record(
        self, admission: Admission, request: str, thread_id: int | None = None, outcome: str | None = None
    ) -> None:
        """Hand the access record to the app, before the response leaves; an unknown token leaves none."""
        decision = admission.decision
        if self._record is not None and decision.standing is not None:
            dated = (admission.at, admission.position)
            access = record_of(decision, decision.standing, request, thread_id, outcome, dated)
            self._record(access, admission.claims or {})
