"""scopes.toml: what each scope says to people, what each need explains, and what nobody may hold together."""

from __future__ import annotations

from functools import partial

from broker.domain.names import problem_with_text
from broker.domain.scopes import USER_SCOPES
from broker.settings.reader import Table
from broker.settings.register import ForbiddenCombination, Register, Scope

_TITLE_MAX = 60
_TEXT_MAX = 280


def read_scopes(file: Table) -> Register:
    """Read the vocabulary that the partners' files are judged by."""
    scopes = {scope.name: scope for scope in map(_scope, file.tables("scope"))}
    if len(scopes) < len(file.tables("scope")):
        file.problem("scope", "expected each name once")
    needs_table = file.table("needs")
    known = partial(unknown_scope, known=frozenset(scopes))
    needs = {need: needs_table.texts(need, known, least=1) for need in needs_table.own_keys()}
    forbidden = tuple(_combination(table, frozenset(scopes)) for table in file.tables("forbidden_combination"))
    file.refuse_unknown_keys()
    return Register(scopes=scopes, needs=needs, forbidden=forbidden)


def unknown_scope(name: str, known: frozenset[str]) -> str | None:
    """Say that scopes.toml does not have this scope, or None."""
    return None if name in known else f"unknown scope {name!r}; known are {', '.join(sorted(known))}"


def _scope(table: Table) -> Scope:
    scope = Scope(
        name=table.text("name", partial(unknown_scope, known=USER_SCOPES)),
        title=table.text("title", partial(problem_with_text, limit=_TITLE_MAX)),
        text=table.text("text", partial(problem_with_text, limit=_TEXT_MAX)),
        example=table.text("example", partial(problem_with_text, limit=_TEXT_MAX)),
        sensitive=table.flag("sensitive", False),
    )
    table.refuse_unknown_keys()
    return scope


def _combination(table: Table, known: frozenset[str]) -> ForbiddenCombination:
    combination = ForbiddenCombination(
        scopes=frozenset(table.texts("scopes", partial(unknown_scope, known=known), least=2)),
        because=table.text("because", partial(problem_with_text, limit=_TEXT_MAX)),
    )
    table.refuse_unknown_keys()
    return combination
