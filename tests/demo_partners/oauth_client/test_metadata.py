"""Which metadata documents are believed."""

from __future__ import annotations

import pytest

from demo_partners.oauth_client.metadata import MetadataError, read_metadata

ISSUER = "http://127.0.0.1:8000"
DOCUMENT: dict[str, object] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/oauth/authorize",
    "token_endpoint": f"{ISSUER}/oauth/token",
    "revocation_endpoint": f"{ISSUER}/oauth/revoke",
    "code_challenge_methods_supported": ["S256"],
    "authorization_response_iss_parameter_supported": True,
}


def test_the_metadata_of_the_issuer_that_was_asked_is_read() -> None:
    metadata = read_metadata(DOCUMENT, ISSUER)
    assert metadata.token_endpoint == f"{ISSUER}/oauth/token"
    assert metadata.iss_in_response


@pytest.mark.parametrize("issuer", ["http://attacker.example", f"{ISSUER}/", None])
def test_the_metadata_of_another_issuer_are_refused(issuer: str | None) -> None:
    with pytest.raises(MetadataError, match="its issuer is"):
        read_metadata(DOCUMENT | {"issuer": issuer}, ISSUER)


@pytest.mark.parametrize("methods", [None, [], ["plain"], "S256", 7])
def test_a_server_without_s256_is_refused(methods: object) -> None:
    with pytest.raises(MetadataError, match="S256"):
        read_metadata(DOCUMENT | {"code_challenge_methods_supported": methods}, ISSUER)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "revocation_endpoint"])
@pytest.mark.parametrize("value", [None, "", "javascript:alert(1)", 7])
def test_an_endpoint_that_is_missing_or_no_url_is_refused(name: str, value: object) -> None:
    with pytest.raises(MetadataError, match=name):
        read_metadata(DOCUMENT | {name: value}, ISSUER)


@pytest.mark.parametrize("document", [None, [], "text"])
def test_anything_but_an_object_is_refused(document: object) -> None:
    with pytest.raises(MetadataError, match="not a JSON object"):
        read_metadata(document, ISSUER)
