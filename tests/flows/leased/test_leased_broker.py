"""Two real workers that answer from memory: every request is counted out, and a narrowing finds both confirmed."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest

from broker.domain.tokens import digest
from broker.store.engine.database import Database
from broker.store.revocations import nodes
from broker.store.revocations.nodes import Node
from tests.concurrency import LIMIT_S, in_thread
from tests.flows.leased.conftest import LEASE_MS
from tests.serving import Served
from tests.visitors.partner import Partner, Token
from tests.visitors.person import Person
from tests.visitors.site import Site

READ = "messages:read messages:write participants:read"


def _nodes(broker: Served) -> list[Node]:
    database = Database(broker.database_url)
    with database.read() as transaction:
        found = nodes.all(transaction)
    database.close()
    return found


def _reader(site: Site, person: str = "alice") -> tuple[Partner, Token, str]:
    """An app that reads somebody's conversations, its token, and the path of one conversation's messages."""
    app = Partner(site, "reelwise-recommend")
    token = app.connects(Person(site, person), READ)
    thread = app.calls("GET", "/api/threads", token).json()["threads"][0]["id"]
    return app, token, f"/api/threads/{thread}/messages"


def _everywhere(app: Partner, token: Token, path: str) -> set[int]:
    """What many requests are answered, each on a connection of its own, so that each worker has answered some."""
    answers = set()
    for _ in range(20):
        with app.site.client() as http:
            answers.add(http.get(path, headers=_bearer(token)).status_code)
    return answers


def _bearer(token: Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token['access_token']}"}


def test_reads_are_answered_from_memory_until_the_log_says_otherwise(leased: Served, site: Site) -> None:
    app, token, path = _reader(site)
    assert _everywhere(app, token, path) == {200}
    hash = digest(token["access_token"])
    with psycopg.connect(leased.database_url, autocommit=True) as connection:  # behind the log's back
        connection.execute("UPDATE access_token SET revoked_at = 1 WHERE hash = %s", (hash,))
        assert _everywhere(app, token, path) == {200}, "the row is not asked"
        assert app.calls("POST", path, token, json={"text": "no"}).status_code == 401, "a write asks it"
        connection.execute("UPDATE access_token SET revoked_at = NULL WHERE hash = %s", (hash,))
    assert app.calls("POST", path, token, json={"text": "yes"}).status_code == 201
    app.revokes(token["access_token"])
    assert _everywhere(app, token, path) == {401}


# --- in flight --------------------------------------------------------------------------------------------------------

Request = Callable[[Partner, Token, str], object]


def _fast(app: Partner, token: Token, path: str) -> None:
    assert app.calls("GET", path, token).status_code == 200


def _usual(app: Partner, token: Token, _: str) -> None:
    assert app.calls("GET", "/api/threads", token).status_code == 200


def _head(app: Partner, token: Token, path: str) -> None:
    assert [app.calls("HEAD", each, token).status_code for each in (path, "/api/threads")] == [200, 200]


def _not_there(app: Partner, token: Token, _: str) -> None:
    assert app.calls("GET", "/api/threads/nowhere/messages", token).status_code == 404


def _badly_asked(app: Partner, token: Token, path: str) -> None:
    assert app.calls("GET", path, token, params={"cursor": "nonsense"}).status_code == 400


def _not_covered(app: Partner, token: Token, _: str) -> None:
    assert app.calls("GET", "/api/posts", token).status_code == 403


def _hung_up(app: Partner, token: Token, path: str) -> None:
    """The client goes away: before the answer, and in the middle of the request's next line."""
    parts = urlsplit(app.site.url)
    for target in (path, "/api/threads"):
        head = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token['access_token']}\r\n"
        for tail in ("\r\n", ""):
            with socket.create_connection((parts.hostname or "", parts.port or 0), LIMIT_S) as connection:
                connection.sendall((head + tail).encode())


@pytest.mark.parametrize(
    "request_", [_fast, _usual, _head, _not_there, _badly_asked, _not_covered, _hung_up],
    ids=lambda each: each.__name__.removeprefix("_"),
)  # fmt: skip
def test_whatever_was_asked_is_counted_out_and_holds_no_narrowing_up(
    leased: Served, site: Site, request_: Request
) -> None:
    app, token, path = _reader(site)
    before = {each.id for each in _nodes(leased)}
    for _ in range(10):
        request_(app, token, path)
    app.revokes(token["access_token"])
    after = _nodes(leased)
    assert {each.id for each in after} == before, "a node that does not confirm is waited out, and registers anew"
    assert len(after) == 2
    assert all(each.state == "live" for each in after)
    assert app.calls("GET", path, token).status_code == 401


# --- shutting down ----------------------------------------------------------------------------------------------------


def _shut_down(broker: Served, feature: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(broker.run("features", "shut-down", feature, "--json").stdout)
    return found


def test_a_shutdown_s_receipt_names_each_worker_as_confirmed(leased: Served, site: Site) -> None:
    app = Partner(site, "northbank-notice")
    token = app.connects(Person(site, "bob"))
    assert _everywhere(app, token, "/api/threads") == {200}
    receipt = _shut_down(leased, "transfer-notice")
    assert [each["outcome"] for each in receipt["nodes"]] == ["confirmed", "confirmed"]
    assert {each["node"] for each in receipt["nodes"]} == {each.id for each in _nodes(leased)}
    assert all(each["ms"] < LEASE_MS for each in receipt["nodes"])
    assert _everywhere(app, token, "/api/threads") == {401}


def _asked_slowly(http: httpx2.Client, path: str, token: Token) -> int:
    return http.get(path, headers=_bearer(token), timeout=LIMIT_S).status_code


def test_a_worker_that_stands_still_is_waited_out_and_never_says_yes_afterwards(leased: Served, site: Site) -> None:
    app, token, path = _reader(site, "bob")
    held = [site.client() for _ in range(12)]
    assert {_asked_slowly(each, path, token) for each in held} == {200}
    stopped = leased.workers()[0]
    os.kill(stopped, signal.SIGSTOP)
    try:
        receipt = _shut_down(leased, "recommend-a-show")
        assert sorted(each["outcome"] for each in receipt["nodes"]) == ["confirmed", "waited_out"]
        assert receipt["elapsed_ms"] >= LEASE_MS
        asked: list[Future[int]] = [in_thread(partial(_asked_slowly, each, path, token)) for each in held]
        answered = [each.result(LIMIT_S) for each in asked if _ends(each)]
        assert len(answered) < len(asked), "some are with the worker that stands still"
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert {each.result(LIMIT_S) for each in asked} <= {401, 503}
    assert _everywhere(app, token, path) <= {401, 503}


def _ends(asked: Future[int]) -> bool:
    try:
        asked.result(0.5)
    except TimeoutError:
        return False
    return True


def test_workers_that_are_asked_to_stop_leave_and_hold_nobody_up(leased: Served) -> None:
    """The last of this module: nobody answers afterwards."""
    assert len(_nodes(leased)) >= 2
    assert leased.stop() == 0
    assert [each for each in _nodes(leased) if each.state == "live"] == []
