"""Load that goes on in a process of its own while something else is measured."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection

from bench.load import CONNECTIONS, OK, Address, Sample, drive

LONGEST_SECONDS = 600.0
_BEGUN, _FINISH = "begun", "finish"


class BackgroundLoad:
    """The handle on a load that is under way."""

    def __init__(self, control: Connection) -> None:
        self._control = control

    def finish(self) -> Sample:
        """Stop sending, wait for the answers under way, and give what was measured. To be called once."""
        self._control.send(_FINISH)
        return _received(self._control)


@contextmanager
def background_load(
    address: Address, requests: Sequence[bytes], *, connections: int = CONNECTIONS, accept: frozenset[int] = OK
) -> Iterator[BackgroundLoad]:
    """Load a server while the block runs; leaving the block without ``finish`` throws the measurement away.

    Raises RuntimeError when the load could not go on, with what stopped it.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(theirs, address, tuple(requests), connections, accept), daemon=True)
    process.start()
    theirs.close()
    try:
        if ours.recv() != _BEGUN:
            raise RuntimeError("the load did not begin")
        yield BackgroundLoad(ours)
    finally:
        process.terminate()
        process.join()
        ours.close()


def _run(
    control: Connection, address: Address, requests: Sequence[bytes], connections: int, accept: frozenset[int]
) -> None:
    control.send(_BEGUN)
    try:
        sample = drive(address, requests, seconds=LONGEST_SECONDS, connections=connections, accept=accept, stop=control)
    except (OSError, ValueError) as error:
        control.send(f"{type(error).__name__}: {error}")
    else:
        control.send(sample)


def _received(control: Connection) -> Sample:
    answer = control.recv()
    if isinstance(answer, Sample):
        return answer
    raise RuntimeError(f"the load broke off: {answer}")
