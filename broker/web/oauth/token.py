"""POST /oauth/token, /oauth/revoke and /oauth/introspect: what clients and resource servers call directly."""

from __future__ import annotations

from flask import Blueprint, Response, request

from broker.domain.errors import OAuthError
from broker.operations import tokens
from broker.operations.register import resource_servers
from broker.web.oauth import limits
from broker.web.oauth.answers import error_answer, json_answer
from broker.web.oauth.authlib_adapter import TokenRequest, server, token_answer
from broker.web.oauth.parameters import basic_credentials, of_form
from broker.web.request_context import NONE, SINGLE, runs, runtime, transaction, writing

endpoints = Blueprint("token", __name__, url_prefix="/oauth")


FOUND = "broker.found"
"""What the express lane has come upon while it answered, in the request's environment."""


def _asked() -> TokenRequest:
    return TokenRequest(runtime(), of_form(request), basic_credentials(request))


@endpoints.post("/token")
@runs(NONE)
def token() -> Response:
    """The token endpoint (RFC 6749 section 3.2). Nobody waits for a lock while a client is being authenticated."""
    limited = limits.refuse_failing_client()
    if limited is not None:
        return limited
    try:
        found = request.environ.get(FOUND)
        if found is not None:  # it may have had its effect already: asked again, a refresh token would be used twice
            raise found
        return limits.count_failure(json_answer(*token_answer(_asked())))
    except OAuthError as error:
        return limits.count_failure(error_answer(error))


@endpoints.post("/revoke")
@runs(NONE)
def revoke() -> Response:
    """The revocation endpoint (RFC 7009): 200 for a token that is unknown or another's, as for one's own.

    When the database fails the answer is 503, by the errors' door: never 200 for what was not done.
    """
    limited = limits.refuse_failing_client()
    if limited is not None:
        return limited
    try:
        asked = _asked()
        client = server.authenticated(asked)
        if "token" not in asked.parameters:
            raise OAuthError("invalid_request", "token is missing")
        with writing(f"client:{client.id}") as context:
            tokens.revoke(context, client, asked.parameters["token"])
    except OAuthError as error:
        return limits.count_failure(error_answer(error))
    return json_answer(200, {})


@endpoints.post("/introspect")
@runs(SINGLE)
def introspect() -> Response:
    """The introspection endpoint (RFC 7662), for registered resource servers.

    A client, or wrong credentials, get ``{"active": false}`` by the same statements; no credentials at all get 401.
    """
    try:
        parameters, given = of_form(request), basic_credentials(request)
        if given is None:
            raise OAuthError("invalid_client", "a resource server authenticates with HTTP Basic", 401)
        if "token" not in parameters:
            raise OAuthError("invalid_request", "token is missing")
    except OAuthError as error:
        return error_answer(error)
    asking = resource_servers.authenticate(transaction(), *given)
    lease = parameters.get("lease") == "true"
    return json_answer(
        200, tokens.introspect(transaction(), runtime().settings, asking, parameters["token"], lease=lease)
    )
