"""Passwords come from a prompt or from stdin, never from the command line, which everybody on the machine can read."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from broker.cli.commands import Decorated


def password_option() -> Callable[[Decorated], Decorated]:
    """--password-stdin, for programs; people are asked."""
    return click.option("--password-stdin", is_flag=True, help="Read the password from stdin, one line.")


def new_password(from_stdin: bool) -> str:
    """The new password: a line of stdin, or what somebody types twice."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask for the password; use --password-stdin")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return typed
