"""What one partner's OAuth client is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx2

SCOPE = "messages:write"
STANDING_SCOPE = "standing:read"
# A shutdown may hold a write back for some seconds; a broker that is not there should be noticed sooner.
TIMEOUT = httpx2.Timeout(15.0, connect=3.0)


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """One registered client; ``broker`` is the issuer, an origin without a trailing slash."""

    broker: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
