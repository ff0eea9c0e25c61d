"""Scopes: reading the parameter strictly, and writing it in one way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain import scopes


@pytest.mark.parametrize(
    ("text", "names"),
    [("", set()), ("messages:read", {"messages:read"}), ("b a b", {"a", "b"}), ("!~[]", {"!~[]"})],
)
def test_a_scope_parameter_is_names_with_single_spaces(text: str, names: set[str]) -> None:
    assert scopes.parse(text) == names


@pytest.mark.parametrize("text", [" ", "a  b", " a", "a ", "a\tb", 'a"b', "a\\b", "\u00e9", "a\0", "a\n"])
def test_what_is_no_scope_parameter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not allow"):
        scopes.parse(text)


def test_a_flood_of_scopes_is_refused() -> None:
    assert len(scopes.parse(" ".join(f"s{number}" for number in range(32)))) == 32
    with pytest.raises(ValueError, match="more than 32 scopes"):
        scopes.parse(" ".join(f"s{number}" for number in range(33)))
    with pytest.raises(ValueError, match="longer than 1000 characters"):
        scopes.parse("s" * 1001)


@given(st.frozensets(st.sampled_from(sorted(scopes.USER_SCOPES))))
def test_what_is_written_is_read_back_and_equal_sets_are_equal_texts(names: frozenset[str]) -> None:
    assert scopes.parse(scopes.format(names)) == names
    assert scopes.format(names) == scopes.format(sorted(names, reverse=True))


def test_the_user_s_scopes_reach_users_and_the_client_s_own_does_not() -> None:
    assert scopes.MESSAGES < scopes.BY_CONVERSATION < scopes.USER_SCOPES
    assert {scopes.STANDING_READ, scopes.OPERATE}.isdisjoint(scopes.USER_SCOPES)
