"""Palaver: threads, messages, friends, posts, contacts."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, Table

from broker.store.schema.base import Serial, instant, metadata, number, words

thread = Table(
    "thread",
    metadata,
    Column("id", Serial, primary_key=True),
    words("title"),
    instant("created_at", null=False),
)

thread_member = Table(
    "thread_member",
    metadata,
    number("thread_id", ForeignKey("thread.id")),
    number("account_id", ForeignKey("account.id")),
    PrimaryKeyConstraint("thread_id", "account_id"),
    Index(None, "account_id"),
)

message = Table(
    "message",
    metadata,
    Column("id", Serial, primary_key=True),
    number("thread_id", ForeignKey("thread.id")),
    number("author_id", ForeignKey("account.id")),
    words("text"),
    instant("sent_at", null=False),
    words("client_id", ForeignKey("client.id"), null=True),  # the app that posted it
    words("feature_id", null=True),
    number("feature_epoch", null=True),
    number("grant_id", null=True),
    number("position", null=True),
    Index(None, "thread_id", "id"),
)
Index("ix_message_feature", message.c.feature_id, message.c.feature_epoch, message.c.position,
      sqlite_where=message.c.feature_id.is_not(None),
      postgresql_where=message.c.feature_id.is_not(None))  # fmt: skip

friendship = Table(
    "friendship",
    metadata,
    number("account_id", ForeignKey("account.id")),
    number("friend_id", ForeignKey("account.id")),
    PrimaryKeyConstraint("account_id", "friend_id"),
)

post = Table(
    "post",
    metadata,
    Column("id", Serial, primary_key=True),
    number("author_id", ForeignKey("account.id")),
    words("text"),
    instant("created_at", null=False),
    Index(None, "author_id"),
)

contact = Table(
    "contact",
    metadata,
    Column("id", Serial, primary_key=True),
    number("account_id", ForeignKey("account.id")),
    words("name"),
    words("email"),
    Index(None, "account_id"),
)
