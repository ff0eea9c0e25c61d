"""broker features: show them, and move them through their states; their ends are in ``ending``."""

from __future__ import annotations

from collections.abc import Callable

import click

from broker.cli.commands import MOMENT, Group, as_operator
from broker.cli.invocation import Invocation, pass_invocation
from broker.cli.register import documents
from broker.cli.register.ending import reopen, shut_down
from broker.domain.errors import Refused
from broker.domain.instants import Instant, rfc3339
from broker.operations.context import Context
from broker.operations.register import approvals
from broker.operations.register import features as operations
from broker.store.register import features as stored

COLUMNS = ("id", "partner", "state", "epoch", "ends_at", "shut_down_at", "scopes")


@click.group(cls=Group)
def features() -> None:
    """What partners may ask for, and its end."""


features.add_command(shut_down)
features.add_command(reopen)


@features.command("list")
@pass_invocation
def list_features(cli: Invocation) -> None:
    """List the features."""
    with cli.read() as context:
        rows = [documents.of_feature(each, context.now) for each in stored.all(context.transaction)]
    cli.output.list("features", rows, COLUMNS)


@features.command()
@click.argument("feature")
@pass_invocation
def show(cli: Invocation, feature: str) -> None:
    """Show one feature: its words and ceiling, what a shutdown would end, its last receipt."""
    with cli.read() as context:
        found = documents.of_feature_whole(context, operations.get(context, feature))
    cli.output.show(found)


def _move(cli: Invocation, feature: str, move: Callable[[Context, str], None], sentence: str) -> None:
    with cli.write() as context:
        move(context, feature)
        moved = documents.of_feature(operations.get(context, feature), context.now)
    cli.output.say(moved, sentence)


@features.command()
@click.argument("feature")
@as_operator()
@pass_invocation
def launch(cli: Invocation, feature: str) -> None:
    """Make a draft active."""
    _move(cli, feature, operations.launch, f"{feature} is active: people can be asked for permission")


@features.command()
@click.argument("feature")
@as_operator()
@pass_invocation
def suspend(cli: Invocation, feature: str) -> None:
    """Hold a feature: nothing is admitted under it, and nothing is lost, until it is resumed."""
    _move(cli, feature, operations.suspend, f"{feature} is suspended: nothing is admitted under it")


@features.command()
@click.argument("feature")
@as_operator()
@pass_invocation
def resume(cli: Invocation, feature: str) -> None:
    """Ask a second operator to let a suspended feature go on."""
    with cli.write() as context:
        pending = approvals.request_resuming(context, feature)
    cli.output.pending(pending, f"resuming {feature}")


@features.command()
@click.argument("feature")
@click.option("--scope", "scopes", multiple=True, required=True, metavar="SCOPE", help="What to take out; repeatable.")
@as_operator()
@pass_invocation
def narrow(cli: Invocation, feature: str, scopes: tuple[str, ...]) -> None:
    """Take scopes out of the ceiling, live tokens included. (A ceiling is widened through config apply.)"""
    _move(cli, feature, lambda context, name: operations.narrow(context, name, frozenset(scopes)),
          f"{feature} has no {', '.join(sorted(set(scopes)))} any more")  # fmt: skip


class EndDate(click.ParamType["Instant | None"]):
    """An RFC 3339 time, or `never`."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Instant | None:
        return None if value == "never" else MOMENT.convert(value, param, ctx)


@features.command()
@click.argument("feature")
@click.option("--at", "ends_at", required=True, type=EndDate(), metavar="TIME", help="RFC 3339, or never.")
@as_operator()
@pass_invocation
def schedule(cli: Invocation, feature: str, ends_at: Instant | None) -> None:
    """Set the day on which a feature ends. A later one than before waits for a second operator."""
    with cli.write() as context:
        found = operations.closed_for(context, feature)
        if found.ends_at is None and ends_at is None:
            raise Refused(f"feature {feature} has no end date")
        later = operations.is_later(found, ends_at)
        pending = approvals.request_extending(context, feature, ends_at) if later else None
        if pending is None:
            operations.schedule(context, feature, ends_at)
        scheduled = documents.of_feature(operations.get(context, feature), context.now)
    when = "never" if ends_at is None else rfc3339(ends_at)
    if pending is None:
        cli.output.say(scheduled, f"{feature} ends at {when}")
    else:
        cli.output.pending(pending, f"moving the end of {feature} to {when}")
