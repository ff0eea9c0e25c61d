"""Resource servers: registered with the scopes they serve, authenticated at introspection, disabled."""

from __future__ import annotations

import hmac

from broker.domain.audit import Action
from broker.domain.errors import Conflict, NotFound, Refused
from broker.domain.names import problem_with_id, problem_with_name
from broker.domain.tokens import TokenKind, digest
from broker.operations.context import Context
from broker.store.engine.database import Transaction
from broker.store.register import resource_servers
from broker.store.register.resource_servers import ResourceServer


def register(context: Context, server_id: str, name: str, scopes: frozenset[str], secret: str | None = None) -> str:
    """Register a resource server; its secret, shown this once. A given ``secret`` is for development only."""
    problem = problem_with_id(server_id) or problem_with_name(name, context.settings.reserved_words - {"palaver"})
    if problem is not None:
        raise Refused(f"resource server {server_id!r}: the id or name {problem}")
    unknown = scopes - context.settings.register.scopes.keys()
    if unknown or not scopes:
        raise Refused(f"resource server {server_id}: unknown scopes: {', '.join(sorted(unknown)) or 'none given'}")
    if resource_servers.get(context.transaction, server_id) is not None:
        raise Conflict(f"resource server {server_id} is registered already")
    given = secret or context.new_secret(TokenKind.RESOURCE_SERVER_SECRET)
    resource_servers.add(context.transaction, ResourceServer(server_id, name, scopes, "active", digest(given)),
                         context.now)  # fmt: skip
    context.record(Action.RESOURCE_SERVER_REGISTERED, f"resource-server:{server_id}", scopes=sorted(scopes))
    return given


def disable(context: Context, server_id: str) -> None:
    """Disable a resource server: every answer to it is ``inactive`` from now on."""
    if resource_servers.get(context.transaction, server_id) is None:
        raise NotFound(f"there is no resource server {server_id!r}")
    if not resource_servers.disable(context.transaction, server_id):
        raise Conflict(f"resource server {server_id} is disabled already")
    context.record(Action.RESOURCE_SERVER_DISABLED, f"resource-server:{server_id}")


def authenticate(transaction: Transaction, server_id: str, secret: str) -> ResourceServer | None:
    """The resource server that these credentials prove, or None."""
    server = resource_servers.get(transaction, server_id)
    stored = server.secret_hash if server is not None else bytes(32)
    proven = hmac.compare_digest(digest(secret), stored)
    return server if server is not None and proven and server.state == "active" else None
