"""The options that every command has: which broker (--config, --database), and for whom (--json).

They may stand before a subcommand or on it; the one on the subcommand counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from broker.domain.instants import Instant, parse_rfc3339

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(slots=True)
class Given:
    """What the options of one call say."""

    config_file: Path | None = None
    database_url: str | None = None
    as_json: bool = False
    operator: str | None = None


def _remember(context: click.Context, option: click.Parameter, value: object) -> None:
    given = context.find_root().ensure_object(Given)
    if value is not None and value is not False:
        assert option.name is not None
        setattr(given, option.name, value)


def _option(*names: str, help: str, **more: Any) -> click.Option:
    return click.Option(names, help=help, expose_value=False, callback=_remember, **more)


def _where() -> list[click.Parameter]:
    return [
        _option("--config", "config_file", type=click.Path(path_type=Path), metavar="FILE",
                help="Configuration; else $BROKER_CONFIG, else the development one."),
        _option("--database", "database_url", metavar="URL",
                help="sqlite:///FILE or postgresql://...; else $BROKER_DATABASE_URL, else as configured."),
    ]  # fmt: skip


def _form() -> list[click.Parameter]:
    return [_option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")]


class Command(click.Command):
    """A command that says where the broker is and prints for people or, with --json, for programs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [*_where(), *_form()]


class SilentCommand(click.Command):
    """A command whose output is not a document."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _where()


class Group(click.Group):
    """A group of such commands."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [*_where(), *_form()]


def as_operator(*, required: bool = False) -> Callable[[Decorated], Decorated]:
    """--as OPERATOR, on every command that changes something: whom the log names."""
    return click.option(
        "--as", "operator", metavar="OPERATOR", required=required, expose_value=False, callback=_remember,
        help="Act as this operator; else the log names the command line.",
    )  # fmt: skip


class Moment(click.ParamType[Instant]):
    """An RFC 3339 time."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Instant:
        try:
            return parse_rfc3339(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a time with its offset, such as 2026-12-31T00:00:00Z", param, ctx)


MOMENT = Moment()
