"""broker users."""

from __future__ import annotations

import pytest

from broker.operations.people import accounts
from tests.cli.desk import Desk


def _can_log_in(desk: Desk, username: str, password: str) -> bool:
    with desk.world.database.read() as transaction:
        return accounts.check_password(transaction, username, password) is not None


def test_the_list_has_every_account_and_no_hash(desk: Desk) -> None:
    listed = {each["username"]: each for each in desk.json("users", "list")["users"]}
    assert {"alice", "bob", "carol", "dave", "erin", "ops", "ops2", "tuneloop"} <= set(listed)
    assert listed["tuneloop"] == {"username": "tuneloop", "display_name": "TuneLoop", "role": "partner",
                                  "partner": "tuneloop", "state": "active"}  # fmt: skip
    assert "argon2" not in desk.says("users", "list", "--json")


def test_disabling_ends_what_the_user_granted_and_enabling_brings_it_back(each_desk: Desk) -> None:
    held = each_desk.world.connect("alice", "tuneloop-share")
    assert each_desk.json("users", "disable", "alice", "--as", "ops")["state"] == "disabled"
    assert each_desk.world.says(held.access) == "user-disabled"
    assert not _can_log_in(each_desk, "alice", "alice-demo")
    assert each_desk.refused("users", "disable", "alice") == "user alice is disabled already"
    assert each_desk.json("users", "enable", "alice", "--as", "ops")["state"] == "active"
    assert each_desk.world.says(held.access) == "allowed"
    assert each_desk.refused("users", "enable", "alice") == "user alice is not disabled"


def test_an_operator_cannot_disable_themselves(desk: Desk) -> None:
    assert desk.refused("users", "disable", "ops", "--as", "ops") == "who acts cannot disable themselves"


def test_an_operator_who_was_disabled_acts_no_more(desk: Desk) -> None:
    desk.json("users", "disable", "ops", "--as", "ops2")
    assert desk.refused("features", "suspend", "share-a-track", "--as", "ops") == "'ops' is not an active operator"


def test_a_new_password_ends_tokens_and_leaves_grants(each_desk: Desk) -> None:
    held = each_desk.world.connect("alice", "tuneloop-share")
    each_desk.json("users", "set-password", "alice", "--password-stdin", "--as", "ops", stdin="a longer one\n")
    assert _can_log_in(each_desk, "alice", "a longer one")
    assert not _can_log_in(each_desk, "alice", "alice-demo")
    assert each_desk.world.says(held.access) == "token-revoked"
    assert [each["live"] for each in each_desk.json("grants", "list", "--user", "alice")["grants"]] == [True]
    assert "a longer one" not in str(each_desk.log(40))


@pytest.mark.parametrize("password", ["", "short", "x" * 129])
def test_a_password_that_is_none_is_refused(desk: Desk, password: str) -> None:
    line = desk.refused("users", "set-password", "alice", "--password-stdin", stdin=f"{password}\n")
    assert line == "a password has 8 to 128 characters"
    assert _can_log_in(desk, "alice", "alice-demo")


def test_without_a_terminal_a_password_must_come_by_stdin(desk: Desk) -> None:
    assert "--password-stdin" in desk.misused("users", "set-password", "alice")


def test_an_unknown_user_is_refused_by_name(desk: Desk) -> None:
    for command in (["disable"], ["enable"], ["set-password", "--password-stdin"]):
        assert desk.refused("users", *command, "mallory", stdin="long enough\n") == "there is no user 'mallory'"


def test_an_operator_can_be_registered_and_then_acts(desk: Desk) -> None:
    new = ("users", "register", "ops3", "--name", "Third operator", "--role", "operator", "--password-stdin")
    assert desk.json(*new, "--as", "ops", stdin="long enough\n") == {
        "username": "ops3", "display_name": "Third operator", "role": "operator", "partner": None, "state": "active",
    }  # fmt: skip
    assert _can_log_in(desk, "ops3", "long enough")
    assert desk.json("features", "suspend", "share-a-track", "--as", "ops3")["state"] == "suspended"
    assert desk.refused(*new, stdin="long enough\n") == "there is an account ops3 already"


def test_a_partner_login_is_of_a_partner_that_there_is(desk: Desk) -> None:
    new = ("users", "register", "loop2", "--name", "Loop", "--password-stdin")
    assert desk.refused(*new, "--role", "partner", "--partner", "nobody", stdin="long enough\n") == (
        "there is no partner 'nobody'"
    )
    assert "--partner" in desk.misused(*new, "--role", "partner")
    assert "--partner" in desk.misused(*new, "--partner", "tuneloop")
    registered = desk.json(*new, "--role", "partner", "--partner", "tuneloop", stdin="long enough\n")
    assert registered["partner"] == "tuneloop"
