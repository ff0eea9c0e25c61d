"""The command as a whole: its options, its exit codes, and how it fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from broker.cli.main import COMMANDS, Root, root
from tests.cli.desk import Desk, refusal, run
from tests.serving import COMMAND, environment

PRINTS_NO_DOCUMENT = {"serve", "demo"}
CHANGES = {
    "features": {"launch", "suspend", "resume", "narrow", "schedule", "shut-down", "reopen"},
    "partners": {"suspend", "resume"},
    "clients": {"register", "disable", "rotate-secret"},
    "resource-servers": {"register", "disable"},
    "grants": {"revoke"},
    "users": {"register", "disable", "enable", "set-password"},
    "operators": {"token"},
    "approvals": {"approve"},
    "config": {"apply"},
    "nodes": {"retire"},
    "recover": {""},
}
READS = {
    "features": {"list", "show"},
    "partners": {"list", "show"},
    "clients": {"list"},
    "resource-servers": {"list"},
    "grants": {"list"},
    "access": {"list"},
    "audit": {"list", "verify", "export"},
    "users": {"list"},
    "operators": {"list"},
    "approvals": {"list"},
    "config": {"check", "plan"},
    "db": {"upgrade", "status"},
    "nodes": {"list"},
}


def _leaves() -> Iterator[tuple[str, str, click.Command]]:
    context = click.Context(root)
    for name in COMMANDS:
        command = root.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((name, leaf, found) for leaf, found in command.commands.items())
        else:
            yield name, "", command


def _options(command: click.Command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def test_every_command_is_there() -> None:
    found: dict[str, set[str]] = {}
    for group, leaf, _ in _leaves():
        found.setdefault(group, set()).update({leaf} - {""})
    groups = {name: (CHANGES.get(name, set()) | READS.get(name, set())) - {""} for name in COMMANDS}
    assert found == groups


def test_every_command_says_where_and_for_whom() -> None:
    for group, leaf, command in _leaves():
        if group not in PRINTS_NO_DOCUMENT:
            assert _options(command) >= {"--config", "--database", "--json"}, (group, leaf)


def test_every_command_that_changes_something_can_be_an_operators() -> None:
    for group, leaf, command in _leaves():
        assert ("--as" in _options(command)) == (leaf in CHANGES.get(group, set())), (group, leaf)


def test_no_command_takes_a_password_where_everybody_can_read_it() -> None:
    asking = [each for _, _, command in _leaves() for each in command.params if "password" in (each.name or "")]
    assert len(asking) == 2
    assert all(isinstance(each, click.Option) and each.is_flag for each in asking)


def test_help_needs_no_database_library() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from broker.cli.main import root;"
        "assert CliRunner().invoke(root, ['--help']).exit_code == 0;"
        "sys.exit(sorted({'sqlalchemy', 'alembic', 'rich', 'flask'} & set(sys.modules)) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")


def test_help_lists_every_command_with_a_line() -> None:
    listed = run("--help").stdout.partition("Commands:")[2]
    assert [line.split()[0] for line in listed.strip().splitlines()] == list(COMMANDS)


def test_the_version_is_one_line() -> None:
    result = run("--version")
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(r"broker (\d+\.\d+\.\d+|from a checkout)\n", result.stdout)


def test_options_count_wherever_they_stand(desk: Desk) -> None:
    expected = desk.json("features", "list")
    where = ("--database", desk.url, "--json")
    for arguments in (("features", "list", *where), ("features", *where, "list"), (*where, "features", "list")):
        assert json.loads(run(*arguments).stdout) == expected


def test_the_option_on_the_subcommand_counts(desk: Desk) -> None:
    result = run("--database", "sqlite:////nowhere/at/all.db", "features", "list", "--json", "--database", desk.url)
    assert len(json.loads(result.stdout)["features"]) == 8


def test_the_environment_stands_for_the_options(desk: Desk) -> None:
    env = {"BROKER_DATABASE_URL": desk.url, "BROKER_CONFIG": str(desk.files / "palaver.toml")}
    assert json.loads(run("config", "check", "--json", env=env).stdout)["config"] == env["BROKER_CONFIG"]
    assert len(json.loads(run("features", "list", "--json", env=env).stdout)["features"]) == 8


def test_an_option_stands_above_the_environment_which_is_then_not_judged(desk: Desk) -> None:
    env = {"BROKER_DATABASE_URL": "nonsense", "BROKER_CONFIG": "/nowhere/palaver.toml"}
    where = ("--database", desk.url, "--config", str(desk.files / "palaver.toml"))
    assert len(json.loads(run("features", "list", "--json", *where, env=env).stdout)["features"]) == 8
    assert refusal(run("features", "list", env=env)).startswith("/nowhere/palaver.toml: cannot be read")


def test_a_configuration_that_is_not_there_is_refused_in_one_line() -> None:
    line = refusal(run("features", "list", "--config", "/nowhere/palaver.toml"))
    assert line == "/nowhere/palaver.toml: cannot be read: No such file or directory"


@pytest.mark.parametrize("arguments", [["nonsense"], ["features", "nonsense"], ["features", "show"], ["--nonsense"]])
def test_wrong_usage_is_code_2(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_refusal_is_one_line_whatever_was_typed(desk: Desk) -> None:
    assert "\\x1b" in desk.refused("features", "show", "two\nlines\x1b[2J")
    assert len(desk.refused("features", "show", "x" * 5000)) > 5000


def test_only_an_operator_acts_as_one(desk: Desk) -> None:
    for name in ("alice", "nobody", "", "ops'; --"):
        assert (
            desk.refused("features", "suspend", "share-a-track", "--as", name) == f"{name!r} is not an active operator"
        )
        assert desk.refused("features", "shut-down", "share-a-track", "--as", name).endswith(
            "is not an active operator"
        )
    assert desk.json("features", "show", "share-a-track")["state"] == "active"


class _Broken(Root):
    """A broker with a bug in each of its commands."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        def fail() -> None:
            raise ZeroDivisionError("first line\nsecond line")

        return click.Command(cmd_name, callback=fail)


def test_a_bug_is_named_as_one_in_one_line() -> None:
    result = CliRunner().invoke(_Broken(), ["features"], env={"BROKER_TRACEBACK": None})
    line = refusal(result)
    assert line.startswith("internal error, ZeroDivisionError: first line second line")
    assert "BROKER_TRACEBACK=1" in line


def test_a_bug_shows_where_it_is_when_asked() -> None:
    result = CliRunner().invoke(_Broken(), ["features"], env={"BROKER_TRACEBACK": "1"})
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Traceback" in result.stderr
    assert "in fail" in result.stderr


def test_a_reader_who_has_gone_is_no_news(desk: Desk) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as stdout:
        result = subprocess.run(
            [*COMMAND, "audit", "export", "--database", desk.url],
            stdout=stdout, stderr=subprocess.PIPE, env=environment(), check=False, timeout=60,
        )  # fmt: skip
    assert (result.returncode, result.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
@pytest.mark.parametrize("command", [["features", "list"], ["audit", "export"]])
def test_an_output_that_cannot_be_written_is_a_failure(desk: Desk, command: list[str]) -> None:
    with Path("/dev/full").open("wb") as stdout:
        result = subprocess.run(
            [*COMMAND, *command, "--database", desk.url],
            stdout=stdout, stderr=subprocess.PIPE, env=environment(), check=False, timeout=60,
        )  # fmt: skip
    assert result.returncode == 1
    assert result.stderr.count(b"\n") == 1
    assert result.stderr.startswith(b"broker: ")
