"""The broker beside the plain server: the same requests to both by turns, over HTTP."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench.load import Sample
from bench.measures.context import Bench, Invalid
from bench.pairs import interleave, median_ratio, spread_of_ratios
from bench.plain.seed import seed
from bench.plain.server import DATABASE_VARIABLE
from bench.servers import granian
from bench.sides import Side

NAMES = ("issue.per_s", "issue.ratio.plain", "introspect.ratio.plain", "read.ratio.plain")

Pairs = Sequence[tuple[Sample, Sample]]


def compare(bench: Bench, broker: Side, plain: Side) -> None:
    """Measure the wanted ones of NAMES; ``Invalid`` when either server answers anything but 200."""
    for side in (broker, plain):
        side.warm_up(bench.plan)
    if bench.wanted & {"issue.per_s", "issue.ratio.plain"}:
        pairs = _measured(bench, "issuing", (broker, broker.issuing), (plain, plain.issuing))
        ours = [sample for sample, _ in pairs]
        bench.record("issue.per_s", statistics.median(sample.per_s for sample in ours), **latency(ours))
        _record_ratio(bench, "issue.ratio.plain", pairs)
    if "introspect.ratio.plain" in bench.wanted:
        pairs = _measured(bench, "introspecting", (broker, broker.introspecting), (plain, plain.introspecting))
        _record_ratio(bench, "introspect.ratio.plain", pairs)
    if "read.ratio.plain" in bench.wanted:
        pairs = _measured(bench, "reading", (broker, broker.reading), (plain, plain.reading))
        _record_ratio(bench, "read.ratio.plain", pairs)


@contextmanager
def plain_side(bench: Bench) -> Iterator[Side]:
    """The plain server on a new database, with the world in it."""
    url = bench.new_database()
    credentials = seed(url)
    with granian("bench.plain.server:create_app", {DATABASE_VARIABLE: url}) as server:
        yield Side(server, credentials)


def _measured(bench: Bench, what: str, broker: tuple[Side, list[bytes]], plain: tuple[Side, list[bytes]]) -> Pairs:
    bench.say(f"{what}, by turns with the plain server")
    ours, theirs = (side.load(requests, bench.plan) for side, requests in (broker, plain))
    pairs = interleave(bench.plan.pairs, ours, theirs)
    for sample in (sample for pair in pairs for sample in pair):
        if sample.errors:
            raise Invalid(f"{what}: {sample.errors} errors beside {sample.answers} answers: {sample.first_error}")
    return pairs


def _record_ratio(bench: Bench, name: str, pairs: Pairs) -> None:
    rates = [(ours.per_s, theirs.per_s) for ours, theirs in pairs]
    least, greatest = spread_of_ratios(rates)
    ours, theirs = zip(*pairs, strict=True)
    bench.record(
        name,
        median_ratio(rates),
        pairs=len(pairs),
        least=least,
        greatest=greatest,
        per_s=statistics.median(sample.per_s for sample in ours),
        **latency(ours),
        plain={"per_s": statistics.median(sample.per_s for sample in theirs), **latency(theirs)},
    )


def latency(samples: Sequence[Sample]) -> dict[str, Any]:
    """Medians of the windows' percentiles, in milliseconds."""
    return {
        "p50_ms": statistics.median(sample.p50_ms for sample in samples),
        "p99_ms": statistics.median(sample.p99_ms for sample in samples),
    }
