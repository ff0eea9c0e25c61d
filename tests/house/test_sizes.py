"""Small enough to read: files, functions, folders."""

from __future__ import annotations

import ast
from collections import Counter

from tests.house.source import Function, Source, everything, none, rooms

MAX_FILE = 400
MAX_FUNCTION = 40
MAX_VIEW = 20
MAX_FOLDER = 12
_ROUTES = {"route", "get", "post", "put", "patch", "delete"}


def _lines(function: Function) -> int:
    """From ``def`` to the last line, docstring and nested functions included."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def _read_by_people() -> list[Source]:
    """Everything but the steps of the schema: each is written down once, by alembic, and never changed."""
    return [source for source in everything() if "migrations/versions/" not in source.name]


def _is_view(function: Function) -> bool:
    calls = (decorator.func for decorator in function.decorator_list if isinstance(decorator, ast.Call))
    return any(isinstance(call, ast.Attribute) and call.attr in _ROUTES for call in calls)


def test_no_file_is_over_400_lines() -> None:
    lengths = {source.name: len(source.text.splitlines()) for source in _read_by_people()}
    none((f"{name}: {lines} lines" for name, lines in lengths.items() if lines > MAX_FILE), f"over {MAX_FILE} lines:")


def test_no_function_is_over_40_lines() -> None:
    long = (
        f"{source.at(function)} {function.name}: {_lines(function)} lines"
        for source in _read_by_people()
        for function in source.functions()
        if _lines(function) > MAX_FUNCTION
    )
    none(long, f"functions over {MAX_FUNCTION} lines:")


def test_no_view_is_over_20_lines() -> None:
    long = (
        f"{source.at(function)} {function.name}: {_lines(function)} lines"
        for source in rooms("web", "network")
        for function in source.functions()
        if _is_view(function) and _lines(function) > MAX_VIEW
    )
    none(long, f"views over {MAX_VIEW} lines (the rules belong in operations, the SQL in store):")


def test_no_folder_has_over_12_modules() -> None:
    modules = Counter(source.path.parent for source in everything() if source.path.name != "__init__.py")
    none(
        (f"{folder}: {number} modules" for folder, number in modules.items() if number > MAX_FOLDER),
        f"folders with over {MAX_FOLDER} modules (a room may have subfolders):",
    )
