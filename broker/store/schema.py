"""The tables. Instants are integers, microseconds since the epoch; hashes are SHA-256, never what they hash.

What is derivable is not stored twice: nothing here says that a grant is live. It is live if and only if its epoch is
its feature's epoch, the feature, partner, client and user admit, no deadline has passed, and nothing of its own
ended it; store/standing.py reads exactly that in one statement.

``position`` on what an app was admitted to do (tokens, codes, messages) is the audit log's position read by the very
statement that writes the row. It is a witness that does not trust the fence: a row of an old epoch whose position is
at or after its feature's closing was written after the closing.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows itself only when the type is INTEGER


def _text(name: str, *more: SchemaItem, null: bool = False) -> Column[str]:
    return Column(name, Text, *more, nullable=null)


def _number(name: str, *more: SchemaItem, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, *more, nullable=null)


def _instant(name: str, null: bool = True) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def _hash(name: str = "hash", *, primary: bool = False, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, primary_key=primary, nullable=null)


# --- the deployment -----------------------------------------------------------------------------------------------

deployment = Table(
    "deployment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("demo", Boolean, nullable=False),  # seeded with the demo world, for ever: production refuses it
    _instant("seeded_at", null=False),
)

# The highest time that was ever committed. Deadlines are compared with the clock, but never with less than this,
# so that a clock set back does not revive what has ended.
clock = Table("clock", metadata, Column("id", Integer, primary_key=True), _instant("floor", null=False))

# --- the register -------------------------------------------------------------------------------------------------

partner = Table(
    "partner",
    metadata,
    Column("id", Text, primary_key=True),
    _text("name"),
    _text("homepage", null=True),
    _text("state"),  # active | suspended
    _text("registered_by"),  # config | operator
    _instant("created_at", null=False),
)

feature = Table(
    "feature",
    metadata,
    Column("id", Text, primary_key=True),
    _text("partner_id", ForeignKey("partner.id")),
    _text("name"),
    _text("purpose"),
    _text("needs"),  # joined by spaces
    _text("state"),
    _number("epoch"),
    _instant("ends_at"),
    _instant("shut_down_at"),
    _number("grant_lifetime_s"),
    _text("registered_by"),
    _instant("created_at", null=False),
    Index(None, "partner_id"),
)

feature_scope = Table(
    "feature_scope",
    metadata,
    _text("feature_id", ForeignKey("feature.id")),
    _text("scope"),
    _text("reason"),
    _text("beyond_need", null=True),
    Column("required", Boolean, nullable=False),
    _number("since"),  # audit position at which it last entered; older grants of it stay without
    PrimaryKeyConstraint("feature_id", "scope"),
)

client = Table(
    "client",
    metadata,
    Column("id", Text, primary_key=True),
    _text("feature_id", ForeignKey("feature.id")),
    _text("name"),
    _text("auth_method"),  # client_secret_basic | client_secret_post | none
    _text("redirect_uris"),  # a JSON array
    _text("state"),  # active | disabled
    _text("registered_by"),
    _instant("created_at", null=False),
    Index(None, "feature_id"),
)

client_secret = Table(
    "client_secret",
    metadata,
    _hash(primary=True),
    _text("client_id", ForeignKey("client.id")),
    _instant("created_at", null=False),
    Index(None, "client_id"),
)

resource_server = Table(
    "resource_server",
    metadata,
    Column("id", Text, primary_key=True),
    _text("name"),
    _text("scopes"),
    _hash("secret_hash"),
    _text("state"),  # active | disabled
    _instant("created_at", null=False),
)

# --- people -------------------------------------------------------------------------------------------------------

account = Table(
    "account",
    metadata,
    Column("id", Serial, primary_key=True),
    _text("username"),
    _text("display_name"),
    _text("password_hash"),
    _text("role"),  # user | operator | partner
    _text("partner_id", ForeignKey("partner.id"), null=True),
    _text("state"),  # active | disabled
    _instant("created_at", null=False),
    Index("uq_account_username", "username", unique=True),
)

session = Table(
    "session",
    metadata,
    _hash(primary=True),
    _number("account_id", ForeignKey("account.id")),
    _instant("created_at", null=False),
    _instant("seen_at", null=False),
    _instant("idle_ends_at", null=False),
    _instant("expires_at", null=False),
    Index(None, "account_id"),
)

failure = Table(  # backoff counts failures only; the key is a hash of what failed and from where
    "failure",
    metadata,
    Column("key", Text, primary_key=True),
    _number("failures"),
    _instant("blocked_until", null=False),
)

operator_token = Table(
    "operator_token",
    metadata,
    _hash(primary=True),
    _number("account_id", ForeignKey("account.id")),
    _text("scopes"),
    _instant("issued_at", null=False),
    _instant("expires_at", null=False),
)

approval = Table(
    "approval",
    metadata,
    Column("id", Text, primary_key=True),
    _text("operation"),
    _text("parameters"),  # canonical JSON: what is approved is exactly this
    _text("summary"),
    _text("state"),  # pending | approved | refused
    _text("requested_by"),
    _instant("requested_at", null=False),
    _text("decided_by", null=True),
    _instant("decided_at"),
)

# --- grants and what is issued under them --------------------------------------------------------------------------

grant = Table(
    "grant_",  # GRANT is a reserved word of SQL
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # random, so that it tells nothing
    _number("account_id", ForeignKey("account.id")),
    _text("client_id", ForeignKey("client.id")),
    _text("feature_id", ForeignKey("feature.id")),
    _number("feature_epoch"),
    _number("position"),
    Column("all_conversations", Boolean, nullable=False),
    _text("asked"),  # the scopes that the user has been asked for, ticked or not
    _text("consent_hash"),  # of the text that was shown
    _instant("created_at", null=False),
    _instant("updated_at", null=False),
    _instant("present_at", null=False),
    _instant("presence_ends_at", null=False),
    _instant("expires_at", null=False),
    _instant("ended_at"),
    _text("end_cause", null=True),
    Index(
        "ix_grant_feature", "feature_id", "feature_epoch", "ended_at", "expires_at", "presence_ends_at", "account_id"
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
    _number("grant_id", ForeignKey("grant_.id")),
    _text("scope"),
    _number("position"),  # of the consent that gave it
    _instant("granted_at", null=False),
    _instant("last_used_at"),
    _number("uses"),
    _instant("unused_ends_at", null=False),
    PrimaryKeyConstraint("grant_id", "scope"),
)

grant_thread = Table(
    "grant_thread",
    metadata,
    _number("grant_id", ForeignKey("grant_.id")),
    _number("thread_id", ForeignKey("thread.id")),
    PrimaryKeyConstraint("grant_id", "thread_id"),
)

token_family = Table(  # everything that came from one authorization code
    "token_family",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _number("grant_id", ForeignKey("grant_.id")),
    _number("account_id"),
    _text("feature_id"),
    _number("feature_epoch"),
    _instant("created_at", null=False),
    _instant("expires_at", null=False),
    _instant("ended_at"),
    _text("end_cause", null=True),
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
        _hash(primary=True),
        _text("client_id", ForeignKey("client.id")),
        _number("grant_id", ForeignKey("grant_.id"), null=True),
        _number("account_id", null=True),
        _text("feature_id"),
        _number("feature_epoch"),
        _number("family_id", ForeignKey("token_family.id"), null=True),
        _text("scopes"),
        _instant("issued_at", null=False),
        _instant("expires_at", null=False),
        _instant(spent),
        _number("position"),
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
    _text("redirect_uri"),
    _text("code_challenge"),
)

consent_answer = Table(  # a consent page is answered once
    "consent_answer",
    metadata,
    _hash("nonce", primary=True),
    _instant("answered_at", null=False),
)

# --- evidence -----------------------------------------------------------------------------------------------------

shutdown = Table(
    "shutdown",
    metadata,
    Column("op_id", Text, primary_key=True),
    _text("feature_id", ForeignKey("feature.id")),
    _number("epoch"),
    _number("position"),
    _text("cause"),
    _text("reason", null=True),
    _text("actor"),
    _instant("committed_at", null=False),
    _instant("effective_at"),
    _number("elapsed_us", null=True),
    _text("nodes"),
    _instant("counted_at"),
    _text("counts", null=True),  # JSON: ended, live_after, last_access
    Index("uq_shutdown_epoch", "feature_id", "epoch", unique=True),
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    _instant("at", null=False),
    _text("actor"),
    _text("action"),
    _text("subject"),
    _text("feature", null=True),
    _text("details"),
    _hash("previous"),
    _hash(),
    Index(None, "subject"),
    Index(None, "feature"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True),
    _number("position"),
    _hash(),
)

access_record = Table(
    "access_record",
    metadata,
    _text("spool"),  # which worker wrote it, and where in its spool: taking it in twice changes nothing
    _number("place"),
    _instant("at", null=False),
    _number("position"),
    _text("client_id"),
    _text("feature_id"),
    _number("feature_epoch"),
    _number("grant_id", null=True),
    _number("account_id", null=True),
    _text("scope"),
    _number("thread_id", null=True),
    _text("request"),
    _text("decision"),  # allowed, or the reason
    PrimaryKeyConstraint("spool", "place"),
    Index(None, "grant_id", "at"),
    Index(None, "feature_id", "feature_epoch", "position"),
    Index(None, "thread_id", "at"),
)

spool = Table(
    "spool",
    metadata,
    Column("name", Text, primary_key=True),
    _number("taken"),  # bytes taken in so far
)

# --- Palaver --------------------------------------------------------------------------------------------------------

thread = Table(
    "thread",
    metadata,
    Column("id", Serial, primary_key=True),
    _text("title"),
    _instant("created_at", null=False),
)

thread_member = Table(
    "thread_member",
    metadata,
    _number("thread_id", ForeignKey("thread.id")),
    _number("account_id", ForeignKey("account.id")),
    PrimaryKeyConstraint("thread_id", "account_id"),
    Index(None, "account_id"),
)

message = Table(
    "message",
    metadata,
    Column("id", Serial, primary_key=True),
    _number("thread_id", ForeignKey("thread.id")),
    _number("author_id", ForeignKey("account.id")),
    _text("text"),
    _instant("sent_at", null=False),
    _text("client_id", ForeignKey("client.id"), null=True),  # the app that posted it
    _text("feature_id", null=True),
    _number("feature_epoch", null=True),
    _number("grant_id", null=True),
    _number("position", null=True),
    Index(None, "thread_id", "id"),
)
Index("ix_message_feature", message.c.feature_id, message.c.feature_epoch, message.c.position,
      sqlite_where=message.c.feature_id.is_not(None),
      postgresql_where=message.c.feature_id.is_not(None))  # fmt: skip

friendship = Table(
    "friendship",
    metadata,
    _number("account_id", ForeignKey("account.id")),
    _number("friend_id", ForeignKey("account.id")),
    PrimaryKeyConstraint("account_id", "friend_id"),
)

post = Table(
    "post",
    metadata,
    Column("id", Serial, primary_key=True),
    _number("author_id", ForeignKey("account.id")),
    _text("text"),
    _instant("created_at", null=False),
    Index(None, "author_id"),
)

contact = Table(
    "contact",
    metadata,
    Column("id", Serial, primary_key=True),
    _number("account_id", ForeignKey("account.id")),
    _text("name"),
    _text("email"),
    Index(None, "account_id"),
)
