"""What went wrong, in one line."""

from __future__ import annotations

import pytest

from broker.cli.failures import failure_of
from broker.domain.errors import Conflict, NotFound, Undecided
from broker.settings import ConfigError, Problem

_PROBLEMS = [Problem("palaver.toml", "issuer", "is not https"), Problem("scopes.toml", "", "is not TOML")]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NotFound("there is no feature 'x'"), "there is no feature 'x'"),
        (Conflict("it is shut down already"), "it is shut down already"),
        (Undecided("the database is busy"), "cannot decide now: the database is busy"),
        (ConfigError(_PROBLEMS[:1]), "palaver.toml: issuer: is not https"),
        (ConfigError(_PROBLEMS), "palaver.toml: issuer: is not https (and 1 more; see: broker config check)"),
        (PermissionError(13, "Permission denied", "/var/spools"), "/var/spools: Permission denied"),
        (OSError("no room"), "no room"),
    ],
)
def test_a_refusal_says_why_in_the_words_of_whoever_refused(error: Exception, line: str) -> None:
    assert failure_of(error).format_message() == line


def test_what_nobody_foresaw_is_called_an_error_of_ours() -> None:
    line = failure_of(KeyError("epoch")).format_message()
    assert line == "internal error, KeyError: 'epoch' (BROKER_TRACEBACK=1 shows where)"


def test_a_message_of_several_lines_is_one_line() -> None:
    assert failure_of(NotFound("first\n  second\x1b[0m\r\nthird")).format_message() == "first second\\x1b[0m third"
