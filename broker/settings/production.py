"""What a configuration must not say as a whole: in production, with a demo world, on a public address."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from broker.settings.errors import Problem
from broker.settings.rules import DEVELOPMENT_SECRET, LOOPBACK
from broker.settings.settings import Settings


def contradictions(settings: Settings) -> tuple[Problem, ...]:
    """What two keys say against each other, in whichever environment."""
    file = str(settings.config_file)
    found = list[Problem]()
    public = sorted(frozenset(settings.allowed_hosts) - LOOPBACK)
    if settings.demo is not None and public:
        found.append(Problem(file, "allowed_hosts", f"the demo world is served on loopback only, not on {public[0]}"))
    if settings.issuer is not None and _host(settings.issuer) not in settings.allowed_hosts:
        found.append(Problem(file, "allowed_hosts", f"must have the issuer's host, {_host(settings.issuer)}"))
    return tuple(found)


def _host(issuer: str) -> str:
    host = urlsplit(issuer).hostname or ""
    return f"[{host}]" if ":" in host else host


def unsafe_defaults(settings: Settings) -> tuple[Problem, ...]:
    """Every reason why a configuration is fit for development only; empty for each that loads as production."""
    file = str(settings.config_file)
    found = list[Problem]()
    if settings.secret_key.startswith(DEVELOPMENT_SECRET.encode()):
        found.append(Problem(file, "secret_key", "is the development one; set BROKER_SECRET_KEY to 32 random bytes"))
    if not settings.tls:
        found.append(Problem(file, "issuer", "is not https"))
    if not settings.allowed_hosts or LOOPBACK & frozenset(settings.allowed_hosts):
        found.append(Problem(file, "allowed_hosts", "must name exactly the public hosts, no loopback ones"))
    if not settings.limits.enabled:
        found.append(Problem(file, "limits.enabled", "must be true"))
    if settings.demo is not None:
        found.append(Problem(file, "files.demo", "the demo world, whose passwords are public, is for development"))
    return (*found, *_development_secrets(settings))


def problems_with_binding(settings: Settings, host: str) -> tuple[Problem, ...]:
    """Why this broker may not listen on ``host``: all but loopback needs a safe configuration and a declared proxy."""
    if host in LOOPBACK or host == "::1":
        return ()
    proxy = Problem(str(settings.config_file), "behind_proxy", f"must be true to listen on {host}: TLS ends in a proxy")
    return (*unsafe_defaults(settings), *(() if settings.behind_proxy else (proxy,)))


def _development_secrets(settings: Settings) -> Iterator[Problem]:
    expected = "a file may carry a secret in development only"
    for index, server in enumerate(settings.register.resource_servers):
        if server.development_secret is not None:
            yield Problem(str(settings.config_file), f"resource_server[{index}].development_secret", expected)
    for partner in settings.register.partners:
        for i, feature in enumerate(partner.features):
            for j, client in enumerate(feature.clients):
                if client.development_secret is not None:
                    yield Problem(partner.file, f"feature[{i}].clients[{j}].development_secret", expected)
