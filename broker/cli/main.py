"""The command `broker`: which commands there are, and what their failures look like.

A command is imported when it is called, with the database's libraries if it needs them, so that help comes at once.
"""

from __future__ import annotations

import os
import traceback
from importlib import import_module, metadata
from typing import Any

import click

from broker.cli.commands import Group
from broker.cli.failures import failure_of

COMMANDS = {
    "serve": ("broker.cli.serve:serve", "Run the broker."),
    "features": ("broker.cli.register.features:features", "What partners may ask for, and its end."),
    "partners": ("broker.cli.register.partners:partners", "The organisations behind the features."),
    "clients": ("broker.cli.register.clients:clients", "OAuth clients, each of one feature."),
    "resource-servers": ("broker.cli.register.resource_servers:resource_servers", "Who may introspect tokens."),
    "nodes": ("broker.cli.nodes:nodes", "Who says yes from memory, and for how long."),
    "grants": ("broker.cli.evidence.grants:grants", "What people have permitted."),
    "access": ("broker.cli.evidence.access:access", "What was done with it."),
    "audit": ("broker.cli.evidence.audit:audit", "The log of what changed standing."),
    "users": ("broker.cli.people.users:users", "Accounts that can log in."),
    "operators": ("broker.cli.people.operators:operators", "Who may change standing."),
    "approvals": ("broker.cli.people.approvals:approvals", "What waits for a second operator."),
    "config": ("broker.cli.config:config", "What the files propose."),
    "backup": ("broker.cli.recovery:backup", "Copy a SQLite database while it is served."),
    "restore": ("broker.cli.recovery:restore", "Put a backup in a SQLite database's place."),
    "recover": ("broker.cli.recovery:recover", "After a restore: take again what was taken since."),
    "db": ("broker.cli.db:db", "The database's schema."),
    "doctor": ("broker.cli.doctor.command:doctor", "Say what is unsafe or unusual."),
    "demo": ("broker.cli.demo:demo", "Play the whole story with real processes."),
}


class Root(Group):
    """Loads commands by name, and turns every failure into one line and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get("BROKER_TRACEBACK"):
                traceback.print_exc()
            raise failure_of(error) from error


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        try:
            version = metadata.version("palaver-broker")
        except metadata.PackageNotFoundError:
            version = "from a checkout"
        click.echo(f"broker {version}")
        context.exit()


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
              help="Print the version.")  # fmt: skip
def root() -> None:
    """OAuth grants that are bound to a feature, and end with it.

    Exit codes: 0 done; 1 refused or failed, with one line on stderr that says why; 2 wrong usage.
    """


def main() -> None:
    """The console script."""
    root(prog_name="broker")


if __name__ == "__main__":
    main()
