"""Being woken: only a hint, but one that comes at once; without it a node waits its time and no longer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from functools import partial

import psycopg
import pytest

from broker.store.revocations import events
from broker.store.revocations.listening import Listener
from tests.concurrency import LIMIT_S, in_thread
from tests.world import World

LONG_S, SHORT_S = 2 * LIMIT_S, 0.05


def _wake_until(world: World, waiting: Future[None]) -> None:
    """The first call may come before the listener listens: a hint may be lost."""
    again = threading.Event()
    while not waiting.done():
        with world.database.single() as transaction:
            events.wake(transaction)
        again.wait(0.01)


def test_a_listener_that_is_woken_does_not_wait_its_time(postgres_world: World) -> None:
    listener = Listener(postgres_world.database)
    for _ in range(2):  # the second time it listens already
        waiting = in_thread(partial(listener.wait, LONG_S))
        _wake_until(postgres_world, waiting)
        assert waiting.result(LIMIT_S) is None
    listener.close()


def test_what_is_said_between_two_waits_is_heard_at_the_next(postgres_world: World) -> None:
    listener = Listener(postgres_world.database)
    listener.wait(SHORT_S)
    with postgres_world.database.single() as transaction:
        events.wake(transaction)
    assert in_thread(partial(listener.wait, LONG_S)).result(LIMIT_S) is None
    listener.close()


def test_where_nothing_is_said_the_time_is_waited(world: World) -> None:
    listener = Listener(world.database)
    begun = time.monotonic()
    listener.wait(SHORT_S)
    assert time.monotonic() - begun >= SHORT_S
    listener.close()


def test_a_lost_connection_is_only_a_lost_hint(postgres_world: World) -> None:
    listener = Listener(postgres_world.database)
    listener.wait(SHORT_S)
    with psycopg.connect(postgres_world.url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            " AND datname = current_database()"
        ).fetchall()
    assert ended == [(True,)]
    begun = time.monotonic()
    listener.wait(SHORT_S)
    assert time.monotonic() - begun >= SHORT_S
    waiting = in_thread(partial(listener.wait, LONG_S))
    _wake_until(postgres_world, waiting)
    assert waiting.result(LIMIT_S) is None
    listener.close()


@pytest.mark.parametrize("times", [1, 2])
def test_closing_is_closing_however_often(postgres_world: World, times: int) -> None:
    listener = Listener(postgres_world.database)
    listener.wait(SHORT_S)
    for _ in range(times):
        listener.close()
    assert _none_listens(postgres_world)


def _none_listens(world: World) -> bool:
    """Whether the server has noticed that the connection is gone, which it does a moment after."""
    left = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
    with psycopg.connect(world.url, autocommit=True) as connection:
        for _ in range(200):
            if connection.execute(left).fetchone() == (0,):
                return True
            time.sleep(0.01)
    return False
