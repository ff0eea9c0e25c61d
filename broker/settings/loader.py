"""Loading a configuration: the files and the environment, read once, judged as a whole, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import cast, get_args

from broker.domain.names import problem_with_name
from broker.settings.demo_file import read_demo
from broker.settings.errors import ConfigError, Problem
from broker.settings.main_file import read_database, read_enforcement, read_lifetimes, read_limits, read_resource_server
from broker.settings.partner_file import read_partner
from broker.settings.production import contradictions, unsafe_defaults
from broker.settings.reader import Rule, Table, read
from broker.settings.register import Register
from broker.settings.rules import (
    LOOPBACK,
    problem_with_database_url,
    problem_with_host,
    problem_with_issuer,
    problem_with_path,
    problem_with_pattern,
    problem_with_secret_key,
    secret_key_bytes,
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
    files = _Files(main.table("files"))
    vocabulary = read_scopes(read(path.parent / files.scopes, problems))
    servers = main.tables("resource_server")
    settings = _own(main, path, environ, problems)
    _refuse(problems)
    settings = replace(settings, register=_register(vocabulary, servers, files.partners, settings, problems))
    if files.demo is not None:
        ids = frozenset(partner.id for partner in settings.register.partners)
        settings = replace(settings, demo=read_demo(read(path.parent / files.demo, problems), ids))
    unsafe = unsafe_defaults(settings) if settings.environment == "production" else ()
    _refuse([*problems, *_repeated_ids(settings), *contradictions(settings), *unsafe])
    return settings


class _Files:
    """Where the other files are, relative to the main one."""

    def __init__(self, table: Table) -> None:
        self.scopes = table.text("scopes", problem_with_path, default="scopes.toml")
        self.partners = table.text_or_none("partners", problem_with_pattern)
        self.demo = table.text_or_none("demo", problem_with_path)
        table.refuse_unknown_keys()


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise ConfigError(problems)


def _own(main: Table, path: Path, environ: Mapping[str, str], problems: list[Problem]) -> Settings:
    """What the main file and the environment say themselves, before any register."""
    key = _override(main, "secret_key", problem_with_secret_key, environ, "BROKER_SECRET_KEY", problems)
    if key is None:
        main.problem("secret_key", "is missing; set it, or BROKER_SECRET_KEY in the environment")
    database = main.table("database")
    url = _override(database, "url", problem_with_database_url, environ, "BROKER_DATABASE_URL", problems)
    state_dir = main.text_or_none("state_dir", problem_with_path)
    settings = Settings(
        environment=cast(Environment, main.choice("environment", get_args(Environment))),
        name=main.text("name", partial(problem_with_name, reserved=()), "Palaver"),
        issuer=main.text_or_none("issuer", problem_with_issuer),
        secret_key=secret_key_bytes(key or ""),
        allowed_hosts=main.texts("allowed_hosts", problem_with_host) or tuple(sorted(LOOPBACK)),
        behind_proxy=main.flag("behind_proxy", False),
        database=read_database(database, url),
        lifetimes=read_lifetimes(main.table("lifetimes")),
        limits=read_limits(main.table("limits")),
        register=Register(scopes={}, needs={}),
        demo=None,
        config_file=path,
        state_dir=path.parent / state_dir if state_dir else None,
        enforcement=read_enforcement(main.table("enforcement")),
    )
    main.refuse_unknown_keys()
    return settings


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


def _register(
    vocabulary: Register, servers: list[Table], pattern: str | None, settings: Settings, problems: list[Problem]
) -> Register:
    """The vocabulary with the resource servers, and every partner whose file the pattern matches, by file name."""
    # The network runs its resource servers itself: they may carry its name.
    reserved = settings.reserved_words - frozenset(settings.name.casefold().split())
    read_servers = tuple(read_resource_server(each, frozenset(vocabulary.scopes), reserved) for each in servers)
    files = sorted(settings.config_file.parent.glob(pattern)) if pattern is not None else []
    if pattern is not None and not files:
        problems.append(Problem(str(settings.config_file), "files.partners", f"{pattern!r} matches no file"))
    partners = tuple(read_partner(read(file, problems), vocabulary, settings.reserved_words) for file in files)
    return replace(vocabulary, resource_servers=read_servers, partners=partners)


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
