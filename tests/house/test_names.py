"""Names that say what a thing is, and tests where a reader looks for them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.house.source import ROOT, Function, Source, everything, none, rooms, sources

BANNED = {"util", "utils", "helper", "helpers", "manager", "managers", "misc", "common"}
MIN_WORDS = 3


def _words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_no_module_or_folder_has_a_name_that_says_nothing() -> None:
    names = {part for source in everything() for part in source.path.relative_to(ROOT).with_suffix("").parts}
    none((name for name in names if _words(name) & BANNED), f"none of {', '.join(sorted(BANNED))}:")


def test_no_class_or_function_has_a_name_that_says_nothing() -> None:
    named = (
        f"{source.at(node)} {node.name}"
        for source in everything()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and _words(node.name) & BANNED
    )
    none(named, f"none of {', '.join(sorted(BANNED))}:")


def test_each_module_has_its_tests_in_the_mirror() -> None:
    modules = [
        source.path.relative_to(ROOT / "broker")
        for source in rooms("domain", "store", "operations")
        if source.path.name != "__init__.py" and not {"migrations", "schema"} & set(source.path.parts)
    ]  # the schema only declares: tests/store/migrations/ compares it, whole, with what an upgrade makes
    mirror = {source.name for source in sources("tests") if any(_tests(source))}
    wanted = {path: f"tests/{path.parent}/test_{path.name}" for path in modules}
    none(
        (f"broker/{path} has no tests in {test}" for path, test in wanted.items() if test not in mirror),
        "broker/x/y.py has its tests in tests/x/test_y.py:",
    )


def test_the_name_of_a_test_is_a_sentence() -> None:
    short = (
        f"{source.at(test)} {test.name}"
        for source in sources("tests")
        for test in _tests(source)
        if len(test.name.split("_")) < MIN_WORDS + 1
    )
    none(short, f"names of tests with fewer than {MIN_WORDS} words after test_:")


def _tests(source: Source) -> Iterator[Function]:
    in_tests = source.path.name.startswith("test_")
    return (function for function in source.functions() if in_tests and function.name.startswith("test_"))
