"""Codes: bound to client, address and challenge, once, for a minute; and what a replay ends."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

import httpx2
import pytest

from tests.register import LOOPBACK
from tests.visitors.partner import Partner
from tests.visitors.person import Person, redirected_to
from tests.visitors.site import Site
from tests.world import World

Fields = dict[str, str]


@pytest.fixture
def redemption(alice: Person, tuneloop: Partner) -> Fields:
    """What redeems alice's code."""
    _, given = redirected_to(tuneloop.code_page(alice))
    return {
        "grant_type": "authorization_code", "code": given["code"], "redirect_uri": tuneloop.redirect_uri,
        "code_verifier": tuneloop.verifier,
    }  # fmt: skip


def _error(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["Cache-Control"] == "no-store"
    assert "access_token" not in answer.json()
    return answer.status_code, str(answer.json()["error"])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "another" * 8}, "invalid_grant"),
        ({"code_verifier": "\N{SNOWMAN}" * 43}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": LOOPBACK}, "invalid_grant"),
        ({"redirect_uri": "https://tuneloop.example/callback/"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"code": "x"}, "invalid_grant"),
        ({"grant_type": None}, "invalid_request"),
    ],
)
def test_a_redemption_that_is_not_bound_right_is_refused_and_consumes_nothing(
    tuneloop: Partner, redemption: Fields, change: dict[str, str | None], error: str
) -> None:
    fields = {name: value for name, value in {**redemption, **change}.items() if value is not None}
    assert _error(tuneloop.posts_form("/oauth/token", **fields)) == (400, error)
    assert tuneloop.posts_form("/oauth/token", **redemption).status_code == 200


def test_another_client_cannot_redeem_it_and_does_no_harm_by_trying(
    site: Site, tuneloop: Partner, redemption: Fields
) -> None:
    other = Partner(site, "northbank-notice")
    assert _error(other.posts_form("/oauth/token", **redemption)) == (400, "invalid_grant")
    answer = tuneloop.posts_form("/oauth/token", **redemption)
    assert answer.status_code == 200
    assert _error(other.posts_form("/oauth/token", **redemption)) == (400, "invalid_grant")
    assert tuneloop.calls("GET", "/api/threads", answer.json()).status_code == 200, "a foreign replay ends nothing"


def test_a_replay_ends_what_the_first_use_gave_and_the_grant_stays(
    sqlite_world: World, alice: Person, tuneloop: Partner, redemption: Fields
) -> None:
    first = tuneloop.posts_form("/oauth/token", **redemption).json()
    fresh = tuneloop.refreshes(first)
    assert _error(tuneloop.posts_form("/oauth/token", **redemption)) == (400, "invalid_grant")
    for token in (first, fresh):
        assert tuneloop.calls("GET", "/api/threads", token).json()["type"] == "urn:palaver:problem:token-revoked"
    assert _error(
        tuneloop.posts_form("/oauth/token", grant_type="refresh_token", refresh_token=fresh["refresh_token"])
    ) == (400, "invalid_grant")
    assert sqlite_world.log()[-1] == "token_family.ended"
    assert tuneloop.code_page(alice).status == 303, "the grant stands: asked again, it is answered at once"


def test_a_replay_is_one_also_after_the_code_has_expired(
    sqlite_world: World, tuneloop: Partner, redemption: Fields
) -> None:
    first = tuneloop.posts_form("/oauth/token", **redemption).json()
    sqlite_world.clock.advance(minutes=5)
    assert _error(tuneloop.posts_form("/oauth/token", **redemption)) == (400, "invalid_grant")
    assert tuneloop.calls("GET", "/api/threads", first).json()["type"] == "urn:palaver:problem:token-revoked"


def test_a_code_lives_for_sixty_seconds(sqlite_world: World, tuneloop: Partner, redemption: Fields) -> None:
    sqlite_world.clock.advance(seconds=60)
    assert _error(tuneloop.posts_form("/oauth/token", **redemption)) == (400, "invalid_grant")
    sqlite_world.clock.advance(seconds=-1)
    assert tuneloop.posts_form("/oauth/token", **redemption).status_code == 200, "the refusal has consumed nothing"


def test_a_challenge_cannot_be_redeemed_by_itself(tuneloop: Partner, redemption: Fields) -> None:
    """The verifier must hash to the challenge: who saw the request knows the challenge, and that does not help."""
    challenge = urlsafe_b64encode(sha256(tuneloop.verifier.encode()).digest()).rstrip(b"=").decode()
    assert _error(tuneloop.posts_form("/oauth/token", **{**redemption, "code_verifier": challenge})) == (
        400, "invalid_grant",
    )  # fmt: skip


def test_a_public_client_needs_the_verifier_as_well(site: Site, alice: Person) -> None:
    native = Partner(site, "tuneloop-app", redirect_uri="http://127.0.0.1:50000/callback", auth="none")
    _, given = redirected_to(native.code_page(alice))
    fields = {"grant_type": "authorization_code", "code": given["code"], "redirect_uri": native.redirect_uri}
    assert _error(native.posts_form("/oauth/token", **fields)) == (400, "invalid_request")
    assert _error(native.posts_form("/oauth/token", **fields, code_verifier="x" * 43)) == (400, "invalid_grant")
    other_port = {**fields, "redirect_uri": "http://127.0.0.1:50001/callback"}
    assert _error(native.posts_form("/oauth/token", **other_port, code_verifier=native.verifier)) == (
        400, "invalid_grant",
    )  # fmt: skip
    assert native.posts_form("/oauth/token", **fields, code_verifier=native.verifier).status_code == 200
