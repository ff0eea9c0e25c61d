"""Server metadata: what clients find out by themselves (RFC 8414, RFC 9728)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from broker.domain import scopes
from broker.web.oauth.answers import json_answer
from broker.web.oauth.authlib_adapter import METHODS
from broker.web.request_context import NONE, runs, runtime

endpoints = Blueprint("metadata", __name__)


def issuer() -> str:
    """The issuer: the configured one, else the address that this development broker is reached at."""
    return runtime().settings.issuer or request.host_url.rstrip("/")


@endpoints.get("/.well-known/oauth-authorization-server")
@runs(NONE)
def authorization_server() -> Response:
    """RFC 8414 section 3.2."""
    base = issuer()
    return _public({
        "issuer": base,
        "authorization_endpoint": f"{base}/oauth/authorize",
        "token_endpoint": f"{base}/oauth/token",
        "revocation_endpoint": f"{base}/oauth/revoke",
        "introspection_endpoint": f"{base}/oauth/introspect",
        "scopes_supported": sorted({*runtime().settings.register.scopes, scopes.STANDING_READ}),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": f"{base}/",
    })  # fmt: skip


@endpoints.get("/.well-known/oauth-protected-resource")
@runs(NONE)
def protected_resource() -> Response:
    """RFC 9728 section 3.2: Palaver's own API, which lives at the same origin."""
    base = issuer()
    return _public({
        "resource": base,
        "authorization_servers": [base],
        "scopes_supported": sorted({*runtime().settings.register.scopes, scopes.STANDING_READ}),
        "bearer_methods_supported": ["header"],
        "resource_name": f"{runtime().settings.name} API",
    })  # fmt: skip


def _public(body: object) -> Response:
    answer = json_answer(200, body)
    answer.headers["Cache-Control"] = "public, max-age=300"
    del answer.headers["Pragma"]
    return answer
