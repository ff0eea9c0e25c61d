"""broker grants: what people have permitted, live and ended; history is never deleted."""

from __future__ import annotations

import click

from broker.cli.commands import Group, as_operator
from broker.cli.evidence import documents
from broker.cli.invocation import Invocation, pass_invocation
from broker.domain.grants import GrantView
from broker.operations import access
from broker.operations import grants as operations
from broker.operations.context import Context
from broker.operations.identifiers import GRANT, identifiers
from broker.operations.people import accounts
from broker.operations.register import clients, features
from broker.store import grants as stored

COLUMNS = ("id", "user", "client", "feature", "live", "scopes", "since", "until", "last_used_at", "end_cause")


@click.group(cls=Group)
def grants() -> None:
    """What people have permitted."""


@grants.command("list")
@click.option("--user", metavar="U", help="Only this person's.")
@click.option("--client", metavar="C", help="Only to this client.")
@click.option("--feature", metavar="F", help="Only for this feature.")
@click.option("--live", is_flag=True, help="Only those that nothing has ended.")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="The newest so many.")
@pass_invocation
def list_grants(
    cli: Invocation, user: str | None, client: str | None, feature: str | None, live: bool, limit: int
) -> None:
    """List grants, newest first, with their last use."""
    access.take_in(cli.runtime)  # last use comes from there
    with cli.read() as context:
        _require_known(context, user, client, feature)
        found = _newest(context, user, client, feature, live, limit)
        rows = [documents.of_grant(each, context.now, cli.settings.secret_key) for each in found]
    cli.output.list("grants", rows, COLUMNS)


def _require_known(context: Context, user: str | None, client: str | None, feature: str | None) -> None:
    """A misspelt name is refused: an empty list would say that there is nothing."""
    if user is not None:
        accounts.by_name(context, user)
    if client is not None:
        clients.get(context, client)
    if feature is not None:
        features.get(context, feature)


def _newest(
    context: Context, user: str | None, client: str | None, feature: str | None, live: bool, limit: int
) -> list[GrantView]:
    """The newest grants. What is live is derived and not stored, so it is looked for in ever larger pages."""
    size = limit
    while True:
        page = stored.views(context.transaction, username=user, client_id=client, feature_id=feature, limit=size)
        found = [each for each in page if not live or each.end(context.now) is None]
        if len(found) >= limit or len(page) < size:
            return found[:limit]
        size *= 4


@grants.command()
@click.argument("grant")
@as_operator()
@pass_invocation
def revoke(cli: Invocation, grant: str) -> None:
    """End one person's grant: its tokens are over, and nothing but a new consent brings it back."""
    secret_key = cli.settings.secret_key
    number = identifiers(secret_key, "operators").read(GRANT, grant)
    with cli.write() as context:
        ended = operations.revoke(context, number)
        assert number is not None, "a grant without a number is not found"
        found = stored.get(context.transaction, number)
        assert found is not None
        views = stored.views(context.transaction, account_id=found.account_id, client_id=found.client_id)
        view = next(each for each in views if each.grant.id == number)
        revoked = documents.of_grant(view, context.now, secret_key)
    cli.output.say(revoked, f"the grant {grant} is over" if ended else f"the grant {grant} was over already")
