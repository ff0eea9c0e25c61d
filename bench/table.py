"""The results as a table on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from bench.catalogue import Database
from bench.figures import Figures, Row

_VERDICTS = {True: "[green]holds[/]", False: "[bold red]MISSED[/]", None: ""}


def show(figures: Figures, console: Console) -> None:
    """Print one line for each figure, those of one database indented below the worse of them."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("limit", justify="right")
    table.add_column("")
    table.add_column("p50 / p99 ms", justify="right")
    for row in figures.rows():
        table.add_row(_name(row), f"{row.value:,.{row.definition.digits}f}", row.definition.unit, _limit(row),
                      _VERDICTS[row.holds], _latency(row))  # fmt: skip
    console.print(table)
    for name, reason in figures.failures.items():
        console.print(f"[bold red]not measured[/] {name}: {reason}", highlight=False)


def _name(row: Row) -> str:
    return f"  {row.name}" if row.name.endswith(tuple(f".{database}" for database in Database)) else row.name


def _limit(row: Row) -> str:
    if row.limit is None:
        return ""
    return f"{'≥' if row.definition.higher_is_better else '≤'} {row.limit:g}"


def _latency(row: Row) -> str:
    if "p99_ms" not in row.detail:
        return ""
    return f"{row.detail['p50_ms']:.1f} / {row.detail['p99_ms']:.1f}"
