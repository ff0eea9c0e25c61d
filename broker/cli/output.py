"""Results: tables and sentences for people, plain text for pipes, and one JSON document for programs.

Commands print after their last transaction, so that a failure leaves stdout empty.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import click

Item = TypeVar("Item")
Document = Mapping[str, object]


def printable(text: str) -> str:
    """A text without what would move a terminal's cursor or turn its direction; such characters are written out."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


@dataclass(frozen=True, slots=True)
class Output:
    """Prints results in one form; every value of a document is JSON's."""

    as_json: bool

    def list(self, noun: str, rows: Sequence[Document], columns: Sequence[str]) -> None:
        """Print rows under their noun; people see these columns, programs every key."""
        if self.as_json:
            _print_json({noun: rows})
        elif sys.stdout.isatty():
            _print_table(rows, columns, nothing=f"no {noun.replace('_', ' ')}")
        else:
            _print_columns(rows, columns)

    def show(self, document: Document, heading: str | None = None) -> None:
        """Print one document; people see a heading and then each field."""
        if self.as_json:
            _print_json(document)
            return
        if heading is not None:
            click.echo(f"{printable(heading)}\n")
        for line in _fields(document):
            click.echo(line)

    def say(self, document: Document, *sentences: str) -> None:
        """Print what was done: people see the sentences alone, each on a line."""
        if self.as_json:
            _print_json(document)
            return
        for sentence in sentences:
            click.echo(printable(sentence))

    def pending(self, approval_id: str, what: str) -> None:
        """Print that something waits for a second operator."""
        self.say({"pending": approval_id}, waiting(approval_id, what))


def waiting(approval_id: str, what: str) -> str:
    """That something waits for a second operator, and the command that approves it."""
    return f"{what} waits for another operator: broker approvals approve {approval_id} --as OPERATOR"


def progress(items: Iterable[Item], length: int, label: str) -> Iterator[Item]:
    """Pass items on, with a bar on stderr if somebody watches it."""
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, length=length, label=label, file=sys.stderr) as bar:
        yield from bar


@contextmanager
def awaiting() -> Iterator[Callable[[Sequence[str]], None]]:
    """What to call with the names of those who are awaited: one line on stderr, if somebody watches it, gone at the
    end."""
    shown = ""

    def tell(awaited: Sequence[str]) -> None:
        nonlocal shown
        line = f"waiting for {', '.join(awaited)}"[:100] if awaited else ""
        if line != shown and sys.stderr.isatty():
            click.echo("\r\x1b[K" + printable(line), err=True, nl=False)
            shown = line

    try:
        yield tell
    finally:
        tell(())


def note(sentence: str) -> None:
    """Say something about a result, beside it."""
    click.echo(f"broker: {printable(sentence)}", err=True)


def _print_json(document: object) -> None:
    click.echo(json.dumps(document, indent=2))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{printable(str(key))} {_cell(each)}" for key, each in value.items()) or "-"
    if isinstance(value, Sequence):
        return ", ".join(_cell(each) for each in value) or "-"
    return str(value)


def _heading(key: str) -> str:
    return key.replace("_", " ")


def _print_table(rows: Sequence[Document], columns: Sequence[str], nothing: str) -> None:
    from rich import box  # optional import: only for people
    from rich.console import Console  # optional import
    from rich.table import Table  # optional import
    from rich.text import Text  # optional import

    if not rows:
        click.echo(nothing)
        return
    table = Table(*map(_heading, columns), box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(_cell(row[column])) for column in columns))
    Console().print(table)


def _print_columns(rows: Sequence[Document], columns: Sequence[str]) -> None:
    lines = [[_heading(column).upper() for column in columns]]
    lines += [[_cell(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, each)) for each in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _fields(document: Document, indent: str = "") -> Iterator[str]:
    width = max((len(_heading(key)) for key in document), default=0)
    for key, value in document.items():
        label = f"{indent}{_heading(key):<{width}}"
        if isinstance(value, Mapping) and value:
            yield label.rstrip()
            yield from _fields(value, indent + "  ")
        elif isinstance(value, Sequence) and value and all(isinstance(each, Mapping) for each in value):
            yield label.rstrip()
            yield from (f"{indent}  {_cell(each)}" for each in value)
        else:
            yield f"{label}  {_cell(value)}"
