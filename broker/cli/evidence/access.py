"""broker access: the record of each decision on user data."""

from __future__ import annotations

import click

from broker.cli.commands import MOMENT, Group
from broker.cli.evidence import documents
from broker.cli.invocation import Invocation, pass_invocation
from broker.cli.output import note
from broker.domain.errors import NotFound
from broker.domain.instants import Instant
from broker.operations import access as operations
from broker.operations.identifiers import GRANT, identifiers
from broker.operations.people import accounts
from broker.operations.register import features
from broker.store import accounts as stored_accounts
from broker.store.evidence import access as stored


@click.group(cls=Group)
def access() -> None:
    """What was done with permissions."""


@access.command("list")
@click.option("--user", metavar="U", help="Only on this person's behalf.")
@click.option("--feature", metavar="F", help="Only for this feature.")
@click.option("--grant", metavar="G", help="Only under this grant.")
@click.option("--since", type=MOMENT, metavar="TIME", default=None, help="Only from this time on.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="The newest so many.")
@pass_invocation
def list_access(
    cli: Invocation, user: str | None, feature: str | None, grant: str | None, since: Instant | None, limit: int
) -> None:
    """List access records, newest first; what the workers have not handed over yet is taken in before."""
    complete = operations.take_in(cli.runtime)
    secret_key = cli.settings.secret_key
    with cli.read() as context:
        if feature is not None:
            features.get(context, feature)
        account_id = accounts.by_name(context, user).id if user is not None else None
        usernames = {each.id: each.username for each in stored_accounts.all(context.transaction)}
        found = stored.records(context.transaction, feature_id=feature, account_id=account_id, since=since or 0,
                               grant_id=None if grant is None else _number(secret_key, grant), limit=limit)  # fmt: skip
    rows = [documents.of_access(each, usernames, secret_key) for each in found]
    if not complete:
        note("some workers keep their records on another machine; those are not in this list yet")
    cli.output.list("access", rows, ("at", "user", "client", "feature", "request", "scope", "decision"))


def _number(secret_key: bytes, grant: str) -> int:
    number = identifiers(secret_key, "operators").read(GRANT, grant)
    if number is None:
        raise NotFound(f"there is no grant {grant!r}")
    return number
