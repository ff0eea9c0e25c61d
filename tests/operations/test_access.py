"""Access records: taken in from the spools of living and dead workers, each once, all of them."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from functools import partial
from pathlib import Path

from broker.domain.access import AccessRecord, encode, record_of
from broker.domain.decisions import Allowed
from broker.operations import access
from broker.store.evidence import access as stored
from tests.concurrency import together
from tests.world import START, Connection, World

WRITE = "messages:write"


def _records(world: World, **of: int | str) -> list[AccessRecord]:
    with world.read() as context:
        return stored.records(context.transaction, limit=10_000, **of)  # type: ignore[arg-type]


def _line(world: World, alice: Connection) -> bytes:
    decision = world.check(alice.access, WRITE)
    assert decision.standing is not None
    return encode(record_of(decision, decision.standing, "POST /api/threads/<id>/messages", 5))


def _left_behind(world: World, content: bytes, name: str = "1-dead.spool") -> Path:
    """The spool of a worker that is no more: nobody holds its lock."""
    world.runtime.spools.mkdir(exist_ok=True)
    file = world.runtime.spools / name
    file.write_bytes(content)
    with world.database.write() as transaction:
        stored.announce(transaction, name)
    return file


def test_whoever_reads_records_after_taking_in_reads_all_of_them(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    allowed = world.check(alice.access, WRITE)
    world.note(allowed)
    world.clock.advance(seconds=1)
    world.note(world.check(alice.access, "messages:read"))
    assert _records(world) == []
    assert access.take_in(world.runtime)
    refused, used = _records(world)
    assert (used.decision, used.scope, used.at, used.grant_id) == ("allowed", WRITE, START, alice.grant_id)
    assert (refused.decision, refused.scope, refused.at) == ("insufficient-scope", "messages:read", START + 1_000_000)
    assert _records(world, grant_id=alice.grant_id) == _records(world, feature_id="share-a-track") == [refused, used]
    assert _records(world, account_id=world.account("alice"), since=START + 1) == [refused]
    assert _records(world, account_id=world.account("bob")) == []


def test_each_record_is_taken_in_once(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    for number in range(3):
        world.note(world.check(alice.access, WRITE))
        access.take_in(world.runtime)
        access.take_in_own(world.runtime, world.spool.name)
        assert len(_records(world)) == number + 1
    assert world.grant("alice", "tuneloop-share").scopes[0].uses == 3


def test_of_two_who_take_in_at_once_each_record_comes_from_one(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    for _ in range(3):
        for _ in range(20):
            world.note(world.check(alice.access, WRITE))
        done = together(world, *[partial(access.take_in, world.runtime)] * 4)
        assert done == [True] * 4, done
    assert len(_records(world)) == 60
    assert world.grant("alice", "tuneloop-share").scopes[0].uses == 60


def test_a_living_worker_s_spool_stays_and_a_dead_one_s_goes(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.note(world.check(alice.access, WRITE))
    dead = _left_behind(world, _line(world, alice) * 2)
    assert access.take_in(world.runtime)
    assert len(_records(world)) == 3
    assert not dead.exists()
    assert (world.runtime.spools / world.spool.name).exists()
    with world.read() as context:
        assert stored.spools(context.transaction) == {world.spool.name}
    world.spool.close()
    del world.__dict__["spool"]
    assert access.take_in(world.runtime)
    assert list(world.runtime.spools.iterdir()) == []


def test_a_line_that_a_crash_has_cut_is_no_record_and_keeps_no_spool(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    line = _line(world, alice)
    dead = _left_behind(world, line + line[:-7])
    assert access.take_in(world.runtime)
    assert len(_records(world)) == 1
    assert not dead.exists()


def test_a_line_that_is_still_being_written_is_taken_in_when_it_is_whole(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    line = _line(world, alice)
    world.spool.append(line + line[:-7])
    access.take_in(world.runtime)
    assert len(_records(world)) == 1
    world.spool.append(line[-7:])
    access.take_in(world.runtime)
    assert len(_records(world)) == 2


def test_a_spoilt_line_stops_nothing_after_it(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    line = _line(world, alice)
    _left_behind(world, line + b"\0" * 50 + b"\n" + line.replace(b"1", b"9" * 30) + b"?\n\n" + line)
    assert access.take_in(world.runtime)
    assert len(_records(world)) == 2


def test_a_long_spool_is_taken_in_batch_by_batch(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    line = _line(world, alice)
    number = (1 << 20) // len(line) + 10
    _left_behind(world, line * number)
    assert access.take_in(world.runtime)
    assert world.grant("alice", "tuneloop-share").scopes[0].uses == number


def test_a_dead_spool_that_another_has_open_is_left_to_it(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    dead = _left_behind(world, _line(world, alice))
    with dead.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert access.take_in(world.runtime)
        assert dead.exists()
    assert access.take_in(world.runtime)
    assert not dead.exists()
    assert len(_records(world)) == 1


def test_a_spool_that_is_gone_when_its_turn_comes_is_no_error(world: World) -> None:
    access.take_in_own(world.runtime, "1-gone.spool")
    access._remove_if_done(world.runtime, world.runtime.spools / "1-gone.spool")
    assert _records(world) == []


def test_a_spool_whose_worker_dies_before_it_was_read_to_the_end_stays(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    dead = _left_behind(world, _line(world, alice))
    access._remove_if_done(world.runtime, dead)  # as if the line had come after the last look
    assert dead.exists()
    assert access.take_in(world.runtime)
    assert not dead.exists()


def test_records_that_nobody_here_can_reach_make_the_answer_incomplete(world: World) -> None:
    assert access.take_in(world.runtime)
    access.announce(world.runtime, "9-elsewhere.spool")
    access.announce(world.runtime, "9-elsewhere.spool")
    assert not access.take_in(world.runtime)


def test_a_refused_request_and_a_client_s_own_token_are_no_use_of_a_grant(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    allowed = world.check(alice.access, WRITE)
    assert isinstance(allowed, Allowed)
    world.note(replace(allowed, standing=allowed.standing._replace(grant_id=None)))
    world.note(world.check(alice.access, "messages:read"))
    access.take_in(world.runtime)
    assert world.grant("alice", "tuneloop-share").scopes[0].uses == 0


def test_taking_in_commits_that_this_time_has_been(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(minutes=5)
    world.use(alice.access)
    world.clock.advance(minutes=-5)
    with world.read() as context:
        assert context.now == START + 300_000_000
