"""Filling an empty database, once, with one world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from broker.domain.errors import Refused
from broker.operations.context import Runtime
from broker.operations.register import seeding
from broker.settings import CeilingEntry, Settings, load
from broker.store import accounts, conversations, deployment, migrations
from broker.store.engine.database import Database
from tests.concurrency import in_thread
from tests.register import SETTINGS, SHARE_A_TRACK, proposing
from tests.world import START, Clock, World, stream


@pytest.fixture
def empty(database_url: str, tmp_path: Path) -> Iterator[Runtime]:
    """A broker on a database that has its tables and nothing in them."""
    database = Database(database_url, clock=Clock())
    migrations.upgrade(database)
    yield Runtime(database, SETTINGS, stream("seed"), lambda: 0, tmp_path / "spools")
    database.close()


def _under(runtime: Runtime, settings: Settings) -> Runtime:
    return replace(runtime, settings=settings)


PRODUCTION = replace(SETTINGS, environment="production", demo=None)


def test_an_empty_database_is_filled_once(empty: Runtime) -> None:
    assert seeding.seed(empty)
    assert not seeding.seed(empty)
    with empty.read() as context:
        assert deployment.is_seeded(context.transaction)
        assert deployment.is_demo(context.transaction)
        people = accounts.all(context.transaction)
        alice = next(person for person in people if person.username == "alice")
        assert [person.username for person in people] == ["alice", "bob", "carol", "ops", "ops2", "tuneloop"]
        assert [title for _, title in conversations.threads(context.transaction, alice.id)] == [
            "Saturday hike",
            "Flat 3B",
        ]
        assert len(conversations.friends(context.transaction, alice.id)) == 1
        assert [row[1] for row in conversations.posts(context.transaction, alice.id)] == [
            "Two chairs, blue.",
            "First swim.",
        ]
        assert [row[1] for row in conversations.contacts(context.transaction, alice.id)] == ["Mum"]
        assert context.now == START


def test_a_production_database_is_filled_with_the_register_alone(empty: Runtime) -> None:
    assert seeding.seed(_under(empty, PRODUCTION))
    with empty.read() as context:
        assert deployment.is_seeded(context.transaction)
        assert not deployment.is_demo(context.transaction)
        assert accounts.all(context.transaction) == []
    assert not seeding.seed(_under(empty, PRODUCTION))


def test_the_demo_s_database_is_refused_by_any_other_configuration(empty: Runtime) -> None:
    seeding.seed(empty)
    with pytest.raises(Refused, match="seeded with the demo world, whose passwords everybody knows"):
        seeding.seed(_under(empty, PRODUCTION))


def test_a_register_that_is_refused_fills_nothing(empty: Runtime) -> None:
    unexplained = replace(SHARE_A_TRACK, ceiling=(*SHARE_A_TRACK.ceiling, CeilingEntry("posts:read", "Because.")))
    with pytest.raises(Refused, match="posts:read is wider than its needs"):
        seeding.seed(_under(empty, proposing(unexplained)))
    with empty.database.read() as transaction:
        assert not deployment.is_seeded(transaction)
    assert seeding.seed(empty)


def test_of_two_nodes_that_begin_at_once_one_fills_it(empty: Runtime) -> None:
    done = [in_thread(partial(seeding.seed, empty)) for _ in range(2)]
    assert sorted(each.result(30) for each in done) == [False, True]


@pytest.mark.parametrize("state", ["draft", "active", "suspended", "shut_down"])
def test_a_feature_is_seeded_in_the_state_that_its_file_says(empty: Runtime, state: str) -> None:
    settings = proposing(replace(SHARE_A_TRACK, state=state))  # type: ignore[arg-type]
    assert seeding.seed(_under(empty, settings))
    world = World(empty.database.url, Path("/nonexistent"), clock=Clock())
    assert world.feature("share-a-track").state.value == state
    world.close()


def test_the_configuration_that_comes_with_the_broker_can_be_seeded(empty: Runtime) -> None:
    assert seeding.seed(_under(empty, load()))
