"""What the API says about things: identifiers for one client, authors as pseudonyms, times as RFC 3339."""

from __future__ import annotations

from broker.domain.instants import rfc3339
from broker.operations.identifiers import MESSAGE, PERSON, THREAD, Identifiers
from broker.store.conversations import Message

Json = dict[str, object]


def threads(ids: Identifiers, found: list[tuple[int, str]]) -> list[Json]:
    """Threads as id and title; nobody's identity is in them."""
    written = ids.write_many(THREAD, [number for number, _ in found])
    return [{"id": id, "title": title} for id, (_, title) in zip(written, found, strict=True)]


def messages(ids: Identifiers, found: list[Message], account_id: int) -> list[Json]:
    """Messages of one thread; an author is ``self``, or a pseudonym that is stable within the thread."""
    if not found:
        return []
    authors = sorted({each.author_id for each in found} - {account_id})
    names = dict(zip(authors, ids.write_many(PERSON, authors, found[0].thread_id), strict=True))
    written = ids.write_many(MESSAGE, [each.id for each in found])
    return [
        {"id": id, "author": names.get(each.author_id, "self"), "text": each.text, "sent_at": rfc3339(each.sent_at),
         "via": each.via_name}
        for id, each in zip(written, found, strict=True)
    ]  # fmt: skip


def participants(ids: Identifiers, thread_id: int, found: list[tuple[int, str, str]], account_id: int) -> list[Json]:
    """The people of a thread by name; the same author ids that its messages have."""
    written = ids.write_many(PERSON, [number for number, _, _ in found], thread_id)
    return [
        {"author": "self" if number == account_id else id, "username": username, "name": name}
        for id, (number, username, name) in zip(written, found, strict=True)
    ]  # fmt: skip
