"""kill -9 in the middle of traffic, and SIGTERM: what was answered stands, and what was not is whole or not there."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.serving import Served, serve
from tests.visitors.partner import Partner, Token
from tests.visitors.person import Person
from tests.visitors.site import Site, elsewhere


@dataclass
class Traffic:
    """One app that posts, reads and refreshes as fast as it is answered, and remembers the answers."""

    partner: Partner
    token: Token
    thread: str
    posted: list[str] = field(default_factory=list)
    admitted: int = 0

    def runs(self) -> None:
        """Until there is no server any more."""
        path = f"/api/threads/{self.thread}/messages"
        with suppress(httpx2.HTTPError):
            while True:
                text = f"number {len(self.posted)} of {self.partner.client_id}"
                answer = self.partner.calls("POST", path, self.token, json={"text": text})
                if answer.status_code == 201:
                    self.posted.append(text)
                    self.admitted += 1
                if len(self.posted) % 5 == 0:
                    self.token = self.partner.refreshes(self.token)
                self.admitted += self.partner.calls("GET", "/api/threads", self.token).status_code == 200


def _traffic(site: Site, client_id: str, person: str) -> Traffic:
    partner = Partner(site, client_id)
    token = partner.connects(Person(site, person))
    thread = partner.calls("GET", "/api/threads", token).json()["threads"][0]["id"]
    return Traffic(partner, token, thread, admitted=1)


def _receipt(broker: Served, feature: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(broker.run("features", "shut-down", feature, "--json").stdout)
    return found


def _texts(partner: Partner, token: Token, thread: str) -> list[str]:
    texts, cursor = list[str](), dict[str, str]()
    while True:
        page = partner.calls("GET", f"/api/threads/{thread}/messages", token, params=cursor).json()
        texts += [message["text"] for message in page["messages"]]
        if page["next"] is None:
            return texts
        cursor = {"cursor": page["next"]}


def _admitted(broker: Served, app: Traffic) -> int:
    """How many admitted requests of an app have left their record."""
    feature = {"reelwise-recommend": "recommend-a-show", "northbank-notice": "transfer-notice"}[app.partner.client_id]
    found = json.loads(broker.run("access", "list", "--feature", feature, "--limit", "100000", "--json").stdout)
    return sum(record["decision"] == "allowed" for record in found["access"])


def test_after_kill_9_in_traffic_everything_that_was_answered_stands(database_url: str, config: Path) -> None:
    with ExitStack() as stack:
        with serve(database_url, config) as broker:
            site = stack.enter_context(elsewhere(broker.url))
            apps = [_traffic(site, "reelwise-recommend", "alice"), _traffic(site, "northbank-notice", "alice")]
            playing = Partner(site, "tuneloop-playing", auth="client_secret_post")
            ended = playing.connects(Person(site, "bob"))
            threads = [threading.Thread(target=app.runs) for app in apps]
            for thread in threads:
                thread.start()
            receipt = _receipt(broker, "now-playing")
            broker.kill()
            for thread in threads:
                thread.join()
        assert all(app.posted for app in apps), "there was traffic"

        again = stack.enter_context(serve(database_url, config, port=urlsplit(broker.url).port or 0))
        assert again.run("audit", "verify").returncode == 0
        assert playing.calls("GET", "/api/posts", ended).json()["type"] == "urn:palaver:problem:feature-shut-down"
        assert _receipt(again, "now-playing") == receipt
        texts = Counter(_texts(apps[0].partner, apps[0].token, apps[0].thread))
        assert all(texts[text] == 1 for app in apps for text in app.posted)
        for app in apps:
            assert _admitted(again, app) >= app.admitted, "each answer has left its record"


def _answers(site: Site) -> bool:
    with suppress(httpx2.HTTPError):
        return site.client().get("/readyz").status_code == 200
    return False


def test_a_worker_that_is_killed_is_replaced_and_its_records_are_kept(database_url: str, config: Path) -> None:
    with serve(database_url, config, workers=1) as broker, elsewhere(broker.url) as site:
        app = _traffic(site, "northbank-notice", "alice")
        (worker,) = broker.workers()
        os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while worker in broker.workers() or not _answers(site):
            assert time.monotonic() < deadline, "no worker took its place"
            time.sleep(0.02)
        assert app.partner.calls("GET", "/api/threads", app.token).status_code == 200
        found = json.loads(broker.run("access", "list", "--feature", "transfer-notice", "--json").stdout)
        assert len(found["access"]) == 2


def test_sigterm_lets_a_request_end_that_has_begun(database_url: str, config: Path) -> None:
    with serve(database_url, config, workers=1) as broker, elsewhere(broker.url) as site:
        partner = Partner(site, "northbank-notice")
        token = partner.connects(Person(site, "alice"))
        thread = partner.calls("GET", "/api/threads", token).json()["threads"][0]["id"]
        body = b'{"text": "sent in time"}'
        head = (
            f"POST /api/threads/{thread}/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token['access_token']}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", urlsplit(broker.url).port or 0)) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            first = b""
            while not first.endswith(b"ok\n"):  # the worker has accepted this connection, and is done with it
                first += connection.recv(65_536)
            connection.sendall(head.encode() + body[:5])
            broker.process.terminate()
            connection.sendall(body[5:])
            answered = connection.recv(65_536)
        assert answered.startswith(b"HTTP/1.1 201 ")
        assert broker.process.wait(30) == 0
