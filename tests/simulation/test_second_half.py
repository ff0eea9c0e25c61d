"""A hundred thousand seeds, from fifty thousand on: in two files, so that two cores take one each."""

from __future__ import annotations

import pytest

from tests.simulation.test_seeds import play

RANGE = 2_000


@pytest.mark.prove
@pytest.mark.parametrize("first", range(50_000, 100_000, RANGE))
def test_many_seeds_keep_the_promise(first: int) -> None:
    play(range(first, first + RANGE))
