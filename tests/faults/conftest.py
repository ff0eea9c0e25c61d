"""A PostgreSQL that says when each row was committed, and fleets of brokers on databases of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from broker.settings import load
from broker.web.serve import prepare
from tests.faults.proxy import Proxy
from tests.faults.stage.fleet import Fleet, Register, launched, write_config
from tests.postgres import PostgresServer, Unavailable, binaries

_TEMPLATE = "seeded"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server of our own, with a database that the broker has set up."""
    try:
        server = PostgresServer(binaries(), {"track_commit_timestamp": "on"})
        server.start()
    except Unavailable as reason:
        pytest.skip(str(reason))
    try:
        _run(server, f"CREATE DATABASE {_TEMPLATE}")
        prepare(load(write_config(tmp_path_factory.mktemp("seeding"), "1s"), {}), server.url(_TEMPLATE))
        yield server
    finally:
        server.remove()


def _run(server: PostgresServer, statement: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(statement.encode())


@dataclass
class Stage:
    """Where a fault test plays: a database of its own, and a proxy before it for those nodes that are to suffer."""

    server: PostgresServer
    directory: Path
    url: str
    proxies: dict[str, Proxy] = field(default_factory=dict)

    @contextmanager
    def fleet(
        self, *names: str, lease: str = "1s", idle: str = "10s", behind_proxy: str = "", build: str | None = None,
        workers: int = 1,
    ) -> Iterator[Fleet]:  # fmt: skip
        """Brokers of these names; those in ``behind_proxy`` reach the database through a proxy each."""
        config = write_config(self.directory, lease, idle=idle)
        self.proxies = {name: Proxy(self.server.port) for name in behind_proxy}
        urls = {name: self._url(name) for name in names}
        with ExitStack() as stack:
            for proxy in self.proxies.values():
                stack.callback(proxy.close)
            register = Register(self.url, self.directory, config)
            stack.callback(register.close)
            yield stack.enter_context(launched(register, config, urls, self.directory, build=build, workers=workers))

    def _url(self, name: str) -> str:
        proxy = self.proxies.get(name)
        return self.url if proxy is None else self.url.replace(f":{self.server.port}/", f":{proxy.port}/")


@pytest.fixture
def stage(server: PostgresServer, tmp_path: Path) -> Iterator[Stage]:
    """A stage with a new database."""
    name = f"fault_{os.urandom(6).hex()}"
    _run(server, f'CREATE DATABASE "{name}" TEMPLATE {_TEMPLATE}')
    yield Stage(server, tmp_path, server.url(name))
    _run(server, f'DROP DATABASE "{name}" WITH (FORCE)')
