"""broker backup, restore and recover: an old state of the database, and the way back from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from broker.cli.commands import Command, as_operator
from broker.cli.invocation import Invocation, pass_invocation
from broker.domain.errors import Refused
from broker.operations import access
from broker.operations.recovery import current, recovering
from broker.store import migrations
from broker.store.engine import backups
from broker.web.runtime import sqlite_file

_FILE = click.Path(path_type=Path, dir_okay=False)
_DIRECTORY = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command(cls=Command)
@click.argument("file", type=_FILE)
@pass_invocation
def backup(cli: Invocation, file: Path) -> None:
    """Copy a SQLite database to a new FILE, as it is at one moment, while it is served."""
    database = _sqlite_file(cli)
    with cli.read():  # only of a database that stands: an old one that was not recovered is not worth a copy
        pass
    size = backups.back_up(database, file)
    cli.output.say({"file": str(file), "bytes": size}, f"{database} is backed up to {file} ({size} bytes)")


@click.command(cls=Command)
@click.argument("file", type=_FILE)
@click.option("--replace", is_flag=True, help="Replace the database that is there.")
@pass_invocation
def restore(cli: Invocation, file: Path, replace: bool) -> None:
    """Put the backup FILE in the place of a SQLite database that nobody serves; then it wants `broker recover`."""
    database, identity = _sqlite_file(cli), backups.identity(file)
    if identity is None:
        raise Refused(f"{file} is not a backup of a broker's database")
    if database.exists():
        if not replace:
            raise Refused(f"{database} exists; --replace puts the backup in its place, and it is gone then")
        if backups.identity(database) not in (identity, None):
            raise Refused(f"{file} is a backup of another database than {database}")
    ledger = cli.opened.database.ledger
    assert ledger is not None, "a broker has a ledger"
    with cli.opened.database.alone():
        living = access.living(cli.opened)
        if living:
            raise Refused(f"{database} is being served ({len(living)} workers); stop the broker first")
        ledger.note_restore(identity)
        backups.put_in_place(file, database)
    cli.output.say({"file": str(file), "database": str(database)},
                   f"{file} is in the place of {database}; nothing is served before: broker recover")  # fmt: skip


def _sqlite_file(cli: Invocation) -> Path:
    file = sqlite_file(cli.database_url)
    if file is None:
        raise Refused("this is for SQLite; PostgreSQL has its own tools, see docs/operations.md")
    return file


@click.command(cls=Command)
@click.option("--ledger", "ledgers", type=_DIRECTORY, multiple=True, metavar="DIR",
              help="Another machine's ledger, copied here; may be given again.")  # fmt: skip
@click.option("--accept-missing", "accepted", multiple=True, metavar="NAME",
              help="Go without the ledger that this process wrote; may be given again.")  # fmt: skip
@click.option("--anyway", is_flag=True, help="Even if nothing shows that a backup was restored.")
@as_operator()
@pass_invocation
def recover(cli: Invocation, ledgers: tuple[Path, ...], accepted: tuple[str, ...], anyway: bool) -> None:
    """After a restore: take again whatever was taken since the backup, and end every token that it brought back."""
    if cli.database_missing():
        raise Refused("there is no database to recover")
    current.require_primary(cli.opened)
    migrations.upgrade(cli.opened.database)
    with cli.opened.read() as context:
        cli.judge_operator(context)
    report = recovering.recover(cli.opened, cli.actor, ledgers, accepted, anyway=anyway)
    cli.output.say(report, *_sentences(report))


def _sentences(report: dict[str, Any]) -> list[str]:
    ended = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in report["ended"].items())
    said = [f"recovered from position {report['restored_position']}; generation {report['generation']} begins"]
    said += [f"taken again: {each}" for each in report["applied"]]
    said += [f"not in this database, so nothing to take: {each}" for each in report["absent"]]
    said += [f"{each} needs a new password: broker users set-password" for each in report["need_new_password"]]
    said.append(f"ended: {ended}")
    if report["unreadable_lines"]:
        said.append(f"{report['unreadable_lines']} lines of the ledgers cannot be read; a crash tears at most the last")
    if report["complete"]:
        return [*said, "complete: no ledger is missing"]
    return [*said, f"not complete: what only {', '.join(report['missing'])} narrowed is not taken again"]
