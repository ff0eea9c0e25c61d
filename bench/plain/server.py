"""The plain server: issuing, introspecting, and one guarded page of messages."""

from __future__ import annotations

import os
from typing import Any, cast

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.integrations.sqla_oauth2 import (
    create_bearer_token_validator,
    create_query_client_func,
    create_query_token_func,
    create_save_token_func,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Blueprint, Flask, Response, abort, jsonify
from sqlalchemy.orm import joinedload

from bench.plain.models import Client, Member, Message, Token, User, connect, session
from bench.world import PAGE

DATABASE_VARIABLE = "PLAIN_DATABASE_URL"

authorization = AuthorizationServer()
require_oauth = ResourceProtector()
routes = Blueprint("plain", __name__)
_query_token = create_query_token_func(session, Token)


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """RFC 7662, for clients that are registered as resource servers."""

    def query_token(self, token: str, token_type_hint: str | None) -> Token | None:
        """Find the token by the kind that is hinted at, else by either."""
        return cast("Token | None", _query_token(token, token_type_hint))

    def check_permission(self, _token: Token, client: Client, _request: Any) -> bool:
        """Whether this client may ask."""
        return "introspect" in client.scope.split()

    def introspect_token(self, token: Token) -> dict[str, Any]:
        """What is told of an active token."""
        return {
            "active": True,
            "client_id": token.client_id,
            "token_type": token.token_type,
            "username": token.user.username if token.user else None,
            "scope": token.scope,
            "sub": str(token.user_id or token.client_id),
            "iat": token.issued_at,
            "exp": token.issued_at + token.expires_in,
        }


@routes.post("/oauth/token")
def issue_token() -> Response:
    """RFC 6749, section 4.4."""
    return cast("Response", authorization.create_token_response())


@routes.post("/oauth/introspect")
def introspect_token() -> Response:
    """RFC 7662."""
    return cast("Response", authorization.create_endpoint_response(Introspection.ENDPOINT_NAME))


@routes.get("/api/threads/<int:thread_id>/messages")
@require_oauth("messages:read")  # type: ignore[untyped-decorator]
def list_messages(thread_id: int) -> Response:
    """The oldest page of a thread that the user takes part in."""
    user = cast("Token", current_token).user
    assert user is not None  # only users' tokens have this scope
    if session.get(Member, (thread_id, user.id)) is None:
        abort(404)
    found = (
        session.query(Message)
        .options(joinedload(Message.client))
        .filter_by(thread_id=thread_id)
        .order_by(Message.id)
        .limit(PAGE + 1)
        .all()
    )
    page = found[:PAGE]
    return jsonify(
        messages=[_as_json(message, user) for message in page], next=page[-1].id if len(found) > PAGE else None
    )


@routes.get("/healthz")
def health() -> Response:
    """That this worker is up, and which one it is."""
    return jsonify(worker=os.getpid())


def _as_json(message: Message, user: User) -> dict[str, Any]:
    return {
        "id": message.id,
        "author": "self" if message.author_id == user.id else message.author_id,
        "text": message.text,
        "sent_at": message.sent_at.isoformat() + "Z",
        "via": message.client.client_name if message.client else None,
    }


def create_app() -> Flask:
    """The application, on the database that the environment names."""
    session.configure(bind=connect(os.environ[DATABASE_VARIABLE]))
    app = Flask(__name__)
    authorization.init_app(
        app,
        query_client=create_query_client_func(session, Client),
        save_token=create_save_token_func(session, Token),
    )
    authorization.register_grant(ClientCredentialsGrant)
    authorization.register_endpoint(Introspection)
    require_oauth.register_token_validator(create_bearer_token_validator(session, Token)())
    app.register_blueprint(routes)
    app.teardown_appcontext(_close_session)
    return app


def _close_session(_error: BaseException | None) -> None:
    session.remove()
