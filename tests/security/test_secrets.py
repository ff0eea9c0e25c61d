"""Canaries: every secret of a run of flows is looked for in logs, tracebacks, audit log, database and spool."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from broker.domain.tokens import TokenKind
from broker.web import logs
from broker.web.app import create_app
from broker.web.request_context import NONE, runs
from tests.register import SETTINGS, secret_of
from tests.serving import Served, serve
from tests.visitors import configuration
from tests.visitors.partner import Partner, Token
from tests.visitors.person import Person, redirected_to
from tests.visitors.site import IN_PROCESS, Site, elsewhere
from tests.world import World

NEW_PASSWORD = "canary-password-Xq7"
WRONG_PASSWORD = "canary-wrong-password-Yz8"
WRONG_SECRET = "canary-wrong-secret-Wv9"


@dataclass
class Canaries:
    """What must be nowhere but with those whom it was given to."""

    found: dict[str, str] = field(default_factory=dict)

    def keep(self, name: str, secret: str) -> str:
        """Remember a secret by what it is."""
        assert len(secret) >= 10
        self.found[name] = secret
        return secret

    def keep_token(self, name: str, token: Token) -> Token:
        """Remember both tokens of an answer."""
        self.keep(f"{name} access token", token["access_token"])
        self.keep(f"{name} refresh token", token["refresh_token"])
        return token

    def in_text(self, text: str) -> list[str]:
        """Which of them, or what they are made of, stand in a text."""
        return [name for name, secret in self.found.items() if secret in text or _body(secret) in text]


def _body(secret: str) -> str:
    """The random part of a token, without prefix and checksum; of anything else all of it."""
    known = secret.startswith(tuple(kind.value for kind in TokenKind))
    return secret[7:-6] if known else secret


def _flows(broker: Served, site: Site, canaries: Canaries) -> None:
    """Everything that a secret takes part in, with the mistakes that make logs talk."""
    alice, partner = Person(site, "alice"), Partner(site, "tuneloop-share")
    canaries.keep("client secret", partner.secret or "")
    page = partner.code_page(alice)
    _, given = redirected_to(page)
    canaries.keep("code", given["code"])
    canaries.keep("code verifier", partner.verifier)
    token = canaries.keep_token("first", partner.receives(page))
    fresh = canaries.keep_token("second", partner.refreshes(token))
    canaries.keep("client's own token", partner.of_its_own()["access_token"])
    (session,) = [cookie.value or "" for cookie in alice.http.cookies.jar]
    canaries.keep("session cookie", session)
    _mistakes(site, partner, token, fresh, given["code"])
    with _stuck(broker.database_url):
        partner.calls("POST", f"/api/threads/{fresh['access_token']}/messages", fresh, json={"text": "x"})
        partner.posts_form("/oauth/revoke", token=fresh["access_token"])
    _of_operators(broker, site, canaries)
    alice.submit(
        alice.open("/account"), "current", current="alice-demo", new=canaries.keep("new password", NEW_PASSWORD)
    )
    guesser = Person(site, "bob")
    guesser.submit(guesser.open("/login"), "username", username="bob",
                   password=canaries.keep("wrong password", WRONG_PASSWORD))  # fmt: skip


def _mistakes(site: Site, partner: Partner, token: Token, fresh: Token, code: str) -> None:
    """A secret where it does not belong, a replay, a secret that is wrong, a body that cannot be read."""
    for path in ("/api/threads", "/api/me", f"/api/threads/{token['access_token']}/messages"):
        partner.calls("GET", path, fresh, params={"access_token": token["access_token"]})
    site.client().get(f"/oauth/authorize?client_id={partner.client_id}&code={code}&state={token['access_token']}")
    partner.posts_form("/oauth/token", grant_type="authorization_code", code=code, redirect_uri=partner.redirect_uri,
                       code_verifier=partner.verifier)  # fmt: skip
    partner.posts_form("/oauth/token", grant_type="refresh_token", refresh_token=token["refresh_token"])
    partner.posts_form("/oauth/revoke", token=fresh["refresh_token"])
    site.client().post("/oauth/token", data={"grant_type": "client_credentials", "token": fresh["access_token"]},
                       auth=(partner.client_id, WRONG_SECRET))  # fmt: skip
    partner.calls("POST", "/api/threads/x/messages", fresh, content=fresh["access_token"].encode())
    partner.calls("POST", f"/admin/api/features/{fresh['access_token']}/shut-down", fresh)


def _of_operators(broker: Served, site: Site, canaries: Canaries) -> None:
    """What the command line prints once, and what it was made for."""
    issued = broker.run("operators", "token", "--scope", "operate", "--as", "ops", "--json")
    secret = canaries.keep("operator token", _secret_in(issued.stdout, TokenKind.OPERATOR))
    http = site.client()
    http.get("/admin/api/features", headers={"Authorization": f"Bearer {secret}"})
    http.post("/admin/api/features/nothing/shut-down", headers={"Authorization": f"Bearer {secret}"})
    rotated = broker.run("clients", "rotate-secret", "northbank-notice", "--json")
    canaries.keep("rotated secret", _secret_in(rotated.stdout, TokenKind.CLIENT_SECRET))


def _secret_in(printed: str, kind: TokenKind) -> str:
    found = re.search(rf"{kind.value}[A-Za-z0-9_-]{{49}}", printed)
    assert found is not None, printed
    return found.group()


@contextmanager
def _stuck(url: str) -> Iterator[None]:
    """Nobody can write while somebody else holds the database: what cannot be decided is logged."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(urlsplit(url).path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(url) as postgres:
        postgres.execute("LOCK TABLE access_token, client IN ACCESS EXCLUSIVE MODE")
        yield
        postgres.rollback()


@contextmanager
def _dumped(url: str) -> Iterator[str]:
    """Everything that the database holds, as text; bytes in hexadecimal and as they are."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(urlsplit(url).path)) as connection:
            yield "\n".join(connection.iterdump())
        return
    with psycopg.connect(url) as postgres:
        tables = postgres.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = [row for (table,) in tables for row in postgres.execute(f'SELECT * FROM "{table}"')]
        yield "\n".join(repr([value.hex() if isinstance(value, bytes) else value for value in row]) for row in rows)


def test_no_secret_is_anywhere_but_with_whom_it_was_given_to(database_url: str, tmp_path: Path) -> None:
    state, canaries = tmp_path / "state", Canaries()
    config = configuration.write(
        tmp_path / "config", limits={"login_failures": 5}, database={"lock_timeout": "200ms", "statement_timeout": "1s"}
    )
    config.write_text(f'state_dir = "{state}"\n' + config.read_text())
    with serve(database_url, config) as broker, elsewhere(broker.url) as site:
        _flows(broker, site, canaries)
        spools = "".join(file.read_text() for file in state.rglob("*") if file.is_file())
        audit = broker.run("audit", "list", "--limit", "10000", "--json").stdout
        access = broker.run("access", "list", "--json").stdout
        metrics = site.client().get("/metrics").text
        assert broker.stop() == 0
        written = broker.written()
    with _dumped(database_url) as dump:
        places = {"log": written, "spool": spools, "audit log": audit, "access records": access, "metrics": metrics,
                  "database": dump}  # fmt: skip
    assert {name: canaries.in_text(text) for name, text in places.items() if canaries.in_text(text)} == {}
    assert json.loads(audit)["audit"], "there was something to look through"
    assert written.count('"event": "undecided"') >= 2, "the log has said something"
    assert "plv_" not in dump + spools + audit + access + metrics + written, "no token of any kind"
    assert secret_of("northbank-notice") not in dump


def test_a_traceback_names_files_and_lines_and_no_value(
    sqlite_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error whose message quotes what was sent, as the errors of parsers and drivers do."""
    app, canary = create_app(sqlite_world.runtime), "canary-in-a-message-Ab1"

    def fails(thread: str) -> str:
        raise ValueError(f"cannot read {thread} {canary}")

    app.add_url_rule("/api/fails/<thread>", view_func=runs(NONE)(fails))
    logs.configure()
    answer = Site(IN_PROCESS, app).client().get(f"/api/fails/{canary}", headers={"Authorization": f"Bearer {canary}"})
    app.extensions["spool"].close()
    assert (answer.status_code, canary in answer.text) == (503, False)
    written = capsys.readouterr()
    (line,) = [json.loads(line) for line in written.err.splitlines() if '"unexpected"' in line]
    assert (line["error"], line["route"]) == ("ValueError", "GET /api/fails/<thread>")
    assert line["trace"][-1].startswith("test_secrets.py:")
    assert canary not in written.err + written.out


def test_settings_and_rows_hide_their_secrets_when_they_are_printed(sqlite_world: World) -> None:
    """What a debugger or an assertion prints ends up in a log, too."""
    printed = repr(sqlite_world.runtime.settings)
    assert SETTINGS.secret_key.decode() not in printed
    for client in ("tuneloop-share", "palaver-search"):
        assert secret_of(client) not in printed
