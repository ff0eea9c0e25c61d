"""The register: partners, features, clients, resource servers; and what waits for a second operator."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text

from broker.store.schema.base import hash_column, instant, metadata, number, words

partner = Table(
    "partner",
    metadata,
    Column("id", Text, primary_key=True),
    words("name"),
    words("homepage", null=True),
    words("state"),  # active | suspended
    words("registered_by"),  # config | operator
    instant("created_at", null=False),
)

feature = Table(
    "feature",
    metadata,
    Column("id", Text, primary_key=True),
    words("partner_id", ForeignKey("partner.id")),
    words("name"),
    words("purpose"),
    words("needs"),  # joined by spaces
    words("state"),
    number("epoch"),
    instant("ends_at"),
    instant("shut_down_at"),
    number("grant_lifetime_s"),
    words("registered_by"),
    instant("created_at", null=False),
    Index(None, "partner_id"),
)

feature_scope = Table(
    "feature_scope",
    metadata,
    words("feature_id", ForeignKey("feature.id")),
    words("scope"),
    words("reason"),
    words("beyond_need", null=True),
    Column("required", Boolean, nullable=False),
    number("since"),  # audit position at which it last entered; older grants of it stay without
    PrimaryKeyConstraint("feature_id", "scope"),
)

client = Table(
    "client",
    metadata,
    Column("id", Text, primary_key=True),
    words("feature_id", ForeignKey("feature.id")),
    words("name"),
    words("auth_method"),  # client_secret_basic | client_secret_post | none
    words("redirect_uris"),  # a JSON array
    words("state"),  # active | disabled
    words("registered_by"),
    instant("created_at", null=False),
    Index(None, "feature_id"),
)

client_secret = Table(
    "client_secret",
    metadata,
    hash_column(primary=True),
    words("client_id", ForeignKey("client.id")),
    instant("created_at", null=False),
    Index(None, "client_id"),
)

resource_server = Table(
    "resource_server",
    metadata,
    Column("id", Text, primary_key=True),
    words("name"),
    words("scopes"),
    hash_column("secret_hash"),
    words("state"),  # active | disabled
    instant("created_at", null=False),
)
