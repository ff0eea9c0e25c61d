"""Many seeds, the first half: in two files, so that two cores take one each."""

from __future__ import annotations

import pytest

from tests.simulation.test_seeds import MANY, QUICK, play

RANGE = 2_000


@pytest.mark.prove
@pytest.mark.parametrize("first", range(QUICK, MANY // 2, RANGE))
def test_many_seeds_keep_the_promise(first: int) -> None:
    play(range(first, min(first + RANGE, MANY // 2)))
