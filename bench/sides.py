"""One of two servers under comparison, and the requests that both are sent."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, urlencode

from bench.load import Sample, drive, http_request
from bench.pairs import Plan
from bench.servers import Server


@dataclass(frozen=True, slots=True)
class Reader:
    """An access token that may read one thread."""

    token: str
    thread: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is needed to call a server: (id, secret) of a client and of a resource server, and the readers' tokens."""

    client: tuple[str, str]
    client_scope: str
    resource_server: tuple[str, str]
    readers: tuple[Reader, ...]


@dataclass(frozen=True)
class Side:
    """A running server with the bench's world in it."""

    server: Server
    credentials: Credentials

    @cached_property
    def issuing(self) -> list[bytes]:
        """One client_credentials request."""
        form = urlencode({"grant_type": "client_credentials", "scope": self.credentials.client_scope})
        return [http_request("POST", "/oauth/token", self._headers(_basic(self.credentials.client)), form)]

    @cached_property
    def introspecting(self) -> list[bytes]:
        """An introspection of each reader's token, by the resource server."""
        headers = self._headers(_basic(self.credentials.resource_server))
        forms = [urlencode({"token": r.token, "token_type_hint": "access_token"}) for r in self.credentials.readers]
        return [http_request("POST", "/oauth/introspect", headers, form) for form in forms]

    @cached_property
    def reading(self) -> list[bytes]:
        """A guarded page of each reader's thread."""
        return [
            http_request("GET", f"/api/threads/{reader.thread}/messages", self._headers(f"Bearer {reader.token}"))
            for reader in self.credentials.readers
        ]

    def load(self, requests: list[bytes], plan: Plan) -> Callable[[], Sample]:
        """A window of load on this server, to be run in its turn."""
        return lambda: drive(self.server.address, requests, seconds=plan.seconds, connections=plan.connections)

    def warm_up(self, plan: Plan) -> None:
        """One unmeasured window of each kind of request."""
        for requests in (self.issuing, self.introspecting, self.reading):
            drive(self.server.address, requests, seconds=plan.warm_up_seconds, connections=plan.connections)

    def _headers(self, authorization: str) -> dict[str, str]:
        host, port = self.server.address
        return {"Host": f"{host}:{port}", "Authorization": authorization}


def _basic(credentials: tuple[str, str]) -> str:
    pair = ":".join(quote(part, safe="") for part in credentials)  # RFC 6749, section 2.3.1: encoded before joined
    return "Basic " + base64.b64encode(pair.encode()).decode()
