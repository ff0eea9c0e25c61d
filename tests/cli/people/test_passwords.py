"""A password that somebody types at a terminal."""

from __future__ import annotations

import os
import pty
import subprocess

from broker.operations.people import accounts
from tests.cli.desk import Desk
from tests.serving import COMMAND, environment


def _set_by_typing(desk: Desk, *typed: str) -> tuple[int, str]:
    """Change alice's password at a terminal; the exit code, and what the terminal showed."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "users", "set-password", "alice", "--database", desk.url],
        stdin=slave, stdout=subprocess.PIPE, stderr=slave, env=environment(), start_new_session=True,
    ) as process:  # fmt: skip
        os.close(slave)
        shown = ""
        for line in typed:
            while not shown.endswith(": "):
                shown += os.read(master, 1024).decode()
            os.write(master, f"{line}\n".encode())
            shown += "\n"
        code = process.wait(60)
    os.close(master)
    return code, shown


def _can_log_in(desk: Desk, password: str) -> bool:
    with desk.world.database.read() as transaction:
        return accounts.check_password(transaction, "alice", password) is not None


def test_a_password_is_typed_twice_and_never_shown(desk: Desk) -> None:
    code, shown = _set_by_typing(desk, "typed twice", "typed twice")
    assert code == 0
    assert "typed twice" not in shown
    assert _can_log_in(desk, "typed twice")
