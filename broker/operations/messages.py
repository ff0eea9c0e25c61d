"""Posting and deleting messages: by a person on a page of ours, or by an app under a grant.

For an app the fence is here: the standing is read again in this transaction with everything locked that could end it,
so that a message commits before an ending does, or not at all.
"""

from __future__ import annotations

from broker.domain import decisions
from broker.domain.decisions import Allowed, Decision
from broker.domain.errors import NotFound, Refused
from broker.operations.context import Context
from broker.store import conversations, standing
from broker.store.conversations import Message

MAX_LENGTH = 4000


def admit(context: Context, token_hash: bytes, needed: str) -> Decision:
    """Judge a token for a write in this transaction; what it says holds until the transaction ends."""
    return decisions.decide(standing.fenced(context.transaction, token_hash), {needed})


def require_text(text: str) -> str:
    """Refuse what is not a message: empty, too long, or with characters that no text has."""
    if not text.strip():
        raise Refused("a message has text")
    if len(text) > MAX_LENGTH:
        raise Refused(f"a message has at most {MAX_LENGTH} characters")
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise Refused("a message has no NUL and no lone surrogates")
    return text


def post(context: Context, account_id: int, thread_id: int, text: str) -> None:
    """A person posts into a thread of theirs."""
    if conversations.thread(context.transaction, thread_id, account_id) is None:
        raise NotFound("there is no such conversation")
    conversations.post(context.transaction, thread_id=thread_id, author_id=account_id, text=require_text(text),
                       at=context.now)  # fmt: skip


def post_through_app(context: Context, allowed: Allowed, thread_id: int | None, text: str) -> Message:
    """An app posts for its user into a conversation that its grant is for."""
    row = allowed.standing
    assert row.account_id is not None
    require_text(text)
    _require_thread(context, allowed, thread_id)
    assert thread_id is not None
    number = conversations.post(
        context.transaction, thread_id=thread_id, author_id=row.account_id, text=text, at=row.now,
        client_id=row.client_id, feature_id=row.feature_id, feature_epoch=row.token_epoch, grant_id=row.grant_id,
    )  # fmt: skip
    return Message(number, thread_id, row.account_id, "", text, row.now, row.client_id, row.client_name)


def _require_thread(context: Context, allowed: Allowed, thread_id: int | None) -> None:
    row = allowed.standing
    assert row.account_id is not None
    found = thread_id is not None and conversations.thread(
        context.transaction, thread_id, row.account_id, grant_id=row.grant_id, whole=bool(row.all_conversations)
    )
    if not found:
        raise NotFound("there is no such conversation")


def delete_through_app(context: Context, allowed: Allowed, message_id: int | None) -> Message:
    """An app deletes a message that its user has written, in a conversation that its grant is for."""
    row = allowed.standing
    found = conversations.message(context.transaction, message_id) if message_id is not None else None
    if found is None or found.author_id != row.account_id:
        raise NotFound("there is no such message")
    _require_thread(context, allowed, found.thread_id)
    conversations.delete_message(context.transaction, found.id, found.author_id)
    return found
