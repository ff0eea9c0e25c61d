"""Palaver's data: threads, messages, friends, posts, contacts."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, bindparam, cast, delete, exists, insert, or_, select

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Row, Transaction
from broker.store.engine.statements import Statement, adding

_t, _m, _member = s.thread.c, s.message.c, s.thread_member.c


class Message(NamedTuple):
    """A message; ``via`` is the id and name of the client that posted it."""

    id: int
    thread_id: int
    author_id: int
    author_name: str
    text: str
    sent_at: Instant
    via_id: str | None = None
    via_name: str | None = None


def _threads() -> Select[Any]:
    """Threads of one person, as far as a grant is for them; ``grant`` NULL: the person's own view."""
    chosen = exists().where(
        s.grant_thread.c.grant_id == bindparam("grant"), s.grant_thread.c.thread_id == _t.id
    )  # fmt: skip
    whole = cast(bindparam("whole"), Integer) == 1
    return (
        select(_t.id, _t.title)
        .select_from(s.thread.join(s.thread_member, _member.thread_id == _t.id))
        .where(_member.account_id == bindparam("account"), or_(whole, chosen))
    )


_THREADS = Statement(_threads().order_by(_t.id))
_THREAD = Statement(_threads().where(_t.id == bindparam("thread")))
_MEMBERS = Statement(
    select(s.account.c.id, s.account.c.username, s.account.c.display_name)
    .select_from(s.thread_member.join(s.account, s.account.c.id == _member.account_id))
    .where(_member.thread_id == bindparam("thread"))
    .order_by(s.account.c.id)
)
_messages = (
    select(_m.id, _m.thread_id, _m.author_id, s.account.c.display_name, _m.text, _m.sent_at, _m.client_id,
           s.client.c.name)
    .select_from(s.message.join(s.account, s.account.c.id == _m.author_id)
                 .join(s.client, s.client.c.id == _m.client_id, isouter=True))
)  # fmt: skip
_MESSAGES = Statement(
    _messages.where(_m.thread_id == bindparam("thread"), _m.id < bindparam("before"))
    .order_by(_m.id.desc())
    .limit(bindparam("count"))
)
_MESSAGE = Statement(_messages.where(_m.id == bindparam("message")))
_position = select(s.audit_head.c.position).scalar_subquery()
_POST = Statement(adding(s.message, position=_position).returning(_m.id))
_DELETE = Statement(delete(s.message).where(_m.id == bindparam("message"), _m.author_id == bindparam("author")))

FIRST_PAGE = (1 << 63) - 1


def threads(
    transaction: Transaction, account_id: int, *, grant_id: int | None = None, whole: bool = True
) -> list[tuple[int, str]]:
    """A person's threads as (id, title); with a grant that is not ``whole`` only those it was given for."""
    return [tuple(row) for row in transaction.rows(_THREADS, account=account_id, grant=grant_id, whole=int(whole))]


def thread(
    transaction: Transaction, thread_id: int, account_id: int, *, grant_id: int | None = None, whole: bool = True
) -> tuple[int, str] | None:
    """One of those threads, or None if it is not among them."""
    row = transaction.row(_THREAD, thread=thread_id, account=account_id, grant=grant_id, whole=int(whole))
    return None if row is None else (row[0], row[1])


def members(transaction: Transaction, thread_id: int) -> list[tuple[int, str, str]]:
    """The people of a thread as (account id, username, display name)."""
    return [tuple(row) for row in transaction.rows(_MEMBERS, thread=thread_id)]


def messages(transaction: Transaction, thread_id: int, *, count: int, before: int = FIRST_PAGE) -> list[Message]:
    """The newest messages before an id, newest first."""
    return [Message._make(row) for row in transaction.rows(_MESSAGES, thread=thread_id, before=before, count=count)]


def message(transaction: Transaction, message_id: int) -> Message | None:
    """One message, or None."""
    row = transaction.row(_MESSAGE, message=message_id)
    return None if row is None else Message(*row)


def post(  # noqa: PLR0913 - a message and what admitted it
    transaction: Transaction, *, thread_id: int, author_id: int, text: str, at: Instant, client_id: str | None = None,
    feature_id: str | None = None, feature_epoch: int | None = None, grant_id: int | None = None,
) -> int:  # fmt: skip
    """Add a message; its id. What admitted it, if an app posted it, is kept with it."""
    row = transaction.row(
        _POST, thread_id=thread_id, author_id=author_id, text=text, sent_at=at, client_id=client_id,
        feature_id=feature_id, feature_epoch=feature_epoch, grant_id=grant_id,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


def delete_message(transaction: Transaction, message_id: int, author_id: int) -> bool:
    """Delete a message of this author; False if there is none."""
    return transaction.run(_DELETE, message=message_id, author=author_id) == 1


# --- other data of a person -----------------------------------------------------------------------------------------

_FRIENDS = Statement(
    select(s.account.c.id, s.account.c.display_name)
    .select_from(s.friendship.join(s.account, s.account.c.id == s.friendship.c.friend_id))
    .where(s.friendship.c.account_id == bindparam("account"))
    .order_by(s.account.c.id)
)
_POSTS = Statement(
    select(s.post.c.id, s.post.c.text, s.post.c.created_at)
    .where(s.post.c.author_id == bindparam("account"))
    .order_by(s.post.c.id.desc())
)
_CONTACTS = Statement(
    select(s.contact.c.id, s.contact.c.name, s.contact.c.email)
    .where(s.contact.c.account_id == bindparam("account"))
    .order_by(s.contact.c.id)
)


def friends(transaction: Transaction, account_id: int) -> list[Row]:
    """A person's friends as (account id, display name)."""
    return transaction.rows(_FRIENDS, account=account_id)


def posts(transaction: Transaction, account_id: int) -> list[Row]:
    """A person's own posts as (id, text, created at), newest first."""
    return transaction.rows(_POSTS, account=account_id)


def contacts(transaction: Transaction, account_id: int) -> list[Row]:
    """A person's address book as (id, name, email)."""
    return transaction.rows(_CONTACTS, account=account_id)


# --- seeding --------------------------------------------------------------------------------------------------------

_ADD_THREAD = Statement(adding(s.thread).returning(_t.id))
_ADD_MEMBER = Statement(insert(s.thread_member))
_ADD_FRIEND = Statement(insert(s.friendship))
_ADD_POST = Statement(adding(s.post))
_ADD_CONTACT = Statement(adding(s.contact))


def add_thread(transaction: Transaction, title: str, member_ids: list[int], at: Instant) -> int:
    """Add a thread with its members; its id."""
    row = transaction.row(_ADD_THREAD, title=title, created_at=at)
    assert row is not None
    transaction.many(_ADD_MEMBER, [{"thread_id": row[0], "account_id": each} for each in member_ids])
    return int(row[0])


def add_friendship(transaction: Transaction, one: int, other: int) -> None:
    """Make two people friends of each other."""
    pairs = [{"account_id": one, "friend_id": other}, {"account_id": other, "friend_id": one}]
    transaction.many(_ADD_FRIEND, pairs)


def add_post(transaction: Transaction, author_id: int, text: str, at: Instant) -> None:
    """Add a post."""
    transaction.run(_ADD_POST, author_id=author_id, text=text, created_at=at)


def add_contact(transaction: Transaction, account_id: int, name: str, email: str) -> None:
    """Add an entry to a person's address book."""
    transaction.run(_ADD_CONTACT, account_id=account_id, name=name, email=email)
