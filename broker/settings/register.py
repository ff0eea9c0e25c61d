"""The register as the files propose it: scopes and their words, partners, features, clients, resource servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from broker.domain.instants import Instant

AuthMethod = Literal["client_secret_basic", "client_secret_post", "none"]
FeatureFileState = Literal["draft", "active", "suspended", "shut_down"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What one scope says to people: ``title`` completes "may ...", ``text`` explains, ``example`` shows."""

    name: str
    title: str
    text: str
    example: str
    sensitive: bool


@dataclass(frozen=True, slots=True)
class ForbiddenCombination:
    """Scopes that no partner may hold together, counted over all its features, and why."""

    scopes: frozenset[str]
    because: str


@dataclass(frozen=True, slots=True)
class ClientFile:
    """An OAuth client of a feature; ``development_secret`` exists in development only."""

    id: str
    name: str
    auth: AuthMethod
    redirect_uris: tuple[str, ...]
    development_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CeilingEntry:
    """One scope of a ceiling; ``beyond_need`` says why it is there although the feature's needs do not explain it."""

    scope: str
    reason: str
    required: bool = True
    beyond_need: str | None = None


@dataclass(frozen=True, slots=True)
class FeatureFile:
    """A feature as its partner's file proposes it; ``grant_lifetime_s`` None means the general lifetime."""

    id: str
    partner: str
    name: str
    purpose: str
    needs: tuple[str, ...]
    state: FeatureFileState
    ends_at: Instant | None
    grant_lifetime_s: int | None
    ceiling: tuple[CeilingEntry, ...]
    clients: tuple[ClientFile, ...]
    file: str

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(entry.scope for entry in self.ceiling)


@dataclass(frozen=True, slots=True)
class PartnerFile:
    """A partner and its features, from one file."""

    id: str
    name: str
    homepage: str | None
    file: str
    features: tuple[FeatureFile, ...]


@dataclass(frozen=True, slots=True)
class ResourceServerFile:
    """A resource server; tokens of its scopes are for it to introspect."""

    id: str
    name: str
    scopes: tuple[str, ...]
    development_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Register:
    """Everything that the files propose, ordered as the files are; ``needs`` is each need's baseline of scopes."""

    scopes: Mapping[str, Scope]
    needs: Mapping[str, tuple[str, ...]]
    forbidden: tuple[ForbiddenCombination, ...] = ()
    partners: tuple[PartnerFile, ...] = ()
    resource_servers: tuple[ResourceServerFile, ...] = ()

    @property
    def features(self) -> tuple[FeatureFile, ...]:
        return tuple(feature for partner in self.partners for feature in partner.features)

    @property
    def forbidden_combinations(self) -> tuple[frozenset[str], ...]:
        return tuple(combination.scopes for combination in self.forbidden)

    @property
    def baseline(self) -> dict[str, frozenset[str]]:
        return {need: frozenset(scopes) for need, scopes in self.needs.items()}
