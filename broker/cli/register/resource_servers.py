"""broker resource-servers: who may introspect the tokens of which scopes."""

from __future__ import annotations

import click

from broker.cli.commands import Group, as_operator
from broker.cli.invocation import Invocation, pass_invocation
from broker.cli.register import documents
from broker.operations.context import Context
from broker.operations.register import resource_servers as operations
from broker.store.register import resource_servers as stored


@click.group("resource-servers", cls=Group)
def resource_servers() -> None:
    """Who may introspect tokens."""


@resource_servers.command("list")
@pass_invocation
def list_resource_servers(cli: Invocation) -> None:
    """List the resource servers."""
    with cli.read() as context:
        rows = [documents.of_resource_server(each) for each in stored.all(context.transaction)]
    cli.output.list("resource_servers", rows, ("id", "name", "state", "scopes"))


@resource_servers.command()
@click.argument("server")
@click.option("--name", required=True, metavar="N", help="What people read.")
@click.option("--scope", "scopes", multiple=True, required=True, metavar="S", help="What it serves; repeatable.")
@as_operator()
@pass_invocation
def register(cli: Invocation, server: str, name: str, scopes: tuple[str, ...]) -> None:
    """Register a resource server under an id; prints its secret."""
    with cli.write() as context:
        secret = operations.register(context, server, name, frozenset(scopes))
        registered = _get(context, server)
    cli.output.show(registered | {"secret": secret}, "registered; the secret is shown this once")


@resource_servers.command()
@click.argument("server")
@as_operator()
@pass_invocation
def disable(cli: Invocation, server: str) -> None:
    """Disable a resource server: every answer to it says inactive from now on."""
    with cli.write() as context:
        operations.disable(context, server)
        disabled = _get(context, server)
    cli.output.say(disabled, f"{server} is disabled")


def _get(context: Context, server: str) -> documents.Shape:
    found = stored.get(context.transaction, server)
    assert found is not None, "the operation before has found it"
    return documents.of_resource_server(found)
