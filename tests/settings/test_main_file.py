"""palaver.toml: the broker itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.settings import DatabaseSettings, Lifetimes, Limits
from broker.settings.settings import EnforcementSettings
from tests.settings.conftest import Configuration


def test_what_is_not_said_has_its_default(configuration: Configuration) -> None:
    settings = configuration.load()
    assert settings.name == "Palaver"
    assert settings.lifetimes == Lifetimes()
    assert settings.limits == Limits()
    assert settings.database == DatabaseSettings()
    assert settings.enforcement == EnforcementSettings(mode="strict", lease_ms=3000)
    assert settings.issuer is None
    assert settings.state_dir is None
    assert settings.allowed_hosts == ("127.0.0.1", "[::1]", "localhost")
    assert not settings.behind_proxy
    assert not settings.tls


def test_what_is_said_is_taken(configuration: Configuration) -> None:
    configuration.change(
        configuration.main,
        "[files]",
        'issuer = "http://localhost:8000"\nbehind_proxy = true\nstate_dir = "spool"\nname = "Palaver Two"\n[files]',
    )
    configuration.change(configuration.main, "[lifetimes]", '[lifetimes]\ncode = "30s"\ngrant = "366d"')
    configuration.change(configuration.main, "[limits]", "[limits]\nenabled = false\nlogin_failures = 3")
    configuration.change(
        configuration.main,
        "[database]",
        '[database]\nurl = "sqlite:////var/broker.db"\nlock_timeout = "300ms"\npool_size = 2',
    )
    settings = configuration.load()
    assert (settings.issuer, settings.behind_proxy, settings.name) == ("http://localhost:8000", True, "Palaver Two")
    assert settings.state_dir == configuration.directory / "spool"
    assert (settings.lifetimes.code_s, settings.lifetimes.grant_s) == (30, 366 * 86_400)
    assert (settings.limits.enabled, settings.limits.login_failures) == (False, 3)
    assert settings.database == DatabaseSettings(url="sqlite:////var/broker.db", lock_timeout_ms=300, pool_size=2)


def test_a_grant_lasts_twelve_months_at_most(configuration: Configuration) -> None:
    configuration.change(configuration.main, "[lifetimes]", '[lifetimes]\ngrant = "367d"')
    assert configuration.problems() == [
        "palaver.toml: lifetimes.grant: expected more than none and at most 366d, found '367d'",
    ]


@pytest.mark.parametrize("kind", ["refresh", "session"])
def test_an_idle_end_after_the_absolute_one_would_mean_nothing(kind: str, configuration: Configuration) -> None:
    ends = f'{kind}_idle = "2h"\n{kind}_absolute = "1h"'
    configuration.change(configuration.main, "[lifetimes]", f"[lifetimes]\n{ends}")
    assert configuration.problems() == [
        f"palaver.toml: lifetimes.{kind}_idle: must not be longer than {kind}_absolute",
    ]


@pytest.mark.parametrize("section", ["", "files.", "database.", "lifetimes.", "limits.", "resource_server[0]."])
def test_an_unknown_key_is_refused_in_each_table(section: str, configuration: Configuration) -> None:
    name = section.rstrip(".").removesuffix("[0]")
    heading = f"[[{name}]]" if "[" in section else f"[{name}]"
    if name:
        configuration.change(configuration.main, heading, f"{heading}\ncolour = 1")
    else:
        configuration.change(configuration.main, "[files]", "colour = 1\n[files]")
    (problem,) = configuration.problems()
    assert problem.startswith(f"palaver.toml: {section}colour: unknown key; known are ")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('issuer = "https://palaver.example/"', "issuer: must be scheme, host and perhaps port"),
        ('issuer = "http://palaver.example"', "issuer: must be https (http only on a loopback address)"),
        ('allowed_hosts = ["localhost:8000"]', "allowed_hosts[0]: must be a lower-case host name or address"),
        ('allowed_hosts = ["*"]', "allowed_hosts[0]: must be a lower-case host name or address"),
        ('state_dir = ""', "state_dir: must be the name of a file"),
        ('name = "Palav\u0435r"', "name: must not mix scripts"),
    ],
)
def test_a_wrong_value_is_refused(line: str, problem: str, configuration: Configuration) -> None:
    configuration.change(configuration.main, "[files]", f"{line}\n[files]")
    assert [each for each in configuration.problems() if each.startswith(f"palaver.toml: {problem}")]


def test_the_environment_must_be_one_of_two(configuration: Configuration) -> None:
    configuration.change(configuration.main, '"development"', '"staging"')
    assert configuration.problems() == [
        "palaver.toml: environment: expected one of development, production, found 'staging'",
    ]


@pytest.mark.parametrize("url", ["mysql://root:canary@db/x", "sqlite://canary", "postgresql://", "sqlite:///a?mode=ro"])
def test_a_database_url_is_one_of_two_kinds_and_in_no_message(url: str, configuration: Configuration) -> None:
    configuration.change(configuration.main, "[database]", f'[database]\nurl = "{url}"')
    assert configuration.problems() == ["palaver.toml: database.url: must be sqlite:///FILE or postgresql://..."]


def test_a_short_secret_key_is_refused_without_showing_it(configuration: Configuration) -> None:
    configuration.change(configuration.main, "dev-only-0123456789abcdef0123456789abcdef", "canary")
    assert configuration.problems() == ["palaver.toml: secret_key: must have at least 32 bytes, has 6"]


def test_a_secret_key_must_be_somewhere(configuration: Configuration) -> None:
    configuration.change(configuration.main, 'secret_key = "dev-only-0123456789abcdef0123456789abcdef"', "")
    assert configuration.problems() == [
        "palaver.toml: secret_key: is missing; set it, or BROKER_SECRET_KEY in the environment",
    ]


def test_a_resource_server_has_scopes_that_are_known(configuration: Configuration) -> None:
    configuration.change(configuration.main, '["messages:read"]', '["messages:burn"]')
    assert configuration.problems() == [
        (
            "palaver.toml: resource_server[0].scopes[0]: unknown scope 'messages:burn'; "
            "known are contacts:read, messages:read, messages:write"
        ),
    ]


def test_only_what_the_network_runs_may_carry_its_name(configuration: Configuration) -> None:
    assert configuration.load().register.resource_servers[0].name == "Palaver search"
    configuration.change(configuration.main, '"Palaver search"', '"Palaver support"')
    assert configuration.problems() == [
        "palaver.toml: resource_server[0].name: must not have the reserved word 'support', or what looks like it",
    ]


def test_a_configuration_shows_no_secret_when_it_is_printed(configuration: Configuration) -> None:
    url = '[database]\nurl = "postgresql://broker:canary@db/broker"'
    configuration.change(configuration.main, "[database]", url)
    shown = repr(configuration.load())
    assert "tuneloop" in shown
    for secret in ("canary", "dev-only-", "alice-demo"):
        assert secret not in shown


def test_a_file_that_is_not_there_is_named(configuration: Configuration) -> None:
    configuration.main = Path(configuration.directory / "none.toml")
    assert configuration.problems() == ["none.toml: cannot be read: No such file or directory"]


def test_leased_checks_are_asked_for_by_name_with_a_lease_that_may_be_short(configuration: Configuration) -> None:
    configuration.change(configuration.main, "[files]", '[enforcement]\nmode = "leased"\nlease = "300ms"\n[files]')
    settings = configuration.load()
    assert settings.enforcement == EnforcementSettings("leased", 300)
    assert settings.enforcement.lease_us == 300_000


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ('mode = "fast"', "enforcement.mode: "),
        ('lease = "199ms"', "enforcement.lease: must be at least 200ms"),
        ('lease = "11s"', "enforcement.lease: "),
        ('lease = "0ms"', "enforcement.lease: "),
        ('margin = "5ms"', "enforcement.margin: "),
    ],
)
def test_what_would_hold_everybody_up_or_is_not_known_is_a_problem(
    said: str, problem: str, configuration: Configuration
) -> None:
    configuration.change(configuration.main, "[files]", f"[enforcement]\n{said}\n[files]")
    problems = configuration.problems()
    assert problems
    assert problems[0].startswith(f"palaver.toml: {problem}")
