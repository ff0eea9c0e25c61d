"""Access and refresh tokens: what they look like, what is stored of them, how long they live, and how they end."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from urllib.parse import urlsplit

import httpx2
import pytest

from broker.domain.tokens import TokenKind, compose, well_formed
from broker.operations.register import clients
from tests.visitors.partner import Partner, Token
from tests.visitors.person import Person
from tests.visitors.site import Site
from tests.world import World

MINUTES, DAYS = 60, 86_400


@pytest.fixture
def token(alice: Person, tuneloop: Partner) -> Token:
    """A token answer."""
    return tuneloop.connects(alice)


def _refreshed(partner: Partner, refresh_token: str, **more: str) -> httpx2.Response:
    return partner.posts_form("/oauth/token", grant_type="refresh_token", refresh_token=refresh_token, **more)


def test_a_token_has_256_random_bits_a_kind_and_a_checksum(token: Token) -> None:
    """So that a scanner for secrets finds one that leaked, and a typing error is seen without the database."""
    for kind, text in ((TokenKind.ACCESS, token["access_token"]), (TokenKind.REFRESH, token["refresh_token"])):
        assert well_formed(kind, text)
        body = text[len(kind.value) : -6]
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", body), "32 bytes of base64url"
        swapped = text[:20] + ("A" if text[20] != "A" else "B") + text[21:]
        assert not well_formed(kind, swapped)
    assert token["access_token"] != compose(TokenKind.ACCESS, bytes(32))


def test_a_copy_of_the_database_holds_nothing_that_can_be_used(sqlite_world: World, token: Token) -> None:
    dump = _dump(sqlite_world)
    for secret in (token["access_token"], token["refresh_token"]):
        assert secret not in dump
        assert secret[7:50] not in dump


def _dump(world: World) -> str:
    with closing(sqlite3.connect(urlsplit(world.url).path)) as connection:
        return "\n".join(connection.iterdump())


def test_the_answer_is_kept_by_nobody(tuneloop: Partner, token: Token) -> None:
    for answer in (_refreshed(tuneloop, token["refresh_token"]), _refreshed(tuneloop, "x")):
        assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
        assert answer.headers["Content-Type"] == "application/json"
    assert tuneloop.calls("GET", "/api/threads", token).headers["Cache-Control"] == "no-store"


def test_an_access_token_lives_for_minutes(sqlite_world: World, tuneloop: Partner, token: Token) -> None:
    sqlite_world.clock.advance(seconds=10 * MINUTES - 1)
    assert tuneloop.calls("GET", "/api/threads", token).status_code == 200
    sqlite_world.clock.advance(seconds=1)
    assert tuneloop.calls("GET", "/api/threads", token).json()["type"] == "urn:palaver:problem:token-expired"


# --- refresh tokens --------------------------------------------------------------------------------------------------


def test_each_refresh_gives_another_and_the_one_before_is_spent(tuneloop: Partner, token: Token) -> None:
    first = _refreshed(tuneloop, token["refresh_token"]).json()
    second = _refreshed(tuneloop, first["refresh_token"]).json()
    assert len({token["refresh_token"], first["refresh_token"], second["refresh_token"]}) == 3
    assert tuneloop.calls("GET", "/api/threads", second).status_code == 200


def test_reuse_ends_the_family_whoever_holds_the_newest(sqlite_world: World, tuneloop: Partner, token: Token) -> None:
    stolen = token["refresh_token"]
    fresh = _refreshed(tuneloop, stolen).json()
    reused = _refreshed(tuneloop, stolen)
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    for held in (token, fresh):
        assert tuneloop.calls("GET", "/api/threads", held).json()["type"] == "urn:palaver:problem:token-revoked"
    assert _refreshed(tuneloop, fresh["refresh_token"]).json()["error"] == "invalid_grant"
    assert sqlite_world.log()[-1] == "token_family.ended"


def test_reuse_is_seen_also_when_the_token_has_expired_since(
    sqlite_world: World, tuneloop: Partner, token: Token
) -> None:
    stolen = token["refresh_token"]
    fresh = _refreshed(tuneloop, stolen).json()
    sqlite_world.clock.advance(days=29)
    fresh = _refreshed(tuneloop, fresh["refresh_token"]).json()
    sqlite_world.clock.advance(days=2)
    _refreshed(tuneloop, stolen)
    assert tuneloop.calls("GET", "/api/threads", fresh).json()["type"] == "urn:palaver:problem:token-revoked"


def test_an_idle_refresh_token_is_over_after_thirty_days(sqlite_world: World, tuneloop: Partner, token: Token) -> None:
    sqlite_world.clock.advance(days=30)
    assert _refreshed(tuneloop, token["refresh_token"]).json()["error"] == "invalid_grant"


def test_no_refresh_moves_the_absolute_end(sqlite_world: World, tuneloop: Partner, token: Token) -> None:
    """180 days, although the person is present again and again and the scope is used."""
    for _ in range(8):
        sqlite_world.clock.advance(days=20)
        visitor = Person(tuneloop.site, "alice")
        visitor.log_in(at=visitor.open(tuneloop.asks()))
        token = _refreshed(tuneloop, token["refresh_token"]).json()
        sqlite_world.use(token["access_token"])
    sqlite_world.clock.advance(days=20)
    over = _refreshed(tuneloop, token["refresh_token"])
    assert (over.status_code, over.json()["error_description"]) == (400, "it has expired")


def test_another_client_cannot_use_it_and_ends_nothing_by_trying(site: Site, tuneloop: Partner, token: Token) -> None:
    for other in (Partner(site, "northbank-notice"), Partner(site, "tuneloop-app", auth="none")):
        assert _refreshed(other, token["refresh_token"]).json()["error"] == "invalid_grant"
    fresh = _refreshed(tuneloop, token["refresh_token"])
    assert fresh.status_code == 200
    assert _refreshed(Partner(site, "northbank-notice"), token["refresh_token"]).json()["error"] == "invalid_grant"
    assert tuneloop.calls("GET", "/api/threads", fresh.json()).status_code == 200


def test_a_refresh_is_never_wider_than_what_was_granted(tuneloop: Partner, token: Token) -> None:
    for scope in ("messages:read", "messages:write messages:read", "profile:read", "standing:read", "operate"):
        answer = _refreshed(tuneloop, token["refresh_token"], scope=scope)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope"), scope
    for scope in ("messages:write  x", 'a"b', "\u00e9", " ".join(f"s{number}" for number in range(33)), "x" * 1001):
        answer = _refreshed(tuneloop, token["refresh_token"], scope=scope)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope"), scope
    assert _refreshed(tuneloop, token["refresh_token"]).json()["scope"] == "messages:write"


def test_a_revoked_one_stays_dead_after_a_restart(sqlite_world: World, tuneloop: Partner, token: Token) -> None:
    tuneloop.revokes(token["refresh_token"])
    node = sqlite_world.other_node()
    assert node.says(token["access_token"]) == "token-revoked"
    node.close()


def test_a_disabled_clients_tokens_are_refused_at_once(sqlite_world: World, tuneloop: Partner, token: Token) -> None:
    with sqlite_world.write() as context:
        clients.disable(context, "tuneloop-share")
    assert tuneloop.calls("GET", "/api/threads", token).json()["type"] == "urn:palaver:problem:client-disabled"


@pytest.mark.parametrize(
    "grant_type", ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "\u00e9", "x"]
)
def test_no_other_grant_type_is_served(tuneloop: Partner, grant_type: str) -> None:
    answer = tuneloop.posts_form("/oauth/token", grant_type=grant_type, username="alice", password="alice-demo")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json().get("error_description", "").isascii()
