"""People: accounts, sessions, failures, operators, approvals."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from broker.store.schema.base import Serial, hash_column, instant, metadata, number, words

account = Table(
    "account",
    metadata,
    Column("id", Serial, primary_key=True),
    words("username"),
    words("display_name"),
    words("password_hash"),
    words("role"),  # user | operator | partner
    words("partner_id", ForeignKey("partner.id"), null=True),
    words("state"),  # active | disabled
    instant("created_at", null=False),
    Index("uq_account_username", "username", unique=True),
)
Index("ix_account_not_active", account.c.id, sqlite_where=account.c.state != "active",
      postgresql_where=account.c.state != "active")  # fmt: skip

session = Table(
    "session",
    metadata,
    hash_column(primary=True),
    number("account_id", ForeignKey("account.id")),
    instant("created_at", null=False),
    instant("seen_at", null=False),
    instant("idle_ends_at", null=False),
    instant("expires_at", null=False),
    Index(None, "account_id"),
)

failure = Table(  # backoff counts failures only; the key is a hash of what failed and from where
    "failure",
    metadata,
    Column("key", Text, primary_key=True),
    number("failures"),
    instant("blocked_until", null=False),
)

operator_token = Table(
    "operator_token",
    metadata,
    hash_column(primary=True),
    number("account_id", ForeignKey("account.id")),
    words("scopes"),
    instant("issued_at", null=False),
    instant("expires_at", null=False),
)

approval = Table(
    "approval",
    metadata,
    Column("id", Text, primary_key=True),
    words("operation"),
    words("parameters"),  # canonical JSON: what is approved is exactly this
    words("summary"),
    words("state"),  # pending | approved | refused
    words("requested_by"),
    instant("requested_at", null=False),
    words("decided_by", null=True),
    instant("decided_at"),
)
