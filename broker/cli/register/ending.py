"""broker features shut-down and reopen: the end of a feature, with its receipt, and its beginning anew."""

from __future__ import annotations

import click

from broker.cli.commands import Command, as_operator
from broker.cli.invocation import Invocation, pass_invocation
from broker.cli.output import awaiting
from broker.operations import shutdowns
from broker.operations.register import approvals


@click.command("shut-down", cls=Command)
@click.argument("feature")
@click.option("--reason", metavar="TEXT", help="Why; it stands in the receipt and in the log.")
@click.option("--no-count", is_flag=True, help="Answer at the effect, before counting what has ended.")
@click.option("--op-id", metavar="ID", help="Name the operation, to ask for the same one again.")
@as_operator()
@pass_invocation
def shut_down(cli: Invocation, feature: str, reason: str | None, no_count: bool, op_id: str | None) -> None:
    """End a feature: when this returns, nothing is admitted under its grants again. Prints the receipt."""
    cli.require_operator()
    with awaiting() as tell:
        receipt = shutdowns.shut_down(
            cli.runtime, cli.actor, feature, reason=reason, op_id=op_id, count=not no_count, tell=tell
        )
    cli.output.show(receipt, f"{feature} is shut down: nothing is admitted under its grants any more")


@click.command(cls=Command)
@click.argument("feature")
@click.option("--epoch", required=True, type=click.IntRange(min=1), help="The epoch that you see now.")
@as_operator()
@pass_invocation
def reopen(cli: Invocation, feature: str, epoch: int) -> None:
    """Ask a second operator to make a feature active again. Its old grants stay dead."""
    cli.require_operator()
    shutdowns.housekeeping(cli.runtime)  # an end by date counts as a shutdown, and reopening needs a complete receipt
    with cli.write() as context:
        pending = approvals.request_reopening(context, feature, epoch)
    cli.output.pending(pending, f"reopening {feature}")
