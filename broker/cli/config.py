"""broker config: files propose, the database disposes. What they would change, and changing it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from broker.cli.commands import Group, as_operator
from broker.cli.failures import Failure
from broker.cli.invocation import Invocation, pass_invocation
from broker.cli.output import waiting
from broker.operations import shutdowns
from broker.operations.register import configuration
from broker.operations.register.configuration import Change
from broker.settings import ConfigError
from broker.store.evidence.shutdowns import latest

COLUMNS = ("kind", "subject", "grants", "people", "text")


@click.group(cls=Group)
def config() -> None:
    """What the files propose."""


def _row(change: Change) -> dict[str, object]:
    return {"kind": change.kind, "subject": change.subject, "text": change.text, "grants": change.grants,
            "people": change.people}  # fmt: skip


@config.command()
@pass_invocation
def check(cli: Invocation) -> None:
    """Read and judge the files, without a database; refuses with every problem, each with its file and key."""
    try:
        settings = cli.settings
    except ConfigError as error:
        raise Failure("; ".join(map(str, error.problems))) from error
    register = settings.register
    sound = {
        "config": str(settings.config_file), "environment": settings.environment, "scopes": len(register.scopes),
        "partners": len(register.partners), "features": len(register.features),
        "clients": sum(len(feature.clients) for feature in register.features),
        "resource_servers": len(register.resource_servers),
    }  # fmt: skip
    cli.output.show(sound, "the configuration is sound")


@config.command()
@pass_invocation
def plan(cli: Invocation) -> None:
    """Say what applying the files would do, and how many grants and people that would end or narrow."""
    with cli.read() as context:
        changes = configuration.plan(context, cli.settings)
    cli.output.list("changes", [_row(each) for each in changes], COLUMNS)


@config.command()
@as_operator()
@pass_invocation
def apply(cli: Invocation) -> None:
    """Do all of it in one transaction, or nothing if any of it is refused.

    What widens is asked for and waits. With --json: `changes`, `shutdowns` (receipts), and where something waits
    `pending` (the first approval, as every command that widens has it) and `approvals` (all of them).
    """
    cli.require_operator()
    started = cli.runtime.ticks()
    outcome = configuration.apply(cli.runtime, cli.actor)
    receipts = [_receipt(cli, feature, started) for feature in outcome.shutdowns]
    applied: dict[str, object] = {"changes": [_row(each) for each in outcome.changes], "shutdowns": receipts}
    if outcome.pending:
        applied |= {"pending": outcome.pending[0], "approvals": list(outcome.pending)}
    cli.output.say(applied, *_sentences(outcome))


def _receipt(cli: Invocation, feature: str, started: int) -> shutdowns.Receipt:
    with cli.read() as context:
        shutdown = latest(context.transaction, feature)
    assert shutdown is not None, "it was shut down a moment ago"
    return shutdowns.finish(cli.runtime, shutdown.op_id, started=started)


def _sentences(outcome: configuration.Outcome) -> Iterator[str]:
    for change in outcome.changes:
        yield change.text + (f": {change.grants} grants of {change.people} people" if change.grants else "")
    for each in outcome.pending:
        yield waiting(each, "this")
    if not outcome.changes:
        yield "nothing to do: the register is as the files say"
