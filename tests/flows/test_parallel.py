"""The same code and the same refresh token from many at once, over real HTTP, at several workers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.serving import Served
from tests.visitors.partner import Partner
from tests.visitors.person import Person, redirected_to
from tests.visitors.site import Site, elsewhere

CALLERS = 8
ROUNDS = 3


@pytest.fixture
def real(served: Served) -> Iterator[Site]:
    """The real broker as a place to visit."""
    with elsewhere(served.url) as site:
        yield site


def _at_once(site: Site, partner: Partner, fields: dict[str, str]) -> list[httpx2.Response]:
    """The answers to the same token request from many connections in the same moment."""
    together = threading.Barrier(CALLERS)

    def asks(http: httpx2.Client) -> httpx2.Response:
        http.get("/healthz")
        together.wait()
        return http.post("/oauth/token", data=fields, auth=(partner.client_id, partner.secret or ""))

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(asks, [site.client() for _ in range(CALLERS)]))


def _one_succeeds(answers: list[httpx2.Response]) -> httpx2.Response:
    (success,) = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer is not success]
    assert {(answer.status_code, answer.json()["error"]) for answer in refused} == {(400, "invalid_grant")}
    return success


def test_of_many_redemptions_of_a_code_exactly_one_succeeds(real: Site) -> None:
    alice, partner = Person(real, "alice"), Partner(real, "northbank-notice")
    for _ in range(ROUNDS):
        _, given = redirected_to(partner.code_page(alice))
        fields = {"grant_type": "authorization_code", "code": given["code"], "redirect_uri": partner.redirect_uri,
                  "code_verifier": partner.verifier}  # fmt: skip
        success = _one_succeeds(_at_once(real, partner, fields))
        answer = partner.calls("GET", "/api/threads", success.json())
        assert answer.json()["type"] == "urn:palaver:problem:token-revoked", "the others were replays"


def test_of_many_refreshes_with_a_token_one_succeeds_and_the_family_ends(real: Site) -> None:
    alice, partner = Person(real, "alice"), Partner(real, "northbank-notice")
    for _ in range(ROUNDS):
        token = partner.connects(alice)
        fields = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        success = _one_succeeds(_at_once(real, partner, fields)).json()
        assert partner.calls("GET", "/api/threads", success).status_code == 401
        last = partner.posts_form("/oauth/token", grant_type="refresh_token", refresh_token=success["refresh_token"])
        assert last.json()["error"] == "invalid_grant"


def test_of_many_answers_to_a_consent_page_one_is_taken(real: Site) -> None:
    alice, partner = Person(real, "carol"), Partner(real, "northbank-notice")
    page = alice.open(partner.asks())
    page = alice.log_in(at=page) if page.path == "/login" else page
    form, together = page.form("decision"), threading.Barrier(CALLERS)
    cookies = {cookie.name: cookie.value or "" for cookie in alice.http.cookies.jar}
    fields = {**dict(form.fields), "conversation": "all", "decision": "approve"}

    def answers(http: httpx2.Client) -> int:
        http.cookies.update(cookies)
        together.wait()
        return http.post("/oauth/authorize", data=fields).status_code

    with ThreadPoolExecutor(CALLERS) as pool:
        found = sorted(pool.map(answers, [real.client() for _ in range(CALLERS)]))
    assert found == [303] + [400] * (CALLERS - 1)
