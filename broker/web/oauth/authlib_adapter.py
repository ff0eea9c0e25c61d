"""The one place that knows Authlib: its server dispatches grant types and authenticates clients, ours decides.

A client is authenticated before the exchange's transaction begins, so that on SQLite nobody waits for the one writer's
turn meanwhile; the exchange judges the client's standing again. Its transaction commits on a refusal too: what a replay
has ended must last. What Authlib would do itself and does not safely (saving a token before the code is
claimed, comparing secrets in clear, PKCE that confidential clients may skip) is not used; docs/threat-model.md lists
those traps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from broker.domain import scopes
from broker.domain.errors import OAuthError
from broker.operations import issuing
from broker.operations.context import Context, Runtime
from broker.operations.register import clients
from broker.store.register.clients import Client
from broker.web.oauth.parameters import Parameters

Answer = tuple[int, dict[str, str | int]]
"""A status and a body."""

METHODS = ["client_secret_basic", "client_secret_post", "none"]


class AuthenticatedClient:
    """A client that has been authenticated, with the two questions that Authlib asks of it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == self.client.auth_method

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in _GRANTS and not (grant_type == "client_credentials" and self.client.public)


class _Payload(OAuth2Payload):
    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    @property
    def data(self) -> Parameters:
        return self._parameters


class TokenRequest(OAuth2Request):
    """A request to an endpoint where clients authenticate, read strictly before Authlib sees it."""

    def __init__(self, running: Runtime, parameters: Parameters, basic: tuple[str, str] | None) -> None:
        # Which transport is good enough was judged when the broker started; Authlib would answer 500 behind a proxy.
        super().__init__("POST", "https://broker.invalid/")
        self.running = running
        self.parameters = parameters
        self.payload = _Payload(parameters)
        self.basic = basic
        if self.basic is not None and "client_secret" in self.parameters:
            raise OAuthError("invalid_request", "credentials in the header and in the body: use one")

    @property
    def form(self) -> Parameters:
        return self.parameters


def _authenticate(method: str, find: Callable[[TokenRequest], tuple[str, str | None] | None]) -> Any:
    def check(query_client: object, request: TokenRequest) -> AuthenticatedClient | None:
        given = find(request)
        if given is None:
            return None
        with request.running.database.single() as transaction:
            client = clients.authenticate(transaction, given[0], given[1], method)
        return None if client is None else AuthenticatedClient(client)

    return check


def _basic(request: TokenRequest) -> tuple[str, str] | None:
    given = request.basic
    if given is not None and request.parameters.get("client_id", given[0]) != given[0]:
        raise OAuthError("invalid_request", "client_id differs from the authenticated client")
    return given


def _in_body(request: TokenRequest) -> tuple[str, str] | None:
    client_id, secret = request.parameters.get("client_id"), request.parameters.get("client_secret")
    return (client_id, secret) if client_id and secret else None


def _public(request: TokenRequest) -> tuple[str, None] | None:
    client_id = request.parameters.get("client_id")
    return (
        (client_id, None) if client_id and request.basic is None and "client_secret" not in request.parameters else None
    )


class Server(AuthorizationServer):
    """Authlib's server, without its storage: it dispatches, and our operations decide and remember."""

    def __init__(self) -> None:
        super().__init__()
        for method, find in (("client_secret_basic", _basic), ("client_secret_post", _in_body), ("none", _public)):
            self.register_client_auth_method(method, _authenticate(method, find))
        for grant in (AuthorizationCode, RefreshToken, ClientCredentials):
            self.register_grant(grant)

    def query_client(self, client_id: str) -> None:
        """Never asked: clients are found and proven in one step."""
        raise AssertionError(client_id)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        return request

    def handle_response(self, status: int, body: dict[str, str | int], headers: object) -> Answer:
        """A token, or an error of Authlib's own; its headers are the ones that ours have anyway."""
        return status, body

    def authenticated(self, request: TokenRequest) -> Client:
        """The client that this request proves; ``OAuthError`` alike for an unknown client and a wrong secret."""
        try:
            found: AuthenticatedClient = self.authenticate_client(request, METHODS)
        except InvalidClientError:
            raise OAuthError("invalid_client", "the client could not be authenticated", 401) from None
        return found.client


class _Grant(BaseGrant, TokenEndpointMixin):
    """What our three grant types share: authenticate, then let the operation decide."""

    request: TokenRequest

    def validate_token_request(self) -> None:
        client = self.server.authenticated(self.request)
        if not AuthenticatedClient(client).check_grant_type(self.GRANT_TYPE):
            raise OAuthError("unauthorized_client", f"the client may not use {self.GRANT_TYPE}")
        self.request.client = client

    def create_token_response(self) -> tuple[int, dict[str, str | int], list[tuple[str, str]]]:
        client, refused = self.request.client, None
        with self.request.running.write(f"client:{client.id}") as context:
            try:
                answer = self.exchange(context, client, self.request.parameters)
            except OAuthError as error:
                answer, refused = {}, error
        if refused is not None:
            raise refused
        return 200, answer, []

    def exchange(self, context: Context, client: Client, given: Parameters) -> dict[str, str | int]:
        raise NotImplementedError


def _required(given: Parameters, name: str) -> str:
    value = given.get(name)
    if value is None:
        raise OAuthError("invalid_request", f"{name} is missing")
    return value


def _scopes(given: Parameters) -> frozenset[str]:
    try:
        return scopes.parse(given.get("scope", ""))
    except ValueError as error:
        raise OAuthError("invalid_scope", str(error)) from None


class AuthorizationCode(_Grant):
    """RFC 6749 section 4.1.3 with RFC 7636: every code has a challenge, so every redemption has a verifier."""

    GRANT_TYPE = "authorization_code"

    def exchange(self, context: Context, client: Client, given: Parameters) -> dict[str, str | int]:
        code, uri = _required(given, "code"), _required(given, "redirect_uri")
        return issuing.redeem_code(context, client, code, uri, _required(given, "code_verifier"))


class RefreshToken(_Grant):
    """RFC 6749 section 6 with rotation (RFC 9700 section 4.14.2)."""

    GRANT_TYPE = "refresh_token"

    def exchange(self, context: Context, client: Client, given: Parameters) -> dict[str, str | int]:
        return issuing.refresh(context, client, _required(given, "refresh_token"), _scopes(given))


class ClientCredentials(_Grant):
    """RFC 6749 section 4.4: a client reading its own standing, and nothing of any user."""

    GRANT_TYPE = "client_credentials"

    def exchange(self, context: Context, client: Client, given: Parameters) -> dict[str, str | int]:
        return issuing.client_token(context, client, _scopes(given))


_GRANTS = {grant.GRANT_TYPE for grant in (AuthorizationCode, RefreshToken, ClientCredentials)}
server = Server()


def token_answer(asked: TokenRequest) -> Answer:
    """Answer the token endpoint (RFC 6749 section 5.1), or raise ``OAuthError``."""
    if asked.payload.grant_type is None:
        raise OAuthError("invalid_request", "grant_type is missing")
    answer: Answer = server.create_token_response(asked)
    return answer
