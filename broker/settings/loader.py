"""Loading a configuration: the files and the environment, read once, judged as a whole, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import cast, get_args

from broker.domain.names import problem_with_name
from broker.settings.demo_file import read_demo
from broker.settings.errors import ConfigError, Problem
from broker.settings.main_file import read_database, read_lifetimes, read_limits, read_resource_server
from broker.settings.partner_file import read_partner
from broker.settings.production import contradictions, unsafe_defaults
from broker.settings.reader import Rule, Table, read
from broker.settings.register import Register
from broker.settings.rules import (
    LOOPBACK,
    problem_with_database_url,
    problem_with_host,
    problem_with_issuer,
    problem_with_secret_key,
)
from broker.settings.scopes_file import read_scopes
from broker.settings.settings import Environment, Settings

DEVELOPMENT = Path(__file__).resolve().parents[2] / "config" / "palaver.toml"
_NOTHING: Mapping[str, str] = MappingProxyType({})


def load(config_file: Path | None = None, environ: Mapping[str, str] = _NOTHING) -> Settings:
    """Load a configuration: the given file, else BROKER_CONFIG's, else the development configuration.

    BROKER_DATABASE_URL and BROKER_SECRET_KEY stand above the file. Raises ConfigError with every problem found; what
    depends on a file that is broken is not judged, so that no problem is a consequence of another.
    """
    named = environ.get("BROKER_CONFIG")
    path = config_file or (Path(named) if named else DEVELOPMENT)
    problems = list[Problem]()
    main = read(path, problems)
    _refuse(problems)
    settings, partners, demo = _own(main, path, environ, problems)
    _refuse(problems)
    settings = replace(settings, register=_with_partners(settings, partners, problems))
    if demo is not None:
        ids = frozenset(partner.id for partner in settings.register.partners)
        settings = replace(settings, demo=read_demo(read(path.parent / demo, problems), ids))
    _refuse([*problems, *_repeated_ids(settings), *contradictions(settings)])
    _refuse(unsafe_defaults(settings) if settings.environment == "production" else ())
    return settings


def _refuse(problems: list[Problem] | tuple[Problem, ...]) -> None:
    if problems:
        raise ConfigError(problems)


def _own(
    main: Table, path: Path, environ: Mapping[str, str], problems: list[Problem]
) -> tuple[Settings, str | None, str | None]:
    """What the main file and scopes.toml say, and where the partners and the demo world are."""
    files = main.table("files")
    vocabulary = read_scopes(read(path.parent / files.text("scopes", default="scopes.toml"), problems))
    partners, demo = files.text_or_none("partners"), files.text_or_none("demo")
    files.refuse_unknown_keys()
    secret_key = _override(main, "secret_key", problem_with_secret_key, environ, "BROKER_SECRET_KEY", problems)
    if secret_key is None:
        main.problem("secret_key", "is missing; set it, or BROKER_SECRET_KEY in the environment")
    database = main.table("database")
    url = _override(database, "url", problem_with_database_url, environ, "BROKER_DATABASE_URL", problems)
    state_dir = main.text_or_none("state_dir")
    settings = Settings(
        environment=cast(Environment, main.choice("environment", get_args(Environment))),
        name=main.text("name", partial(problem_with_name, reserved=()), "Palaver"),
        issuer=main.text_or_none("issuer", problem_with_issuer),
        secret_key=(secret_key or "").encode(),
        allowed_hosts=main.texts("allowed_hosts", problem_with_host) or tuple(sorted(LOOPBACK)),
        behind_proxy=main.flag("behind_proxy", False),
        database=replace(read_database(database), url=url),
        lifetimes=read_lifetimes(main.table("lifetimes")),
        limits=read_limits(main.table("limits")),
        register=vocabulary,
        demo=None,
        config_file=path,
        state_dir=path.parent / state_dir if state_dir else None,
    )
    settings = replace(settings, register=_with_resource_servers(main, settings))
    main.refuse_unknown_keys()
    return settings, partners, demo


def _override(
    table: Table, key: str, rule: Rule, environ: Mapping[str, str], variable: str, problems: list[Problem]
) -> str | None:
    """A value of the environment if it is set, else of the file; the one that is used is the one that is judged."""
    value = environ.get(variable)
    if not value:
        return table.text_or_none(key, rule)
    table.text_or_none(key)
    problem = rule(value)
    if problem is not None:
        problems.append(Problem("environment", variable, problem))
    return value


def _with_resource_servers(main: Table, settings: Settings) -> Register:
    known, reserved = frozenset(settings.register.scopes), settings.reserved_words
    # The network runs its resource servers itself: they may carry its name.
    reserved -= frozenset(settings.name.casefold().split())
    servers = tuple(read_resource_server(table, known, reserved) for table in main.tables("resource_server"))
    return replace(settings.register, resource_servers=servers)


def _with_partners(settings: Settings, pattern: str | None, problems: list[Problem]) -> Register:
    """The register with every partner whose file the pattern matches, in the order of their names."""
    register = settings.register
    if pattern is None:
        return register
    directory = settings.config_file.parent
    files = sorted(directory.glob(pattern))
    if not files:
        problems.append(Problem(str(settings.config_file), "files.partners", f"{pattern!r} matches no file"))
    tables = [read(file, problems) for file in files]
    return replace(register, partners=tuple(read_partner(each, register, settings.reserved_words) for each in tables))


def _repeated_ids(settings: Settings) -> Iterator[Problem]:
    """Ids name one thing each, over all files; clients and resource servers authenticate alike and share a space."""
    first = dict[tuple[str, str], str]()
    for kind, id_, file, key in _ids(settings):
        if id_ and (kind, id_) in first:
            yield Problem(file, key, f"repeats {id_!r}, which {first[kind, id_]} has")
        first.setdefault((kind, id_), file)


def _ids(settings: Settings) -> Iterator[tuple[str, str, str, str]]:
    for index, server in enumerate(settings.register.resource_servers):
        yield "client", server.id, str(settings.config_file), f"resource_server[{index}].id"
    for partner in settings.register.partners:
        yield "partner", partner.id, partner.file, "id"
        for i, feature in enumerate(partner.features):
            yield "feature", feature.id, partner.file, f"feature[{i}].id"
            for j, client in enumerate(feature.clients):
                yield "client", client.id, partner.file, f"feature[{i}].clients[{j}].id"
