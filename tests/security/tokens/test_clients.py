"""Clients prove who they are: with their one method, with a secret that is stored hashed, and nobody else's."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import httpx2
import pytest

from broker.domain.tokens import TokenKind, well_formed
from broker.operations.register import clients
from tests.register import SETTINGS, secret_of
from tests.visitors.partner import Partner
from tests.visitors.site import Site, in_process
from tests.visitors.watched import WatchedDatabase
from tests.world import World

SHARE, PLAYING, APP = "tuneloop-share", "tuneloop-playing", "tuneloop-app"
FIELDS = {"grant_type": "client_credentials"}
REFUSED = b'{"error":"invalid_client","error_description":"the client could not be authenticated"}'


def _with_basic(site: Site, credentials: bytes, **more: str) -> httpx2.Response:
    header = {"Authorization": f"Basic {b64encode(credentials).decode()}"}
    return site.client().post("/oauth/token", data={**FIELDS, **more}, headers=header)


def _in_body(site: Site, **fields: str) -> httpx2.Response:
    return site.client().post("/oauth/token", data={**FIELDS, **fields})


def _is_refused(answer: httpx2.Response) -> bool:
    """401 with one and the same body, and a challenge (RFC 6749 section 5.2)."""
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.headers["Cache-Control"] == "no-store"
    return (answer.status_code, answer.content) == (401, REFUSED)


def test_the_right_secret_by_the_registered_method_is_let_in(site: Site) -> None:
    assert _with_basic(site, f"{SHARE}:{secret_of(SHARE)}".encode()).status_code == 200
    assert _in_body(site, client_id=PLAYING, client_secret=secret_of(PLAYING)).status_code == 200
    assert _with_basic(site, f"{SHARE}:{secret_of(SHARE)}".encode(), client_id=SHARE).status_code == 200
    encoded = f"tuneloop%2Dshare:{secret_of(SHARE).replace('-', '%2d')}".encode()
    assert _with_basic(site, encoded).status_code == 200, "RFC 6749 section 2.3.1: both are form-encoded"


def test_whatever_is_wrong_the_answer_is_the_same(site: Site) -> None:
    wrong = [
        f"{SHARE}:wrong", f"{SHARE}:", f"{SHARE}", ":", "", f":{secret_of(SHARE)}", f"nobody-here:{secret_of(SHARE)}",
        f"{SHARE}:{secret_of(PLAYING)}", f"{SHARE}:{secret_of(SHARE)} ", f"{SHARE.upper()}:{secret_of(SHARE)}",
        f"{APP}:", f"{APP}:x", f"{PLAYING}:{secret_of(PLAYING)}", f"palaver-search:{secret_of('palaver-search')}",
        f"{SHARE}:" + "x" * 10_000, f"{SHARE}%00:{secret_of(SHARE)}", "%FF:%FF", f"{SHARE}:%ED%A0%80",
    ]  # fmt: skip
    for text in wrong:
        assert _is_refused(_with_basic(site, text.encode())), text
    for raw in (b"\xff\xfe:\xff", b"\xc0\x80:x", b"a\0:b"):
        assert _is_refused(_with_basic(site, raw)), raw
    for fields in (
        {"client_id": PLAYING, "client_secret": "wrong"}, {"client_id": PLAYING}, {"client_secret": "x"}, {},
        {"client_id": SHARE, "client_secret": secret_of(SHARE)}, {"client_id": APP, "client_secret": "x"},
        {"client_id": "nobody-here", "client_secret": "x"}, {"client_id": SHARE},
    ):  # fmt: skip
        assert _is_refused(_in_body(site, **fields)), fields


@pytest.mark.parametrize(
    "header", ["Basic", "Basic ", "Basic !!!!", "Basic YQ", "Basic \u00e9", "basic x", "Basic YQ== x"]
)
def test_an_unreadable_header_is_answered_like_wrong_credentials(site: Site, header: str) -> None:
    assert site.app is not None
    answer = site.app.test_client().post("/oauth/token", data=FIELDS, headers={"Authorization": header},
                                         base_url=site.url)  # fmt: skip
    assert (answer.status_code, answer.data) == (401, REFUSED)


def test_two_methods_at_once_are_refused(site: Site) -> None:
    both = _with_basic(site, f"{SHARE}:{secret_of(SHARE)}".encode(), client_secret=secret_of(SHARE))
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")
    other = _with_basic(site, f"{SHARE}:{secret_of(SHARE)}".encode(), client_id=PLAYING)
    assert (other.status_code, other.json()["error"]) == (400, "invalid_request")


def test_credentials_in_the_query_are_not_looked_at(site: Site) -> None:
    answer = site.client().post(
        "/oauth/token", params={"client_id": PLAYING, "client_secret": secret_of(PLAYING)}, data=FIELDS
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_an_unknown_client_costs_what_a_wrong_secret_costs(world: World) -> None:
    """Counted in statements rather than timed: who measures answers learns no client ids."""
    database = WatchedDatabase(world.url, clock=world.clock)
    settings = replace(SETTINGS, limits=replace(SETTINGS.limits, enabled=False))
    with in_process(replace(world.runtime, database=database, settings=settings)) as site:
        costs = set()
        for credentials in (f"{SHARE}:wrong", "nobody-here:wrong", f"{SHARE}:{secret_of(PLAYING)}", "x:"):
            assert _is_refused(_with_basic(site, credentials.encode()))
            costs.add(database.statements())
    database.close()
    assert len(costs) == 1, costs


def test_secrets_are_generated_and_two_live_for_a_rotation(sqlite_world: World, site: Site) -> None:
    secrets = [secret_of(SHARE)]
    for _ in range(2):
        with sqlite_world.write() as context:
            secrets.append(clients.rotate_secret(context, SHARE))
        assert well_formed(TokenKind.CLIENT_SECRET, secrets[-1])
    works = [_with_basic(site, f"{SHARE}:{secret}".encode()).status_code == 200 for secret in secrets]
    assert works == [False, True, True], "the newest two"


def test_a_disabled_client_is_refused_like_an_unknown_one(sqlite_world: World, site: Site) -> None:
    with sqlite_world.write() as context:
        clients.disable(context, SHARE)
    assert _is_refused(_with_basic(site, f"{SHARE}:{secret_of(SHARE)}".encode()))
    assert _is_refused(_in_body(site, client_id=SHARE))


def test_an_address_that_fails_too_often_waits_and_no_other_does(sqlite_world: World, site: Site) -> None:
    wrong = {"Authorization": f"Basic {b64encode(b'nobody-here:x').decode()}"}
    guessing, honest = site.client("192.0.2.7"), site.client("192.0.2.8")
    answers = [guessing.post("/oauth/token", data=FIELDS, headers=wrong) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [401] * 30 + [429]
    assert (answers[-1].headers["Retry-After"], answers[-1].json()["error"]) == ("60", "slow_down")
    right = (SHARE, secret_of(SHARE))
    assert guessing.post("/oauth/token", data=FIELDS, auth=right).status_code == 429
    assert guessing.post("/oauth/revoke", data={"token": "x"}, auth=right).status_code == 429
    assert honest.post("/oauth/token", data=FIELDS, auth=right).status_code == 200
    sqlite_world.clock.advance(seconds=60)
    assert guessing.post("/oauth/token", data=FIELDS, auth=right).status_code == 200


def test_a_resource_server_cannot_act_as_a_client_nor_a_client_as_one(site: Site) -> None:
    assert _is_refused(_with_basic(site, f"palaver-search:{secret_of('palaver-search')}".encode()))
    partner = Partner(site, SHARE)
    assert partner.posts_form("/oauth/introspect", token="x").json() == {"active": False}
