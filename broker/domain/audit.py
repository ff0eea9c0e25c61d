"""The audit log's chain: what an entry is, how it is hashed, and how a chain is verified."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from hashlib import sha256

from broker.domain.instants import Instant

GENESIS = bytes(32)


class Action(StrEnum):
    """What changes standing, and so is in the log. Issuing and using tokens under a grant is not."""

    BROKER_SEEDED = "broker.seeded"
    BROKER_RECOVERED = "broker.recovered"
    PARTNER_REGISTERED = "partner.registered"
    PARTNER_CHANGED = "partner.changed"
    PARTNER_SUSPENDED = "partner.suspended"
    PARTNER_RESUMED = "partner.resumed"
    FEATURE_REGISTERED = "feature.registered"
    FEATURE_CHANGED = "feature.changed"
    FEATURE_LAUNCHED = "feature.launched"
    FEATURE_SUSPENDED = "feature.suspended"
    FEATURE_RESUMED = "feature.resumed"
    FEATURE_SCHEDULED = "feature.scheduled"
    FEATURE_NARROWED = "feature.narrowed"
    FEATURE_WIDENED = "feature.widened"
    FEATURE_SHUT_DOWN = "feature.shut_down"
    FEATURE_REOPENED = "feature.reopened"
    CLIENT_REGISTERED = "client.registered"
    CLIENT_CHANGED = "client.changed"
    CLIENT_DISABLED = "client.disabled"
    CLIENT_SECRET_ROTATED = "client.secret_rotated"
    RESOURCE_SERVER_REGISTERED = "resource_server.registered"
    RESOURCE_SERVER_DISABLED = "resource_server.disabled"
    CONSENT_APPROVED = "consent.approved"
    CONSENT_DENIED = "consent.denied"
    PRESENCE_CONFIRMED = "presence.confirmed"
    GRANT_ENDED = "grant.ended"
    TOKEN_REVOKED = "token.revoked"
    FAMILY_ENDED = "token_family.ended"
    ACCOUNT_REGISTERED = "account.registered"
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    PASSWORD_CHANGED = "account.password_changed"
    OPERATOR_TOKEN_ISSUED = "operator.token_issued"
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_GIVEN = "approval.given"


NARROWING = frozenset({
    Action.BROKER_RECOVERED, Action.PARTNER_SUSPENDED, Action.FEATURE_SUSPENDED, Action.FEATURE_SCHEDULED,
    Action.FEATURE_NARROWED, Action.FEATURE_SHUT_DOWN, Action.CLIENT_DISABLED, Action.RESOURCE_SERVER_DISABLED,
    Action.CONSENT_APPROVED, Action.GRANT_ENDED, Action.TOKEN_REVOKED, Action.FAMILY_ENDED, Action.ACCOUNT_DISABLED,
    Action.PASSWORD_CHANGED,
})  # fmt: skip
"""What may take something from somebody, and so returns only when every node has heard of it. Approving is among them:
a second answer may name fewer conversations than the first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: who did what to whom, when, and the hash that ties it to the one before."""

    position: int
    at: Instant
    actor: str  # kind:name, as in user:alice, operator:ops, client:tuneloop-share, broker
    action: str
    subject: str  # kind:id of what changed
    feature: str | None
    details: dict[str, object] = field(default_factory=dict)
    previous: bytes = GENESIS

    def canonical(self) -> bytes:
        """The bytes that are hashed: JSON with sorted keys, no spaces, ASCII; the same on every machine."""
        body = asdict(self) | {"previous": self.previous.hex()}
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")

    def hash(self) -> bytes:
        """SHA-256 over the canonical bytes, which hold the hash before."""
        return sha256(self.canonical()).digest()


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry at which a chain does not hold, and how."""

    position: int
    why: str


def verify(entries: Iterable[tuple[Entry, bytes]], head_position: int, head_hash: bytes) -> Broken | None:
    """Walk stored entries (each with its stored hash) in order of position; None if the whole chain holds."""
    position, previous = 0, GENESIS
    for entry, stored in entries:
        if entry.position != position + 1:
            return Broken(position + 1, "is missing")
        if entry.previous != previous:
            return Broken(entry.position, "does not follow the entry before it")
        if entry.hash() != stored:
            return Broken(entry.position, "was changed after it was written")
        position, previous = entry.position, stored
    if (position, previous) != (head_position, head_hash):
        return Broken(position + 1, "is missing: the log was cut after it was written")
    return None
