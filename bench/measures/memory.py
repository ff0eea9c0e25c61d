"""Whether a worker's memory grows with the requests that it has served."""

from __future__ import annotations

from bench.load import drive
from bench.measures.context import Bench, Invalid
from bench.sides import Side

NAMES = ("worker.rss_growth_mb",)
REQUESTS = 100_000
QUICK_REQUESTS = 5_000
_WINDOW_SECONDS = 2.0


def grow(bench: Bench, side: Side, requests: int = REQUESTS) -> None:
    """Record by how much the worker that grew most has grown over ``requests`` after a warm-up; ``Invalid`` on errors.

    Caches fill and connections open in the warm-up, which is a tenth as long.
    """
    bench.say(f"memory over {requests:,} requests")
    _serve(side, requests // 10)
    before = side.server.resident_mb()
    _serve(side, requests)
    after = side.server.resident_mb()
    if before.keys() != after.keys():
        raise Invalid("a worker was replaced while its memory was measured")
    growth = {worker: after[worker] - before[worker] for worker in before}
    most = max(growth, key=growth.__getitem__)
    bench.record(NAMES[0], growth[most], requests=requests, before_mb=before[most], after_mb=after[most])


def _serve(side: Side, requests: int) -> None:
    mixed = [
        request for three in zip(side.reading, side.introspecting, side.issuing * len(side.reading), strict=True)
        for request in three
    ]  # fmt: skip
    while requests > 0:
        sample = drive(side.server.address, mixed, seconds=_WINDOW_SECONDS)
        if sample.errors:
            raise Invalid(f"{sample.errors} errors: {sample.first_error}")
        requests -= sample.answers
