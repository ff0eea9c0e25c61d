"""Two things measured by turns.

What else runs on a machine slows both sides of a pair alike, so a ratio within a pair means more than either figure;
who goes first changes from pair to pair, so that a drift within the pair cancels out.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: pairs of windows, each of so many seconds, and connections at a time."""

    pairs: int
    seconds: float
    warm_up_seconds: float
    connections: int = 16


FULL = Plan(pairs=15, seconds=1.5, warm_up_seconds=2.0)
QUICK = Plan(pairs=2, seconds=1.0, warm_up_seconds=0.5)


def interleave(pairs: int, first: Callable[[], T], second: Callable[[], T]) -> list[tuple[T, T]]:
    """Measure both ``pairs`` times by turns; each pair is (first's, second's), whichever ran first."""
    measured: list[tuple[T, T]] = []
    for turn in range(pairs):
        if turn % 2:
            other = second()
            measured.append((first(), other))
        else:
            measured.append((first(), second()))
    return measured


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The median over pairs of first by second."""
    return statistics.median(first / second for first, second in pairs)


def spread_of_ratios(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The least and the greatest ratio of first by second."""
    ratios = [first / second for first, second in pairs]
    return min(ratios), max(ratios)
