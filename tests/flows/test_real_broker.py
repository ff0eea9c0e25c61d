"""The same over real HTTP, with several workers, on both databases: what no test client can show."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from authlib.integrations.requests_client import OAuth2Session

from tests.register import LOOPBACK, secret_of
from tests.serving import Served
from tests.visitors.partner import Partner
from tests.visitors.person import Person, redirected_to
from tests.visitors.site import Site, elsewhere


@pytest.fixture
def real(served: Served) -> Iterator[Site]:
    """The real broker as a place to visit."""
    with elsewhere(served.url) as site:
        yield site


def test_the_whole_flow_with_httpx(real: Site) -> None:
    alice, reelwise = Person(real, "alice"), Partner(real, "reelwise-recommend")
    token = reelwise.connects(alice, "messages:read messages:write participants:read", scopes=["participants:read"])
    thread = reelwise.calls("GET", "/api/threads", token).json()["threads"][0]["id"]
    path = f"/api/threads/{thread}"
    assert reelwise.calls("POST", f"{path}/messages", token, json={"text": "See this."}).status_code == 201
    newest = reelwise.calls("GET", f"{path}/messages", token).json()["messages"][0]
    assert (newest["text"], newest["author"], newest["via"]) == ("See this.", "self", "Reelwise")
    assert "See this." in alice.open(alice.open("/inbox").answer.url.path).text
    fresh = reelwise.refreshes(token)
    reelwise.revokes(fresh["refresh_token"])
    assert reelwise.calls("GET", "/api/threads", fresh).status_code == 401


def test_the_whole_flow_with_requests(real: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client_id, verifier = "northbank-notice", "v" * 64
    metadata = real.client().get("/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == real.url
    library = OAuth2Session(client_id, secret_of(client_id), redirect_uri="https://tuneloop.example/callback",
                            code_challenge_method="S256")  # fmt: skip
    url, state = library.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    bob = Person(real, "bob")
    page = bob.answer(bob.log_in(at=bob.open(url)))
    library.fetch_token(metadata["token_endpoint"], authorization_response=page.answer.headers["Location"],
                        state=state, code_verifier=verifier)  # fmt: skip
    assert library.get(f"{real.url}/api/threads").status_code == 200
    library.refresh_token(metadata["token_endpoint"])
    assert library.get(f"{real.url}/api/threads").status_code == 200
    introspected = library.introspect_token(metadata["introspection_endpoint"], token=library.token["access_token"])
    assert introspected.json() == {"active": False}, "a client is no resource server"
    library.revoke_token(metadata["revocation_endpoint"], token=library.token["refresh_token"])
    assert library.get(f"{real.url}/api/threads").status_code == 401
    library.close()


def test_a_native_client_on_a_port_of_its_own(real: Site) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    native = Partner(real, "tuneloop-app", redirect_uri=f"http://127.0.0.1:{port}/callback", auth="none")
    assert native.connects(Person(real, "alice"))["scope"] == "messages:write"


def test_the_issuer_is_where_the_broker_listens_whatever_a_request_calls_it(real: Site) -> None:
    port = urlsplit(real.url).port
    found = real.client().get("/.well-known/oauth-authorization-server", headers={"Host": f"localhost:{port}"}).json()
    assert found["issuer"] == real.url
    alice, tuneloop = Person(real, "alice"), Partner(real, "tuneloop-share", redirect_uri=LOOPBACK)
    alice.log_in()
    answer = alice.http.get(tuneloop.asks("contacts:read"), headers={"Host": f"localhost:{port}"})
    assert f"iss=http%3A%2F%2F127.0.0.1%3A{port}" in answer.headers["Location"]


def test_a_shutdown_by_the_command_line_is_in_force_when_it_returns(served: Served, real: Site) -> None:
    alice, playing = Person(real, "alice"), Partner(real, "tuneloop-playing", auth="client_secret_post")
    held = [playing.connects(alice) for _ in range(3)]
    assert [playing.calls("GET", "/api/posts", token).status_code for token in held] == [200, 200, 200]
    receipt = json.loads(served.run("features", "shut-down", "now-playing", "--json").stdout)
    assert (receipt["state"], receipt["ended"]["grants"], receipt["last_access_complete"]) == ("shut_down", 1, True)
    for token in held:  # each worker is asked, most likely
        assert playing.calls("GET", "/api/posts", token).json()["type"] == "urn:palaver:problem:feature-shut-down"
    _, given = redirected_to(alice.open(playing.asks()))
    assert given["error"] == "unauthorized_client"
