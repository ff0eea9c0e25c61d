"""broker doctor."""

from __future__ import annotations

from collections.abc import Iterator

import click

from broker.cli.commands import Command
from broker.cli.doctor import configuration, database, standing
from broker.cli.doctor.finding import Finding
from broker.cli.invocation import Invocation, pass_invocation


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Where it is to be served.")
@pass_invocation
def doctor(cli: Invocation, host: str) -> None:
    """Say what is unsafe or unusual about the configuration, the database and what waits in it. Changes nothing."""
    found = list(_examine(cli, host))
    rows = [{"check": each.check, "status": each.status, "detail": each.detail} for each in found]
    cli.output.list("findings", rows, ("status", "check", "detail"))


def _examine(cli: Invocation, host: str) -> Iterator[Finding]:
    yield from configuration.findings(cli.settings, host)
    if cli.database_missing():
        yield Finding("database", "unusual", "there is none yet; broker serve makes one")
        return
    reached = list(database.findings(cli.opened))
    yield from reached
    if reached[-1].check == "database":
        return
    if not database.is_set_up(cli.opened):
        yield Finding("setup", "unusual", "the database is not set up; run: broker serve, or broker db upgrade --seed")
        return
    yield from database.world(cli.opened)
    yield from standing.findings(cli.opened)
