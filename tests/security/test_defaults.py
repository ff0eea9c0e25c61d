"""What a broker does when nobody has said otherwise, and what it refuses to be."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from broker.domain.errors import BrokerError
from broker.domain.features import FeatureState
from tests import databases
from tests.house.source import rooms
from tests.serving import ROOT, run, serve
from tests.world import World

EXAMPLE = ROOT / "config" / "production.example.toml"
KEY = {"BROKER_SECRET_KEY": "k" * 48}


def _production(directory: Path, **changes: str) -> Path:
    """The example configuration that ships, in a directory of its own, with some lines changed."""
    text = EXAMPLE.read_text().replace("/var/lib/broker", str(directory / "state"))
    for name, value in changes.items():
        text, times = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
        assert times == 1, name
    (directory / "scopes.toml").write_text((ROOT / "config" / "scopes.toml").read_text())
    file = directory / "palaver.toml"
    file.write_text(text)
    return file


def test_the_production_example_is_served_as_it_says(tmp_path: Path) -> None:
    """With a key from the environment it becomes ready, as its issuer, without a demo, and for its own host alone."""
    url = databases.fresh_sqlite_database(tmp_path)
    with serve(url, _production(tmp_path), env=KEY) as broker:
        at = {"Host": "palaver.example"}
        with httpx2.Client(transport=httpx2.HTTPTransport(), base_url=broker.url) as http:
            metadata = http.get("/.well-known/oauth-authorization-server", headers=at).json()
            login = http.get("/login", headers=at)
            assert http.get("/login").status_code == 400, "127.0.0.1 is not its host"
            assert http.get("/readyz").status_code == 200
    assert metadata["issuer"] == "https://palaver.example"
    assert all(value.startswith("https://palaver.example/") for name, value in metadata.items() if "endpoint" in name
               and isinstance(value, str))  # fmt: skip
    assert "alice" not in login.text
    assert "demo" not in login.text.lower()
    assert login.headers["Set-Cookie"].startswith("__Host-")


def test_production_is_bound_to_the_world_only_behind_a_declared_proxy(tmp_path: Path) -> None:
    config = _production(tmp_path, behind_proxy="false")
    refused = run("serve", "--host", "0.0.0.0", "--port", "0", config=config, env=KEY,
                  database_url=databases.fresh_sqlite_database(tmp_path))  # fmt: skip
    assert (refused.returncode, "behind_proxy" in refused.stderr) == (1, True)


def test_production_without_a_key_of_its_own_does_not_start(tmp_path: Path) -> None:
    url, config = databases.fresh_sqlite_database(tmp_path), _production(tmp_path)
    for env in ({}, {"BROKER_SECRET_KEY": "short"}, {"BROKER_SECRET_KEY": "dev-only-" + "x" * 40}):
        refused = run("serve", "--port", "0", database_url=url, config=config, env=env)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert not Path(urlsplit(url).path).exists(), "nothing was begun"


def test_what_cannot_be_written_to_the_audit_log_does_not_happen(sqlite_world: World) -> None:
    connection = sqlite_world.connect("alice", "tuneloop-share")
    with closing(sqlite3.connect(urlsplit(sqlite_world.url).path)) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'the log takes nothing'); END"
        )
        for act in (
            lambda: sqlite_world.shut_down("share-a-track"), lambda: sqlite_world.suspend("share-a-track"),
            lambda: sqlite_world.disconnect(connection), lambda: sqlite_world.consent("bob", "tuneloop-share"),
        ):  # fmt: skip
            with pytest.raises(BrokerError):
                act()
        database.execute("DROP TRIGGER full")
    assert sqlite_world.feature("share-a-track").state is FeatureState.ACTIVE
    assert sqlite_world.says(connection.access) == "allowed"
    assert sqlite_world.grant_or_none("bob", "tuneloop-share") is None


def test_the_broker_fetches_nothing() -> None:
    """No client of HTTP in any room that serves, but where the broker itself is asked whether it is ready."""
    clients = {
        "httpx2",
        "httpx",
        "requests",
        "urllib3",
        "aiohttp",
        "http.client",
        "urllib.request",
        "smtplib",
        "ftplib",
    }
    fetching = {
        source.name
        for source in rooms("domain", "settings", "store", "operations", "enforcement", "network", "web")
        for _, module in source.imports()
        if module in clients
    }
    elsewhere = {"broker/enforcement/feed.py", "broker/enforcement/remote.py"}
    assert fetching == {"broker/web/serve.py"} | elsewhere
    using = {
        source.name
        for source in rooms("domain", "settings", "store", "operations", "enforcement", "network", "web")
        for _, module in source.imports()
        if module.replace(".", "/") + ".py" in elsewhere
    }
    assert using <= elsewhere, "the guard for other apps asks the broker; the broker itself does not use it"
