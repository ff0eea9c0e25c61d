"""The settings: frozen, complete, in the units that the code counts in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from broker.domain import names
from broker.settings.demo import DemoWorld
from broker.settings.register import Register

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

Environment = Literal["development", "production"]
Mode = Literal["strict", "leased"]


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things last, in seconds. Ends only ever come earlier than these, never later."""

    code_s: int = 60
    access_token_s: int = 10 * MINUTE
    client_token_s: int = 10 * MINUTE
    refresh_idle_s: int = 30 * DAY
    refresh_absolute_s: int = 180 * DAY
    grant_s: int = 365 * DAY
    scope_unused_s: int = 90 * DAY
    presence_s: int = 90 * DAY
    session_idle_s: int = 2 * HOUR
    session_absolute_s: int = 12 * HOUR
    consent_s: int = 10 * MINUTE
    operator_token_s: int = HOUR


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one caller may ask; ``enabled`` covers the rates, never the size of a body."""

    enabled: bool = True
    login_failures: int = 5  # of one account or address, before each further one must wait, twice as long each time
    login_wait_s: int = 1
    login_wait_max_s: int = 15 * MINUTE
    token_failures_per_minute: int = 30
    authorizations_per_minute: int = 60
    max_body_bytes: int = 65_536


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the database is, how long it may keep anybody waiting; no ``url``: a SQLite file that the caller picks."""

    url: str | None = field(default=None, repr=False)
    lock_timeout_ms: int = 5_000
    statement_timeout_ms: int = 10_000
    idle_in_transaction_timeout_ms: int = 10_000
    pool_size: int = 8


@dataclass(frozen=True, slots=True)
class EnforcementSettings:
    """How the broker's own workers check reads: each time in the database, or from memory under a lease."""

    mode: Mode = "strict"
    lease_ms: int = 3_000

    @property
    def lease_us(self) -> int:
        """The lease in microseconds."""
        return self.lease_ms * 1_000


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole configuration, validated. ``state_dir`` None: beside the SQLite file."""

    environment: Environment
    name: str
    issuer: str | None
    secret_key: bytes = field(repr=False)
    allowed_hosts: tuple[str, ...]
    behind_proxy: bool
    database: DatabaseSettings
    lifetimes: Lifetimes
    limits: Limits
    register: Register
    demo: DemoWorld | None
    config_file: Path
    state_dir: Path | None
    enforcement: EnforcementSettings = field(default_factory=EnforcementSettings)

    @property
    def tls(self) -> bool:
        """Whether browsers reach this broker by https, so that cookies may be Secure."""
        return self.issuer is not None and self.issuer.startswith("https://")

    @property
    def reserved_words(self) -> frozenset[str]:
        """Words that no partner, feature or client may have in its name."""
        return names.RESERVED | frozenset(self.name.casefold().split())
