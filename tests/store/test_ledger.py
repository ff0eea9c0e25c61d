"""The ledger: on the disk before the commit, torn at most at its end; and the mark, which only rises."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.audit import Action
from broker.domain.errors import Refused, Undecided
from broker.domain.instants import DAY
from broker.store import ledger
from broker.store.engine.database import Database
from broker.store.evidence import audit
from broker.store.ledger import KEPT_US, NOTHING, Ledger, Mark, Narrowing
from tests.world import START, World

ONE = 1


def _narrowing(position: int, *, hash: str | None = None, generation: int = 1, database: int = ONE) -> Narrowing:
    return Narrowing(database, generation, position, START, "operator:ops", "grant.ended", f"grant:{position}", None,
                     {"cause": "disconnected"}, hash or f"{generation}.{position}")  # fmt: skip


@pytest.fixture
def kept(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def _positions(kept: Ledger, database: int = ONE) -> list[int]:
    return [each.position for each in ledger.read([kept.directory], database).narrowings]


def _file(kept: Ledger, database: int = ONE) -> Path:
    return kept.directory / f"{database}.ledger"


# --- lines ------------------------------------------------------------------------------------------------------------


def test_what_was_noted_is_read_back_as_it_was(kept: Ledger) -> None:
    noted = [_narrowing(2), _narrowing(1)]
    kept.attempted(noted)
    assert ledger.read([kept.directory], ONE).narrowings == sorted(noted, key=lambda each: each.position)


def test_nothing_is_read_where_nothing_was_noted(kept: Ledger) -> None:
    found = ledger.read([kept.directory], ONE)
    assert (found.narrowings, found.mark) == ([], NOTHING)


def test_two_databases_do_not_mix(kept: Ledger) -> None:
    kept.heard([_narrowing(1), _narrowing(2, database=2)])
    assert (_positions(kept), _positions(kept, 2)) == ([1], [2])
    assert (kept.mark(ONE), kept.mark(2)) == (Mark(1, 1), Mark(1, 2))


@pytest.mark.parametrize("left", [1, 10, -2])
def test_a_line_that_a_crash_has_torn_costs_no_other(kept: Ledger, left: int) -> None:
    kept.attempted([_narrowing(1)])
    whole = _file(kept).read_bytes()
    _file(kept).write_bytes(whole + whole[:left])
    kept.attempted([_narrowing(3)])
    found = ledger.read([kept.directory], ONE)
    assert [each.position for each in found.narrowings] == [1, 3]
    assert found.unreadable == 1


def test_of_two_at_one_place_the_one_that_was_seen_committed_counts(kept: Ledger) -> None:
    kept.attempted([_narrowing(1, hash="lost")])
    real = _narrowing(1, hash="real")
    kept.attempted([real])
    assert len(_positions(kept)) == 2
    kept.committed([real])
    assert [each.hash for each in ledger.read([kept.directory], ONE).narrowings] == ["real"]


def test_what_another_saw_committed_counts_too(kept: Ledger, tmp_path: Path) -> None:
    other = Ledger(tmp_path / "other")
    kept.attempted([_narrowing(1, hash="lost")])
    other.heard([_narrowing(1, hash="real")])
    found = ledger.read([kept.directory, other.directory], ONE)
    assert [each.hash for each in found.narrowings] == ["real"]


def test_who_writes_here_and_whom_they_knew_is_in_it(kept: Ledger) -> None:
    kept.present(ONE, "n1", ["n2"], START)
    found = ledger.read([kept.directory], ONE)
    assert (found.names, found.heard_of) == ({"n1"}, {"n2"})


def test_many_processes_and_threads_write_whole_lines(kept: Ledger) -> None:
    for position in range(1, 41):
        if os.fork() == 0:
            Ledger(kept.directory).attempted([_narrowing(position)])
            os._exit(0)
    for _ in range(40):
        assert os.wait()[1] == 0
    assert _positions(kept) == list(range(1, 41))


def test_a_disk_that_takes_nothing_decides_nothing(kept: Ledger, tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("a file where the directory would be")
    with pytest.raises(Undecided):
        kept.attempted([_narrowing(1)])


def test_what_several_hear_is_written_down_once(kept: Ledger) -> None:
    one, two = _narrowing(1), _narrowing(2)
    kept.attempted([one])
    for _ in range(3):
        Ledger(kept.directory).heard([one, two])
    assert [each["kind"] for each in map(json.loads, _file(kept).read_text().splitlines())].count("narrowing") == 2
    assert _positions(kept) == [1, 2]


def test_a_torn_line_is_not_taken_for_the_one_that_is_heard(kept: Ledger) -> None:
    kept.attempted([_narrowing(1)])
    _file(kept).write_bytes(_file(kept).read_bytes()[:-2])
    kept.heard([_narrowing(1)])
    assert _positions(kept) == [1]


# --- the mark ---------------------------------------------------------------------------------------------------------


def test_an_attempt_raises_no_mark_and_a_commit_does(kept: Ledger) -> None:
    kept.attempted([_narrowing(5)])
    assert kept.mark(ONE) == NOTHING
    kept.committed([_narrowing(5)])
    assert kept.mark(ONE) == Mark(1, 5)


def test_the_mark_never_falls(kept: Ledger) -> None:
    for seen in (Mark(1, 5), Mark(1, 3), Mark(2, 1), Mark(1, 9)):
        kept.raise_mark(ONE, seen)
    assert kept.mark(ONE) == Mark(2, 1)


def test_the_mark_is_found_however_often_it_rose_and_when_a_crash_tore_its_last_line(kept: Ledger) -> None:
    (kept.directory).mkdir()
    file = kept.directory / f"{ONE}.mark"
    for position in range(1, 4000):
        line = json.dumps({"generation": 1, "position": position}) + "\n"
        with file.open("a") as stream:
            stream.write(line)
    kept.raise_mark(ONE, Mark(1, 4000))
    kept.raise_mark(ONE, Mark(1, 4001))
    assert file.read_text().count("\n") == 2
    file.write_text(file.read_text()[:-3])
    assert kept.mark(ONE) == Mark(1, 4000)
    kept.raise_mark(ONE, Mark(1, 4002))
    assert kept.mark(ONE) == Mark(1, 4002)


def test_a_mark_that_cannot_be_read_is_no_low_one(kept: Ledger) -> None:
    kept.raise_mark(ONE, Mark(1, 5))
    (kept.directory / f"{ONE}.mark").write_text("?")
    with pytest.raises(Refused):
        kept.mark(ONE)


def test_a_restore_is_known_until_it_is_over(kept: Ledger) -> None:
    assert not kept.was_restored(ONE)
    kept.note_restore(ONE)
    assert kept.was_restored(ONE)
    kept.restore_is_over(ONE)
    assert not kept.was_restored(ONE)


# --- how long it is kept ----------------------------------------------------------------------------------------------


def test_lines_older_than_what_is_kept_go_and_that_is_written_down(kept: Ledger) -> None:
    old = [replace(_narrowing(each), at=START - KEPT_US - DAY) for each in range(1, 5000)]
    kept.present(ONE, "n1", ["gone"], 0)
    kept.attempted([*old, _narrowing(5000)])
    assert kept.compact(ONE, START)
    found = ledger.read([kept.directory], ONE)
    assert [each.position for each in found.narrowings] == [5000]
    assert (found.names, found.heard_of) == ({"n1"}, set())
    assert found.cut_before == {str(kept.directory): START - KEPT_US}


def test_a_small_one_is_left_alone(kept: Ledger) -> None:
    kept.attempted([replace(_narrowing(1), at=0)])
    assert not kept.compact(ONE, START)
    assert _positions(kept) == [1]


# --- around a transaction ---------------------------------------------------------------------------------------------


class _Witness(Ledger):
    """Notes as a ledger does, and asks a second connection what is committed at that moment."""

    def __init__(self, directory: Path, seen: Callable[[], int]) -> None:
        super().__init__(directory)
        self.seen, self.steps = seen, list[tuple[str, int]]()

    def attempted(self, narrowings: Iterable[Narrowing]) -> None:
        self.steps.append(("attempted", self.seen()))
        super().attempted(narrowings)

    def committed(self, narrowings: Iterable[Narrowing]) -> None:
        self.steps.append(("committed", self.seen()))
        super().committed(narrowings)


def order_of_steps(world: World) -> None:
    """The line is there while the log does not have the entry, and the mark rises when it has."""
    watching = Database(world.url, clock=world.clock)

    def head() -> int:
        with watching.read() as transaction:
            return audit.head(transaction)[0]

    before = head()
    witness = world.database.ledger = _Witness(world.directory / "ledger", head)
    world.suspend("share-a-track")
    watching.close()
    assert witness.steps == [("attempted", before), ("committed", before + 1)]


def test_the_line_comes_before_the_commit_and_the_mark_after_it(world: World) -> None:
    order_of_steps(world)


def test_what_narrows_nothing_is_not_noted(world: World) -> None:
    kept = world.database.ledger = Ledger(world.directory / "ledger")
    alice = world.connect("alice", "tuneloop-share")
    world.refresh(alice)
    world.check(alice.access)
    assert not kept.directory.exists()


def test_an_action_that_fails_after_its_entry_is_no_commit(world: World) -> None:
    kept = world.database.ledger = Ledger(world.directory / "ledger")
    with suppress(Refused), world.write() as context:
        context.record(Action.GRANT_ENDED, "grant:7", cause="disconnected")
        raise Refused("no")
    assert not kept.directory.exists()


def test_a_ledger_that_cannot_be_written_takes_the_commit_back(world: World, tmp_path: Path) -> None:
    (tmp_path / "no").write_text("")
    world.database.ledger = Ledger(tmp_path / "no")
    with pytest.raises(Undecided):
        world.suspend("share-a-track")
    assert world.feature("share-a-track").state.value == "active"


def test_every_line_is_json_for_whoever_reads_it_by_eye(kept: Ledger) -> None:
    kept.heard([_narrowing(1)])
    lines = [json.loads(line) for line in _file(kept).read_text().splitlines()]
    assert [(each["kind"], each["position"]) for each in lines] == [("narrowing", 1), ("committed", 1)]
