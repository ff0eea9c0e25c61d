"""broker db: the database's schema, and what it was set up as."""

from __future__ import annotations

import click

from broker.cli.commands import Group
from broker.cli.invocation import Invocation, pass_invocation
from broker.operations.register import seeding
from broker.store import deployment, migrations
from broker.web.runtime import sqlite_file


@click.group(cls=Group)
def db() -> None:
    """The database's schema."""


@db.command()
@click.option("--seed", is_flag=True, help="Fill an empty database from the configuration's files.")
@pass_invocation
def upgrade(cli: Invocation, seed: bool) -> None:
    """Create the schema or bring it up to date; one that is newer than this broker is refused."""
    before = None if cli.database_missing() else migrations.current(cli.opened.database)
    version = migrations.upgrade(cli.opened.database)
    seeded = seeding.seed(cli.opened) if seed else False
    done = {"version": version, "before": before, "seeded": seeded}
    sentence = f"the database is at version {version}" + ("" if before == version else f" (it was {before or 'empty'})")
    cli.output.say(done, sentence + ("; the register was filled from the files" if seeded else ""))


@db.command()
@pass_invocation
def status(cli: Invocation) -> None:
    """Say which version the schema has, and whether the database is set up."""
    file = sqlite_file(cli.database_url)
    missing = cli.database_missing()
    version = None if missing else migrations.current(cli.opened.database)
    newest = migrations.newest()
    found: dict[str, object] = {
        "database": "postgresql" if file is None else "sqlite", "file": None if file is None else str(file),
        "version": version, "newest": newest, "current": version == newest, "seeded": False, "demo": False,
    }  # fmt: skip
    if version == newest:
        with cli.opened.database.read() as transaction:
            found["seeded"] = deployment.is_seeded(transaction)
            found["demo"] = deployment.is_demo(transaction)
    cli.output.show(found)
