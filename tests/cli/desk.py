"""Where an operator sits: `broker` at hand, on a database with the demo world and a configuration to change."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from broker.cli.main import root
from broker.domain.instants import DAY, Instant
from broker.operations.register import seeding
from broker.settings import DEVELOPMENT, load
from broker.store import clock, migrations
from broker.web.runtime import open_runtime, spool_directory
from tests.world import Clock, World

NO_BROKER: dict[str, str | None] = dict.fromkeys(
    ("BROKER_CONFIG", "BROKER_DATABASE_URL", "BROKER_SECRET_KEY", "BROKER_TRACEBACK")
)

PRODUCTION: dict[str, str | None] = {"BROKER_SECRET_KEY": "not-a-development-key-0123456789abcdef0123456789"}


def production(directory: Path) -> str:
    """Write a small production configuration; its file. It loads with the environment of ``PRODUCTION``."""
    (directory / "scopes.toml").write_text(
        '[[scope]]\nname = "messages:write"\ntitle = "Send messages"\ntext = "As you."\nexample = "A song."\n'
        '[needs]\nsend = ["messages:write"]\n'
    )
    file = directory / "production.toml"
    file.write_text(
        'environment = "production"\nissuer = "https://palaver.example"\nallowed_hosts = ["palaver.example"]\n'
        "behind_proxy = true\n[files]\n[database]\n[lifetimes]\n[limits]\n"
    )
    return str(file)


class MachineClock(Clock):
    """This machine's clock: what the command line, which has no other, sees too."""

    def __call__(self) -> Instant:
        return time.time_ns() // 1000


def prepare(url: str) -> None:
    """Bring an empty database to where `broker serve` leaves it in the development configuration."""
    runtime = open_runtime(load(), url)
    migrations.upgrade(runtime.database)
    seeding.seed(runtime)
    runtime.database.close()


def run(*arguments: str, env: Mapping[str, str | None] | None = None, stdin: str | None = None) -> Result:
    """Run a command in this process; nothing of the shell's broker reaches it but what ``env`` says."""
    return CliRunner().invoke(root, arguments, input=stdin, env={**NO_BROKER, **(env or {})}, prog_name="broker")


def refusal(result: Result) -> str:
    """What a command that refused said: exit code 1, nothing on stdout, one line on stderr."""
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert result.stderr.startswith("broker: "), result.stderr
    assert result.stderr.endswith("\n"), result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr.removeprefix("broker: ").rstrip("\n")


class Desk:
    """One broker's command line; ``world`` tells what people and partners do meanwhile."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url = url
        self.files = directory / "config"
        shutil.copytree(DEVELOPMENT.parent, self.files)
        settings = load(self.files / DEVELOPMENT.name)
        self.world = World(url, directory, clock=MachineClock())
        spools = spool_directory(settings, url)
        self.world.runtime = replace(self.world.runtime, settings=settings, spools=spools)

    def run(self, *arguments: str, stdin: str | None = None) -> Result:
        """Run a command."""
        where = ("--config", str(self.files / DEVELOPMENT.name), "--database", self.url)
        return run(*arguments, *where, stdin=stdin)

    def says(self, *arguments: str, stdin: str | None = None) -> str:
        """What a command that succeeds prints for people."""
        result = self.run(*arguments, stdin=stdin)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return result.stdout

    def json(self, *arguments: str, stdin: str | None = None) -> Any:
        """The one JSON document of a command that succeeds."""
        return json.loads(self.says(*arguments, "--json", stdin=stdin))

    def refused(self, *arguments: str, stdin: str | None = None) -> str:
        """The line of a command that refuses, with --json as without."""
        line = refusal(self.run(*arguments, stdin=stdin))
        assert refusal(self.run(*arguments, "--json", stdin=stdin)) == line
        return line

    def misused(self, *arguments: str) -> str:
        """What click says about wrong usage."""
        result = self.run(*arguments)
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        return result.stderr

    def log(self, count: int = 1) -> list[dict[str, Any]]:
        """The newest entries of the audit log, newest first."""
        entries: list[dict[str, Any]] = self.json("audit", "list", "--limit", str(count))["audit"]
        return entries

    def change(self, file: str, old: str, new: str) -> None:
        """Replace a text that is in a file of the configuration exactly once."""
        path = self.files / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def days_pass(self, days: int) -> None:
        """Commit that so much time has been: the database's clock is never earlier than that again."""
        with self.world.write("broker") as context:
            clock.raise_floor(context.transaction, context.now + days * DAY)
