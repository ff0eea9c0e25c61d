"""broker operators: who may change standing, and their tokens for the operator API."""

from __future__ import annotations

import click

from broker.cli.commands import Group, as_operator
from broker.cli.invocation import Invocation, pass_invocation
from broker.cli.people import documents
from broker.domain.errors import Refused
from broker.domain.instants import rfc3339
from broker.domain.scopes import OPERATE
from broker.operations.context import Context
from broker.operations.people import accounts as operations
from broker.store import accounts as stored


@click.group(cls=Group)
def operators() -> None:
    """Who may change standing."""


@operators.command("list")
@pass_invocation
def list_operators(cli: Invocation) -> None:
    """List the operators."""
    with cli.read() as context:
        found = [each for each in stored.all(context.transaction) if each.role == "operator"]
    cli.output.list("operators", [documents.of_account(each) for each in found], ("username", "display_name", "state"))


@operators.command()
@click.option("--scope", required=True, type=click.Choice([OPERATE]), help="What the token is for.")
@as_operator()
@pass_invocation
def token(cli: Invocation, scope: str) -> None:
    """Issue a bearer token for the operator API, shown this once; to the first operator if --as names none."""
    with cli.write() as context:
        operator = cli.operator or _first(context)
        secret, ends_at = operations.issue_operator_token(context, operator, scope)
    issued = {"token": secret, "operator": operator, "scope": scope, "expires_at": rfc3339(ends_at)}
    cli.output.show(issued, "the token is shown this once")


def _first(context: Context) -> str:
    found = [each for each in stored.all(context.transaction) if each.role == "operator" and each.state == "active"]
    if not found:
        raise Refused("there is no active operator; see: broker users register --role operator")
    return found[0].username
