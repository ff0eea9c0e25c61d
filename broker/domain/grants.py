"""A grant: the standing permission of one person to one client, for one feature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from broker.domain.instants import Instant


class EndCause(StrEnum):
    """Why a grant is over. The first two are the feature's end, the rest the grant's own."""

    FEATURE_SHUT_DOWN = "feature_shut_down"
    FEATURE_ENDED = "feature_end_date"
    DISCONNECTED = "disconnected"
    REVOKED = "revoked_by_operator"
    EXPIRED = "expired"
    NOT_PRESENT = "user_not_present"
    CLIENT_DISABLED = "client_disabled"
    USER_DISABLED = "user_disabled"


@dataclass(frozen=True, slots=True)
class GrantedScope:
    """One scope of a grant: since which consent, last used when, and when disuse ends it."""

    scope: str
    position: int
    granted_at: Instant
    last_used_at: Instant | None
    unused_ends_at: Instant
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant's own facts; whether it is live also depends on its feature, client, partner and user."""

    id: int
    account_id: int
    client_id: str
    feature_id: str
    feature_epoch: int
    all_conversations: bool
    asked: frozenset[str]
    consent_hash: str
    created_at: Instant
    updated_at: Instant
    present_at: Instant
    presence_ends_at: Instant
    expires_at: Instant
    ended_at: Instant | None = None
    end_cause: str | None = None
    scopes: tuple[GrantedScope, ...] = ()

    def own_end(self, now: Instant) -> tuple[Instant, EndCause] | None:
        """The grant's own end if it is reached: recorded, or a deadline that has passed."""
        if self.ended_at is not None:
            return self.ended_at, EndCause(self.end_cause or EndCause.REVOKED)
        due = min((self.expires_at, EndCause.EXPIRED), (self.presence_ends_at, EndCause.NOT_PRESENT))
        return due if due[0] <= now else None


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant as lists and pages show it, with the names that people know."""

    grant: Grant
    username: str
    client_name: str
    client_state: str
    feature_name: str
    feature_purpose: str
    feature_state: str
    feature_epoch: int
    feature_ends_at: Instant | None
    feature_shut_down_at: Instant | None
    partner_id: str
    partner_name: str
    partner_state: str
    account_state: str

    def end(self, now: Instant) -> tuple[Instant | None, EndCause] | None:
        """When and why this grant is over, or None while it stands (suspension is not an end)."""
        own, ends_at = self.grant.own_end(now), self.feature_ends_at
        if own is not None and (self.grant.ended_at is not None or ends_at is None or own[0] < ends_at):
            return own
        if self.grant.feature_epoch != self.feature_epoch or self.feature_state == "shut_down":
            return self.feature_shut_down_at, EndCause.FEATURE_SHUT_DOWN
        if ends_at is not None and ends_at <= now:
            return ends_at, EndCause.FEATURE_ENDED
        if self.client_state != "active":
            return None, EndCause.CLIENT_DISABLED
        if self.account_state != "active":
            return None, EndCause.USER_DISABLED
        return None

    def paused(self) -> bool:
        """Whether a suspension holds it: not over, but nothing is admitted until it is resumed."""
        return self.feature_state != "active" or self.partner_state != "active"
