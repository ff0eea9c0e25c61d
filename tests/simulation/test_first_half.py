"""A hundred thousand seeds, below fifty thousand: in two files, so that two cores take one each."""

from __future__ import annotations

import pytest

from tests.simulation.test_seeds import QUICK, play

RANGE = 2_000


@pytest.mark.prove
@pytest.mark.parametrize("first", range(QUICK, 50_000, RANGE))
def test_many_seeds_keep_the_promise(first: int) -> None:
    play(range(first, first + RANGE))
