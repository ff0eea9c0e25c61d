"""Keeping a session alive is no part of what a request does. What else is said of sessions: tests/security/people/."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from urllib.parse import urlsplit

from tests.visitors.person import Person
from tests.visitors.site import in_process
from tests.world import World


def _seen_at(world: World) -> int:
    with closing(sqlite3.connect(urlsplit(world.url).path)) as database:
        return int(database.execute("SELECT seen_at FROM session").fetchone()[0])


def test_being_seen_is_written_once_a_minute(sqlite_world: World) -> None:
    with in_process(sqlite_world.runtime) as site:
        alice = Person(site, "alice")
        alice.log_in()
        begun = _seen_at(sqlite_world)
        sqlite_world.clock.advance(seconds=60)
        alice.open("/inbox")
        assert _seen_at(sqlite_world) == begun
        sqlite_world.clock.advance(seconds=1)
        alice.open("/inbox")
        assert _seen_at(sqlite_world) == begun + 61_000_000


def test_an_answer_stands_although_being_seen_could_not_be_written(sqlite_world: World) -> None:
    node = sqlite_world.other_node(lock_timeout_ms=50)
    with in_process(node.runtime) as site:
        alice = Person(site, "alice")
        alice.log_in()
        sqlite_world.clock.advance(minutes=5)
        with closing(sqlite3.connect(urlsplit(node.url).path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            assert alice.http.get("/inbox").status_code == 200
            holder.execute("ROLLBACK")
    node.close()


def test_logging_out_of_a_session_that_is_old_is_no_error(sqlite_world: World) -> None:
    with in_process(sqlite_world.runtime) as site:
        alice = Person(site, "alice")
        alice.log_in()
        page = alice.open("/inbox")
        sqlite_world.clock.advance(minutes=5)
        assert alice.submit(page, "csrf_token").path == "/login"
        assert not alice.is_logged_in()
