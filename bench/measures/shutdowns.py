"""How long a shutdown takes by the number of its grants, under load from issuers; and the counting after it."""

from __future__ import annotations

import statistics
import time

from bench.background import background_load
from bench.broker import crowd
from bench.broker.seed import FEATURE, opened
from bench.broker.side import broker_on
from bench.measures.context import Bench, Invalid
from bench.pairs import QUICK
from bench.sides import Side
from bench.world import READERS
from broker.operations import shutdowns
from broker.operations.context import Runtime

SIZES = {"1k": 1_000, "100k": 100_000, "1m": 1_000_000}
NAMES = (*(f"shutdown.ms.{size}" for size in SIZES), "shutdown.growth", "shutdown.recount.ms.1m")
_REPEATS = 15


def run(bench: Bench) -> None:
    """Measure all of NAMES: one database that grows from size to size. A quick run stops at 100,000."""
    medians: dict[str, float] = {}
    url = bench.new_database()
    with broker_on(url) as side:
        running = opened(url)
        try:
            for size, number in SIZES.items():
                if bench.plan is QUICK and number > SIZES["100k"]:
                    break
                bench.say(f"shutting down {number:,} grants")
                crowd.grow(running, number)
                medians[size] = _measure(bench, running, side, size)
            bench.record("shutdown.growth", list(medians.values())[-1] / medians["1k"], sizes=list(medians))
            _recount(bench, running, list(medians)[-1])
        finally:
            running.database.close()


def _measure(bench: Bench, running: Runtime, side: Side, size: str) -> float:
    """The median over several shutdowns of the same crowd, which is brought back to life in between."""
    taken: list[float] = []
    with background_load(side.server.address, side.issuing, connections=8) as load:
        for _ in range(_REPEATS):
            started = time.perf_counter()
            receipt = shutdowns.shut_down(running, "operator:bench", FEATURE, count=False)
            taken.append((time.perf_counter() - started) * 1000)
            if receipt["epoch"] != 2:
                raise Invalid(f"a shutdown of epoch {receipt['epoch']} was measured")
            crowd.revive(running)
            time.sleep(0.05)
        issued = load.finish()
    if issued.errors:
        raise Invalid(f"the issuers had errors: {issued.first_error}")
    bench.record(f"shutdown.ms.{size}", statistics.median(taken), repeats=_REPEATS, greatest=max(taken),
                 issuing_per_s=issued.per_s)  # fmt: skip
    return statistics.median(taken)


def _recount(bench: Bench, running: Runtime, size: str) -> None:
    """Counting, timed apart; the shutdown has returned before it."""
    bench.say("counting what a shutdown has ended")
    taken = []
    for _ in range(3):
        receipt = shutdowns.shut_down(running, "operator:bench", FEATURE, count=False)
        started = time.perf_counter()
        whole = shutdowns.finish(running, str(receipt["op_id"]))
        taken.append((time.perf_counter() - started) * 1000)
        _require_counted(whole, SIZES[size])
        crowd.revive(running)
    if size == "1m":
        bench.record("shutdown.recount.ms.1m", statistics.median(taken), greatest=max(taken))


def _require_counted(receipt: dict[str, object], grants: int) -> None:
    ended, left = receipt["ended"], receipt["live_after"]
    assert isinstance(ended, dict)
    assert isinstance(left, dict)
    if ended["grants"] < grants or ended["refresh_tokens"] < grants - READERS or any(left.values()):
        raise Invalid(f"the receipt counts wrongly: {receipt}")
