"""What the broker promises, said once more and differently: a model that the broker is compared with, step by step.

It keeps facts in dictionaries, asks no clock and no database, and knows nothing of how the broker does it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.domain.instants import DAY, SECOND

WRITE, PROFILE = "messages:write", "profile:read"
MINUTE = 60 * SECOND


@dataclass
class Feature:
    """A feature; ``since`` says at which step each scope of its ceiling (last) entered."""

    partner: str
    lifetime: int
    since: dict[str, int]
    state: str = "active"
    epoch: int = 1
    ends_at: int | None = None


@dataclass
class Grant:
    """A grant; each scope with the step at which it was given, and when disuse ends it."""

    person: str
    client: str
    epoch: int
    expires: int
    presence_ends: int
    given: dict[str, int] = field(default_factory=dict)
    unused_ends: dict[str, int] = field(default_factory=dict)
    ended: bool = False


@dataclass
class Family:
    """What comes of one consent: its tokens share its end."""

    grant: Grant
    expires: int
    held: frozenset[str]
    ended: bool = False


@dataclass
class Token:
    """An access token, or a refresh token (whose ``scopes`` are all that its family holds)."""

    family: Family
    scopes: frozenset[str]
    expires: int
    revoked: bool = False


class Model:
    """All facts, and what follows from them."""

    def __init__(self, now: int) -> None:
        self.now, self.step = now, 1
        self.features = {
            "share-a-track": Feature("tuneloop", 365 * DAY, {WRITE: 0, PROFILE: 0}),
            "transfer-notice": Feature("northbank", 365 * DAY, {WRITE: 0}),
        }
        self.feature_of = {"tuneloop-share": "share-a-track", "northbank-notice": "transfer-notice"}
        self.disabled: set[str] = set()  # clients, partners (while suspended) and people
        self.grants: list[Grant] = []

    def feature(self, client: str) -> Feature:
        """A client's feature."""
        return self.features[self.feature_of[client]]

    def due(self, feature: Feature) -> bool:
        """Whether its date has come, whoever has noticed."""
        return feature.ends_at is not None and feature.ends_at <= self.now

    def admits(self, client: str, person: str) -> bool:
        """Whether this person can give this client permission now."""
        feature = self.feature(client)
        in_order = feature.state == "active" and not self.due(feature)
        return in_order and self.disabled.isdisjoint({client, feature.partner, person})

    def over(self, grant: Grant) -> bool:
        """Whether a grant is over by its own doing or by its feature's epoch."""
        passed = min(grant.expires, grant.presence_ends) <= self.now
        return grant.ended or passed or grant.epoch != self.feature(grant.client).epoch

    def live(self, grant: Grant) -> frozenset[str]:
        """The scopes that grant and ceiling both hold, the ceiling since before, and that are in use."""
        since = self.feature(grant.client).since
        return frozenset(
            scope
            for scope, step in grant.given.items()
            if scope in since and since[scope] < step and grant.unused_ends[scope] > self.now
        )

    def says(self, token: Token, *needed: str) -> str:
        """What a request with this token must be told."""
        grant = token.family.grant
        feature = self.feature(grant.client)
        scopes = token.scopes & self.live(grant)
        answers = (
            ("client-disabled", not self.disabled.isdisjoint({grant.client, feature.partner})),
            ("user-disabled", grant.person in self.disabled),
            ("feature-shut-down", feature.state == "shut_down" or self.due(feature)),
            ("grant-ended", self.over(grant)),
            ("token-revoked", token.revoked or token.family.ended),
            ("token-expired", token.expires <= self.now),
            ("feature-suspended", feature.state != "active"),
            ("insufficient-scope", not (scopes & set(needed) if needed else scopes)),
        )
        return next((reason for reason, applies in answers if applies), "allowed")

    # --- what happens -------------------------------------------------------------------------------------------------

    def consent(self, person: str, client: str, asked: frozenset[str]) -> Family:
        """A person allows all that is asked; an earlier grant that stands is brought up to date."""
        feature = self.feature(client)
        standing = [grant for grant in self.grants if (grant.person, grant.client) == (person, client)]
        grant = next((grant for grant in standing if not self.over(grant)), None)
        expires = min(self.now + feature.lifetime, feature.ends_at or self.now + feature.lifetime)
        if grant is None:
            grant = Grant(person, client, feature.epoch, expires, 0)
            self.grants.append(grant)
        kept = self.live(grant)
        grant.given = {scope: step for scope, step in grant.given.items() if scope in kept}
        grant.given.update(dict.fromkeys(asked, self.step))
        grant.unused_ends.update(dict.fromkeys(asked, self.now + 90 * DAY))
        grant.expires, grant.presence_ends = expires, self.now + 90 * DAY
        return Family(grant, min(self.now + 180 * DAY, expires), asked)

    def issued(self, family: Family) -> tuple[Token, Token]:
        """An access token and a refresh token for what is left of what the family holds."""
        feature = self.feature(family.grant.client)
        latest = min(family.expires, family.grant.expires, feature.ends_at or family.expires)
        scopes = family.held & self.live(family.grant)
        access = Token(family, scopes, min(self.now + 10 * MINUTE, latest))
        return access, Token(family, family.held, min(self.now + 30 * DAY, latest))

    def use(self, token: Token, scope: str) -> None:
        """A scope is used: it lasts for another 90 days."""
        if self.says(token, scope) == "allowed":
            token.family.grant.unused_ends[scope] = self.now + 90 * DAY

    def shut_down(self, feature: Feature) -> None:
        """All grants of its epoch are over for good."""
        if feature.state != "shut_down":
            feature.state, feature.epoch = "shut_down", feature.epoch + 1

    def reopen(self, feature: Feature) -> None:
        """It goes on with no grants; a date that has passed did its work."""
        feature.state = "active"
        if self.due(feature):
            feature.ends_at = None
