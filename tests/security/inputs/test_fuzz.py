"""Parameters that nobody would think of, on every endpoint: never a 5xx, and never a redirect to a stranger.

The examples are the same in every run; `make prove` throws the dice.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes, urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from broker.operations.people import accounts
from tests import databases
from tests.postgres import Unavailable
from tests.register import HTTPS, LOOPBACK, secret_of
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site, in_process
from tests.world import CHALLENGE, World, prepare

FORM = "application/x-www-form-urlencoded"
anything = st.one_of(
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=60),
    st.sampled_from(
        [b"", b"\0", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"-1", b"9" * 40, b"1e999", b"x" * 9000, b"a=b&c"]
    ),
)


@dataclass
class Target:
    """One broker with what is right in hand, so that what is wrong gets past the first check."""

    site: Site
    token: str
    thread: str
    operator: str
    cookie: str
    csrf: str

    def __post_init__(self) -> None:
        assert self.site.app is not None
        self.alice: FlaskClient = self.site.app.test_client()
        self.alice.set_cookie("palaver", self.cookie, domain="127.0.0.1")

    def asks(self, method: str, path: str, **more: Any) -> Response:
        """One request in this process; not through a client, which would read the host's name itself, and fail."""
        assert self.site.app is not None
        builder = EnvironBuilder(path, method=method, base_url=self.site.url, **more)
        return self.site.app.response_class.from_app(self.site.app, builder.get_environ(), buffered=True)


def _urls(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if kind == "sqlite":
        yield databases.fresh_sqlite_database(tmp_path_factory.mktemp("fuzz"), prepare)
        return
    try:
        url = databases.fresh_postgres_database(prepare)
    except Unavailable as reason:
        pytest.skip(str(reason))
    yield url
    databases.drop_postgres_database(url)


KINDS = ["sqlite", "postgresql"]
DICE = [pytest.param(kind, marks=pytest.mark.prove, id=f"{kind}-dice") for kind in KINDS]


@pytest.fixture(scope="module", params=[*KINDS, *DICE])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One for all examples, on each kind of database."""
    for url in _urls(request.param, tmp_path_factory):
        world = World(url, tmp_path_factory.mktemp("state"))
        with in_process(world.runtime) as site:
            alice, partner = Person(site, "alice"), Partner(site, "reelwise-recommend")
            token = partner.connects(alice)
            thread = partner.calls("GET", "/api/threads", token).json()["threads"][0]["id"]
            with world.write() as context:
                operator, _ = accounts.issue_operator_token(context, "ops", "operate")
            csrf = alice.open("/account").form("csrf_token").value("csrf_token")
            (cookie,) = [cookie.value or "" for cookie in alice.http.cookies.jar]
            yield Target(site, token["access_token"], thread, operator, cookie, csrf)
        world.verify_audit()
        world.close()


def _encoded(pairs: list[tuple[str, bytes]]) -> str:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in pairs)


Pair = tuple[str, bytes]


def _changed(name: str, value: str) -> st.SearchStrategy[list[Pair]]:
    """A parameter as it should be, or with any value, or left out."""
    return st.one_of(st.just([(name, value.encode())]), anything.map(lambda wrong: [(name, wrong)]), st.just([]))


def _pairs(right: dict[str, str]) -> st.SearchStrategy[list[Pair]]:
    """Parameters: mostly right, some changed, some left out, some twice, some unknown."""
    each = [_changed(name, value) for name, value in right.items()]
    more = st.lists(st.tuples(st.sampled_from([*right, "x", "scope", "request", "\u00e9"]), anything), max_size=2)
    return st.tuples(*each, more).map(lambda parts: [pair for part in parts for pair in part])


def _is_answered(answer: Response) -> None:
    assert answer.status_code < 500, answer.get_data(as_text=True)
    target = answer.headers.get("Location")
    if target is not None:
        own = target.startswith("/") and not target.startswith("//")
        assert own or urlsplit(target)._replace(query="").geturl() in (HTTPS, LOOPBACK), target


AUTHORIZATION = {
    "client_id": "tuneloop-share", "redirect_uri": HTTPS, "response_type": "code", "state": "x",
    "scope": "messages:write", "code_challenge": CHALLENGE, "code_challenge_method": "S256", "response_mode": "query",
}  # fmt: skip


@given(pairs=_pairs(AUTHORIZATION))
def test_any_authorization_request_is_answered(target: Target, pairs: list[Pair]) -> None:
    _is_answered(target.asks("GET", "/oauth/authorize", query_string=_encoded(pairs)))


@given(pairs=_pairs({"username": "alice", "password": "alice-demo", "next": "/inbox", "csrf_token": "x"}))
def test_any_login_is_answered(target: Target, pairs: list[Pair]) -> None:
    _is_answered(target.asks("GET", "/login", query_string=_encoded(pairs)))
    answer = target.asks("POST", "/login", data=_encoded(pairs), content_type=FORM)
    assert answer.status_code in (400, 401, 429)


TOKEN = {
    "grant_type": "refresh_token", "refresh_token": "x", "code": "x", "redirect_uri": HTTPS, "scope": "messages:read",
    "code_verifier": "v" * 43, "client_id": "reelwise-recommend", "token": "x",
}  # fmt: skip
ENDPOINTS = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"]
RIGHT = "Basic " + b64encode(f"reelwise-recommend:{secret_of('reelwise-recommend')}".encode()).decode()


@given(pairs=_pairs(TOKEN), path=st.sampled_from(ENDPOINTS), wrong=anything, right=st.booleans())
def test_requests_of_clients(target: Target, pairs: list[Pair], path: str, wrong: bytes, right: bool) -> None:
    header = RIGHT if right else "Basic " + _header(wrong)
    answer = target.asks("POST", path, data=_encoded(pairs), headers={"Authorization": header}, content_type=FORM)
    _is_answered(answer)
    assert answer.is_json


def _header(value: bytes) -> str:
    """A value as a header can carry it."""
    return value.decode("latin-1").translate({ord(character): None for character in "\r\n\0"})


@given(raw=anything, cursor=anything)
def test_identifiers_and_cursors(target: Target, raw: bytes, cursor: bytes) -> None:
    headers = {"Authorization": f"Bearer {target.token}"}
    for method, path in (("GET", "threads/{}/messages"), ("POST", "threads/{}/messages"),
                         ("GET", "threads/{}/participants"), ("DELETE", "messages/{}")):  # fmt: skip
        where = "/api/" + path.format(quote_from_bytes(raw, safe=""))
        _is_answered(target.asks(method, where, headers=headers, json={"text": "x"} if method == "POST" else None))
    answer = target.asks("GET", f"/api/threads/{target.thread}/messages", headers=headers,
                         query_string=_encoded([("cursor", cursor)]))  # fmt: skip
    assert answer.status_code in (200, 400)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "reason", "epoch"]), inner),
    max_leaves=6,
)
OPERATIONS = ["features/nothing/shut-down", "features/nothing/reopen", "features/nothing/narrow", "approvals/x/approve"]


@given(body=st.one_of(st.binary(max_size=200), json_values.map(lambda value: json.dumps(value).encode())))
def test_any_body_is_answered(target: Target, body: bytes) -> None:
    sent: dict[str, Any] = {"data": body, "content_type": "application/json"}
    headers = {"Authorization": f"Bearer {target.token}"}
    answer = target.asks("POST", f"/api/threads/{target.thread}/messages", headers=headers, **sent)
    assert answer.status_code in (201, 400)
    for path in OPERATIONS:
        headers = {"Authorization": f"Bearer {target.operator}"}
        assert target.asks("POST", f"/admin/api/{path}", headers=headers, **sent).status_code in (400, 404)


NAMES = ["Authorization", "Host", "Cookie", "Content-Type", "Content-Length", "X-Forwarded-For"]


@given(value=anything, name=st.sampled_from(NAMES))
@example(value=b"xn--", name="Host")
@example(value=b"xn--\xff:99999999", name="Host")
def test_any_header_is_answered(target: Target, value: bytes, name: str) -> None:
    for method, path in (("GET", "/api/threads"), ("GET", "/inbox"), ("POST", "/oauth/token"), ("POST", "/login")):
        _is_answered(target.asks(method, path, headers={name: _header(value)}))


number_like = st.one_of(st.integers().map(lambda number: str(number).encode()), anything)


@given(number=number_like, before=number_like)
def test_pages_with_numbers(target: Target, number: bytes, before: bytes) -> None:
    path = f"/inbox/{quote_from_bytes(number, safe='')}"
    answer = target.alice.open(path, base_url=target.site.url, query_string=_encoded([("before", before)]))
    assert answer.status_code in (200, 400, 404)


@given(pairs=_pairs({"ticket": "x", "decision": "approve", "scope": "messages:write", "conversation": "all"}))
def test_answers_to_the_consent_page(target: Target, pairs: list[Pair]) -> None:
    """With a CSRF token that is right, so that what comes after it is reached."""
    sent = [*pairs, ("csrf_token", target.csrf.encode())]
    answer = target.alice.open(
        "/oauth/authorize", method="POST", base_url=target.site.url, data=_encoded(sent), content_type=FORM
    )
    assert answer.status_code == 400
