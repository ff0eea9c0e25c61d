"""A measure records what it measured, and refuses to record what cannot be believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.catalogue import CATALOGUE, Database
from bench.databases import databases
from bench.figures import Figures
from bench.measures import commits
from bench.measures.against_plain import NAMES, compare, plain_side
from bench.measures.context import Bench, Invalid
from bench.measures.memory import grow
from bench.pairs import Plan
from bench.sides import Side
from tests.postgres import Unavailable

SHORT = Plan(pairs=2, seconds=0.2, warm_up_seconds=0.1)


def _bench(url: str) -> Bench:
    return Bench(Database.SQLITE, lambda: url, SHORT, Figures(), frozenset(CATALOGUE), lambda _what: None)


def test_a_comparison_records_every_figure_with_its_latencies(sqlite_url: str) -> None:
    bench = _bench(sqlite_url)
    with plain_side(bench) as side:
        compare(bench, side, side)
        grow(bench, side, requests=500)
    rows = {row.name: row for row in bench.figures.rows()}
    for name in NAMES:
        assert {"p50_ms", "p99_ms"} <= rows[f"{name}.sqlite"].detail.keys()
    # The same server on both sides: the harness favours neither. Windows are short, so the bounds are wide.
    for name in ("issue.ratio.plain", "introspect.ratio.plain", "read.ratio.plain"):
        assert 0.25 < rows[name].value < 4
    assert rows["worker.rss_growth_mb"].detail["requests"] == 500


def test_a_comparison_with_errors_in_it_is_not_believed(sqlite_url: str) -> None:
    bench = _bench(sqlite_url)
    with plain_side(bench) as side:
        wrong = Side(side.server, replace(side.credentials, client=("tuneloop", "wrong")))
        with pytest.raises(Invalid, match="invalid_client"):
            compare(bench, side, wrong)
        with pytest.raises(Invalid, match="invalid_client"):
            grow(bench, wrong, requests=500)
    assert bench.figures.rows() == []


def test_only_what_is_wanted_is_measured(sqlite_url: str) -> None:
    bench = replace(_bench(sqlite_url), wanted=frozenset({"read.ratio.plain"}))
    with plain_side(bench) as side:
        compare(bench, side, side)
    assert [row.name for row in bench.figures.rows()] == ["read.ratio.plain", "read.ratio.plain.sqlite"]


@pytest.mark.parametrize("kind", list(Database))
def test_the_bench_makes_its_own_databases_and_counts_their_commits(kind: Database) -> None:
    figures = Figures()
    try:
        with databases(kind) as new_database:
            commits.run(Bench(kind, new_database, SHORT, figures, frozenset(CATALOGUE), lambda _what: None))
            assert new_database() != new_database()
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert figures.rows()[0].value > 10
