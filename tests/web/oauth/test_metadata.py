"""What clients and resource servers find out by themselves (RFC 8414, RFC 9728)."""

from __future__ import annotations

from dataclasses import replace

from tests.register import SETTINGS
from tests.visitors.site import in_process
from tests.world import World


def test_the_authorization_server_says_what_it_serves_and_nothing_else(sqlite_world: World) -> None:
    with in_process(sqlite_world.runtime) as site:
        answer = site.client().get("/.well-known/oauth-authorization-server")
        found = answer.json()
        assert answer.headers["Content-Type"] == "application/json"
        assert found["issuer"] == site.url
        for name in ("authorization", "token", "revocation", "introspection"):
            where = found[f"{name}_endpoint"]
            assert where.startswith(f"{site.url}/oauth/")
            assert site.client().options(where).status_code == 200, "it is there"
        assert found["response_types_supported"] == ["code"]
        assert found["code_challenge_methods_supported"] == ["S256"]
        assert found["authorization_response_iss_parameter_supported"] is True
        assert set(found["token_endpoint_auth_methods_supported"]) == {
            "client_secret_basic", "client_secret_post", "none",
        }  # fmt: skip
        assert "messages:read" in found["scopes_supported"]
        assert "operate" not in found["scopes_supported"]


def test_the_resource_names_its_authorization_server(sqlite_world: World) -> None:
    with in_process(sqlite_world.runtime) as site:
        found = site.client().get("/.well-known/oauth-protected-resource").json()
        assert (found["resource"], found["authorization_servers"]) == (site.url, [site.url])
        assert found["bearer_methods_supported"] == ["header"]


def test_a_configured_issuer_is_the_one_in_every_answer(sqlite_world: World) -> None:
    settings = replace(SETTINGS, issuer="https://palaver.example", allowed_hosts=("palaver.example",), demo=None)
    with in_process(replace(sqlite_world.runtime, settings=settings)) as site:
        found = site.client().get("/.well-known/oauth-authorization-server", headers={"Host": "palaver.example"}).json()
    assert found["issuer"] == "https://palaver.example"
    assert found["token_endpoint"] == "https://palaver.example/oauth/token"
