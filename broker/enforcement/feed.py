"""The revocation feed and introspection over HTTP, as a node elsewhere asks them (docs/nodes.md)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus

import httpx2

from broker.domain.decisions import Standing
from broker.domain.errors import Undecided
from broker.domain.instants import SECOND, Instant
from broker.enforcement.memory import Event, Seen
from broker.enforcement.node import Gone, News, Registration

Answer = Mapping[str, Any]

_NODES, _FEED = "/oauth/revocations/nodes", "/oauth/revocations"
_REFUSED_S = 15  # who is not believed does not ask again at once: the broker counts failing credentials by address


class Ask:
    """Asks the broker as one resource server. ``Gone`` for 410; whatever else is no answer is ``Undecided``."""

    def __init__(self, http: httpx2.Client, resource_server: str, secret: str, clock: Callable[[], Instant]) -> None:
        self._http, self._clock = http, clock
        self._auth = httpx2.BasicAuth(quote_plus(resource_server), quote_plus(secret))  # RFC 6749 section 2.3.1
        self._not_before: Instant = 0
        self._why = ""

    def __call__(self, method: str, path: str, **more: Any) -> Answer:
        if self._clock() < self._not_before:
            raise Undecided(self._why)
        try:
            answer = self._http.request(method, path, auth=self._auth, **more)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Undecided(f"the broker cannot be asked ({type(error).__name__})") from error
        if answer.status_code == 410:
            raise Gone
        if not answer.is_success:
            raise self._refused(answer)
        return _document(answer)

    @property
    def timeout_s(self) -> float:
        """How long an answer may take that does not wait on purpose."""
        return float(self._http.timeout.read or 0)

    def _refused(self, answer: httpx2.Response) -> Undecided:
        given = answer.headers.get("Retry-After", "")
        wait_s = int(given) if given.isascii() and given.isdigit() else 0
        if answer.status_code in (401, 403):
            wait_s = max(wait_s, _REFUSED_S)
        self._why = f"the broker answers {answer.status_code}"
        self._not_before = self._clock() + min(wait_s, 60) * SECOND
        return Undecided(self._why)


def _document(answer: httpx2.Response) -> Answer:
    if answer.status_code == 204:
        return {}
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Undecided("the broker's answer cannot be understood")
    return found


def _whole(said: Answer, name: str) -> int:
    found = said.get(name)
    if type(found) is not int or found < 0:
        raise Undecided(f"the broker's answer cannot be understood: {name}")
    return found


def _words(said: Answer, name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str):
        raise Undecided(f"the broker's answer cannot be understood: {name}")
    return found


class HttpFeed:
    """The feed of a node elsewhere; for one thread at a time.

    A question waits for news at the broker, a third of the lease at most, unless there is something to confirm soon. A
    broker that has no room for another that waits answers at once; then ``pause`` is where time passes.
    """

    def __init__(self, ask: Ask, lease_ms: int) -> None:
        self._ask, self._lease_ms = ask, lease_ms
        self._wait_s = min(1.0, lease_ms / 3000)
        self._fresh = True
        self._asked_at = 0.0

    def register(self) -> Registration:
        """Register a new incarnation; its first lease comes without waiting."""
        try:
            said = self._ask("POST", _NODES, data={"lease_ms": str(self._lease_ms)})
        except Gone:
            raise Undecided("there is no revocation feed at this address") from None
        self._fresh = True
        return Registration(f"{_words(said, 'node')} {_words(said, 'handle')}", _whole(said, "generation"),
                            _whole(said, "position"), _whole(said, "lease_ms") * 1000)  # fmt: skip

    def poll(self, handle: str, after: int, confirmed: int) -> News:
        """Confirm and hear; while there is something to confirm soon, do not wait for more."""
        node, _, secret = handle.partition(" ")
        wait_s = 0.0 if self._fresh or confirmed < after else self._wait_s
        self._asked_at = time.monotonic()
        said = self._ask(
            "GET", _FEED, headers={"Revocation-Node": secret}, timeout=wait_s + self._ask.timeout_s,
            params={"node": node, "after": after, "confirmed": confirmed, "wait": f"{wait_s:.3f}"},
        )  # fmt: skip
        self._fresh = False
        return News(_whole(said, "generation"), _whole(said, "position"), _events(said), said.get("complete") is True)

    def pause(self, _: float) -> None:
        """Let half of what a question may wait pass since the last one; nothing is left of it if that has waited."""
        left = self._asked_at + self._wait_s / 2 - time.monotonic()
        if left > 0:
            time.sleep(left)

    def leave(self, handle: str) -> None:
        """Say that this node says yes no more; that it is gone already is as good."""
        node, _, secret = handle.partition(" ")
        with suppress(Gone):
            self._ask("DELETE", f"{_NODES}/{node}", headers={"Revocation-Node": secret})


def _events(said: Answer) -> tuple[Event, ...]:
    found = said.get("events")
    if not isinstance(found, list):
        raise Undecided("the broker's answer cannot be understood: events")
    events = []
    for each in found:
        if not (isinstance(each, list) and len(each) == 2 and type(each[0]) is int and isinstance(each[1], str)):
            raise Undecided("the broker's answer cannot be understood: events")
        events.append((each[0], each[1]))
    return tuple(events)


def read(ask: Ask, token: str, clock: Callable[[], Instant]) -> Seen | None:
    """What introspection says of a token, as a node remembers it; None for one that is not active here.

    Its end by time is put where this clock cannot be late by 1 % of rate: then it is asked for again.
    """
    begun = clock()
    try:
        said = ask("POST", "/oauth/introspect", data={"token": token, "lease": "true"})
    except Gone:
        raise Undecided("there is no introspection at this address") from None
    if said.get("active") is not True:
        return None
    lease = said.get("lease")
    if not isinstance(lease, dict):
        raise Undecided("the broker's introspection knows no leases")
    marks = lease.get("marks")
    if not isinstance(marks, list) or not marks or not all(isinstance(each, str) for each in marks):
        raise Undecided("the broker's answer cannot be understood: marks")
    generation, position = _whole(lease, "generation"), _whole(lease, "position")
    left = _whole(lease, "ends_in_us")
    standing = _standing(said, left, generation, position)
    return Seen(standing, tuple(marks), generation, position, begun, begun + left * 99 // 100, said)


def _standing(said: Answer, left: int, generation: int, position: int) -> Standing:
    """What is active at the broker, as a token without a grant: its scopes alone are judged here.

    ``now`` is the broker's, to the second; the broker has judged the rest, and the marks say when it has to again.
    """
    ends = _whole(said, "exp") * SECOND
    return Standing(
        client_id=_words(said, "client_id"), grant_id=None, account_id=None, feature_id=_words(said, "feature"),
        token_epoch=0, token_scopes=_words(said, "scope"), issued_at=_whole(said, "iat") * SECOND, expires_at=ends,
        revoked_at=None, family_id=None, family_ended_at=None, grant_epoch=None, grant_ended_at=None,
        grant_expires_at=None, presence_ends_at=None, all_conversations=None, feature_state="active", feature_epoch=0,
        feature_ends_at=None, feature_shut_down_at=None, client_state="active", client_name="", partner_id="",
        partner_state="active", account_state=None, live_scopes=None, now=ends - left, position=position,
        generation=generation,
    )  # fmt: skip
