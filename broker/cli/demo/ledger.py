"""What was promised, and what was seen: printed as it happens, and as a table at the end."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Line:
    """One promise, what was seen of it, and whether it held."""

    promise: str
    seen: str
    held: bool


class Ledger:
    """Tells the story on a console and keeps the score."""

    def __init__(self, console: Console) -> None:
        self.lines: list[Line] = []
        self._console = console
        self._started = time.monotonic()

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self._console.print(f"\n[bold]{title}[/bold]")

    def tell(self, text: str) -> None:
        """Say what happens."""
        self._console.print(f"  {text}", highlight=False, soft_wrap=True)

    def check(self, promise: str, held: bool, seen: str) -> None:
        """Note one promise and what was seen."""
        self.lines.append(Line(promise, seen, held))
        mark = "[green]✓[/green]" if held else "[red]✗[/red]"
        self._console.print(f"  {mark} {escape(promise)}: {escape(seen)}", highlight=False, markup=True, soft_wrap=True)

    @property
    def held(self) -> bool:
        """Whether everything held; nothing noted is not everything."""
        return bool(self.lines) and all(line.held for line in self.lines)

    def table(self) -> None:
        """Print the table."""
        table = Table(title="What was promised, and what was seen", title_justify="left", title_style="bold")
        table.add_column("")
        table.add_column("promised")
        table.add_column("seen")
        for line in self.lines:
            table.add_row("[green]✓[/green]" if line.held else "[red]✗[/red]", escape(line.promise), escape(line.seen))
        self._console.print()
        self._console.print(table)
        held = sum(line.held for line in self.lines)
        seconds = time.monotonic() - self._started
        self._console.print(f"{held} of {len(self.lines)} held, in {seconds:.1f} s.", highlight=False, soft_wrap=True)
