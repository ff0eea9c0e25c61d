"""What is measured of nodes is what was meant: a yes would be counted, and a bound that does not hold is told."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing import get_context

import pytest

from bench.broker import crowd
from bench.broker.nodes import Tried, asked
from bench.broker.seed import FEATURE, opened, seed
from bench.catalogue import CATALOGUE, Database
from bench.databases import databases
from bench.figures import Figures
from bench.measures import guard_memory, leased_read
from bench.measures.context import Bench, Invalid
from bench.pairs import Plan
from broker.enforcement.memory import Memory
from broker.operations import shutdowns
from tests.postgres import Unavailable

SHORT = Plan(pairs=2, seconds=0.2, warm_up_seconds=0.1)
NODES = 2


@pytest.fixture
def bench() -> Iterator[Bench]:
    """PostgreSQL alone has leased nodes."""
    try:
        with databases(Database.POSTGRESQL) as new_database:
            yield Bench(Database.POSTGRESQL, new_database, SHORT, Figures(), frozenset(CATALOGUE), lambda _what: None)
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_whoever_is_admitted_is_counted_and_after_the_return_nobody_is(bench: Bench) -> None:
    url = bench.new_database()
    headers = [f"Bearer {reader.token}" for reader in seed(url).readers[:5]]
    running = opened(url)
    with asked(running, headers, NODES) as here:
        here.remember()
        before, after = Tried(), Tried()
        here.try_again(before)
        receipt = shutdowns.shut_down(running, "operator:bench", FEATURE, count=False)
        here.try_again(after)
    running.database.close()
    assert (before.requests, before.admitted) == (NODES * 5, NODES * 5)
    assert (after.requests, after.admitted, after.undecided) == (NODES * 5, 0, 0)
    nodes = receipt["nodes"]
    assert isinstance(nodes, list)
    assert {each["outcome"] for each in nodes} == {"confirmed"}


def test_many_grants_leave_the_table_as_it_was_but_larger(bench: Bench) -> None:
    url = bench.new_database()
    seed(url)
    running = opened(url)
    with running.database.engine.connect() as connection:
        indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = 'grant_' ORDER BY 1"
        before = connection.exec_driver_sql(indexes).all()
        for number in (1_000, 3_000):
            crowd.grow_grants(running, number)
            assert connection.exec_driver_sql("SELECT count(*) FROM grant_").scalar_one() == number
        assert connection.exec_driver_sql(indexes).all() == before
    running.database.close()


def test_a_check_from_memory_is_timed_on_a_guard_that_admits(bench: Bench) -> None:
    leased_read.run(bench)
    rows = {row.name: row for row in bench.figures.rows()}
    assert 0.1 < rows["leased.check.us"].value < 1_000
    assert rows["leased.read.ratio"].detail["p99_ms"] > 0


def test_a_memory_is_measured_full_and_found_bounded() -> None:
    for measure in (guard_memory.decisions, guard_memory.revocations):
        with get_context("spawn").Pool(1) as process:  # what this one has freed before would be used again
            full, beyond = process.apply(measure, (50_000,))
        assert 50 < full / 50_000 < 10_000
        assert beyond < full / 5


def test_a_memory_that_forgets_a_revocation_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Memory, "holds", lambda _self, _seen: True)
    with pytest.raises(Invalid, match="has become a yes"):
        guard_memory.revocations(1_000)
