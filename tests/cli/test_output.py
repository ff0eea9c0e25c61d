"""Results: for people at a terminal, for pipes, and for programs."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Sequence

import pytest

from broker.cli.output import Document, Output, printable
from tests.cli.desk import Desk
from tests.serving import COMMAND, environment

ROWS: list[Document] = [{"id": "one", "ends_at": None, "live": True, "scopes": ["a", "b"]},
        {"id": "another", "ends_at": "2100", "live": False, "scopes": []}]  # fmt: skip


def on_a_terminal(arguments: Sequence[str], *, stderr_too: bool = False) -> str:
    """What a command prints when its stdout is a terminal, 160 columns wide."""
    master, slave = pty.openpty()
    env = environment({"COLUMNS": "160", "TERM": "xterm"})
    stderr = slave if stderr_too else subprocess.PIPE
    with subprocess.Popen([*COMMAND, *arguments], stdout=slave, stderr=stderr, env=env) as process:
        os.close(slave)
        seen = b""
        while chunk := _read(master):
            seen += chunk
        os.close(master)
        assert process.wait(60) == 0, process.stderr and process.stderr.read()
    return seen.decode().replace("\r\n", "\n")


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # EIO: nobody holds the other end any more
        return b""


def test_a_pipe_gets_aligned_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).list("grants", ROWS, ("id", "ends_at", "live", "scopes"))
    assert capsys.readouterr().out == (
        "ID       ENDS AT  LIVE  SCOPES\n"
        "one      -        yes   a, b\n"
        "another  2100     no    -\n"
    )  # fmt: skip


def test_a_program_gets_one_document_with_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).list("grants", ROWS, ("id",))
    assert json.loads(capsys.readouterr().out) == {"grants": ROWS}


def test_a_document_for_people_is_a_field_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    document = {"state": "shut_down", "ended": {"grants": 2}, "nodes": [], "ceiling": [{"scope": "a", "since": 1}]}
    Output(as_json=False).show(document, "it is over")
    assert capsys.readouterr().out == (
        "it is over\n"
        "\n"
        "state    shut_down\n"
        "ended\n"
        "  grants  2\n"
        "nodes    -\n"
        "ceiling\n"
        "  scope a, since 1\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë's café", "Zoë's café"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("two\nlines", "two\\nlines"),
        ("\u202eback", "\\u202eback"),
        ("\ud800", "\\ud800"),
    ],
)
def test_nothing_moves_the_cursor_or_turns_the_direction(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_reason_cannot_command_the_terminal_of_whoever_reads_it(desk: Desk) -> None:
    desk.says("features", "shut-down", "share-a-track", "--reason", "\x1b]0;owned\x07[bold]")
    for printed in (desk.says("audit", "list"), desk.says("audit", "list", "--json"), desk.says("audit", "export")):
        assert "\x1b" not in printed
    assert desk.log()[0]["details"]["reason"] == "\x1b]0;owned\x07[bold]"


def test_people_at_a_terminal_get_a_table(desk: Desk) -> None:
    seen = on_a_terminal(["features", "list", "--database", desk.url])
    assert "───" in seen
    assert "share-a-track" in seen
    assert "partner" in seen


def test_long_work_shows_how_far_it_is_to_whoever_watches(desk: Desk) -> None:
    arguments = ["audit", "verify", "--database", desk.url]
    assert "verifying" in on_a_terminal(arguments, stderr_too=True)
    assert "verifying" not in on_a_terminal(arguments)


def test_an_empty_table_says_so(desk: Desk) -> None:
    assert on_a_terminal(["grants", "list", "--database", desk.url]) == "no grants\n"


def test_a_program_gets_the_same_document_on_a_terminal(desk: Desk) -> None:
    seen = on_a_terminal(["features", "list", "--json", "--database", desk.url])
    assert json.loads(seen) == desk.json("features", "list")
