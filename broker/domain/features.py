"""A feature: the purpose that permission is bound to, its states, and its ceiling of scopes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from broker.domain.instants import Instant


class FeatureState(StrEnum):
    """draft → active ⇄ suspended; any of them → shut_down; shut_down → active only by reopening."""

    DRAFT = "draft"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    SHUT_DOWN = "shut_down"


@dataclass(frozen=True, slots=True)
class CeilingEntry:
    """One scope of a ceiling; ``since`` is the audit position at which it (last) entered."""

    scope: str
    reason: str
    required: bool
    since: int
    beyond_need: str | None = None


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature as it stands now."""

    id: str
    partner_id: str
    partner_name: str
    partner_state: str
    name: str
    purpose: str
    needs: tuple[str, ...]
    state: FeatureState
    epoch: int
    ends_at: Instant | None
    shut_down_at: Instant | None
    grant_lifetime_s: int
    registered_by: str
    ceiling: tuple[CeilingEntry, ...]

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(entry.scope for entry in self.ceiling)

    @property
    def required(self) -> frozenset[str]:
        return frozenset(entry.scope for entry in self.ceiling if entry.required)

    def ended(self, now: Instant) -> bool:
        """Whether its end is reached; terminal in the same way as shut_down, before anybody records it."""
        return self.state is FeatureState.SHUT_DOWN or (self.ends_at is not None and self.ends_at <= now)

    def admits(self, now: Instant) -> bool:
        """Whether new permission may be given under it."""
        return self.state is FeatureState.ACTIVE and not self.ended(now) and self.partner_state == "active"


def beyond_baseline(
    scopes: frozenset[str], needs: tuple[str, ...], baseline: dict[str, frozenset[str]]
) -> frozenset[str]:
    """The scopes of a ceiling that the purpose's needs do not explain; each must say why it is there."""
    explained = frozenset[str]().union(*(baseline[need] for need in needs)) if needs else frozenset[str]()
    return scopes - explained
