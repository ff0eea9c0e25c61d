"""What a configuration must not say as a whole."""

from __future__ import annotations

import shutil

import pytest

from broker.settings import DEVELOPMENT, ConfigError, load, problems_with_binding, unsafe_defaults
from tests.settings.conftest import Configuration

_KEY = "BROKER_SECRET_KEY"
_REAL = "n7Qx2ZkV9TfLc4mJw8HsYp3Gd6RbEaU5"
_SECRET = 'development_secret = "dev-only-0123456789abcdef0123456789abcdef"'


@pytest.fixture
def production(configuration: Configuration) -> Configuration:
    """The small configuration, made fit for production; its key comes from the environment."""
    configuration.change(configuration.main, '"development"', '"production"')
    configuration.change(configuration.main, 'secret_key = "dev-only-0123456789abcdef0123456789abcdef"', "")
    configuration.change(configuration.main, 'demo = "demo.toml"', "")
    hosts = 'allowed_hosts = ["palaver.example"]\nissuer = "https://palaver.example"\nbehind_proxy = true\n[files]'
    configuration.change(configuration.main, "[files]", hosts)
    return configuration


def test_a_safe_configuration_is_taken(production: Configuration) -> None:
    settings = production.load(**{_KEY: _REAL})
    assert settings.environment == "production"
    assert settings.secret_key == _REAL.encode()
    assert settings.tls
    assert unsafe_defaults(settings) == ()
    assert problems_with_binding(settings, "0.0.0.0") == ()


def test_the_development_key_is_refused(production: Configuration) -> None:
    assert production.problems(**{_KEY: "dev-only-0123456789abcdef0123456789abcdef"}) == [
        "palaver.toml: secret_key: is the development one; set BROKER_SECRET_KEY to 32 random bytes",
    ]


def test_a_short_key_is_refused(production: Configuration) -> None:
    assert production.problems(**{_KEY: "short"}) == [
        "environment: BROKER_SECRET_KEY: must have at least 32 bytes, has 5",
    ]


def test_no_key_is_refused(production: Configuration) -> None:
    assert production.problems() == [
        "palaver.toml: secret_key: is missing; set it, or BROKER_SECRET_KEY in the environment",
    ]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('issuer = "https://palaver.example"', "", "issuer: is not https"),
        ("https://palaver.example", "http://127.0.0.1:8000", "issuer: is not https"),
        ('allowed_hosts = ["palaver.example"]', "", "allowed_hosts: must name exactly the public hosts"),
        ('["palaver', '["localhost", "palaver', "allowed_hosts: must name exactly the public hosts, no loopback ones"),
        ("[limits]", "[limits]\nenabled = false", "limits.enabled: must be true"),
        ("partners =", 'demo = "demo.toml"\npartners =', "files.demo: the demo world, whose passwords are public"),
        (
            'scopes = ["messages:read"]',
            f'scopes = ["messages:read"]\n{_SECRET}',
            "resource_server[0].development_secret: a file may carry a secret in development only",
        ),
    ],
)  # fmt: skip
def test_a_development_default_is_refused(old: str, new: str, problem: str, production: Configuration) -> None:
    production.change(production.main, old, new)
    problems = production.problems(**{_KEY: _REAL})
    assert [each for each in problems if each.startswith(f"palaver.toml: {problem}")], problems


def test_a_client_secret_in_a_file_is_refused(production: Configuration) -> None:
    production.change(production.partner, "redirect_uris", f"{_SECRET}\nredirect_uris")
    assert production.problems(**{_KEY: _REAL}) == [
        (
            "partners/tuneloop.toml: feature[0].clients[0].development_secret: "
            "a file may carry a secret in development only"
        ),
    ]


def test_the_host_of_the_issuer_is_among_the_hosts(production: Configuration) -> None:
    production.change(production.main, '["palaver.example"]', '["other.example"]')
    assert production.problems(**{_KEY: _REAL}) == [
        "palaver.toml: allowed_hosts: must have the issuer's host, palaver.example",
    ]


def test_the_host_of_an_issuer_may_be_an_address(configuration: Configuration) -> None:
    configuration.change(configuration.main, "[files]", 'issuer = "http://[::1]:8000"\n[files]')
    assert configuration.load().issuer == "http://[::1]:8000"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost"])
def test_development_may_listen_on_loopback(host: str, configuration: Configuration) -> None:
    assert problems_with_binding(configuration.load(), host) == ()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "palaver.example", ""])
def test_development_may_listen_nowhere_else(host: str, configuration: Configuration) -> None:
    keys = [problem.key for problem in problems_with_binding(configuration.load(), host)]
    assert keys == ["secret_key", "issuer", "allowed_hosts", "files.demo", "behind_proxy"]


def test_production_listens_publicly_only_behind_a_declared_proxy(production: Configuration) -> None:
    production.change(production.main, "behind_proxy = true", "")
    (problem,) = problems_with_binding(production.load(**{_KEY: _REAL}), "0.0.0.0")
    assert (problem.key, problem.expected) == ("behind_proxy", "must be true to listen on 0.0.0.0: TLS ends in a proxy")


def test_the_example_needs_nothing_but_a_key(configuration: Configuration) -> None:
    for name in ("production.example.toml", "scopes.toml"):
        shutil.copy(DEVELOPMENT.with_name(name), configuration.directory)
    example = configuration.directory / "production.example.toml"
    assert unsafe_defaults(load(example, {_KEY: _REAL})) == ()
    with pytest.raises(ConfigError, match="secret_key: is missing"):
        load(example)


def test_what_ships_for_development_is_refused_in_production(configuration: Configuration) -> None:
    shutil.copytree(DEVELOPMENT.parent, configuration.directory / "shipped")
    configuration.main = configuration.directory / "shipped" / "palaver.toml"
    configuration.change(configuration.main, 'environment = "development"', 'environment = "production"')
    keys = [problem.split(": ")[1] for problem in configuration.problems()]
    assert keys == [
        "secret_key",
        "issuer",
        "allowed_hosts",
        "limits.enabled",
        "files.demo",
        "resource_server[0].development_secret",
        *["feature[0].clients[0].development_secret"] * 3,
    ]
