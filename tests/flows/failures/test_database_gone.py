"""The database goes away under a broker that serves, and comes back: never yes in between, nothing lost after."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from broker.domain.tokens import TokenKind, compose
from tests import databases
from tests.postgres import PostgresServer, Unavailable, binaries
from tests.serving import serve
from tests.visitors import configuration
from tests.visitors.partner import Partner, Token
from tests.visitors.person import Person, redirected_to
from tests.visitors.site import Site, elsewhere, in_process
from tests.world import World

SHORT = {"lock_timeout": "300ms", "statement_timeout": "2s"}


class Visit:
    """A person and a partner with everything in hand: tokens, a code, an open page."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.alice, self.partner = Person(site, "alice"), Partner(site, "tuneloop-share")
        self.token: Token = self.partner.connects(self.alice)
        self.spare: Token = self.partner.connects(self.alice)
        self.thread = self.partner.calls("GET", "/api/threads", self.token).json()["threads"][0]["id"]
        _, given = redirected_to(self.partner.code_page(self.alice))
        self.redemption = {
            "grant_type": "authorization_code", "code": given["code"], "redirect_uri": self.partner.redirect_uri,
            "code_verifier": self.partner.verifier,
        }  # fmt: skip
        self.refreshing = {"grant_type": "refresh_token", "refresh_token": self.token["refresh_token"]}
        self.asked = self.partner.asks()

    def posts(self) -> httpx2.Response:
        """A message through the app."""
        path = f"/api/threads/{self.thread}/messages"
        return self.partner.calls("POST", path, self.token, json={"text": "hello"})

    def writes(self) -> dict[str, Callable[[], httpx2.Response]]:
        """Every kind of request that changes something."""
        form = self.partner.posts_form
        return {
            "post": self.posts,
            "refresh": lambda: form("/oauth/token", **self.refreshing),
            "redeem": lambda: form("/oauth/token", **self.redemption),
            "client token": lambda: form("/oauth/token", grant_type="client_credentials"),
            "revoke": lambda: form("/oauth/revoke", token=self.spare["refresh_token"]),
            "revoke one": lambda: form("/oauth/revoke", token=self.spare["access_token"]),
            "at once": lambda: self.alice.http.get(self.asked),
        }  # fmt: skip

    def reads(self) -> dict[str, Callable[[], httpx2.Response]]:
        """Every kind of request that only reads."""
        operator = compose(TokenKind.OPERATOR, bytes(32))
        return {
            "threads": lambda: self.partner.calls("GET", "/api/threads", self.token),
            "introspect": lambda: self.partner.posts_form("/oauth/introspect", token=self.token["access_token"]),
            "inbox": lambda: self.alice.http.get("/inbox"),
            "ready": lambda: self.site.client().get("/readyz"),
            "operator": lambda: self.partner.calls("GET", "/admin/api/features", operator),
        }  # fmt: skip

    def all_refused(self, requests: dict[str, Callable[[], httpx2.Response]]) -> None:
        """Every one of these is answered 503 with a time to come back."""
        for name, ask in requests.items():
            answer = ask()
            assert answer.status_code == 503, (name, answer.status_code, answer.text)
            assert int(answer.headers["Retry-After"]) >= 1, name

    def nothing_was_lost(self) -> None:
        """What was in hand before works after; what was tried in between was not done by halves."""
        assert self.partner.calls("GET", "/api/threads", self.token).status_code == 200
        assert self.posts().status_code == 201
        for name, ask in self.writes().items():
            assert ask().status_code in (200, 201, 303), name
        assert self.partner.calls("GET", "/api/threads", self.spare).status_code == 401, "the revocation is done now"


@contextmanager
def _own_postgres() -> Iterator[PostgresServer]:
    try:
        server = PostgresServer(binaries())
        server.start()
    except Unavailable as reason:
        pytest.skip(str(reason))
    try:
        yield server
    finally:
        server.remove()


def test_postgresql_stops_and_starts_again_under_a_broker_that_serves(tmp_path: Path) -> None:
    config = configuration.write(tmp_path / "config", database=SHORT)
    with _own_postgres() as server, serve(server.url(), config) as broker, elsewhere(broker.url) as site:
        visit = Visit(site)
        server.stop()
        visit.all_refused(visit.writes())
        visit.all_refused(visit.reads())
        assert site.client().get("/healthz").status_code == 200, "the process is up; it is not ready"
        server.start()
        visit.nothing_was_lost()
        assert broker.run("audit", "verify", "--json").returncode == 0


def test_a_writer_that_holds_sqlite_stops_what_writes_and_no_more(tmp_path: Path) -> None:
    url = databases.fresh_sqlite_database(tmp_path)
    config = configuration.write(tmp_path / "config", database=SHORT)
    with serve(url, config) as broker, elsewhere(broker.url) as site:
        visit = Visit(site)
        with closing(sqlite3.connect(urlsplit(url).path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            visit.all_refused(visit.writes())
            reads = {name: ask().status_code for name, ask in visit.reads().items()}
            assert reads == {"threads": 200, "introspect": 200, "inbox": 200, "ready": 200, "operator": 401}
            holder.execute("ROLLBACK")
        visit.nothing_was_lost()


def test_a_sqlite_file_that_cannot_be_read_is_never_a_yes(sqlite_world: World) -> None:
    file = Path(urlsplit(sqlite_world.url).path)
    with in_process(sqlite_world.runtime) as site:
        visit = Visit(site)
        sqlite_world.database.close()  # every connection is opened anew from here on
        whole = file.read_bytes()
        file.write_bytes(b"no database at all " * 1000)
        visit.all_refused(visit.writes())
        visit.all_refused(visit.reads())
        file.write_bytes(whole)
        visit.nothing_was_lost()
