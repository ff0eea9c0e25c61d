"""Validating an authorization request, in an order that never redirects to an address that is not proven."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from broker.domain.errors import OAuthError
from broker.domain.redirect_uris import matches
from broker.operations import consent
from broker.operations.consent import AuthorizationRequest
from broker.operations.context import Context
from broker.store.register import clients
from broker.store.register.clients import Client
from broker.web.oauth.parameters import MAX_STATE, Parameters

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # base64url of a SHA-256 (RFC 7636 section 4.2)


class Unredirectable(Exception):
    """The client or its redirect URI is not proven: an error page, and nobody is sent anywhere."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where a proven request is answered."""

    uri: str
    state: str | None
    issuer: str

    def url(self, **values: str) -> str:
        """The redirect URI with an answer; ``iss`` in success and error (RFC 9207), ``state`` byte for byte."""
        pairs = {**values, **({"state": self.state} if self.state is not None else {}), "iss": self.issuer}
        return f"{self.uri}{'&' if '?' in self.uri else '?'}{urlencode(pairs)}"

    def error(self, error: OAuthError) -> str:
        """The redirect URI with an error (RFC 6749 section 4.1.2.1)."""
        return self.url(error=error.code, error_description=error.description)


def prove_redirect(context: Context, given: Parameters, issuer: str) -> tuple[Client, Redirect]:
    """The client, and where it may be answered. The first thing that is done; ``Unredirectable`` if it fails."""
    client = clients.get(context.transaction, given.get("client_id", ""))
    if client is None:
        raise Unredirectable("This app is not registered here.")
    if "redirect_uri" not in given:
        raise Unredirectable("The app did not say where to return to (redirect_uri).")
    if not matches(given["redirect_uri"], client.redirect_uris, native=client.public):
        raise Unredirectable("The app asked to return to an address that is not registered for it.")
    state = given.get("state")
    if state is not None and len(state) > MAX_STATE:
        raise Unredirectable(f"The app sent a state of more than {MAX_STATE} characters.")
    return client, Redirect(given["redirect_uri"], state, issuer)


def validate(context: Context, given: Parameters, client: Client, redirect: Redirect) -> AuthorizationRequest:
    """Everything else about a request; ``OAuthError`` goes back to the client by its redirect URI."""
    if "response_type" not in given:
        raise OAuthError("invalid_request", "response_type is missing")
    if given["response_type"] != "code":
        raise OAuthError("unsupported_response_type", "only response_type=code is served")
    if given.get("response_mode", "query") != "query":
        raise OAuthError("invalid_request", "only response_mode=query is served")
    if "request" in given or "request_uri" in given:
        code = "request_not_supported" if "request" in given else "request_uri_not_supported"
        raise OAuthError(code, "requests by value or reference are not served")
    if given.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(given.get("code_challenge", "")):
        raise OAuthError("invalid_request", "PKCE is required: code_challenge with code_challenge_method=S256")
    _, feature = consent.admitting(context, client.id)
    scopes = consent.requested_scopes(feature, given.get("scope"))
    return AuthorizationRequest(client.id, redirect.uri, scopes, given["code_challenge"], redirect.state)
