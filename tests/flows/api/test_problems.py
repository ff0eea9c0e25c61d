"""Every way of saying no at the API: its type, its status, its header, and which comes first when several apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from broker.domain.instants import SECOND, rfc3339
from broker.domain.tokens import TokenKind, compose
from broker.operations.context import Context
from broker.operations.people import accounts
from broker.operations.register import approvals, clients, features, partners
from tests.visitors.partner import Partner, Token
from tests.visitors.person import Person
from tests.visitors.site import Site
from tests.world import World

READ = "/api/threads"


@pytest.fixture
def token(alice: Person, tuneloop: Partner) -> Token:
    """A token that works."""
    return tuneloop.connects(alice)


def _kind(answer: httpx2.Response) -> str:
    return str(answer.json()["type"]).removeprefix("urn:palaver:problem:")


def _is_problem(answer: httpx2.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["status"], _kind(answer)) == (status, status, kind)
    assert body["title"]
    assert body["detail"]
    return body


# --- without a token, or with one that is none -----------------------------------------------------------------------


def test_a_request_without_a_bearer_token_is_challenged_without_an_error(site: Site) -> None:
    for header in (None, "", "Basic dHVuZWxvb3A6eA==", "bearer", "Token x"):
        answer = site.client().get(READ, headers={} if header is None else {"Authorization": header})
        _is_problem(answer, 401, "no-token")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="palaver"'


def test_a_token_that_is_unknown_or_ill_written_is_answered_alike(site: Site) -> None:
    right = compose(TokenKind.ACCESS, bytes(32))
    for token in (right, "x", "", "plv_at_", right + "=", right.lower(), right.replace("_at_", "_rt_"), "A" * 20_000):
        answer = site.client().get(READ, headers={"Authorization": f"Bearer {token}"})
        body = _is_problem(answer, 401, "unknown-token")
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        assert "feature" not in body


def test_a_token_in_the_query_or_the_body_is_not_looked_at(site: Site, tuneloop: Partner, token: Token) -> None:
    http = site.client()
    _is_problem(http.get(READ, params={"access_token": token["access_token"]}), 401, "no-token")
    posted = http.post("/api/threads/x/messages", data={"access_token": token["access_token"]})
    _is_problem(posted, 401, "no-token")


def test_a_refresh_token_opens_nothing(tuneloop: Partner, token: Token) -> None:
    _is_problem(tuneloop.calls("GET", READ, token["refresh_token"]), 401, "unknown-token")


# --- each end, with what it says -------------------------------------------------------------------------------------


def test_a_scope_that_is_not_held_is_named_in_header_and_body(tuneloop: Partner, token: Token) -> None:
    thread = tuneloop.calls("GET", READ, token).json()["threads"][0]["id"]
    answer = tuneloop.calls("GET", f"{READ}/{thread}/messages", token)
    body = _is_problem(answer, 403, "insufficient-scope")
    assert (body["scope"], body["feature"]) == ("messages:read", "share-a-track")
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert 'scope="messages:read"' in answer.headers["WWW-Authenticate"]


def test_a_shutdown_says_which_feature_and_since_when(world: World, tuneloop: Partner, token: Token) -> None:
    world.clock.advance(minutes=2)
    receipt = world.shut_down("share-a-track")
    answer = tuneloop.calls("GET", READ, token)
    body = _is_problem(answer, 401, "feature-shut-down")
    assert (body["feature"], body["ended_at"]) == ("share-a-track", receipt["committed_at"])
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="palaver", error="invalid_token"')


def test_a_suspension_is_forbidden_and_no_invalid_token(world: World, tuneloop: Partner, token: Token) -> None:
    """A client that got invalid_token would throw the token away; it works again after the suspension."""
    world.suspend("share-a-track")
    answer = tuneloop.calls("GET", READ, token)
    _is_problem(answer, 403, "feature-suspended")
    assert "WWW-Authenticate" not in answer.headers
    world.resume("share-a-track")
    assert tuneloop.calls("GET", READ, token).status_code == 200


def test_a_narrowed_ceiling_takes_the_scope_out_of_live_tokens(site: Site, world: World, alice: Person) -> None:
    reelwise = Partner(site, "reelwise-recommend")
    token = reelwise.connects(alice)
    thread = reelwise.calls("GET", READ, token).json()["threads"][0]["id"]
    world.narrow("recommend-a-show", "messages:read")
    body = _is_problem(reelwise.calls("GET", f"{READ}/{thread}/messages", token), 403, "insufficient-scope")
    assert body["scope"] == "messages:read"
    assert reelwise.calls("GET", READ, token).status_code == 200


def test_of_several_reasons_the_first_is_given(world: World, alice: Person, tuneloop: Partner, token: Token) -> None:
    """From the last to the first, each on top of those before it."""
    refresh_token = token["refresh_token"]
    endings: list[tuple[str, int, Callable[[], object]]] = [
        ("feature-suspended", 403, lambda: world.suspend("share-a-track")),
        ("token-expired", 401, lambda: world.clock.advance(minutes=11)),
        ("token-revoked", 401, lambda: tuneloop.revokes(refresh_token)),
        ("grant-ended", 401, lambda: _disconnects(alice)),
        ("feature-shut-down", 401, lambda: world.shut_down("share-a-track")),
        ("user-disabled", 401, lambda: _write(world, lambda context: accounts.disable(context, "alice"))),
        ("client-disabled", 401, lambda: _write(world, lambda context: clients.disable(context, "tuneloop-share"))),
    ]  # fmt: skip
    for kind, status, end in endings:
        end()
        answer = tuneloop.calls("GET", READ, token)
        _is_problem(answer, status, kind)
        assert ('error="invalid_token"' in answer.headers.get("WWW-Authenticate", "")) == (status == 401)


def _disconnects(person: Person) -> None:
    page = person.open("/connected-apps")
    form = next(form for form in page.forms if form.action.endswith("/disconnect"))
    assert person.send(page, form).status_code == 303


def _write(world: World, change: Callable[[Context], object]) -> None:
    with world.write() as context:
        change(context)


def test_a_suspended_partner_is_answered_as_a_disabled_client(world: World, tuneloop: Partner, token: Token) -> None:
    _write(world, lambda context: partners.suspend(context, "tuneloop"))
    _is_problem(tuneloop.calls("GET", READ, token), 401, "client-disabled")
    world.two_people(lambda context: approvals.request_resuming_partner(context, "tuneloop"))
    assert tuneloop.calls("GET", READ, token).status_code == 200


def test_an_end_date_that_is_reached_is_a_shutdown_at_once(world: World, tuneloop: Partner, token: Token) -> None:
    ends_at = world.clock.now + 60 * SECOND
    _write(world, lambda context: features.schedule(context, "share-a-track", ends_at))
    assert tuneloop.calls("GET", READ, token).status_code == 200
    world.clock.advance(minutes=1)
    body = _is_problem(tuneloop.calls("GET", READ, token), 401, "feature-shut-down")
    assert body["ended_at"] == rfc3339(ends_at)


def test_a_changed_password_ends_tokens_and_keeps_the_grant(
    world: World, alice: Person, tuneloop: Partner, token: Token
) -> None:
    page = alice.open("/account")
    alice.submit(page, "current", current="alice-demo", new="a longer one 2")
    _is_problem(tuneloop.calls("GET", READ, token), 401, "token-revoked")
    assert not alice.is_logged_in()
    alice.log_in("a longer one 2")
    assert tuneloop.code_page(alice).status == 303, "the grant stands, so an unchanged request is answered at once"


# --- what is not there, and what was never meant for programs -------------------------------------------------------


def test_a_method_that_a_path_does_not_have_is_405_and_says_which_it_has(site: Site) -> None:
    answer = site.client().put("/api/threads")
    _is_problem(answer, 405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_path_that_is_not_there_is_404_in_the_form_that_programs_read(site: Site) -> None:
    _is_problem(site.client().get("/api/nothing"), 404, "not-found")
    assert site.client().get("/nothing").headers["Content-Type"] == "text/html; charset=utf-8"
