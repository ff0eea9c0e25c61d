"""Authlib stays in its box, and what it does unsafely is not used. Each trap is listed in docs/threat-model.md."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from broker.store.ledger import Ledger
from broker.web.oauth.authlib_adapter import server
from tests.house.source import sources
from tests.register import SETTINGS, secret_of
from tests.visitors.site import in_process
from tests.world import World

SHARE = ("tuneloop-share", secret_of("tuneloop-share"))


def test_one_module_of_the_broker_knows_authlib() -> None:
    knowing = {
        source.name
        for source in sources("broker")
        for _, module in source.imports()
        if module.split(".")[0] == "authlib"
    }
    assert knowing == {"broker/web/oauth/authlib_adapter.py"}


def test_only_our_grant_types_are_registered_and_no_endpoint_or_hook_of_authlibs() -> None:
    registered = {grant.GRANT_TYPE for grant, _ in server._token_grants}
    assert registered == {"authorization_code", "refresh_token", "client_credentials"}
    assert server._authorization_grants == []
    assert server._endpoints == {}
    assert server.generate_token.__self__ is server, "and nothing calls it: our operations make tokens"
    assert server._token_generators == {}


def test_plain_http_behind_a_proxy_is_no_error(sqlite_world: World) -> None:
    """Authlib raises for http on a host that is not loopback; TLS ended in the proxy."""
    settings = replace(SETTINGS, issuer="https://palaver.example", allowed_hosts=("palaver.example",), demo=None)
    with in_process(replace(sqlite_world.runtime, settings=settings)) as site:
        http, at = site.client(), {"Host": "palaver.example"}
        issued = http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=SHARE, headers=at)
        assert issued.status_code == 200
        revoked = http.post("/oauth/revoke", data={"token": issued.json()["access_token"]}, auth=SHARE, headers=at)
        assert revoked.status_code == 200


def test_an_error_that_authlib_composed_has_the_headers_of_ours(sqlite_world: World) -> None:
    with in_process(sqlite_world.runtime) as site:
        answer = site.client().post("/oauth/token", data={"grant_type": "password"}, auth=SHARE)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    assert answer.headers["Content-Type"] == "application/json"


def test_a_broker_behind_what_was_committed_issues_nothing(sqlite_world: World, tmp_path: Path) -> None:
    sqlite_world.database.ledger = Ledger(tmp_path)
    with in_process(sqlite_world.runtime) as site:
        sqlite_world.database.ledger.below = "a backup was restored"
        answer = site.client().post("/oauth/token", data={"grant_type": "client_credentials"}, auth=SHARE)
    assert answer.status_code == 503
