"""The audit log: appended under one head row's lock, never changed, read in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from broker.domain.audit import GENESIS, NARROWING, Entry
from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Row, Transaction
from broker.store.engine.statements import Statement
from broker.store.ledger import narrowing, takes_something

_entry = s.audit_entry.c
_COLUMNS = (_entry.position, _entry.at, _entry.actor, _entry.action, _entry.subject, _entry.feature, _entry.details,
            _entry.previous, _entry.hash)  # fmt: skip

_START = Statement(insert(s.audit_head).values(id=1, position=0, hash=GENESIS))
# An UPDATE that changes nothing locks the head on either database; SELECT FOR UPDATE is unknown to SQLite.
_LOCK = Statement(
    update(s.audit_head)
    .values(position=s.audit_head.c.position)
    .returning(s.audit_head.c.position, s.audit_head.c.hash, s.audit_head.c.generation,
               select(s.deployment.c.seeded_at).scalar_subquery())
)  # fmt: skip
_APPEND = Statement(insert(s.audit_entry))
_MOVE = Statement(update(s.audit_head).values(position=bindparam("to"), hash=bindparam("by")))
_HEAD = Statement(select(s.audit_head.c.position, s.audit_head.c.hash))
_GENERATION = Statement(select(s.audit_head.c.generation))
_PAGE = Statement(
    select(*_COLUMNS).where(_entry.position > bindparam("after")).order_by(_entry.position).limit(bindparam("count"))
)
_LATEST = Statement(select(*_COLUMNS).order_by(_entry.position.desc()).limit(bindparam("count")))


def start(transaction: Transaction) -> None:
    """Begin an empty log."""
    transaction.run(_START)


def append(
    transaction: Transaction, *, at: Instant, actor: str, action: str, subject: str, feature: str | None,
    details: dict[str, object],
) -> int:  # fmt: skip
    """Append one entry; its position. Takes the head's lock, so it comes after every other lock of the transaction."""
    head = transaction.row(_LOCK)
    assert head is not None, "the database is not set up"
    entry = Entry(head[0] + 1, at, actor, action, subject, feature, details, bytes(head[1]))
    transaction.run(
        _APPEND, position=entry.position, at=at, actor=actor, action=action, subject=subject, feature=feature,
        details=json.dumps(details, sort_keys=True), previous=entry.previous, hash=entry.hash(),
    )  # fmt: skip
    transaction.run(_MOVE, to=entry.position, by=entry.hash())
    if action in NARROWING and takes_something(entry):
        transaction.narrowings.append(narrowing(head[3], head[2], entry))
    return entry.position


def head(transaction: Transaction) -> tuple[int, bytes]:
    """The position and hash of the newest entry."""
    row = transaction.row(_HEAD)
    assert row is not None, "the database is not set up"
    return row[0], bytes(row[1])


def generation(transaction: Transaction) -> int:
    """How often this database was recovered, from 1 on."""
    row = transaction.row(_GENERATION)
    assert row is not None, "the database is not set up"
    return int(row[0])


def narrowings_after(transaction: Transaction, after: int) -> list[Entry]:
    """The entries after a position that may take something from somebody, in order."""
    found = (entry for entry, _ in entries(transaction, after=after))
    return [entry for entry in found if entry.action in NARROWING and takes_something(entry)]


def entries(transaction: Transaction, page: int = 1000, after: int = 0) -> Iterator[tuple[Entry, bytes]]:
    """Every entry after a position with its stored hash, in order, a page at a time."""
    while rows := transaction.rows(_PAGE, after=after, count=page):
        for row in rows:
            yield _entry_of(row), bytes(row[8])
        after = rows[-1][0]


def latest(transaction: Transaction, count: int) -> list[Entry]:
    """The newest entries, newest first."""
    return [_entry_of(row) for row in transaction.rows(_LATEST, count=count)]


def _entry_of(row: Row) -> Entry:
    values: tuple[Any, ...] = (*row[:6], _details(row[6]), bytes(row[7]))
    return Entry(*values)


def _details(text: str) -> dict[str, object]:
    """What the log wrote is JSON; what is none was changed, and verifying must get as far as saying so."""
    try:
        details: dict[str, object] = json.loads(text)
    except ValueError:
        return {"unreadable": text}
    return details
