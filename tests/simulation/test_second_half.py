"""Many seeds, the second half: in two files, so that two cores take one each."""

from __future__ import annotations

import pytest

from tests.simulation.test_seeds import MANY, play

RANGE = 2_000


@pytest.mark.prove
@pytest.mark.parametrize("first", range(MANY // 2, MANY, RANGE))
def test_many_seeds_keep_the_promise(first: int) -> None:
    play(range(first, min(first + RANGE, MANY)))
