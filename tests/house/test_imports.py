"""What import-linter cannot see of the law of imports."""

from __future__ import annotations

import ast
import sys

from tests.house.source import Source, everything, none, rooms, sources

MARK = "# optional import"
_SQL = {"sqlalchemy", "alembic", "psycopg", "sqlite3"}


def _top(module: str) -> str:
    return module.partition(".")[0]


def test_the_domain_imports_the_standard_library_alone() -> None:
    allowed = {*sys.stdlib_module_names, "broker"}
    foreign = (
        f"{source.at(node)} imports {module}"
        for source in rooms("domain")
        for node, module in source.imports()
        if _top(module) not in allowed
    )
    none(foreign, "domain/ is pure; it imports the standard library and itself:")


def test_only_the_store_speaks_sql() -> None:
    speaking = (
        f"{source.at(node)} imports {module}"
        for source in sources("broker")
        if source.room != "store"
        for node, module in source.imports()
        if _top(module) in _SQL
    )
    none(speaking, "SQL and its libraries belong in store/:")


def test_the_partners_know_nothing_of_the_broker() -> None:
    knowing = (
        f"{source.at(node)} imports {module}"
        for source in sources("demo_partners")
        for node, module in source.imports()
        if _top(module) in {"broker", "tests", "bench"}
    )
    none(knowing, "a partner speaks HTTP only:")


def test_what_runs_in_production_knows_nothing_of_tests_and_benches() -> None:
    knowing = (
        f"{source.at(node)} imports {module}"
        for source in sources("broker")
        for node, module in source.imports()
        if _top(module) in {"tests", "bench", "demo_partners", "pytest"}
    )
    none(knowing, "broker/ imports neither its tests nor its partners:")


def test_nothing_is_mocked() -> None:
    mocking = (
        f"{source.at(node)} imports {module}"
        for source in everything()
        for node, module in source.imports()
        if module in {"mock", "unittest.mock", "pytest_mock"}
    )
    none(mocking, "tests use the real parts; what is slow or far is injected:")


def test_imports_stand_at_the_top() -> None:
    none(
        (place for source in everything() for place in _hidden_imports(source)),
        f"imports inside functions (a heavy or optional library may, marked `{MARK}`):",
    )


def _hidden_imports(source: Source) -> set[str]:
    return {
        source.at(node)
        for function in source.functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and MARK not in source.line(node)
    }
