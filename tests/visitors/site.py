"""A broker that answers HTTP: the application in this process, or a real server at an address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2
from flask import Flask

from broker.operations.context import Runtime
from broker.web.app import create_app

IN_PROCESS = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Site:
    """Where visitors go; ``app`` is None for a server of its own. A visitor's clients share nothing with another's."""

    url: str
    app: Flask | None = None
    _opened: list[httpx2.BaseTransport] = field(default_factory=list, repr=False)

    def transport(self, address: str = "127.0.0.1") -> httpx2.BaseTransport:
        """How requests travel; ``address`` is where they seem to come from, in this process only."""
        if self.app is None:
            opened: httpx2.BaseTransport = httpx2.HTTPTransport()
        else:
            opened = httpx2.WSGITransport(self.app, remote_addr=address)
        self._opened.append(opened)
        return opened

    def client(self, address: str = "127.0.0.1") -> httpx2.Client:
        """A client with an empty cookie jar that follows nothing by itself."""
        return httpx2.Client(base_url=self.url, transport=self.transport(address), timeout=30)

    def close(self) -> None:
        """Close the connections of all who came."""
        for transport in self._opened:
            transport.close()
        self._opened.clear()


@contextmanager
def in_process(runtime: Runtime) -> Iterator[Site]:
    """The application on a runtime, without a server: the clock is the runtime's."""
    app = create_app(runtime)
    yield Site(IN_PROCESS, app)
    app.extensions["spool"].close()


@contextmanager
def elsewhere(url: str) -> Iterator[Site]:
    """A real server."""
    site = Site(url)
    try:
        yield site
    finally:
        site.close()
