"""partners/*.toml: one partner with its features, their ceilings and their clients."""

from __future__ import annotations

from functools import partial
from typing import cast, get_args

from broker.domain.features import beyond_baseline
from broker.domain.names import problem_with_client_id, problem_with_id, problem_with_name, problem_with_text
from broker.domain.redirect_uris import problem_with_redirect_uri
from broker.settings.reader import Rule, Table
from broker.settings.register import (
    AuthMethod,
    CeilingEntry,
    ClientFile,
    FeatureFile,
    FeatureFileState,
    PartnerFile,
    Register,
)
from broker.settings.rules import MAX_GRANT_S, problem_with_development_secret
from broker.settings.scopes_file import unknown_scope
from broker.settings.settings import DAY

MAX_PURPOSE = 280
MAX_REASON = 200
_HOMEPAGE_MAX = 200


def read_partner(file: Table, vocabulary: Register, reserved: frozenset[str]) -> PartnerFile:
    """Read one partner's file, judged by the scopes, needs and forbidden combinations of ``vocabulary``."""
    name_rule = partial(problem_with_name, reserved=reserved)
    partner_id = file.text("id", problem_with_id)
    partner = PartnerFile(
        id=partner_id,
        name=file.text("name", name_rule),
        homepage=file.text_or_none("homepage", _problem_with_homepage),
        file=file.file,
        features=tuple(_feature(table, partner_id, vocabulary, name_rule) for table in file.tables("feature")),
    )
    file.refuse_unknown_keys()
    _refuse_forbidden_combinations(file, partner, vocabulary)
    return partner


def _feature(table: Table, partner_id: str, vocabulary: Register, name_rule: Rule) -> FeatureFile:
    needs = table.texts("needs", partial(_unknown_need, vocabulary=vocabulary), least=1)
    feature = FeatureFile(
        id=table.text("id", problem_with_id),
        partner=partner_id,
        name=table.text("name", name_rule),
        purpose=table.text("purpose", partial(problem_with_text, limit=MAX_PURPOSE)),
        needs=needs,
        state=cast(FeatureFileState, table.choice("state", get_args(FeatureFileState))),
        ends_at=table.instant_or_none("ends_at"),
        grant_lifetime_s=table.seconds("grant_lifetime", DAY, MAX_GRANT_S) if table.has("grant_lifetime") else None,
        ceiling=_ceiling(table, needs, vocabulary),
        clients=tuple(_client(each, name_rule) for each in table.tables("clients")),
        file=table.file,
    )
    table.refuse_unknown_keys()
    return feature


def _ceiling(table: Table, needs: tuple[str, ...], vocabulary: Register) -> tuple[CeilingEntry, ...]:
    scopes = frozenset(vocabulary.scopes)
    tables = table.tables("scopes")
    names = [str(each.text("scope", partial(unknown_scope, known=scopes))) for each in tables]
    known_needs = tuple(need for need in needs if need in vocabulary.needs)
    unexplained = beyond_baseline(frozenset(names) & scopes, known_needs, vocabulary.baseline)
    if not tables:
        table.problem("scopes", "is missing; a feature asks for at least one scope")
    for index, name in enumerate(names):
        if name and name in names[:index]:
            tables[index].problem("scope", f"repeats {name!r}")
    return tuple(_entry(each, name, name in unexplained, needs) for each, name in zip(tables, names, strict=True))


def _entry(table: Table, scope: str, unexplained: bool, needs: tuple[str, ...]) -> CeilingEntry:
    rule = partial(problem_with_text, limit=MAX_REASON)
    entry = CeilingEntry(
        scope=scope,
        reason=table.text("reason", rule),
        required=table.flag("required", True),
        beyond_need=table.text_or_none("beyond_need", rule),
    )
    table.refuse_unknown_keys()
    if unexplained and entry.beyond_need is None:
        need = ", ".join(needs) or "nothing"
        table.problem("beyond_need", f"is missing; {scope} is wider than the need ({need}): say why it is asked for")
    return entry


def _client(table: Table, name_rule: Rule) -> ClientFile:
    client = ClientFile(
        id=table.text("id", problem_with_client_id),
        name=table.text("name", name_rule),
        auth=cast(AuthMethod, table.choice("auth", get_args(AuthMethod))),
        redirect_uris=table.texts("redirect_uris", problem_with_redirect_uri, least=1),
        development_secret=table.text_or_none("development_secret", problem_with_development_secret),
    )
    table.refuse_unknown_keys()
    if client.auth == "none" and client.development_secret is not None:
        table.problem("development_secret", 'a client with auth = "none" has no secret')
    return client


def _unknown_need(name: str, vocabulary: Register) -> str | None:
    return None if name in vocabulary.needs else f"unknown need {name!r}; known are {', '.join(vocabulary.needs)}"


def _problem_with_homepage(uri: str) -> str | None:
    if not uri.startswith("https://") or not uri.isascii() or any(each <= " " for each in uri):
        return "must be an https:// address"
    return None if len(uri) <= _HOMEPAGE_MAX else f"must have at most {_HOMEPAGE_MAX} characters"


def _refuse_forbidden_combinations(file: Table, partner: PartnerFile, vocabulary: Register) -> None:
    """Over all features that are not over: what a partner learns through one is there for the other."""
    held = frozenset[str]().union(*(each.scopes for each in partner.features if each.state != "shut_down"))
    for combination in vocabulary.forbidden:
        if combination.scopes <= held:
            scopes = " and ".join(sorted(combination.scopes))
            file.problem("feature", f"no partner may hold {scopes}, in one feature or several: {combination.because}")
