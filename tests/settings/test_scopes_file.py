"""scopes.toml: the vocabulary."""

from __future__ import annotations

import pytest

from broker.settings import Scope
from tests.settings.conftest import Configuration


def test_scopes_needs_and_combinations_are_read(configuration: Configuration) -> None:
    register = configuration.load().register
    assert register.scopes["messages:read"] == Scope(
        name="messages:read",
        title="Read your messages",
        text="Every message in the conversations that you choose.",
        example="It can read what your sister wrote.",
        sensitive=True,
    )
    assert not register.scopes["messages:write"].sensitive
    assert register.needs["send"] == ("messages:write",)
    assert register.baseline["send"] == frozenset({"messages:write"})
    assert register.forbidden_combinations == (frozenset({"messages:read", "contacts:read"}),)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            'name = "contacts:read"',
            'name = "operate"',
            "scope[2].name: unknown scope 'operate'; known are contacts:read, friends:read, messages:delete,",
        ),
        ('name = "contacts:read"', 'name = "messages:read"', "scope: expected each name once"),
        ('title = "See your address book"', "", "scope[2].title: is missing; expected a text"),
        ("sensitive = true", 'sensitive = "very"', "scope[0].sensitive: expected true or false, found 'very'"),
        ("sensitive = true", "colour = 1", "scope[0].colour: unknown key; known are name, title, text, example"),
        ("a song.", "\u202ea song.", "scope[1].example: must not have control, direction or invisible"),
        ('send = ["messages:write"]', 'send = ["x"]', "needs.send[0]: unknown scope 'x'; known are"),
        ('send = ["messages:write"]', "send = []", "needs.send: expected at least 1, found 0"),
        (
            'scopes = ["messages:read", "contacts:read"]',
            'scopes = ["messages:read"]',
            "forbidden_combination[0].scopes: expected at least 2, found 1",
        ),
        ("because", "reason", "forbidden_combination[0].because: is missing; expected a text"),
        ("[needs]", "[nedes]", "nedes: unknown key; known are scope, needs, forbidden_combination"),
    ],
)
def test_a_mistake_is_named(old: str, new: str, problem: str, configuration: Configuration) -> None:
    configuration.change(configuration.scopes, old, new)
    problems = configuration.problems()
    assert [each for each in problems if each.startswith(f"scopes.toml: {problem}")], problems


def test_a_broken_vocabulary_judges_no_partner(configuration: Configuration) -> None:
    configuration.change(configuration.scopes, "[needs]", "[needs")
    (problem,) = configuration.problems()
    assert problem.startswith("scopes.toml: is not TOML: ")
