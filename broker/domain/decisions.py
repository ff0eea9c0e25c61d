"""The decision: whether a token admits a request at this instant. The only place that says yes."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from broker.domain.instants import Instant


class Standing(NamedTuple):
    """Everything that one snapshot of the database says about one token, code or refresh token.

    The field order is the column order of the store's one statement. ``live_scopes`` is text: the scopes that the
    grant and the ceiling both hold, each as ``scope=instant`` where disuse ends it then, joined by spaces.
    ``now`` is the database's clock in the same snapshot; ``position`` and ``generation`` are the audit log's, which
    date the decision.
    """

    client_id: str
    grant_id: int | None
    account_id: int | None
    feature_id: str
    token_epoch: int
    token_scopes: str
    issued_at: Instant
    expires_at: Instant
    revoked_at: Instant | None
    family_id: int | None
    family_ended_at: Instant | None
    grant_epoch: int | None
    grant_ended_at: Instant | None
    grant_expires_at: Instant | None
    presence_ends_at: Instant | None
    all_conversations: bool | None
    feature_state: str
    feature_epoch: int
    feature_ends_at: Instant | None
    feature_shut_down_at: Instant | None
    client_state: str
    client_name: str
    partner_id: str
    partner_state: str
    account_state: str | None
    live_scopes: str | None
    now: Instant
    position: int
    generation: int


class Reason(StrEnum):
    """Why not, in the order of precedence; the values are the tails of the problem types."""

    UNKNOWN_TOKEN = "unknown-token"
    CLIENT_DISABLED = "client-disabled"
    USER_DISABLED = "user-disabled"
    FEATURE_SHUT_DOWN = "feature-shut-down"
    GRANT_ENDED = "grant-ended"
    TOKEN_REVOKED = "token-revoked"
    TOKEN_EXPIRED = "token-expired"
    FEATURE_SUSPENDED = "feature-suspended"
    INSUFFICIENT_SCOPE = "insufficient-scope"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes: for these scopes, by this standing."""

    standing: Standing
    scopes: frozenset[str]
    scope: str  # the one that this request used


@dataclass(frozen=True, slots=True)
class Denied:
    """No, and the first reason that applies; ``standing`` is None only for an unknown token."""

    reason: Reason
    standing: Standing | None = None
    ended_at: Instant | None = None
    needed: frozenset[str] = frozenset()


Decision = Allowed | Denied


def decide(standing: Standing | None, needed: Set[str]) -> Decision:
    """Judge one request that needs any one of ``needed`` (an empty set: any scope at all)."""
    if standing is None:
        return Denied(Reason.UNKNOWN_TOKEN)
    if standing.client_state != "active" or standing.partner_state != "active":
        return Denied(Reason.CLIENT_DISABLED, standing)
    denied = _grant_denial(standing) if standing.grant_id is not None else None
    denied = denied or _token_denial(standing)
    if denied is not None:
        return denied
    scopes = live_scopes(standing)
    used = scopes & needed if needed else scopes
    if not used:
        return Denied(Reason.INSUFFICIENT_SCOPE, standing, needed=frozenset(needed))
    return Allowed(standing, scopes, min(used))


def _grant_denial(s: Standing) -> Denied | None:
    """What ends all of a grant's tokens: its user, its feature, itself."""
    if s.account_state != "active":
        return Denied(Reason.USER_DISABLED, s)
    if s.feature_state == "shut_down":
        return Denied(Reason.FEATURE_SHUT_DOWN, s, s.feature_shut_down_at)
    if s.feature_ends_at is not None and s.feature_ends_at <= s.now:
        return Denied(Reason.FEATURE_SHUT_DOWN, s, s.feature_ends_at)
    ended_at = _grant_end(s)
    return None if ended_at is None else Denied(Reason.GRANT_ENDED, s, ended_at)


def _grant_end(s: Standing) -> Instant | None:
    if s.grant_ended_at is not None:
        return s.grant_ended_at
    if not s.feature_epoch == s.grant_epoch == s.token_epoch:  # given before a shutdown: dead for ever
        return s.feature_shut_down_at or s.now
    due = min(s.grant_expires_at or 0, s.presence_ends_at or 0)
    return due if due <= s.now else None


def _token_denial(s: Standing) -> Denied | None:
    """What ends this token alone, or holds it for a while; last, since the above says more."""
    if s.revoked_at is not None or s.family_ended_at is not None:
        return Denied(Reason.TOKEN_REVOKED, s, s.revoked_at or s.family_ended_at)
    if s.expires_at <= s.now:
        return Denied(Reason.TOKEN_EXPIRED, s, s.expires_at)
    if s.grant_id is not None and s.feature_state != "active":
        return Denied(Reason.FEATURE_SUSPENDED, s)
    return None


def live_scopes(s: Standing) -> frozenset[str]:
    """Token ∩ grant ∩ ceiling ∩ in use: what this token can still do at ``now``."""
    held = s.token_scopes.split()
    if s.grant_id is None:  # client_credentials: no user, nothing that a ceiling or disuse could narrow
        return frozenset(held)
    now, live = s.now, []
    for item in (s.live_scopes or "").split():
        scope, _, ends = item.partition("=")
        if scope in held and int(ends) > now:
            live.append(scope)
    return frozenset(live)


def deadline(s: Standing, scopes: frozenset[str]) -> Instant:
    """The earliest instant at which any part of this yes ends by time alone (``exp`` of introspection)."""
    ends = [s.expires_at, s.grant_expires_at, s.presence_ends_at, s.feature_ends_at]
    for item in (s.live_scopes or "").split():
        scope, _, instant = item.partition("=")
        if scope in scopes:
            ends.append(int(instant))
    return min(end for end in ends if end is not None)
