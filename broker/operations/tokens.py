"""Revoking and introspecting tokens (RFC 7009, RFC 7662)."""

from __future__ import annotations

from broker.domain import decisions, marks, scopes
from broker.domain.audit import Action
from broker.domain.decisions import Allowed, Standing
from broker.domain.instants import seconds
from broker.domain.tokens import TokenKind, digest, well_formed
from broker.operations import identifiers
from broker.operations.context import Context
from broker.settings import Settings
from broker.store import schema, standing, tokens
from broker.store.engine.database import Transaction
from broker.store.register.clients import Client
from broker.store.register.resource_servers import ResourceServer

INACTIVE: dict[str, object] = {"active": False}


def revoke(context: Context, client: Client, token: str) -> None:
    """Revoke a client's own token (RFC 7009 section 2.1): an access token alone, a refresh token with its family.

    A token that is unknown, or another client's, is not touched and not betrayed.
    """
    if well_formed(TokenKind.ACCESS, token):
        _revoke_access(context, client, token)
    elif well_formed(TokenKind.REFRESH, token):
        _end_family(context, client, token)


def _revoke_access(context: Context, client: Client, token: str) -> None:
    found = standing.read(context.transaction, digest(token))
    if found is None or found.client_id != client.id:
        return
    if tokens.revoke_access(context.transaction, digest(token), context.now):
        subject = f"grant:{found.grant_id}" if found.grant_id else f"client:{client.id}"
        context.record(Action.TOKEN_REVOKED, subject, feature=found.feature_id, kind="access_token")


def _end_family(context: Context, client: Client, token: str) -> None:
    found = standing.read(context.transaction, digest(token), schema.refresh_token)
    if found is None or found.client_id != client.id or found.family_id is None:
        return
    if tokens.end_family(context.transaction, found.family_id, context.now, "revoked_by_client"):
        context.record(
            Action.FAMILY_ENDED, f"grant:{found.grant_id}", feature=found.feature_id, cause="revoked_by_client"
        )


def introspect(
    transaction: Transaction, settings: Settings, server: ResourceServer | None, token: str, *, lease: bool = False
) -> dict[str, object]:
    """Answer a resource server about an access token (RFC 7662 section 2.2).

    Active only towards a server that serves one of the token's scopes, and only with those scopes. ``exp`` is the
    earliest of all deadlines. With ``lease`` the answer says too what it hangs on, for a node that remembers it.
    Whoever asks, the same statement runs.
    """
    found = standing.read(transaction, digest(token)) if well_formed(TokenKind.ACCESS, token) else None
    decision = decisions.decide(found, server.scopes if server is not None else scopes.USER_SCOPES)
    if server is None or not isinstance(decision, Allowed) or decision.standing.account_id is None:
        return INACTIVE
    served = decision.scopes & server.scopes
    row, key = decision.standing, settings.secret_key
    assert row.grant_id is not None
    assert row.account_id is not None
    return {
        "active": True, "scope": scopes.format(served), "client_id": row.client_id, "token_type": "Bearer",
        "exp": seconds(decisions.deadline(row, served)), "iat": seconds(row.issued_at),
        "sub": identifiers.subject(key, f"resource-server:{server.id}", row.account_id), "aud": server.id,
        "feature": row.feature_id, "grant_id": identifiers.grant_id(key, row.grant_id),
        **({"lease": _lease(key, server, row, served)} if lease else {}),
    }  # fmt: skip


def _lease(key: bytes, server: ResourceServer, row: Standing, served: frozenset[str]) -> dict[str, object]:
    """What a node of this server remembers the answer by, all of the answer's own snapshot."""
    receiver = f"resource-server:{server.id}"
    return {
        "generation": identifiers.generation(key, receiver, row.generation), "position": row.position,
        "ends_in_us": decisions.deadline(row, served) - row.now,
        "marks": [identifiers.mark(key, receiver, each) for each in marks.of_standing(row)],
    }  # fmt: skip
