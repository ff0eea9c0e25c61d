"""The broker beside the plain server, and whether its workers grow."""

from __future__ import annotations

from bench.broker.side import broker_side
from bench.measures import against_plain, memory
from bench.measures.context import Bench
from bench.pairs import QUICK

NAMES = (*against_plain.NAMES, *memory.NAMES)


def run(bench: Bench) -> None:
    """Measure the wanted ones, both servers up at the same time and asked by turns."""
    with broker_side(bench) as ours:
        if bench.wanted.intersection(against_plain.NAMES):
            with against_plain.plain_side(bench) as plain:
                against_plain.compare(bench, ours, plain)
        if bench.wanted.intersection(memory.NAMES):
            memory.grow(bench, ours, memory.QUICK_REQUESTS if bench.plan is QUICK else memory.REQUESTS)
