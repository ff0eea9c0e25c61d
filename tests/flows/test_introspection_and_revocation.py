"""Introspection for the resource server that a token is for and nobody else; revocation by the client that has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.instants import SECOND
from broker.domain.tokens import TokenKind, compose
from broker.operations.register import features, resource_servers
from tests.register import secret_of
from tests.visitors.partner import Partner, Token
from tests.visitors.person import Person
from tests.visitors.site import Site, in_process
from tests.visitors.watched import WatchedDatabase
from tests.world import World

SEARCH = ("palaver-search", secret_of("palaver-search"))
INACTIVE = {"active": False}


@pytest.fixture
def token(alice: Person, tuneloop: Partner) -> Token:
    """A token that the registered resource server is for."""
    return tuneloop.connects(alice, "messages:write profile:read", scopes=["profile:read"])


def _of(site: Site, token: str, who: tuple[str, str] = SEARCH) -> dict[str, Any]:
    answer = site.client().post("/oauth/introspect", data={"token": token}, auth=who)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    found: dict[str, Any] = answer.json()
    return found


def test_its_resource_server_learns_what_it_needs_and_only_its_own_scopes(
    site: Site, world: World, tuneloop: Partner, token: Token
) -> None:
    found = _of(site, token["access_token"])
    assert found | {"sub": "", "grant_id": ""} == {
        "active": True, "scope": "messages:write", "client_id": "tuneloop-share", "token_type": "Bearer",
        "exp": world.clock.now // SECOND + 600, "iat": world.clock.now // SECOND, "sub": "", "aud": "palaver-search",
        "feature": "share-a-track", "grant_id": "",
    }  # fmt: skip
    assert found["sub"] != tuneloop.calls("GET", "/api/me", token).json()["sub"], "pairwise: another towards a partner"


def test_exp_is_the_earliest_of_all_deadlines(site: Site, world: World, tuneloop: Partner, token: Token) -> None:
    ends_at = world.clock.now + 90 * SECOND
    with world.write() as context:
        features.schedule(context, "share-a-track", ends_at)
    assert _of(site, token["access_token"])["exp"] == ends_at // SECOND
    assert tuneloop.refreshes(token)["expires_in"] == 90


def test_anybody_else_learns_nothing(site: Site, world: World, tuneloop: Partner, token: Token) -> None:
    with world.write() as context:
        other = resource_servers.register(context, "palaver-books", "Palaver books", frozenset({"contacts:read"}))
    for who in (
        ("palaver-books", other), ("palaver-search", "wrong"), ("nobody", "x"), ("", ""),
        (tuneloop.client_id, tuneloop.secret or ""), ("palaver-search", ""),
    ):  # fmt: skip
        assert _of(site, token["access_token"], who) == INACTIVE, who
    assert _of(site, token["access_token"])["active"] is True


def test_a_disabled_resource_server_learns_nothing(site: Site, world: World, token: Token) -> None:
    with world.write() as context:
        resource_servers.disable(context, "palaver-search")
    assert _of(site, token["access_token"]) == INACTIVE


def test_an_answer_costs_the_same_statements_whoever_asks(world: World, token: Token) -> None:
    """Counted, not timed: an answer that cost less would tell whether a token or a server exists."""
    database = WatchedDatabase(world.url, clock=world.clock)
    unknown = compose(TokenKind.ACCESS, bytes(32))
    with in_process(replace(world.runtime, database=database)) as watched:
        costs = set()
        for who, text in (
            (SEARCH, token["access_token"]), (("palaver-search", "wrong"), token["access_token"]),
            (("nobody", "x"), token["access_token"]), (SEARCH, unknown), (("nobody", "x"), unknown),
        ):  # fmt: skip
            _of(watched, text, who)
            costs.add(database.statements())
    database.close()
    assert len(costs) == 1, costs


def test_every_kind_of_end_is_inactive(site: Site, world: World, tuneloop: Partner, token: Token) -> None:
    access = token["access_token"]
    world.suspend("share-a-track")
    assert _of(site, access) == INACTIVE
    world.resume("share-a-track")
    assert _of(site, access)["active"] is True
    world.clock.advance(minutes=11)
    assert _of(site, access) == INACTIVE
    fresh = tuneloop.refreshes(token)
    world.shut_down("share-a-track")
    assert _of(site, fresh["access_token"]) == INACTIVE


def test_what_is_no_access_token_is_inactive(site: Site, tuneloop: Partner, token: Token) -> None:
    own = tuneloop.of_its_own()["access_token"]
    for text in (token["refresh_token"], own, "x", "plv_at_" + "A" * 49, "\N{SNOWMAN}" * 50):
        assert _of(site, text) == INACTIVE, text


def test_without_credentials_or_a_token_it_is_an_error(site: Site, token: Token) -> None:
    anonymous = site.client().post("/oauth/introspect", data={"token": token["access_token"]})
    assert (anonymous.status_code, anonymous.json()["error"]) == (401, "invalid_client")
    assert anonymous.headers["WWW-Authenticate"].startswith("Basic ")
    missing = site.client().post("/oauth/introspect", data={"token_type_hint": "access_token"}, auth=SEARCH)
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")


# --- revocation ------------------------------------------------------------------------------------------------------


def test_an_access_token_is_revoked_alone(tuneloop: Partner, token: Token) -> None:
    assert tuneloop.revokes(token["access_token"]).status_code == 200
    assert tuneloop.calls("GET", "/api/threads", token).status_code == 401
    fresh = tuneloop.refreshes(token)
    assert tuneloop.calls("GET", "/api/threads", fresh).status_code == 200


def test_a_refresh_token_is_revoked_with_all_that_came_of_it(alice: Person, tuneloop: Partner, token: Token) -> None:
    other = tuneloop.connects(alice)
    fresh = tuneloop.refreshes(token)
    assert tuneloop.revokes(fresh["refresh_token"], "access_token").status_code == 200, "a hint may be wrong"
    for held in (token, fresh):
        assert tuneloop.calls("GET", "/api/threads", held).status_code == 401
    assert tuneloop.calls("GET", "/api/threads", other).status_code == 200, "another authorization is another family"


def test_an_unknown_or_foreign_token_is_answered_200_and_not_touched(
    site: Site, alice: Person, tuneloop: Partner, token: Token
) -> None:
    other = Partner(site, "northbank-notice")
    answers = [
        other.revokes(text)
        for text in (token["access_token"], token["refresh_token"], "x", compose(TokenKind.ACCESS, bytes(32)))
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"{}")}
    assert tuneloop.calls("GET", "/api/threads", token).status_code == 200
    assert tuneloop.refreshes(token)


def test_revocation_needs_the_client_and_a_token(site: Site, tuneloop: Partner, token: Token) -> None:
    anonymous = site.client().post("/oauth/revoke", data={"token": token["access_token"]})
    assert (anonymous.status_code, anonymous.json()["error"]) == (401, "invalid_client")
    missing = tuneloop.posts_form("/oauth/revoke")
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
    assert tuneloop.calls("GET", "/api/threads", token).status_code == 200


def test_what_was_revoked_stays_so_after_a_restart(site: Site, world: World, tuneloop: Partner, token: Token) -> None:
    tuneloop.revokes(token["refresh_token"])
    again = world.other_node()
    assert again.says(token["access_token"]) == "token-revoked"
    again.close()
