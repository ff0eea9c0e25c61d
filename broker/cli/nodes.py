"""broker nodes: the processes that say yes from memory, how far each has confirmed, and until when it may."""

from __future__ import annotations

import click

from broker.cli.commands import Group, as_operator
from broker.cli.invocation import Invocation, pass_invocation
from broker.domain.errors import NotFound
from broker.domain.instants import rfc3339
from broker.operations import nodes as operations
from broker.operations.context import Context
from broker.store.revocations import events
from broker.store.revocations import nodes as stored
from broker.store.revocations.nodes import Node

COLUMNS = ("id", "of", "state", "confirmed", "position", "lease_left_ms", "lease_ms", "renewed_at")


@click.group(cls=Group)
def nodes() -> None:
    """Who says yes from memory, and how far each has confirmed."""


@nodes.command("list")
@pass_invocation
def list_nodes(cli: Invocation) -> None:
    """List the nodes: what each has confirmed of the log's position, and at most how long its lease still runs."""
    with cli.read() as context:
        rows = [_shape(context, each) for each in stored.all(context.transaction)]
    cli.output.list("nodes", rows, COLUMNS)


@nodes.command()
@click.argument("node")
@as_operator()
@pass_invocation
def retire(cli: Invocation, node: str) -> None:
    """Give a node no further lease: when its last has run out it says yes no more, and is forgotten."""
    with cli.write() as context:
        operations.retire(context, node)
        retired = _find(context, node)
    cli.output.say(retired, f"{node} is retiring: it gets no lease any more")


def _find(context: Context, node_id: str) -> dict[str, object]:
    for each in stored.all(context.transaction):
        if each.id == node_id:
            return _shape(context, each)
    raise NotFound(f"there is no node {node_id!r}")


def _shape(context: Context, node: Node) -> dict[str, object]:
    left_us = max(0, node.renewed_at + node.lease_us - context.now) if node.state == "live" else None
    return {
        "id": node.id, "of": node.resource_server_id or "broker", "state": node.state, "confirmed": node.confirmed,
        "position": events.head(context.transaction)[1], "lease_ms": node.lease_us // 1000,
        "lease_left_ms": None if left_us is None else left_us // 1000, "renewed_at": rfc3339(node.renewed_at),
    }  # fmt: skip
