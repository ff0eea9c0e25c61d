"""Serving as processes: ready once and for all workers, whatever the environment, and again on the same port."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from broker import settings
from broker.operations.register import features
from broker.web.runtime import open_runtime
from tests import databases
from tests.serving import serve
from tests.visitors import configuration
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import elsewhere


def test_it_is_ready_once_with_every_worker_whatever_the_environment_and_the_server_say(tmp_path: Path) -> None:
    """Whatever a proxy in the environment is for, and although the server warns of more workers than cores."""
    url, workers = databases.fresh_sqlite_database(tmp_path), (os.cpu_count() or 1) + 1
    nowhere = dict.fromkeys(("http_proxy", "HTTP_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    with serve(url, configuration.write(tmp_path / "config"), workers=workers, env=nowhere) as broker:
        assert len(broker.workers()) == workers
        assert broker.stop() == 0
        assert broker.process.stdout is not None
        assert broker.process.stdout.read() == "", "one line, and it was read"
        assert "workers" in broker.written()


def test_a_restart_on_the_same_port_goes_on_with_sessions_and_tokens(tmp_path: Path) -> None:
    url, config = databases.fresh_sqlite_database(tmp_path), configuration.write(tmp_path / "config")
    with serve(url, config) as broker:
        port = urlsplit(broker.url).port or 0
        with elsewhere(broker.url) as site:
            alice, partner = Person(site, "alice"), Partner(site, "tuneloop-share")
            token = partner.connects(alice)
            assert broker.stop() == 0
            with serve(url, config, port=port):
                assert partner.calls("GET", "/api/threads", token).status_code == 200
                assert alice.is_logged_in()
                assert partner.refreshes(token)


def test_an_end_date_that_comes_is_recorded_by_itself(tmp_path: Path) -> None:
    """It is a no at once and needs nobody for that; the background records it, and counts."""
    url, config = databases.fresh_sqlite_database(tmp_path), configuration.write(tmp_path / "config")
    with serve(url, config, workers=1) as broker, elsewhere(broker.url) as site:
        partner = Partner(site, "tuneloop-share")
        token = partner.connects(Person(site, "alice"))
        beside = open_runtime(settings.load(config), url)
        with beside.write("operator:ops") as context:
            features.schedule(context, "share-a-track", context.after(1))
        beside.database.close()
        deadline = time.monotonic() + 30
        while partner.calls("GET", "/api/threads", token).status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        standing = dict[str, object]()
        while not (isinstance(receipt := standing.get("receipt"), dict) and receipt["counted_at"]):
            assert time.monotonic() < deadline, "nobody has recorded it"
            time.sleep(0.05)
            standing = partner.calls("GET", "/api/standing", partner.of_its_own()).json()
        assert (standing["state"], receipt["cause"], receipt["ended"]["grants"]) == ("shut_down", "end_date", 1)
        assert json.loads(broker.run("audit", "verify", "--json").stdout)["intact"] is True


def test_requests_name_no_worker_and_no_version(tmp_path: Path) -> None:
    with serve(databases.fresh_sqlite_database(tmp_path), configuration.write(tmp_path / "config")) as broker:
        with httpx2.Client(transport=httpx2.HTTPTransport(), base_url=broker.url) as http:
            server = http.get("/healthz").headers.get("Server", "")
        assert not any(character.isdigit() for character in server), server
