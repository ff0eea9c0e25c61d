"""Issuing: redeem a code, rotate a refresh token, give a client its own token.

Standing is judged under the fence before anything is claimed, so that a refusal for suspension or trouble with the
database consumes nothing. A replay is found before the standing is judged, so that it is answered even when the code or
token has expired since; its effect must be committed although the answer is an error, so these functions raise
``OAuthError`` only after they have done what must last, and their caller commits.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256

from broker.domain import decisions, scopes
from broker.domain.audit import Action
from broker.domain.decisions import Allowed, Denied, Reason, Standing
from broker.domain.errors import OAuthError, Undecided
from broker.domain.instants import SECOND
from broker.domain.tokens import TokenKind, digest, well_formed
from broker.operations.context import Context
from broker.store import schema, standing, tokens
from broker.store.register.clients import Client

INVALID_GRANT = "invalid_grant"
TokenAnswer = dict[str, str | int]


def client_token(context: Context, client: Client, requested: frozenset[str]) -> TokenAnswer:
    """Give an authenticated client a token for its own standing (RFC 6749 section 4.4); it reaches no user."""
    if requested - {scopes.STANDING_READ}:
        raise OAuthError("invalid_scope", "client_credentials gives standing:read only")
    secret = context.new_secret(TokenKind.ACCESS)
    lifetime = context.settings.lifetimes.client_token_s
    tokens.add_access(
        context.transaction,
        tokens.Issued(digest(secret), client.id, None, None, client.feature_id, 0, None, scopes.STANDING_READ,
                      context.now, context.after(lifetime)),
    )  # fmt: skip
    return {"access_token": secret, "token_type": "Bearer", "expires_in": lifetime, "scope": scopes.STANDING_READ}


def redeem_code(context: Context, client: Client, code: str, redirect_uri: str, verifier: str) -> TokenAnswer:
    """Exchange a code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.6), once."""
    hash = digest(code)
    found = _of_client(context, client, code, TokenKind.CODE)
    if found.revoked_at is not None:
        raise _replayed(context, found, "code_replayed")
    bound_uri, challenge = tokens.code_binding(context.transaction, hash)
    if redirect_uri != bound_uri:
        raise OAuthError(INVALID_GRANT, "redirect_uri is not the one of the authorization request")
    if not hmac.compare_digest(_s256(verifier), challenge):
        raise OAuthError(INVALID_GRANT, "code_verifier does not match the code_challenge")
    allowed = _admitted(found)
    if not tokens.claim_code(context.transaction, hash, context.now):
        raise _replayed(context, found, "code_replayed")
    return _issue(context, allowed, allowed.standing.token_scopes, allowed.scopes)


def refresh(context: Context, client: Client, token: str, requested: frozenset[str]) -> TokenAnswer:
    """Rotate a refresh token (RFC 6749 section 6, RFC 9700 section 4.14): never wider, and reuse ends the family."""
    found = _of_client(context, client, token, TokenKind.REFRESH)
    if found.revoked_at is not None:
        raise _replayed(context, found, "refresh_token_reused")
    allowed = _admitted(found)
    if requested - allowed.scopes:
        raise OAuthError("invalid_scope", "a refresh cannot give more than the grant still holds")
    if not tokens.claim_refresh(context.transaction, digest(token), context.now):
        raise _replayed(context, found, "refresh_token_reused")
    return _issue(context, allowed, allowed.standing.token_scopes, requested or allowed.scopes)


def _s256(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode("ascii", "replace")).digest()).rstrip(b"=").decode()


def _of_client(context: Context, client: Client, secret: str, kind: TokenKind) -> Standing:
    """The standing of a code or refresh token, if it is this client's; another's is as good as unknown."""
    table = schema.authorization_code if kind is TokenKind.CODE else schema.refresh_token
    found = standing.fenced(context.transaction, digest(secret), table) if well_formed(kind, secret) else None
    if found is None or found.client_id != client.id:
        raise OAuthError(INVALID_GRANT, "it is unknown, or was not issued to this client")
    return found


def _admitted(found: Standing) -> Allowed:
    decision = decisions.decide(found, frozenset())
    if isinstance(decision, Denied):
        raise refusal(decision)
    return decision


def refusal(denied: Denied) -> OAuthError | Undecided:
    """A denial in the token endpoint's words (RFC 6749 section 5.2)."""
    if denied.reason is Reason.FEATURE_SUSPENDED:
        return Undecided("the feature is suspended; nothing was consumed, ask again later")
    if denied.reason is Reason.CLIENT_DISABLED:
        return OAuthError("invalid_client", "the client is disabled", 401)
    words = {
        Reason.FEATURE_SHUT_DOWN: "the feature was shut down",
        Reason.GRANT_ENDED: "the grant has ended",
        Reason.TOKEN_REVOKED: "it was revoked",
        Reason.TOKEN_EXPIRED: "it has expired",
        Reason.USER_DISABLED: "the user's account is disabled",
    }
    return OAuthError(INVALID_GRANT, words.get(denied.reason, "nothing is left of what was granted"))


def _replayed(context: Context, found: Standing, cause: str) -> OAuthError:
    """End everything that came of the code, and say so in the log; the grant itself stays."""
    assert found.family_id is not None
    if tokens.end_family(context.transaction, found.family_id, context.now, cause):
        context.record(
            Action.FAMILY_ENDED, f"grant:{found.grant_id}", feature=found.feature_id, cause=cause,
            client=found.client_id,
        )  # fmt: skip
    return OAuthError(INVALID_GRANT, "it was used before; everything issued from it has ended")


def _issue(context: Context, allowed: Allowed, held: str, given: frozenset[str]) -> TokenAnswer:
    """An access token for ``given``, and a refresh token that keeps what the code held."""
    found, lifetimes = allowed.standing, context.settings.lifetimes
    assert found.family_id is not None
    family_end = tokens.family_expires_at(context.transaction, found.family_id)
    latest = min(family_end, found.grant_expires_at or family_end, found.feature_ends_at or family_end)
    access, fresh = context.new_secret(TokenKind.ACCESS), context.new_secret(TokenKind.REFRESH)
    access_end = min(context.after(lifetimes.access_token_s), latest)

    def issued(secret: str, scope: str, end: int) -> tokens.Issued:
        return tokens.Issued(
            digest(secret), found.client_id, found.grant_id, found.account_id, found.feature_id, found.token_epoch,
            found.family_id, scope, context.now, end,
        )  # fmt: skip

    tokens.add_access(context.transaction, issued(access, scopes.format(given), access_end))
    refresh_end = min(context.after(lifetimes.refresh_idle_s), latest)
    tokens.add_refresh(context.transaction, issued(fresh, held, refresh_end))
    return {
        "access_token": access, "token_type": "Bearer", "expires_in": max(0, access_end - context.now) // SECOND,
        "refresh_token": fresh, "scope": scopes.format(given),
    }  # fmt: skip
