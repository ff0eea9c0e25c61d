"""What is wrong with a configuration, in one line."""

from __future__ import annotations

from broker.settings import ConfigError, Problem


def test_one_problem_is_one_line_with_file_key_and_expectation() -> None:
    error = ConfigError([Problem("palaver.toml", "lifetimes.code", "expected a duration")])
    assert str(error) == "palaver.toml: lifetimes.code: expected a duration"


def test_several_problems_name_the_first_and_count_the_rest() -> None:
    problems = tuple(Problem("palaver.toml", key, "is missing") for key in ("issuer", "name", "secret_key"))
    error = ConfigError(problems)
    assert str(error) == "palaver.toml: issuer: is missing (and 2 more)"
    assert error.problems == problems


def test_a_problem_of_a_whole_file_has_no_key() -> None:
    assert str(Problem("palaver.toml", "", "is not TOML")) == "palaver.toml: is not TOML"
