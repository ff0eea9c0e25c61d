"""The demo's world: a copy of the configuration, a broker, and three partners, each in a process of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from broker.cli.demo.processes import Process
from broker.settings import DEVELOPMENT, ClientFile, Settings, load

PARTNERS = {
    "tuneloop": ("TuneLoop", "demo_partners.music_sharing", "share-a-track"),
    "reelwise": ("Reelwise", "demo_partners.recommendations", "recommend-a-show"),
    "northbank": ("Northbank", "demo_partners.bank", "transfer-notice"),
}


SEARCH_APP = "querio-search"
SEARCH_FEATURE = "search-messages"
_SEARCH_SERVER = "palaver-search"
_SEARCH_LEASE_MS = 1000
_EXAMPLE = DEVELOPMENT.parents[1] / "docs" / "examples" / "resource_server.py"
_SEARCH = f"""
[[feature]]
id = "{SEARCH_FEATURE}"
name = "Search messages"
purpose = "Find what was said in the conversations that you choose."
needs = ["read"]
state = "active"
grant_lifetime = "30d"

[[feature.scopes]]
scope = "messages:read"
reason = "We look for the words that you type in the messages of these conversations, and keep none of them."

[[feature.clients]]
id = "{SEARCH_APP}"
name = "Querio"
auth = "client_secret_basic"
redirect_uris = ["http://127.0.0.1:8104/callback"]
"""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that runs, and how to reach it."""

    directory: Path
    config: Path
    database_url: str
    broker: Process
    partners: dict[str, Process]

    def command(self, *arguments: str) -> tuple[int, object, str]:
        """Run ``broker …`` as a person would: the exit code, the JSON document on stdout, and stderr."""
        done = subprocess.run(
            [sys.executable, "-m", "broker.cli.main", *arguments, "--json"], capture_output=True, text=True,
            check=False, env={**os.environ, **self.environ()}, timeout=60,
        )  # fmt: skip
        document = msgspec.json.decode(done.stdout) if done.stdout else None
        return done.returncode, document, done.stderr.strip().removeprefix("broker: ")

    def search_server(self, name: str) -> Process:
        """Start a process of Palaver's search: a resource server elsewhere, which judges tokens from memory."""
        servers = {each.id: each for each in load(self.config).register.resource_servers}
        secret = servers[_SEARCH_SERVER].development_secret or ""
        arguments = [str(_EXAMPLE), "--broker", self.broker.url, "--lease-ms", str(_SEARCH_LEASE_MS)]
        return Process(name, arguments, environ={"RESOURCE_SERVER_SECRET": secret}, log=self.directory / f"{name}.log")

    def search_app(self) -> ClientFile:
        """The app that people search with."""
        clients = (client for feature in load(self.config).register.features for client in feature.clients)
        return next(client for client in clients if client.id == SEARCH_APP)

    def environ(self) -> dict[str, str]:
        """What a terminal needs to work on this world."""
        return {"BROKER_CONFIG": str(self.config), "BROKER_DATABASE_URL": self.database_url}


@contextmanager
def running(directory: Path, *, port: int, workers: int) -> Iterator[World]:
    """Start it all in a directory, and end it all."""
    ports = {name: _free_port() for name in PARTNERS}
    config = _copy_configuration(directory / "config", ports)
    settings = load(config)
    database_url = f"sqlite:///{directory / 'palaver.db'}"
    with ExitStack() as stack:
        environ = {"BROKER_CONFIG": str(config), "BROKER_DATABASE_URL": database_url}
        broker = _start(stack, directory, "broker", environ, "broker.cli.main", "serve", "--port", str(port),
                        "--workers", str(workers))  # fmt: skip
        partners = {name: _start_partner(stack, directory, name, settings, broker.url, ports[name])
                    for name in PARTNERS}  # fmt: skip
        yield World(directory, config, database_url, broker, partners)


def _start(stack: ExitStack, directory: Path, name: str, environ: dict[str, str], *arguments: str) -> Process:
    started = Process(name, ["-m", *arguments], environ=environ, log=directory / f"{name}.log")
    stack.callback(started.stop)
    return started


def _start_partner(
    stack: ExitStack, directory: Path, name: str, settings: Settings, broker_url: str, port: int
) -> Process:
    _, module, feature_id = PARTNERS[name]
    feature = next(each for each in settings.register.features if each.id == feature_id)
    client = feature.clients[0]
    environ = {"PARTNER_CLIENT_SECRET": client.development_secret or ""}
    return _start(stack, directory, name, environ, module, "--broker", broker_url, "--port", str(port),
                  "--client-id", client.id, "--client-secret-env", "PARTNER_CLIENT_SECRET")  # fmt: skip


def _copy_configuration(target: Path, ports: dict[str, int]) -> Path:
    """The development configuration, its redirect URIs on the ports that the partners will have."""
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(DEVELOPMENT.parent, target)
    for name, port in ports.items():
        file = target / "partners" / f"{name}.toml"
        text = file.read_text("utf-8")
        known = load().register
        for feature in known.features:
            for client in feature.clients if feature.partner == name else ():
                for uri in client.redirect_uris:
                    text = text.replace(uri, f"http://127.0.0.1:{port}/callback")
        file.write_text(text, "utf-8")
    _add_search(target / "partners" / "querio.toml")
    return target / DEVELOPMENT.name


def _add_search(file: Path) -> None:
    """Have one app that reads, so that there is something for a resource server to guard."""
    secret = f'development_secret = "dev-only-{secrets.token_urlsafe(32)}"\n'
    file.write_text(file.read_text("utf-8") + _SEARCH + secret, "utf-8")


def _free_port() -> int:
    with closing(socket.socket()) as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])
