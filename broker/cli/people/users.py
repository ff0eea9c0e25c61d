"""broker users: every account that can log in, operators' and partners' too."""

from __future__ import annotations

import click

from broker.cli.commands import Group, as_operator
from broker.cli.invocation import Invocation, pass_invocation
from broker.cli.people import documents
from broker.cli.people.passwords import new_password, password_option
from broker.domain.errors import Refused
from broker.operations.people import accounts as operations
from broker.operations.register import partners
from broker.store import accounts as stored


@click.group(cls=Group)
def users() -> None:
    """Accounts that can log in."""


@users.command("list")
@pass_invocation
def list_users(cli: Invocation) -> None:
    """List the accounts."""
    with cli.read() as context:
        rows = [documents.of_account(each) for each in stored.all(context.transaction)]
    cli.output.list("users", rows, ("username", "display_name", "role", "partner", "state"))


@users.command()
@click.argument("username")
@click.option("--name", "display_name", required=True, metavar="N", help="What others read.")
@click.option("--role", type=click.Choice(["user", "operator", "partner"]), default="user", show_default=True)
@click.option("--partner", metavar="P", help="Whose pages a partner's account sees.")
@password_option()
@as_operator()
@pass_invocation
def register(
    cli: Invocation, username: str, display_name: str, role: str, partner: str | None, password_stdin: bool
) -> None:
    """Register an account, an operator's for example."""
    if (role == "partner") != (partner is not None):
        raise click.UsageError("--partner belongs to --role partner, and to no other")
    password = new_password(password_stdin)
    with cli.write() as context:
        if partner is not None:
            partners.get(context, partner)
        operations.register(
            context, username=username, display_name=display_name, password=password, role=role, partner_id=partner
        )
        registered = documents.of_account(operations.by_name(context, username))
    cli.output.say(registered, f"{username} is registered")


@users.command()
@click.argument("username")
@as_operator()
@pass_invocation
def disable(cli: Invocation, username: str) -> None:
    """Disable an account: it cannot log in, and nothing that it granted is admitted."""
    if username == cli.operator:
        raise Refused("who acts cannot disable themselves")
    with cli.write() as context:
        operations.disable(context, username)
        disabled = documents.of_account(operations.by_name(context, username))
    cli.output.say(disabled, f"{username} is disabled")


@users.command()
@click.argument("username")
@as_operator()
@pass_invocation
def enable(cli: Invocation, username: str) -> None:
    """Enable a disabled account; its sessions stay closed."""
    with cli.write() as context:
        operations.enable(context, username)
        enabled = documents.of_account(operations.by_name(context, username))
    cli.output.say(enabled, f"{username} is enabled")


@users.command("set-password")
@click.argument("username")
@password_option()
@as_operator()
@pass_invocation
def set_password(cli: Invocation, username: str, password_stdin: bool) -> None:
    """Change a password: every session of the account and every token of its grants is over; the grants stay."""
    with cli.read() as context:  # so that nobody is asked for a password in vain
        operations.by_name(context, username)
    password = new_password(password_stdin)
    with cli.write() as context:
        account = operations.by_name(context, username)
        operations.set_password(context, account, password)
    cli.output.say(documents.of_account(account), f"{username} has a new password; sessions and tokens are over")
