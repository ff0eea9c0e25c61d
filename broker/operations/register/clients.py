"""Clients: registered for one feature, authenticated at the token endpoint, disabled, given a new secret."""

from __future__ import annotations

import hmac

from broker.domain.audit import Action
from broker.domain.errors import Conflict, NotFound, Refused
from broker.domain.names import problem_with_client_id, problem_with_name
from broker.domain.redirect_uris import problem_with_redirect_uri
from broker.domain.tokens import TokenKind, digest
from broker.operations.context import Context
from broker.operations.register.features import get as get_feature
from broker.store import standing
from broker.store.engine.database import Transaction
from broker.store.register import clients
from broker.store.register.clients import Client

AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")


def get(context: Context, client_id: str) -> Client:
    """A client, or ``NotFound``."""
    found = clients.get(context.transaction, client_id)
    if found is None:
        raise NotFound(f"there is no client {client_id!r}")
    return found


def require_sound(context: Context, client: Client) -> None:
    """Refuse an id, name, method or redirect URI that may not be registered."""
    problem = problem_with_client_id(client.id)
    if problem is not None:
        raise Refused(f"client id {client.id!r} {problem}")
    problem = problem_with_name(client.name, context.settings.reserved_words)
    if problem is not None:
        raise Refused(f"the name of client {client.id} {problem}")
    if client.auth_method not in AUTH_METHODS:
        raise Refused(f"client {client.id}: the authentication method is one of {', '.join(AUTH_METHODS)}")
    if not client.redirect_uris:
        raise Refused(f"client {client.id} needs a redirect URI")
    for uri in client.redirect_uris:
        problem = problem_with_redirect_uri(uri)
        if problem is not None:
            raise Refused(f"client {client.id}: redirect URI {uri!r} {problem}")


def register(context: Context, client: Client, secret: str | None = None) -> str | None:
    """Register a client for a feature; its secret, shown this once (None for a public client).

    A given ``secret`` is for development only, where it stands in a file.
    """
    feature = get_feature(context, client.feature_id)
    require_sound(context, client)
    if clients.get(context.transaction, client.id) is not None:
        raise Conflict(f"client {client.id} is registered already")
    clients.add(context.transaction, client, context.now)
    given = None if client.public else secret or context.new_secret(TokenKind.CLIENT_SECRET)
    if given is not None:
        clients.add_secret(context.transaction, client.id, digest(given), context.now)
    context.record(Action.CLIENT_REGISTERED, f"client:{client.id}", feature=feature.id, auth=client.auth_method,
                   redirect_uris=list(client.redirect_uris))  # fmt: skip
    return given


def disable(context: Context, client_id: str) -> None:
    """Disable a client: nothing works with it any more, at once."""
    client = get(context, client_id)
    standing.close_fence(context.transaction, client.feature_id)
    if not clients.set_state(context.transaction, client_id, "active", "disabled"):
        raise Conflict(f"client {client_id} is disabled already")
    context.record(Action.CLIENT_DISABLED, f"client:{client_id}", feature=client.feature_id)


def rotate_secret(context: Context, client_id: str) -> str:
    """Give a client a new secret; the one before stays valid until the next rotation."""
    client = get(context, client_id)
    if client.public:
        raise Refused(f"client {client_id} is public and has no secret")
    secret = context.new_secret(TokenKind.CLIENT_SECRET)
    clients.add_secret(context.transaction, client_id, digest(secret), context.now)
    context.record(Action.CLIENT_SECRET_ROTATED, f"client:{client_id}", feature=client.feature_id)
    return secret


def change(context: Context, client_id: str, name: str, redirect_uris: tuple[str, ...]) -> None:
    """Change a client's name or redirect URIs; a new URI is a widening, and comes through an approval."""
    client = get(context, client_id)
    require_sound(context, Client(client.id, client.feature_id, name, client.auth_method, redirect_uris, client.state))
    clients.change(context.transaction, client_id, name, redirect_uris)
    context.record(Action.CLIENT_CHANGED, f"client:{client_id}", feature=client.feature_id, name=name,
                   redirect_uris=list(redirect_uris))  # fmt: skip


def authenticate(transaction: Transaction, client_id: str, secret: str | None, method: str) -> Client | None:
    """The client that these credentials prove, or None: unknown, disabled, another method, or a wrong secret alike."""
    client, live = clients.with_secrets(transaction, client_id)
    presented = digest(secret or "")
    proven = sum(hmac.compare_digest(presented, each) for each in live) > 0  # all of them: time tells nothing
    if client is None or not client.enabled or client.auth_method != method:
        return None
    return client if client.public or proven else None
