"""The return of a shutdown when nodes say yes from memory: how soon, with how many grants, with a node that is dead.

Four workers of a real broker on PostgreSQL, read from all the time. And whether anybody is admitted after the return.
"""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.background import background_load
from bench.broker import crowd
from bench.broker.nodes import Tried, asked
from bench.broker.seed import FEATURE, LEASED, opened
from bench.broker.side import broker_on
from bench.catalogue import Database
from bench.load import drive
from bench.measures.context import Bench, Invalid
from bench.pairs import QUICK
from bench.sides import Side
from broker.operations import shutdowns
from broker.operations.context import Runtime
from broker.operations.coordinator import WAITED_OUT
from broker.settings import load
from broker.store.revocations import nodes

NAMES = ("shutdown.return.ms.p50", "shutdown.return.growth", "shutdown.return.dead_node.s", "admitted.after.return",
         "admitted.after.tried")  # fmt: skip
NODES = 4
SIZES = (1_000, 10_000_000)
_QUICK_SIZES = (1_000, 100_000)
_REPEATS, _QUICK_REPEATS = 25, 5
_TRIES, _QUICK_TRIES = 1_000_000, 10_000
_HTTP_SECONDS = 0.2
_CONNECTIONS = 8
_ANY = frozenset({200, 401, 503})
_NO = _ANY - {200}
_SETTLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Returned:
    """How long a shutdown took, and how many nodes did not confirm within their lease."""

    milliseconds: float
    waited_out: int


def run(bench: Bench) -> None:
    """Measure all of NAMES: what is timed and what is tried is the same shutdowns."""
    if bench.database is Database.SQLITE:
        return
    url = bench.new_database()
    with broker_on(url, config=LEASED, workers=NODES) as side:
        running = opened(url)
        try:
            over_http = _returns(bench, running, side)
            _dead_node(bench, running, side)
            _after(bench, running, side, over_http)
        finally:
            running.database.close()


def _returns(bench: Bench, running: Runtime, side: Side) -> Tried:
    """Time the return by number of grants; what was tried over HTTP right after each."""
    tried, returned = Tried(), dict[int, list[_Returned]]()
    grown = {}
    for number in _QUICK_SIZES if bench.plan is QUICK else SIZES:
        bench.say(f"growing to {number:,} grants")
        started = time.perf_counter()
        crowd.grow_grants(running, number)
        grown[f"{number}"] = time.perf_counter() - started
        bench.say(f"the return of a shutdown of {number:,} grants, {NODES} nodes")
        returned[number] = _timed(bench, running, side, tried)
    taken = {number: [each.milliseconds for each in many] for number, many in returned.items()}
    medians = {number: statistics.median(each) for number, each in taken.items()}
    fewest, most = min(taken), max(taken)
    bench.record("shutdown.return.ms.p50", medians[most], grants=most, nodes=NODES, repeats=len(taken[most]),
                 least=min(taken[most]), greatest=max(taken[most]), seconds_to_grow=grown,
                 waited_out=sum(each.waited_out for each in returned[most]))  # fmt: skip
    bench.record("shutdown.return.growth", medians[most] / medians[fewest],
                 ms={f"{number}": median for number, median in medians.items()})  # fmt: skip
    return tried


def _timed(bench: Bench, running: Runtime, side: Side, tried: Tried) -> list[_Returned]:
    """Several shutdowns. A node that did not confirm in time is told of, and its time counts: it was alive."""
    taken = []
    with background_load(side.server.address, side.reading, connections=_CONNECTIONS, accept=_ANY) as load_:
        for _ in range(_QUICK_REPEATS if bench.plan is QUICK else _REPEATS):
            _await_nodes(running)
            with _shut_down(running) as returned:
                taken.append(returned)
                _try_over_http(side, tried)
        sample = load_.finish()
    if sample.errors:
        raise Invalid(f"the readers had errors: {sample.first_error}")
    return taken


@contextmanager
def _shut_down(running: Runtime) -> Iterator[_Returned]:
    """A shutdown, brought back to life after the block; ``Invalid`` if there was nothing to shut down."""
    started = time.perf_counter()
    receipt = shutdowns.shut_down(running, "operator:bench", FEATURE, count=False)
    milliseconds = (time.perf_counter() - started) * 1000
    crowd.leave_uncounted(running)
    awaited = receipt["nodes"]
    assert isinstance(awaited, list)
    if receipt["epoch"] != 2:
        raise Invalid(f"a shutdown of epoch {receipt['epoch']} was measured")
    yield _Returned(milliseconds, sum(each["outcome"] == WAITED_OUT for each in awaited))
    crowd.revive(running)


def _await_nodes(running: Runtime) -> None:
    """Wait until the nodes are those that the server's workers have, all alive and none that is being retired."""
    until, states = time.monotonic() + _SETTLE_SECONDS, list[str]()
    while time.monotonic() < until:
        with running.database.read() as transaction:
            states = [each.state for each in nodes.all(transaction)]
        if states == ["live"] * NODES:
            return
        time.sleep(0.05)
    raise Invalid(f"there are other nodes than {NODES} live ones: {states}")


def _dead_node(bench: Bench, running: Runtime, side: Side) -> None:
    """The same while one worker stands still: its lease has to run out. The longest of several."""
    lease_us = load(LEASED).enforcement.lease_us
    taken = []
    for _ in range(1 if bench.plan is QUICK else 3):
        bench.say("the return of a shutdown, one node dead")
        _await_nodes(running)
        with (
            background_load(side.server.address, side.reading, connections=_CONNECTIONS, accept=_ANY),
            _stopped(_a_worker(side)),
            _shut_down(running) as returned,
        ):
            taken.append(returned.milliseconds / 1000)
        if not returned.waited_out:
            raise Invalid("every node confirmed, though one of them stood still")
    bench.record("shutdown.return.dead_node.s", max(taken), repeats=len(taken), least=min(taken),
                 lease_s=lease_us / 1_000_000)  # fmt: skip


def _a_worker(side: Side) -> int:
    """The largest process of the server's: what helps it to start its workers is small."""
    sizes = side.server.resident_mb()
    return max(sizes, key=sizes.__getitem__)


@contextmanager
def _stopped(process_id: int) -> Iterator[None]:
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


def _try_over_http(side: Side, tried: Tried) -> None:
    """Ask the real workers, which have just been reading for the same tokens."""
    sample = drive(side.server.address, side.reading, seconds=_HTTP_SECONDS, accept=_NO)
    if sample.errors and not sample.first_error.startswith("200"):
        raise Invalid(f"asked after the return: {sample.first_error}")
    tried.requests += sample.answers + sample.errors
    tried.admitted += sample.errors


def _after(bench: Bench, running: Runtime, side: Side, over_http: Tried) -> None:
    """As many tries as are left, in process: nodes of this process, each with its own memory and lease."""
    tries, tried = (_QUICK_TRIES if bench.plan is QUICK else _TRIES), Tried()
    headers = [f"Bearer {reader.token}" for reader in side.credentials.readers]
    _await_nodes(running)
    with asked(running, headers, NODES) as here:
        while tried.requests + over_http.requests < tries:
            bench.say(f"{tried.requests + over_http.requests:,} of {tries:,} requests tried after the return")
            here.remember()
            with _shut_down(running):
                for _ in range(max(1, tries // 10 // (NODES * len(headers)))):
                    here.try_again(tried)
    bench.record("admitted.after.return", tried.admitted + over_http.admitted, over_http=over_http.admitted)
    bench.record("admitted.after.tried", tried.requests + over_http.requests, over_http=over_http.requests,
                 in_process=tried.requests, undecided=tried.undecided)  # fmt: skip
