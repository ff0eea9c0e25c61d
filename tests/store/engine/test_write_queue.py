"""Turns to write: one at a time, across threads and processes, and nobody waits for ever."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.domain.errors import Undecided
from broker.store.engine.write_queue import WriteQueue
from tests.concurrency import LIMIT_S, Step, in_thread, stopped

_HOLD = """
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the turn until its input ends."""
    command = [sys.executable, "-c", _HOLD, str(tmp_path / "broker.sqlite3-queue")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def _queue(tmp_path: Path, timeout_s: float = 5) -> WriteQueue:
    return WriteQueue(tmp_path / "broker.sqlite3", timeout_s)


def test_a_frozen_process_makes_others_give_up_in_time(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    holder.send_signal(signal.SIGSTOP)
    queue = _queue(tmp_path, 0.1)
    with pytest.raises(Undecided, match="another process"), queue.turn():
        raise NotImplementedError("two hold the turn")
    queue.close()


def test_a_killed_process_frees_the_turn(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    queue = _queue(tmp_path)
    waiting = in_thread(lambda: _take(queue))
    assert not waiting.done()
    holder.kill()
    assert waiting.result(LIMIT_S) == "taken"
    queue.close()


def test_a_process_that_ends_its_turn_gives_it_to_who_waits(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    queue = _queue(tmp_path)
    waiting = in_thread(lambda: _take(queue))
    assert holder.stdin is not None
    holder.stdin.close()
    assert waiting.result(LIMIT_S) == "taken"
    queue.close()


def _take(queue: WriteQueue) -> str:
    with queue.turn():
        return "taken"


def test_a_thread_that_waits_too_long_gives_up(tmp_path: Path) -> None:
    queue = _queue(tmp_path, 0.05)

    def hold(step: Step) -> None:
        with queue.turn():
            step()

    with stopped(hold), pytest.raises(Undecided, match="other writers"), queue.turn():
        raise NotImplementedError("two hold the turn")
    assert _take(queue) == "taken"
    queue.close()


def test_two_queues_for_one_database_exclude_each_other(tmp_path: Path) -> None:
    one, other = _queue(tmp_path), _queue(tmp_path, 0.05)
    with one.turn(), pytest.raises(Undecided), other.turn():
        raise NotImplementedError("two hold the turn")
    assert _take(other) == "taken"
    one.close()
    other.close()


def test_two_databases_have_two_queues(tmp_path: Path) -> None:
    one, other = WriteQueue(tmp_path / "one", 0.05), WriteQueue(tmp_path / "other", 0.05)
    with one.turn():
        assert _take(other) == "taken"
    one.close()
    other.close()


def test_never_are_two_threads_at_their_turn(tmp_path: Path) -> None:
    queue = _queue(tmp_path)
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        for _ in range(20):
            with queue.turn():
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    threads = [in_thread(lambda n=n: work(n)) for n in range(5)]  # type: ignore[misc]
    for thread in threads:
        thread.result(LIMIT_S)
    assert most == [1] * 100
    queue.close()


def test_a_turn_that_fails_is_over(tmp_path: Path) -> None:
    queue = _queue(tmp_path, 0.05)
    with pytest.raises(KeyboardInterrupt), queue.turn():
        raise KeyboardInterrupt
    assert in_thread(lambda: _take(queue)).result(LIMIT_S) == "taken"
    queue.close()


def test_a_closed_queue_opens_again(tmp_path: Path) -> None:
    queue = _queue(tmp_path)
    assert _take(queue) == "taken"
    queue.close()
    queue.close()
    assert _take(queue) == "taken"
    queue.close()


def test_a_lock_file_that_cannot_be_made_decides_nothing_and_blocks_nobody(tmp_path: Path) -> None:
    queue = WriteQueue(tmp_path / "missing" / "broker.sqlite3", 0.05)
    for _ in range(2):
        with pytest.raises(Undecided, match="cannot be taken"), queue.turn():
            raise NotImplementedError("there is no lock")
    (tmp_path / "missing").mkdir()
    assert _take(queue) == "taken"
    queue.close()
