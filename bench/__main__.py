"""``python -m bench``: measure, show a table, write the results."""

from __future__ import annotations

import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from bench import figures as results
from bench import machine
from bench.catalogue import CATALOGUE, Database
from bench.databases import databases
from bench.figures import Figures
from bench.measures import MEASURES
from bench.measures.context import Bench, Invalid
from bench.pairs import FULL, QUICK, Plan
from bench.table import show
from tests.postgres import Unavailable

RESULTS = Path(__file__).parent / "results"
_FAILURES = (Invalid, RuntimeError, OSError, ValueError)


@click.command(help="Measure the broker: its speed beside a plain server's, and what its promises cost.")
@click.option("--only", multiple=True, metavar="PREFIX", help="Measure only figures whose name begins so.")
@click.option("--quick", is_flag=True, help="Short windows: to see that everything runs, not to quote.")
@click.option(
    "--database", type=click.Choice([*(str(each) for each in Database), "both"]), default="both", show_default=True
)
@click.option("--check", is_flag=True, help="Exit 1 when a limit is missed.")
def main(only: tuple[str, ...], quick: bool, database: str, check: bool) -> None:
    """Run the measures that were asked for. Only a whole run is written as the latest; a part is written beside it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and databases go with us
    chosen = list(Database) if database == "both" else [Database(database)]
    wanted = frozenset(name for name in CATALOGUE if not only or name.startswith(only))
    if not wanted:
        raise click.UsageError(f"no figure's name begins with {' or '.join(only)}")
    whole = not quick and not only and database == "both"
    on, at = machine.description(), datetime.now(UTC).isoformat(timespec="seconds")
    figures = Figures()
    for kind in chosen:
        _measure(kind, QUICK if quick else FULL, wanted, figures)
    show(figures, Console())
    file = RESULTS / ("latest.json" if whole else "partial.json")
    results.write(results.as_document(figures, on, at), file)
    sys.exit(1 if figures.failures or (check and not figures.all_hold()) else 0)


def _measure(kind: Database, plan: Plan, wanted: frozenset[str], figures: Figures) -> None:
    """Run every measure that has a wanted figure; one that fails does not keep the others from running."""
    console = Console(stderr=True)
    try:
        with databases(kind) as new_database, console.status(kind) as status:
            bench = Bench(kind, new_database, plan, figures, wanted, lambda what: status.update(f"{kind}: {what}"))
            for measure in MEASURES:
                if names := wanted.intersection(measure.names):
                    try:
                        measure.run(bench)
                    except _FAILURES as error:
                        figures.failures |= {f"{name}.{kind}": str(error) for name in sorted(names)}
    except Unavailable as reason:
        figures.failures[str(kind)] = str(reason)


if __name__ == "__main__":
    main()
