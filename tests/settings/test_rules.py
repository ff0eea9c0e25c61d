"""Rules for single values."""

from __future__ import annotations

import pytest

from broker.settings import rules


@pytest.mark.parametrize(
    "uri",
    ["https://palaver.example", "https://palaver.example:8443", "http://127.0.0.1:8000", "http://localhost", "http://[::1]:1"],
)  # fmt: skip
def test_an_issuer_is_an_https_origin_or_on_loopback(uri: str) -> None:
    assert rules.problem_with_issuer(uri) is None


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "palaver.example",
        "https://",
        "https://palaver.example/",
        "https://palaver.example/oauth",
        "https://palaver.example?x=1",
        "https://palaver.example#x",
        "https://user@palaver.example",
        "https://palaver.example:99999",
        "https://[::1",
        "https://p\u0430laver.example",
        "https://PALAVER.example",
        "https://palaver .example",
        "http://palaver.example",
        "http://127.0.0.1.palaver.example",
        "ftp://palaver.example",
    ],
)
def test_what_is_no_such_origin_is_refused(uri: str) -> None:
    assert rules.problem_with_issuer(uri) is not None


@pytest.mark.parametrize("host", ["palaver.example", "localhost", "127.0.0.1", "[::1]", "a"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert rules.problem_with_host(host) is None


@pytest.mark.parametrize("host", ["", "*", ".palaver.example", "Palaver.example", "localhost:80", "::1", "a b", "a\n"])
def test_a_host_has_no_port_wildcard_or_capitals(host: str) -> None:
    assert rules.problem_with_host(host) is not None


@pytest.mark.parametrize(
    "url", ["sqlite:///broker.db", "sqlite:////var/broker.db", "postgresql://u:p@h:5432/b?sslmode=require"]
)
def test_a_database_is_a_sqlite_file_or_postgresql(url: str) -> None:
    assert rules.problem_with_database_url(url) is None


@pytest.mark.parametrize(
    "url", ["", "sqlite://", "sqlite:///", "sqlite:///a\n", "postgres://h/b", "postgresql+psycopg2://h/b"]
)
def test_any_other_database_is_refused(url: str) -> None:
    assert rules.problem_with_database_url(url) is not None


def test_a_secret_key_is_counted_in_bytes() -> None:
    assert rules.problem_with_secret_key("\u00e9" * 16) is None
    assert rules.problem_with_secret_key("\u00e9" * 15) == "must have at least 32 bytes, has 30"


def test_a_secret_key_of_raw_bytes_stays_what_it_was_in_the_environment() -> None:
    raw = bytes(range(128, 160))
    key = raw.decode("utf-8", "surrogateescape")
    assert rules.problem_with_secret_key(key) is None
    assert rules.secret_key_bytes(key) == raw


@pytest.mark.parametrize("secret", ["dev-only-short", "x" * 40, "dev-only-" + "\u00e9" * 40])
def test_a_development_secret_is_long_plain_and_says_what_it_is(secret: str) -> None:
    assert rules.problem_with_development_secret(secret) is not None


@pytest.mark.parametrize("pattern", ["", "/etc/*.toml", "**/*.toml", "**x", "a\0b"])
def test_a_pattern_stays_beside_the_configuration(pattern: str) -> None:
    assert rules.problem_with_pattern(pattern) is not None


def test_a_file_has_a_name_that_can_be_printed() -> None:
    assert rules.problem_with_path("scopes.toml") is None
    assert rules.problem_with_path("a\0b") is not None
