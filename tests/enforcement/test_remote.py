"""The guard in somebody's Flask app, against the real broker in this process, with its thread and its own clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from flask import Flask, Response, g

from broker.domain.access import AccessRecord
from broker.domain.decisions import Allowed
from broker.enforcement.flask import guarded
from broker.enforcement.remote import boottime, connect
from tests.register import secret_of
from tests.visitors.site import Site, in_process
from tests.world import Connection, World

SERVER = "palaver-search"
LEASE_MS = 600


class Line(httpx2.BaseTransport):
    """The way to the broker, which can be cut."""

    def __init__(self, site: Site) -> None:
        self._to, self.cut = site.transport(), threading.Event()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.cut.is_set():
            raise httpx2.ConnectError("cut", request=request)
        return self._to.handle_request(request)


Uses = list[tuple[AccessRecord, Mapping[str, Any]]]


class Elsewhere:
    """An app of somebody else's, with a guard; ``ahead`` moves its clock."""

    def __init__(self, site: Site) -> None:
        self.uses: Uses = []
        self.line, self.ahead = Line(site), 0
        self.guard = connect(
            site.url, SERVER, secret_of(SERVER), lease_ms=LEASE_MS, admission_only=True, transport=self.line,
            record=lambda record, claims: self.uses.append((record, claims)), clock=lambda: boottime() + self.ahead,
        )  # fmt: skip
        self.app = Flask("elsewhere")
        self.app.add_url_rule("/words", "words", view_func=guarded(self.guard, "messages:write")(self._words))
        self.app.add_url_rule("/reading", "reading", view_func=guarded(self.guard, "messages:read")(self._words))
        self.app.add_url_rule("/stream", "stream", view_func=guarded(self.guard, "messages:write")(self._stream))
        self.app.testing = True

    def _words(self) -> dict[str, Any]:
        return {"sub": g.claims["sub"], "scopes": sorted(g.allowed.scopes)}

    def _stream(self) -> Response:
        return Response(iter(["a", "b"]))

    def get(self, token: str | None, path: str = "/words") -> Any:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.app.test_client().get(path, headers=headers)

    def kind(self, token: str, path: str = "/words") -> tuple[int, str]:
        answer = self.get(token, path)
        return answer.status_code, (answer.json or {}).get("type", "").removeprefix("urn:palaver:problem:")


@pytest.fixture
def elsewhere(world: World) -> Iterator[Elsewhere]:
    world.runtime = replace(world.runtime, ticks=boottime)  # the guard's thread lives in real time
    with in_process(world.runtime) as site:
        found = Elsewhere(site)
        yield found
        found.line.cut.clear()
        found.guard.stop()


def _outcomes(receipt: dict[str, Any]) -> list[str]:
    return [each["outcome"] for each in receipt["nodes"]]


@pytest.fixture
def held(world: World) -> Connection:
    return world.connect("alice", "tuneloop-share")


def test_a_view_is_admitted_and_finds_what_the_broker_said(elsewhere: Elsewhere, held: Connection) -> None:
    answer = elsewhere.get(held.access)
    assert (answer.status_code, answer.json["scopes"]) == (200, ["messages:write"])
    assert elsewhere.get(held.access).json["sub"] == answer.json["sub"]


def test_refusals_are_those_of_the_broker(elsewhere: Elsewhere, held: Connection) -> None:
    challenge = elsewhere.get(None)
    assert (challenge.status_code, challenge.headers["WWW-Authenticate"]) == (401, 'Bearer realm="palaver"')
    assert elsewhere.kind("plv_at_nonsense") == (401, "unknown-token")
    assert elsewhere.kind(held.refresh) == (401, "unknown-token")
    assert elsewhere.kind(held.access, "/reading") == (403, "insufficient-scope")
    assert elsewhere.kind(held.access, "/reading") == (403, "insufficient-scope"), "from memory as from afar"


def test_after_a_shutdown_has_returned_it_says_yes_no_more(
    world: World, elsewhere: Elsewhere, held: Connection
) -> None:
    assert elsewhere.get(held.access).status_code == 200
    assert _outcomes(world.shut_down("share-a-track")) == ["confirmed"]
    assert elsewhere.kind(held.access) == (401, "unknown-token")


def test_everything_that_narrows_reaches_it(world: World, elsewhere: Elsewhere) -> None:
    alice, bob, carol = (world.connect(name, "tuneloop-share") for name in ("alice", "bob", "carol"))
    assert [elsewhere.get(each.access).status_code for each in (alice, bob, carol)] == [200, 200, 200]
    world.disconnect(alice)
    assert [elsewhere.get(each.access).status_code for each in (alice, bob, carol)] == [401, 200, 200]
    world.revoke("tuneloop-share", bob.access)
    assert [elsewhere.get(each.access).status_code for each in (bob, carol)] == [401, 200]
    world.suspend("share-a-track")
    assert elsewhere.get(carol.access).status_code == 401
    world.resume("share-a-track")
    assert elsewhere.get(carol.access).status_code == 200


def test_without_the_broker_it_says_yes_until_the_lease_is_over_and_503_then(
    elsewhere: Elsewhere, held: Connection
) -> None:
    assert elsewhere.get(held.access).status_code == 200
    elsewhere.line.cut.set()
    elsewhere.ahead = LEASE_MS * 1000
    answer = elsewhere.get(held.access)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json["type"] == "urn:palaver:problem:cannot-decide"
    elsewhere.line.cut.clear()
    elsewhere.guard.start()
    assert _soon(lambda: elsewhere.get(held.access).status_code == 200), "it goes on by itself"


def _soon(holds: Callable[[], bool]) -> bool:
    """Whether something comes true in what is more than enough time."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if holds():
            return True
        threading.Event().wait(0.01)
    return False


def test_a_broker_that_was_never_there_admits_nobody(elsewhere: Elsewhere, held: Connection) -> None:
    elsewhere.line.cut.set()
    assert elsewhere.get(held.access).status_code == 503
    elsewhere.line.cut.clear()
    assert _soon(lambda: elsewhere.get(held.access).status_code == 200)


def test_a_guard_that_is_stopped_is_awaited_by_nobody(world: World, elsewhere: Elsewhere, held: Connection) -> None:
    assert elsewhere.get(held.access).status_code == 200
    elsewhere.guard.stop()
    assert world.shut_down("share-a-track")["nodes"] == []


def test_scopes_that_write_are_refused_where_they_are_written_down(elsewhere: Elsewhere) -> None:
    careful = connect("http://127.0.0.1:1", SERVER, "s")
    guarded(careful, "messages:read", "profile:read")
    for scopes, for_write in ((("messages:write",), False), (("messages:read", "messages:delete"), False),
                              (("messages:read",), True)):  # fmt: skip
        with pytest.raises(ValueError, match="admission_only"):
            guarded(careful, *scopes, for_write=for_write)
        guarded(elsewhere.guard, *scopes, for_write=for_write)


@pytest.mark.parametrize(
    "issuer", ["http://palaver.example", "palaver.example", "ftp://127.0.0.1", "http://127.0.0.1.example"]
)
def test_a_secret_does_not_travel_in_the_clear(issuer: str) -> None:
    connect("https://palaver.example", SERVER, "s")
    with pytest.raises(ValueError, match="https"):
        connect(issuer, SERVER, "s")


@pytest.mark.parametrize("lease_ms", [0, -1, 10_001])
def test_a_lease_that_the_broker_would_refuse_is_refused_here(lease_ms: int) -> None:
    with pytest.raises(ValueError, match="at most 10000"):
        connect("https://palaver.example", SERVER, "s", lease_ms=lease_ms)


def test_a_request_that_never_ends_holds_a_shutdown_up_for_the_lease_and_no_longer(
    world: World, elsewhere: Elsewhere, held: Connection
) -> None:
    admission = elsewhere.guard.admit(f"Bearer {held.access}", frozenset({"messages:write"}))
    assert isinstance(admission.decision, Allowed)
    begun = time.monotonic()
    receipt = world.shut_down("share-a-track")
    assert _outcomes(receipt) == ["waited_out"]
    assert time.monotonic() - begun >= LEASE_MS / 1000
    assert elsewhere.get(held.access).status_code in (401, 503)
    admission.done()


def test_the_app_gets_the_records_and_what_was_said_of_who_it_is(elsewhere: Elsewhere, held: Connection) -> None:
    elsewhere.get(held.access)
    elsewhere.get(held.access)
    elsewhere.get(held.access, "/reading")
    elsewhere.get("plv_at_nonsense")
    first, second, refused = elsewhere.uses
    assert (first[0].request, first[0].decision, first[0].scope) == ("GET /words", "allowed", "messages:write")
    assert (first[0].client_id, first[0].feature_id) == ("tuneloop-share", "share-a-track")
    assert first[1]["sub"] == second[1]["sub"] == elsewhere.get(held.access).json["sub"]
    assert refused[0].decision == "insufficient-scope"


def test_a_view_that_streams_is_a_mistake_and_holds_nothing_up(
    world: World, elsewhere: Elsewhere, held: Connection
) -> None:
    with pytest.raises(TypeError, match="does not stream"):
        elsewhere.get(held.access, "/stream")
    assert _outcomes(world.shut_down("share-a-track")) == ["confirmed"]


def test_the_child_of_a_fork_is_a_node_of_its_own(elsewhere: Elsewhere) -> None:
    """What ``os.fork`` runs in the child; the flows fork for real."""
    before = elsewhere.guard.start()
    assert elsewhere.guard.start() is before
    inherited = elsewhere.guard._process
    elsewhere.guard._forked()
    try:
        assert elsewhere.guard.start() is not before
    finally:
        assert inherited is not None
        inherited.stop()
