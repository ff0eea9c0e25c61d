"""broker serve: run the broker."""

from __future__ import annotations

import sys

import click

from broker.cli.commands import SilentCommand
from broker.cli.invocation import Invocation, pass_invocation


@click.command(cls=SilentCommand)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Where to listen.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="How many processes.")
@pass_invocation
def serve(cli: Invocation, host: str, port: int, workers: int) -> None:
    """Run the broker until SIGTERM; prints `ready URL` once all workers accept.

    An empty database is set up first; in the development configuration with the demo world.
    """
    from broker.web.serve import serve as run  # optional import: the web and its server are heavy

    sys.exit(run(cli.settings, cli.database_url, host, port, workers))
