"""broker approvals: what widens takes two people; the second one approves here."""

from __future__ import annotations

import click

from broker.cli.commands import Group, as_operator
from broker.cli.invocation import Invocation, pass_invocation
from broker.cli.people import documents
from broker.operations import shutdowns
from broker.operations.register import approvals as operations
from broker.store import approvals as stored


@click.group(cls=Group)
def approvals() -> None:
    """What waits for a second operator."""


@approvals.command("list")
@click.option("--pending", is_flag=True, help="Only what still waits.")
@pass_invocation
def list_approvals(cli: Invocation, pending: bool) -> None:
    """List what was asked for, newest first."""
    with cli.read() as context:
        found = [each for each in stored.all(context.transaction) if each.state == "pending" or not pending]
    rows = [documents.of_approval(each) for each in found]
    cli.output.list("approvals", rows, ("id", "state", "summary", "requested_by", "requested_at", "decided_by"))


@approvals.command()
@click.argument("approval")
@as_operator(required=True)
@pass_invocation
def approve(cli: Invocation, approval: str) -> None:
    """Approve exactly what another has asked for, and do it."""
    assert cli.operator is not None
    cli.require_operator()
    shutdowns.housekeeping(cli.runtime)  # reopening needs the receipt of the shutdown, whoever has left it unfinished
    with cli.write() as context:
        summary = operations.approve(context, approval, cli.operator).summary
        decided = stored.get(context.transaction, approval)
    assert decided is not None
    cli.output.say(documents.of_approval(decided), f"approved and done: {summary}")
