"""Evidence: the deployment and its clock, shutdowns, the audit log, access records."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text

from broker.store.schema.base import Serial, hash_column, instant, metadata, number, words

deployment = Table(
    "deployment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("demo", Boolean, nullable=False),  # seeded with the demo world, for ever: production refuses it
    instant("seeded_at", null=False),
)

# The highest time that was ever committed. Deadlines are compared with the clock, but never with less than this,
# so that a clock set back does not revive what has ended.
clock = Table("clock", metadata, Column("id", Integer, primary_key=True), instant("floor", null=False))

shutdown = Table(
    "shutdown",
    metadata,
    Column("op_id", Text, primary_key=True),
    words("feature_id", ForeignKey("feature.id")),
    number("epoch"),
    number("position"),
    words("cause"),
    words("reason", null=True),
    words("actor"),
    instant("committed_at", null=False),
    instant("effective_at"),
    number("elapsed_us", null=True),
    words("nodes"),
    instant("counted_at"),
    words("counts", null=True),  # JSON: ended, live_after, last_access
    Index("uq_shutdown_epoch", "feature_id", "epoch", unique=True),
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    instant("at", null=False),
    words("actor"),
    words("action"),
    words("subject"),
    words("feature", null=True),
    words("details"),
    hash_column("previous"),
    hash_column(),
    Index(None, "subject"),
    Index(None, "feature"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True),
    number("position"),
    hash_column(),
    # Rises when a backup was restored: every lease, and everything remembered, of an older one is void.
    Column("generation", BigInteger, nullable=False, server_default="1"),
)

access_record = Table(
    "access_record",
    metadata,
    number("spool_id"),  # which worker wrote it, and where in its spool
    number("place"),
    instant("at", null=False),
    number("position"),
    words("client_id"),
    words("feature_id"),
    number("feature_epoch"),
    number("grant_id", null=True),
    number("account_id", null=True),
    words("scope"),
    number("thread_id", null=True),
    words("request"),
    words("decision"),  # allowed, or the reason
    PrimaryKeyConstraint("spool_id", "place"),
    Index(None, "grant_id", "at"),
    Index(None, "feature_id", "at"),
    sqlite_with_rowid=False,  # each index costs every read's record; a spool's are appended in their order
)

spool = Table(
    "spool",
    metadata,
    Column("id", Serial, primary_key=True),
    words("name"),
    number("taken"),  # bytes taken in so far
    Index("uq_spool_name", "name", unique=True),
    sqlite_autoincrement=True,  # a number is never given twice: records outlive their spool
)
