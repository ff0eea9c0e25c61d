"""The authorization server's metadata (RFC 8414), believed only from the issuer that it names."""

from __future__ import annotations

from dataclasses import dataclass

import httpx2

from demo_partners.oauth_client.problems import read_object
from demo_partners.oauth_client.settings import TIMEOUT

PATH = "/.well-known/oauth-authorization-server"


class MetadataError(Exception):
    """The document at the well-known address is not the metadata of this issuer."""


@dataclass(frozen=True, kw_only=True)
class ServerMetadata:
    """The endpoints that a partner uses, and whether authorization responses carry ``iss`` (RFC 9207 section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    iss_in_response: bool


def read_metadata(document: object, issuer: str) -> ServerMetadata:
    """Read a metadata document; raise MetadataError unless it is this issuer's (RFC 8414 section 3.3) and complete."""
    if not isinstance(document, dict):
        raise MetadataError("it is not a JSON object")
    if document.get("issuer") != issuer:
        raise MetadataError(f"its issuer is {document.get('issuer')!r}, and {issuer!r} was asked")
    methods = document.get("code_challenge_methods_supported")
    if not isinstance(methods, list) or "S256" not in methods:
        raise MetadataError("it does not offer PKCE with S256")
    return ServerMetadata(
        issuer=issuer,
        authorization_endpoint=_endpoint(document, "authorization_endpoint"),
        token_endpoint=_endpoint(document, "token_endpoint"),
        revocation_endpoint=_endpoint(document, "revocation_endpoint"),
        iss_in_response=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(document: dict[str, object], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value.startswith(("https://", "http://")):
        raise MetadataError(f"it has no {name}")
    return value


class MetadataSource:
    """Fetches the metadata at first need and keeps it, so that a partner may start before the broker does."""

    def __init__(self, issuer: str, transport: httpx2.BaseTransport) -> None:
        self._issuer = issuer
        self._transport = transport
        self._known: ServerMetadata | None = None

    def __call__(self) -> ServerMetadata:
        """Return the metadata; raises MetadataError, and httpx2's HTTPStatusError and TransportError."""
        if self._known is None:
            # The client is not closed, because that would close the transport, which is shared.
            client = httpx2.Client(transport=self._transport, timeout=TIMEOUT)
            answer = client.get(self._issuer + PATH, headers={"Accept": "application/json"}).raise_for_status()
            self._known = read_metadata(read_object(answer.content), self._issuer)
        return self._known
