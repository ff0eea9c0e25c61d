"""What went wrong, as one line on stderr and exit code 1."""

from __future__ import annotations

from typing import IO, Any

import click

from broker.cli.output import printable
from broker.domain.errors import BrokerError, Undecided
from broker.settings import ConfigError


class Failure(click.ClickException):
    """Nothing was printed on stdout; this line says why."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(printable(" ".join(message.split())))

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"broker: {self.format_message()}", file=file, err=True)


def failure_of(error: Exception) -> Failure:
    """The failure that an exception means; a bug is named as one, and never taken for a refusal."""
    if isinstance(error, Undecided):
        return Failure(f"cannot decide now: {error}")
    if isinstance(error, ConfigError):
        more = len(error.problems) - 1
        return Failure(f"{error.problems[0]}" + (f" (and {more} more; see: broker config check)" if more else ""))
    if isinstance(error, BrokerError):
        return Failure(str(error))
    if isinstance(error, OSError):
        return Failure(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    return Failure(f"internal error, {type(error).__name__}: {error} (BROKER_TRACEBACK=1 shows where)")
