"""Passwords: Argon2id, slow on purpose, and the same for one that nobody has."""

from __future__ import annotations

import os

import pytest

from broker.domain.errors import Refused
from broker.operations.people import passwords


def test_a_password_is_hashed_with_the_parameters_of_the_checklist_and_a_salt_of_its_own() -> None:
    one, other = (passwords.hash_password("correct horse", os.urandom) for _ in range(2))
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != other
    assert passwords.matches("correct horse", one)
    assert passwords.matches("correct horse", other)
    assert not passwords.matches("correct horsf", one)


def test_equal_texts_in_different_code_points_are_one_password() -> None:
    stored = passwords.hash_password("caf\u00e9 cr\u00e8me", os.urandom)
    assert passwords.matches("cafe\u0301 cre\u0300me", stored)


@pytest.mark.parametrize(
    "stored", ["", "plain text", "$argon2id$v=19$m=19456,t=2,p=1$x", "$2b$12$abcdefghijklmnopqrstuv"]
)
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not passwords.matches("correct horse", stored)


def test_the_hash_of_nobody_is_as_slow_and_matches_nothing() -> None:
    assert passwords.NOBODY.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    for password in ("", "correct horse", "\ud800", "a" * 128):
        assert not passwords.matches(password, passwords.NOBODY)


def test_a_very_long_password_is_refused_before_it_costs_anything() -> None:
    assert not passwords.matches("a" * 129, "no hash at all, so computing it would be an error")


@pytest.mark.parametrize(("length", "decent"), [(7, False), (8, True), (128, True), (129, False)])
def test_a_password_has_a_decent_length(length: int, decent: bool) -> None:
    if decent:
        passwords.require_decent("a" * length)
    else:
        with pytest.raises(Refused, match="8 to 128 characters"):
            passwords.require_decent("a" * length)
