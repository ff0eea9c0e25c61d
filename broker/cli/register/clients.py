"""broker clients: OAuth clients, each of one feature. A secret is printed once, when it is made."""

from __future__ import annotations

import click

from broker.cli.commands import Group, as_operator
from broker.cli.invocation import Invocation, pass_invocation
from broker.cli.register import documents
from broker.operations.register import clients as operations
from broker.store.register import clients as stored

_ONCE = "the secret is shown this once"


@click.group(cls=Group)
def clients() -> None:
    """OAuth clients, each of one feature."""


@clients.command("list")
@pass_invocation
def list_clients(cli: Invocation) -> None:
    """List the clients."""
    with cli.read() as context:
        rows = [documents.of_client(each) for each in stored.all(context.transaction)]
    cli.output.list("clients", rows, ("id", "name", "feature", "state", "auth", "redirect_uris"))


@clients.command()
@click.option("--feature", required=True, metavar="F", help="The feature that it acts for.")
@click.option("--name", required=True, metavar="N", help="What people read.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, required=True, metavar="U", help="Exact; repeatable.")
@click.option("--auth", type=click.Choice(operations.AUTH_METHODS), default=operations.AUTH_METHODS[0],
              show_default=True, help="How it proves itself.")  # fmt: skip
@click.option("--id", "client_id", metavar="C", help="Its id; else one is made of the feature's.")
@as_operator()
@pass_invocation
def register(
    cli: Invocation, feature: str, name: str, redirect_uris: tuple[str, ...], auth: str, client_id: str | None
) -> None:
    """Register a client; prints its id and secret."""
    with cli.write() as context:
        new = client_id or f"{feature[:40]}-{context.new_name()[:8]}"
        secret = operations.register(
            context, stored.Client(new, feature, name, auth, redirect_uris, "active", registered_by=cli.actor)
        )
        registered = documents.of_client(operations.get(context, new))
    cli.output.show({"client_id": new, "client_secret": secret} | registered, f"registered; {_ONCE}")


@clients.command()
@click.argument("client")
@as_operator()
@pass_invocation
def disable(cli: Invocation, client: str) -> None:
    """Disable a client: nothing works with it any more, at once."""
    with cli.write() as context:
        operations.disable(context, client)
        disabled = documents.of_client(operations.get(context, client))
    cli.output.say(disabled, f"{client} is disabled")


@clients.command("rotate-secret")
@click.argument("client")
@as_operator()
@pass_invocation
def rotate_secret(cli: Invocation, client: str) -> None:
    """Give a client a new secret; the one before stays valid until the next rotation."""
    with cli.write() as context:
        secret = operations.rotate_secret(context, client)
    cli.output.show({"client_id": client, "client_secret": secret}, f"{_ONCE}; the one before is valid too")
