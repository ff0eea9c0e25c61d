"""The log: appended one at a time, chained, and read back as it was written."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from broker.domain.audit import GENESIS, Entry, verify
from broker.domain.errors import Conflict
from broker.store import schema as s
from broker.store.engine.database import Transaction
from broker.store.engine.statements import Statement
from broker.store.evidence import audit
from tests.concurrency import together
from tests.world import START, World


def _append(transaction: Transaction, subject: str = "person:ä", **details: object) -> int:
    return audit.append(
        transaction, at=START, actor="operator:ops", action="test.done", subject=subject, feature="share-a-track",
        details=details,
    )  # fmt: skip


def _entries(world: World, page: int = 1000) -> list[Entry]:
    with world.database.read() as transaction:
        return [entry for entry, _ in audit.entries(transaction, page)]


def test_an_entry_comes_back_as_it_was_written_and_follows_the_one_before(world: World) -> None:
    with world.database.write() as transaction:
        before = audit.head(transaction)
        position = _append(transaction, words="ü \U0001f600", number=1, nothing=None, many=["a", {"b": 2}])
        assert audit.head(transaction)[0] == position == before[0] + 1
    (entry,) = _entries(world)[before[0] :]
    assert entry == Entry(
        position, START, "operator:ops", "test.done", "person:ä", "share-a-track",
        {"words": "ü \U0001f600", "number": 1, "nothing": None, "many": ["a", {"b": 2}]}, before[1],
    )  # fmt: skip
    with world.database.read() as transaction:
        assert audit.head(transaction) == (position, entry.hash())


def test_a_log_that_is_read_a_page_at_a_time_is_the_same_log(world: World) -> None:
    with world.database.write() as transaction:
        for number in range(5):
            _append(transaction, number=number)
    whole = _entries(world)
    assert [entry.position for entry in whole] == list(range(1, len(whole) + 1))
    assert whole[0].previous == GENESIS
    for page in (1, 2, len(whole), len(whole) + 1):
        assert _entries(world, page) == whole
    with world.database.read() as transaction:
        assert audit.latest(transaction, 3) == whole[:-4:-1]
        assert audit.latest(transaction, 1000) == whole[::-1]


def test_those_who_append_at_once_come_one_after_the_other(world: World) -> None:
    with world.database.read() as transaction:
        before, _ = audit.head(transaction)

    def append() -> int:
        with world.database.write() as transaction:
            return _append(transaction)

    assert sorted(together(world, *[append] * 4)) == [before + n for n in (1, 2, 3, 4)]  # type: ignore[type-var]


def test_an_entry_that_is_rolled_back_leaves_no_gap(world: World) -> None:
    before = _entries(world)

    def append_and_fail() -> None:
        with world.database.write() as transaction:
            _append(transaction)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        append_and_fail()
    assert _entries(world) == before
    with world.database.write() as transaction:
        assert _append(transaction) == len(before) + 1


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"actor": "operator:ops2"}, "was changed"),
        ({"details": "{}"}, "was changed"),
        ({"details": "no json"}, "was changed"),
        ({"at": START + 1}, "was changed"),
        ({"previous": bytes(32)}, "does not follow"),
        ({"hash": bytes(32)}, "was changed"),
    ],
)
def test_what_is_changed_in_the_database_is_found(sqlite_world: World, values: dict[str, object], why: str) -> None:
    with sqlite_world.database.write() as transaction:
        position = _append(transaction, number=1)
        _append(transaction, number=2)
        transaction.run(Statement(update(s.audit_entry).where(s.audit_entry.c.position == position).values(**values)))
    with sqlite_world.database.read() as transaction:
        broken = verify(audit.entries(transaction), *audit.head(transaction))
    assert broken is not None
    assert broken.position == position
    assert why in broken.why
    sqlite_world.audit_is_broken = True


def test_a_log_begins_once(world: World) -> None:
    with pytest.raises(Conflict), world.database.write() as transaction:
        audit.start(transaction)
