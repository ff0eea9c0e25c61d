"""The authorization code flow by a client library that nobody here wrote, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from authlib.integrations.base_client import OAuthError

from tests.register import LOOPBACK, secret_of
from tests.visitors.partner import Partner
from tests.visitors.person import Person, redirected_to
from tests.visitors.site import Site
from tests.world import World

SERVER = ("palaver-search", secret_of("palaver-search"))


def _introspect(site: Site, token: str) -> dict[str, Any]:
    answer: dict[str, Any] = site.client().post("/oauth/introspect", data={"token": token}, auth=SERVER).json()
    return answer


def test_a_client_that_knows_the_issuer_only_goes_the_whole_way(site: Site, alice: Person, tuneloop: Partner) -> None:
    token = tuneloop.connects(alice)
    assert token["token_type"] == "Bearer"
    assert token["scope"] == "messages:write"
    assert token["expires_in"] == 600
    threads = tuneloop.calls("GET", "/api/threads", token).json()["threads"]
    posted = tuneloop.calls("POST", f"/api/threads/{threads[0]['id']}/messages", token, json={"text": "Listen!"})
    assert posted.status_code == 201
    assert _introspect(site, token["access_token"])["active"] is True

    fresh = tuneloop.refreshes(token)
    assert fresh["refresh_token"] != token["refresh_token"]
    assert tuneloop.calls("GET", "/api/threads", fresh).status_code == 200

    assert tuneloop.revokes(fresh["refresh_token"], "refresh_token").status_code == 200
    assert tuneloop.calls("GET", "/api/threads", fresh).json()["type"] == "urn:palaver:problem:token-revoked"
    assert _introspect(site, fresh["access_token"]) == {"active": False}
    with pytest.raises(OAuthError) as refused:
        tuneloop.refreshes(fresh)
    assert refused.value.error == "invalid_grant"


def test_a_person_who_is_not_logged_in_does_so_on_the_way(site: Site, tuneloop: Partner) -> None:
    token = tuneloop.connects(Person(site, "bob"))
    assert tuneloop.calls("GET", "/api/threads", token).status_code == 200


def test_the_answer_brings_back_state_and_issuer(site: Site, alice: Person, tuneloop: Partner) -> None:
    page = tuneloop.code_page(alice)
    assert page.status == 303
    target, given = redirected_to(page)
    assert target == tuneloop.redirect_uri
    assert given == {"code": given["code"], "state": tuneloop.state, "iss": site.url}


def test_a_client_may_send_its_secret_in_the_body(site: Site, alice: Person) -> None:
    playing = Partner(site, "tuneloop-playing", auth="client_secret_post")
    token = playing.connects(alice)
    assert playing.calls("GET", "/api/posts", token).status_code == 200
    assert playing.refreshes(token)["scope"] == "posts:read"


def test_a_confidential_client_returns_to_whichever_of_its_addresses_it_named(site: Site, alice: Person) -> None:
    local = Partner(site, "tuneloop-share", redirect_uri=LOOPBACK)
    assert local.connects(alice)["scope"] == "messages:write"


@pytest.mark.parametrize("port", [49152, 65001])
def test_a_native_client_without_a_secret_listens_on_any_port_of_loopback(site: Site, alice: Person, port: int) -> None:
    native = Partner(site, "tuneloop-app", redirect_uri=f"http://127.0.0.1:{port}/callback", auth="none")
    token = native.connects(alice)
    assert native.calls("GET", "/api/threads", token).status_code == 200
    fresh = native.refreshes(token)
    native.revokes(fresh["refresh_token"])
    assert native.calls("GET", "/api/threads", fresh).status_code == 401


def test_a_client_reads_its_own_standing_without_any_person(site: Site, tuneloop: Partner) -> None:
    token = tuneloop.of_its_own()
    assert (token["scope"], "refresh_token" in token) == ("standing:read", False)
    standing = tuneloop.calls("GET", "/api/standing", token).json()
    assert (standing["feature"], standing["state"]) == ("share-a-track", "active")
    assert tuneloop.calls("GET", "/api/threads", token).json()["type"] == "urn:palaver:problem:insufficient-scope"


def test_a_client_token_that_asks_for_a_persons_scope_is_refused(site: Site, tuneloop: Partner) -> None:
    with pytest.raises(OAuthError) as refused:
        tuneloop.of_its_own("messages:write")
    assert refused.value.error == "invalid_scope"


def test_a_public_client_gets_no_token_of_its_own(site: Site) -> None:
    native = Partner(site, "tuneloop-app", auth="none")
    with pytest.raises(OAuthError) as refused:
        native.of_its_own()
    assert refused.value.error == "unauthorized_client"


def test_a_person_who_says_no_is_sent_back_with_that_answer(site: Site, alice: Person, tuneloop: Partner) -> None:
    page = tuneloop.code_page(alice, decision="deny")
    _, given = redirected_to(page)
    assert (given["error"], given["state"], given["iss"]) == ("access_denied", tuneloop.state, site.url)


def test_a_code_outlives_neither_its_minute_nor_its_use(site: Site, world: World, alice: Person) -> None:
    late, again = Partner(site, "tuneloop-share"), Partner(site, "northbank-notice")
    page = late.code_page(alice)
    world.clock.advance(seconds=61)
    with pytest.raises(OAuthError) as refused:
        late.receives(page)
    assert refused.value.error == "invalid_grant"

    page = again.code_page(alice)
    token = again.receives(page)
    with pytest.raises(OAuthError) as refused:
        again.receives(page)
    assert refused.value.error == "invalid_grant"
    assert again.calls("GET", "/api/threads", token).json()["type"] == "urn:palaver:problem:token-revoked"
