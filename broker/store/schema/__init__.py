"""The tables. Instants are integers, microseconds since the epoch; hashes are SHA-256, never what they hash.

What is derivable is not stored twice: nothing here says that a grant is live. It is live if and only if its epoch is
its feature's epoch, the feature, partner, client and user admit, no deadline has passed, and nothing of its own
ended it; store/standing.py reads exactly that in one statement.

``position`` on what an app was admitted to do (tokens, codes, messages) is the audit log's position read by the very
statement that writes the row. It is a witness that does not trust the fence: a row of an old epoch whose position is
at or after its feature's closing was written after the closing.
"""

from broker.store.schema.base import metadata
from broker.store.schema.evidence import access_record, audit_entry, audit_head, clock, deployment, shutdown, spool
from broker.store.schema.nodes import node
from broker.store.schema.palaver import contact, friendship, message, post, thread, thread_member
from broker.store.schema.people import account, approval, failure, operator_token, session
from broker.store.schema.permission import (
    access_token,
    authorization_code,
    consent_answer,
    grant,
    grant_scope,
    grant_thread,
    refresh_token,
    token_family,
)
from broker.store.schema.register import client, client_secret, feature, feature_scope, partner, resource_server

__all__ = [
    "access_record",
    "access_token",
    "account",
    "approval",
    "audit_entry",
    "audit_head",
    "authorization_code",
    "client",
    "client_secret",
    "clock",
    "consent_answer",
    "contact",
    "deployment",
    "failure",
    "feature",
    "feature_scope",
    "friendship",
    "grant",
    "grant_scope",
    "grant_thread",
    "message",
    "metadata",
    "node",
    "operator_token",
    "partner",
    "post",
    "refresh_token",
    "resource_server",
    "session",
    "shutdown",
    "spool",
    "thread",
    "thread_member",
    "token_family",
]
