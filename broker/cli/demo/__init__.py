"""``broker demo``: the whole story with real processes, over real HTTP."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broker.web.runtime import STATE

if TYPE_CHECKING:
    from rich.console import Console

    from broker.cli.demo.world import World


@click.command()
@click.option("--stay", is_flag=True, help="Play nothing: leave the world up, to explore.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=None, help="The broker's port; a free one for the story."
)
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True)
def demo(stay: bool, port: int | None, workers: int) -> None:
    """Play the whole story on a copy of the configuration, or leave that world up (--stay)."""
    from rich.console import Console  # optional import: heavy, and only commands that print for people need it

    console = Console()
    if not console.is_terminal:
        console = Console(width=110)  # a log has no width of its own
    directory = _directory(stay)
    try:
        held = _stay(console, directory, port, workers) if stay else _play(console, directory, port or 0, workers)
    finally:
        if not stay:
            shutil.rmtree(directory, ignore_errors=True)
    if not held:
        raise click.exceptions.Exit(1)


def _directory(stay: bool) -> Path:
    if not stay:
        return Path(tempfile.mkdtemp(prefix="palaver-demo-"))
    place = STATE / "demo"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


def _play(console: Console, directory: Path, port: int, workers: int) -> bool:
    from broker.cli.demo.ledger import Ledger  # optional import: with rich
    from broker.cli.demo.story import Story  # optional import: with an HTTP client
    from broker.cli.demo.world import running  # optional import: with all of the settings

    ledger = Ledger(console)
    ledger.chapter("A social network, and three partners, as processes of their own")
    with running(directory, port=port, workers=workers) as world, ExitStack() as stack:
        for process in (world.broker, *world.partners.values()):
            ledger.tell(f"{process.name:<10} {process.url}")
        Story(world, ledger, stack).tell()
    ledger.table()
    return ledger.held


def _stay(console: Console, directory: Path, port: int | None, workers: int) -> bool:
    from broker.cli.demo.world import running  # optional import: with all of the settings

    with running(directory, port=8000 if port is None else port, workers=workers) as world:
        _explain(console, world)
        over = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: over.set())
        while not over.wait(3600):
            pass
    console.print("\nended")
    return True


def _explain(console: Console, world: World) -> None:
    from broker.cli.demo.world import PARTNERS  # optional import: with all of the settings

    console.print("\n[bold]Palaver is up.[/bold] Ctrl-C ends it.\n")
    console.print(f"  Palaver     {world.broker.url}", highlight=False)
    for name, process in world.partners.items():
        console.print(f"  {PARTNERS[name][0]:<11} {process.url}", highlight=False)
    console.print(
        "\n  People: alice, bob, carol, dave, erin. Operators: ops, ops2. Partners: tuneloop, reelwise, northbank."
    )
    console.print("  Everybody's password is their name and -demo: alice-demo.\n", highlight=False)
    console.print("  For the commands in the README, in a second terminal:\n")
    for name, value in world.environ().items():
        console.print(f"  export {name}={value}", highlight=False, soft_wrap=True)
