"""The simulation is believed because it catches builds that are broken on purpose, within so many seeds."""

from __future__ import annotations

import pytest

from tests.simulation import breakages
from tests.simulation.breakages import Break
from tests.simulation.checking import Violation
from tests.simulation.test_seeds import play

QUICK: list[tuple[Break, int]] = [
    (breakages.without_drain, 50), (breakages.lease_from_receipt, 300), (breakages.marks_not_noted, 50),
    (breakages.no_wait, 50), (breakages.floor_not_raised, 50), (breakages.stale_receipt, 600),
]  # fmt: skip
SLOW: list[tuple[Break, int]] = [(breakages.retired_nodes_get_leases, 1_000)]


def _caught(broken: Break, seeds: int, patch: pytest.MonkeyPatch) -> None:
    broken(patch)
    with pytest.raises(Violation):
        play(range(seeds))


@pytest.mark.parametrize(("broken", "seeds"), QUICK, ids=lambda each: getattr(each, "__name__", str(each)))
def test_a_broken_build_is_caught(broken: Break, seeds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    _caught(broken, seeds, monkeypatch)


@pytest.mark.prove
@pytest.mark.parametrize(("broken", "seeds"), SLOW, ids=lambda each: getattr(each, "__name__", str(each)))
def test_a_broken_build_is_caught_in_the_end(broken: Break, seeds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    _caught(broken, seeds, monkeypatch)
