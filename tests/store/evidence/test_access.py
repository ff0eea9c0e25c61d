"""Access records: taken in once, whoever takes them in and how often."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from broker.domain.access import AccessRecord
from broker.store.evidence import access
from tests.concurrency import together
from tests.world import World

FIRST = AccessRecord(100, 1, "tuneloop-share", "share-a-track", 1, 11, 21, "messages:write", 3, "GET /x", "allowed")
SECOND = FIRST._replace(at=200, grant_id=12, account_id=22, thread_id=None)
OWN = FIRST._replace(at=300, feature_id="now-playing", grant_id=None, account_id=None, decision="token-expired")
ALL = [OWN, SECOND, FIRST]


def _take_in(world: World, before: int, after: int, *records: AccessRecord, spool: str = "one") -> bool:
    placed = [(before + place, record) for place, record in enumerate(records)]
    with world.database.write() as transaction:
        return access.take_in(transaction, spool, before, after, placed)


def _records(world: World, **which: int | str | None) -> list[AccessRecord]:
    with world.database.read() as transaction:
        return access.records(transaction, **which)  # type: ignore[arg-type]


def _mark(world: World, spool: str = "one") -> int:
    with world.database.read() as transaction:
        return access.taken(transaction, spool)


def _spools(world: World) -> set[str]:
    with world.database.read() as transaction:
        return access.spools(transaction)


def test_records_that_are_taken_in_come_back_as_they_were(world: World) -> None:
    assert _mark(world) == 0
    assert _take_in(world, 0, 90, FIRST, SECOND, OWN)
    assert _records(world) == ALL
    assert _mark(world) == 90


def test_taking_in_twice_changes_nothing(world: World) -> None:
    assert _take_in(world, 0, 30, FIRST)
    assert not _take_in(world, 0, 30, FIRST)
    assert not _take_in(world, 10, 60, FIRST, SECOND)
    assert (_records(world), _mark(world)) == ([FIRST], 30)
    assert _take_in(world, 30, 60, SECOND)
    assert (_records(world), _mark(world)) == ([SECOND, FIRST], 60)


def test_of_many_that_take_in_the_same_at_once_one_does(world: World) -> None:
    done = together(world, *[lambda: _take_in(world, 0, 60, FIRST, SECOND)] * 4)
    assert sorted(done) == [False, False, False, True]  # type: ignore[type-var]
    assert _records(world) == [SECOND, FIRST]


def test_each_spool_has_a_mark_of_its_own(world: World) -> None:
    assert _take_in(world, 0, 30, FIRST)
    assert _take_in(world, 0, 40, SECOND, spool="two")
    assert (_mark(world), _mark(world, "two"), _mark(world, "three")) == (30, 40, 0)


def test_a_spool_is_known_from_its_announcement_until_it_is_forgotten(world: World) -> None:
    with world.database.write() as transaction:
        access.announce(transaction, "one")
        access.announce(transaction, "one")
        access.announce(transaction, "two")
    assert _spools(world) == {"one", "two"}
    _take_in(world, 0, 30, FIRST)
    with world.database.write() as transaction:
        access.announce(transaction, "one")  # nor does announcing it again move its mark
        assert access.taken(transaction, "one") == 30
        access.forget(transaction, "one")
    assert _spools(world) == {"two"}


def test_records_outlive_their_spool_and_its_number_is_not_given_again(world: World) -> None:
    _take_in(world, 0, 30, FIRST)
    with world.database.write() as transaction:
        access.forget(transaction, "one")
    assert _take_in(world, 0, 30, SECOND, spool="another")
    assert _records(world) == [SECOND, FIRST]


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ({"grant_id": 12}, [SECOND]),
        ({"account_id": 21}, [FIRST]),
        ({"feature_id": "share-a-track"}, [SECOND, FIRST]),
        ({"feature_id": "share-a-track", "grant_id": 11}, [FIRST]),
        ({"feature_id": "now-playing", "grant_id": 11}, []),
        ({"since": 200}, [OWN, SECOND]),
        ({"since": 201}, [OWN]),
        ({"limit": 2}, [OWN, SECOND]),
    ],
)
def test_records_are_found_by_what_they_are_about(
    sqlite_world: World, which: dict[str, int | str | None], found: Sequence[AccessRecord]
) -> None:
    _take_in(sqlite_world, 0, 90, FIRST, SECOND, OWN)
    assert _records(sqlite_world, **which) == found
