"""Threads that meet at a point, writers that stop where they are told, and how to see that one waits for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import psycopg

from tests.world import World

T = TypeVar("T")

LIMIT_S = 30.0
"""Nothing here takes long; what does is a test that would never end."""
_QUIET_S = 0.15
_WAITING = """
SELECT count(*) FROM pg_locks WHERE NOT granted
AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())
"""


def together(world: World, *acts: Callable[[], T]) -> list[T | BaseException]:
    """Do all at the same moment, each on a connection of its own; what each gave or raised, in order."""
    barrier = threading.Barrier(len(acts))

    def meet_and(act: Callable[[], T]) -> T:
        with world.read():  # opens this thread's connection, so that the race is not won by who connects first
            pass
        barrier.wait(LIMIT_S)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        futures = [pool.submit(meet_and, act) for act in acts]
        return [future.exception(LIMIT_S) or future.result() for future in futures]


def in_thread(act: Callable[[], T]) -> Future[T]:
    """Do something in a thread of its own."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(act())
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


@dataclass
class Step:
    """A place where a thread stops until it is let go."""

    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> None:
        """Called by the thread: stop here."""
        self.reached.set()
        assert self.released.wait(LIMIT_S), "nobody let it go"


@contextmanager
def stopped(act: Callable[[Step], T]) -> Iterator[tuple[Future[T], Step]]:
    """Something that is done in a thread of its own, and has stopped at its step; it is let go in the end."""
    step = Step()
    future = in_thread(lambda: act(step))
    try:
        while not step.reached.wait(0.01):
            assert not future.done(), future.exception() or "it went through without stopping"
        yield future, step
    finally:
        step.released.set()
        wait([future], LIMIT_S)


def waits(world: World, future: Future[T]) -> bool:
    """Whether a thread waits for another's transaction, rather than coming to its end.

    PostgreSQL says so itself. SQLite's writers queue for a file: one that is still there after a while is waiting.
    """
    if world.database.is_sqlite:
        return not wait([future], _QUIET_S).done
    with psycopg.connect(world.url, autocommit=True) as connection:
        while not future.done():
            row = connection.execute(_WAITING).fetchone()
            if row is not None and row[0] > 0:
                return True
            wait([future], 0.005)
    return False
