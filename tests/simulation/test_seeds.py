"""The real node, memory, coordinator and operations keep the promise in every order of events that a seed makes.

``SEED=123 pytest tests/simulation -k one`` plays one seed again and prints what happened in it; ``SEEDS=100000`` plays
so many in ``make prove``.
"""

from __future__ import annotations

import os
from collections import Counter

from tests.simulation.checking import Violation
from tests.simulation.world import World

QUICK = 2_000
MANY = int(os.environ.get("SEEDS", "20000"))
MUST_HAPPEN = (
    "Allowed", "Denied", "again refused", "asked again", "confirmed", "crash", "decision evicted",
    "finished by another", "flushed", "forgotten", "grant ended", "housekeeping failed", "late question",
    "lease ended before the answer", "lost commit reply", "lost reply", "lost request", "question given up",
    "recovered", "registers anew", "reopened", "retired by hand", "shutdown returned", "slow journey",
    "stale, below the floor", "stale, marked", "stopped", "suspended", "task killed", "undecided",
    "waited for a lock", "waited_out",
)  # fmt: skip


def play(seeds: range) -> Counter[str]:
    """Play each seed; how often what happened, or ``Violation`` that says which seed to play again."""
    happened: Counter[str] = Counter()
    for seed in seeds:
        world = World(seed)
        try:
            world.play()
        except Violation as found:
            raise Violation(f"SEED={seed}: {found}") from found
        happened += world.scheduler.happened
    return happened


def test_no_seed_breaks_the_promise_and_everything_that_can_go_wrong_has() -> None:
    happened = play(range(QUICK))
    assert [each for each in MUST_HAPPEN if not happened[each]] == []


def test_a_seed_plays_the_same_twice() -> None:
    for seed in range(5):
        first, second = (World(seed, traced=True).play().scheduler for _ in range(2))
        assert first.trace == second.trace
        assert first.steps == second.steps


def test_one_seed_can_be_played_again() -> None:
    seed = int(os.environ.get("SEED", "0"))
    world = World(seed, traced=True)
    try:
        world.play()
    finally:
        print("\n".join(world.scheduler.trace))
    assert world.scheduler.trace
