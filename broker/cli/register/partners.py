"""broker partners: the organisations behind the features."""

from __future__ import annotations

import click

from broker.cli.commands import Group, as_operator
from broker.cli.invocation import Invocation, pass_invocation
from broker.cli.register import documents
from broker.operations.register import approvals
from broker.operations.register import partners as operations
from broker.store.register import clients, features
from broker.store.register import partners as stored


@click.group(cls=Group)
def partners() -> None:
    """The organisations behind the features."""


@partners.command("list")
@pass_invocation
def list_partners(cli: Invocation) -> None:
    """List the partners."""
    with cli.read() as context:
        rows = [documents.of_partner(each) for each in stored.all(context.transaction)]
    cli.output.list("partners", rows, ("id", "name", "state", "homepage", "registered_by"))


@partners.command()
@click.argument("partner")
@pass_invocation
def show(cli: Invocation, partner: str) -> None:
    """Show one partner with its features and clients."""
    with cli.read() as context:
        found = documents.of_partner(operations.get(context, partner))
        its_features = features.of_partner(context.transaction, partner)
        its_clients = [each for each in clients.all(context.transaction) if each.partner_id == partner]
        found["features"] = [documents.of_feature(each, context.now) for each in its_features]
        found["clients"] = [documents.of_client(each) for each in its_clients]
    cli.output.show(found)


@partners.command()
@click.argument("partner")
@as_operator()
@pass_invocation
def suspend(cli: Invocation, partner: str) -> None:
    """Hold all of a partner's features at once; nothing is lost."""
    with cli.write() as context:
        operations.suspend(context, partner)
        suspended = documents.of_partner(operations.get(context, partner))
    cli.output.say(suspended, f"{partner} is suspended: nothing is admitted under its features")


@partners.command()
@click.argument("partner")
@as_operator()
@pass_invocation
def resume(cli: Invocation, partner: str) -> None:
    """Ask a second operator to let a suspended partner go on."""
    with cli.write() as context:
        pending = approvals.request_resuming_partner(context, partner)
    cli.output.pending(pending, f"resuming {partner}")
