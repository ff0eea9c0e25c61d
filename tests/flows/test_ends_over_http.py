"""What a partner meets when its feature is suspended or shut down between two of its requests."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import pytest
from authlib.integrations.base_client import OAuthError

from broker.operations.register import clients, partners
from tests.visitors.partner import Partner, Token
from tests.visitors.person import Person, redirected_to
from tests.visitors.site import Site
from tests.world import World


@pytest.fixture
def token(alice: Person, tuneloop: Partner) -> Token:
    """A token that works."""
    held = tuneloop.connects(alice)
    assert tuneloop.calls("GET", "/api/threads", held).status_code == 200
    return held


def _refused(ask: Callable[[], object]) -> str:
    with pytest.raises(OAuthError) as refused:
        ask()
    return str(refused.value.error)


def test_after_a_shutdown_the_next_call_the_refresh_and_the_request_are_refused(
    world: World, alice: Person, tuneloop: Partner, token: Token
) -> None:
    other = Partner(tuneloop.site, "tuneloop-share")
    page = other.code_page(alice)
    world.shut_down("share-a-track")
    assert tuneloop.calls("GET", "/api/threads", token).json()["type"] == "urn:palaver:problem:feature-shut-down"
    assert _refused(lambda: tuneloop.refreshes(token)) == "invalid_grant"
    assert _refused(lambda: other.receives(page)) == "invalid_grant"
    _, answer = redirected_to(alice.open(tuneloop.asks()))
    assert (answer["error"], answer["state"]) == ("unauthorized_client", tuneloop.state)


def test_a_consent_page_that_was_open_during_the_shutdown_gives_nothing(
    world: World, alice: Person, tuneloop: Partner
) -> None:
    page = alice.open(tuneloop.asks())
    world.shut_down("share-a-track")
    _, given = redirected_to(alice.answer(page))
    assert given["error"] == "unauthorized_client"
    assert "code" not in given
    assert world.grant_or_none("alice", "tuneloop-share") is None


def test_history_stays_visible_after_the_end(world: World, alice: Person, tuneloop: Partner, token: Token) -> None:
    thread = tuneloop.calls("GET", "/api/threads", token).json()["threads"][0]["id"]
    tuneloop.calls("POST", f"/api/threads/{thread}/messages", token, json={"text": "Listen to this."})
    world.shut_down("share-a-track")
    assert "Share a track" in alice.open("/connected-apps").text
    assert "Listen to this." in alice.open(f"/inbox/{world.thread('Saturday hike')}").text


def _is_try_later(answer: httpx2.Response) -> bool:
    assert "access_token" not in answer.text
    return answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1


def test_a_suspension_consumes_nothing_and_resuming_gives_back_what_was_there(
    world: World, alice: Person, tuneloop: Partner, token: Token
) -> None:
    other = Partner(tuneloop.site, "tuneloop-share")
    _, given = redirected_to(other.code_page(alice))
    redemption = {"grant_type": "authorization_code", "code": given["code"], "redirect_uri": other.redirect_uri,
                  "code_verifier": other.verifier}  # fmt: skip
    refresh = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    world.suspend("share-a-track")
    assert tuneloop.calls("GET", "/api/threads", token).json()["type"] == "urn:palaver:problem:feature-suspended"
    for asked in (redemption, refresh, redemption, refresh):
        assert _is_try_later(tuneloop.posts_form("/oauth/token", **asked))
    _, answer = redirected_to(alice.open(tuneloop.asks()))
    assert answer["error"] == "unauthorized_client"

    world.resume("share-a-track")
    assert tuneloop.calls("GET", "/api/threads", token).status_code == 200
    for asked in (redemption, refresh):
        fresh = tuneloop.posts_form("/oauth/token", **asked)
        assert fresh.status_code == 200
        assert tuneloop.calls("GET", "/api/threads", fresh.json()).status_code == 200


@pytest.mark.parametrize("ended", ["client", "partner"])
def test_a_disabled_client_or_partner_cannot_authenticate(
    world: World, tuneloop: Partner, token: Token, ended: str
) -> None:
    with world.write() as context:
        if ended == "client":
            clients.disable(context, "tuneloop-share")
        else:
            partners.suspend(context, "tuneloop")
    for asked in ({"grant_type": "refresh_token", "refresh_token": token["refresh_token"]},
                  {"grant_type": "client_credentials"}):  # fmt: skip
        answer = tuneloop.posts_form("/oauth/token", **asked)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_another_feature_of_the_same_partner_goes_on(
    site: Site, world: World, alice: Person, tuneloop: Partner, token: Token
) -> None:
    playing = Partner(site, "tuneloop-playing", auth="client_secret_post")
    held = playing.connects(alice)
    world.shut_down("share-a-track")
    assert playing.calls("GET", "/api/posts", held).status_code == 200
    assert playing.refreshes(held)
