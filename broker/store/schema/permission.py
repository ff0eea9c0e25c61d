"""Grants, and what is issued under them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, PrimaryKeyConstraint, Table

from broker.store.schema.base import hash_column, instant, metadata, number, words

grant = Table(
    "grant_",  # GRANT is a reserved word of SQL
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # random, so that it tells nothing
    number("account_id", ForeignKey("account.id")),
    words("client_id", ForeignKey("client.id")),
    words("feature_id", ForeignKey("feature.id")),
    number("feature_epoch"),
    number("position"),
    Column("all_conversations", Boolean, nullable=False),
    words("asked"),  # the scopes that the user has been asked for, ticked or not
    words("consent_hash"),  # of the text that was shown
    instant("created_at", null=False),
    instant("updated_at", null=False),
    instant("present_at", null=False),
    instant("presence_ends_at", null=False),
    instant("expires_at", null=False),
    instant("ended_at"),
    words("end_cause", null=True),
    # All that counting needs, so that a receipt over a million grants reads this and nothing else.
    Index(
        "ix_grant_feature",
        "feature_id",
        "feature_epoch",
        "client_id",
        "ended_at",
        "expires_at",
        "presence_ends_at",
        "account_id",
        "id",
    ),
    Index("ix_grant_account", "account_id"),
)
# One standing grant for a person and a client. Ends by time or by the feature leave the row as it is; who grants
# again records that end first (operations/consent.py).
Index("uq_grant_standing", grant.c.account_id, grant.c.client_id, unique=True,
      sqlite_where=grant.c.ended_at.is_(None), postgresql_where=grant.c.ended_at.is_(None))  # fmt: skip

grant_scope = Table(
    "grant_scope",
    metadata,
    number("grant_id", ForeignKey("grant_.id")),
    words("scope"),
    number("position"),  # of the consent that gave it
    instant("granted_at", null=False),
    instant("last_used_at"),
    number("uses"),
    instant("unused_ends_at", null=False),
    PrimaryKeyConstraint("grant_id", "scope"),
)

grant_thread = Table(
    "grant_thread",
    metadata,
    number("grant_id", ForeignKey("grant_.id")),
    number("thread_id", ForeignKey("thread.id")),
    PrimaryKeyConstraint("grant_id", "thread_id"),
)

token_family = Table(  # everything that came from one authorization code
    "token_family",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    number("grant_id", ForeignKey("grant_.id")),
    number("account_id"),
    words("feature_id"),
    number("feature_epoch"),
    instant("created_at", null=False),
    instant("expires_at", null=False),
    instant("ended_at"),
    words("end_cause", null=True),
    Index(None, "account_id"),
    Index(None, "grant_id"),
)
Index("ix_token_family_ended", token_family.c.feature_id, token_family.c.feature_epoch,
      sqlite_where=token_family.c.ended_at.is_not(None),
      postgresql_where=token_family.c.ended_at.is_not(None))  # fmt: skip


def _issued(name: str, spent: str, *more: Column[str]) -> Table:
    """A table of issued secrets: alike in what bounds them, so that one statement can judge any of them."""
    table = Table(
        name,
        metadata,
        hash_column(primary=True),
        words("client_id", ForeignKey("client.id")),
        number("grant_id", ForeignKey("grant_.id"), null=True),
        number("account_id", null=True),
        words("feature_id"),
        number("feature_epoch"),
        number("family_id", ForeignKey("token_family.id"), null=True),
        words("scopes"),
        instant("issued_at", null=False),
        instant("expires_at", null=False),
        instant(spent),
        number("position"),
        *more,
    )
    by_user = table.c.grant_id.is_not(None)
    Index(f"ix_{name}_feature", table.c.feature_id, table.c.feature_epoch, table.c.position, table.c[spent],
          table.c.expires_at, table.c.grant_id, table.c.family_id,
          sqlite_where=by_user, postgresql_where=by_user)  # fmt: skip
    return table


access_token = _issued("access_token", "revoked_at")
refresh_token = _issued("refresh_token", "claimed_at")  # claimed: exchanged for the next one
authorization_code = _issued(
    "authorization_code",
    "claimed_at",
    words("redirect_uri"),
    words("code_challenge"),
)

consent_answer = Table(  # a consent page is answered once
    "consent_answer",
    metadata,
    hash_column("nonce", primary=True),
    instant("answered_at", null=False),
)
