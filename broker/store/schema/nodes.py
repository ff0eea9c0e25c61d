"""Nodes: every process that says yes from memory, and how far it has confirmed."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from broker.store.schema.base import hash_column, instant, metadata, number, words

node = Table(
    "node",
    metadata,
    Column("id", Text, primary_key=True),
    hash_column("handle"),  # of the secret that its process renews with
    words("resource_server_id", ForeignKey("resource_server.id"), null=True),  # none: the broker's own
    words("state"),  # live | retiring: gets no lease any more
    number("lease_us"),
    number("sent"),
    number("confirmed"),
    instant("registered_at", null=False),
    instant("renewed_at", null=False),
    Index("uq_node_handle", "handle", unique=True),
)
