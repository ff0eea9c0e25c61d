"""One key at a time: what is taken, and what is said of what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.settings.errors import Problem
from broker.settings.reader import Table, read


def table(text: str, tmp_path: Path) -> tuple[Table, list[Problem]]:
    file = tmp_path / "x.toml"
    file.write_text(text, encoding="utf-8")
    problems = list[Problem]()
    return read(file, problems), problems


def said(problems: list[Problem]) -> list[str]:
    return [f"{problem.key}: {problem.expected}" for problem in problems]


def test_a_syntax_error_names_the_line(tmp_path: Path) -> None:
    _, problems = table('a = 1\nb = "open\n', tmp_path)
    assert [problem.file for problem in problems] == [str(tmp_path / "x.toml")]
    assert problems[0].expected.startswith("is not TOML: ")
    assert "line 2" in problems[0].expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff", "must be UTF-8, byte 0 is not"),
        (b"a = " + b"9" * 5000, "is not TOML: "),
        (b"a = " + b"[" * 5000, "is nested too deeply"),
    ],
)
def test_a_file_that_python_cannot_take_is_one_problem(content: bytes, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(content)
    problems = list[Problem]()
    read(file, problems)
    assert len(problems) == 1
    assert problems[0].expected.startswith(expected)


def test_a_file_that_is_not_there_is_one_problem_and_missing_keys_in_it_are_none(tmp_path: Path) -> None:
    problems = list[Problem]()
    empty = read(tmp_path / "none.toml", problems)
    assert empty.text("name") == ""
    assert empty.table("inner").text("name") == ""
    assert said(problems) == [": cannot be read: No such file or directory"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "k: is missing; expected a text"),
        ("k = 1", "k: expected a text, found 1"),
        ("k = [1, 2]", "k: expected a text, found [1, 2]"),
    ],
)
def test_a_text_is_a_text(text: str, expected: str, tmp_path: Path) -> None:
    reader, problems = table(text, tmp_path)
    assert reader.text("k") == ""
    assert said(problems) == [expected]


def test_a_default_is_not_judged_by_the_rule(tmp_path: Path) -> None:
    reader, problems = table("", tmp_path)
    assert reader.text("k", lambda _: "is wrong", "default") == "default"
    assert not problems


def test_a_rule_says_what_is_wrong_with_a_text(tmp_path: Path) -> None:
    reader, problems = table('k = "v"', tmp_path)
    reader.text("k", lambda text: f"must not be {text}")
    assert said(problems) == ["k: must not be v"]


@pytest.mark.parametrize("key", ["secret_key", "development_secret", "password", "url"])
def test_the_value_of_a_secret_is_in_no_message(key: str, tmp_path: Path) -> None:
    reader, problems = table(f'{key} = ["canary"]', tmp_path)
    reader.text(key)
    assert said(problems) == [f"{key}: expected a text, found list (not shown)"]


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    reader, problems = table(f"k = {[1] * 100}", tmp_path)
    reader.text("k")
    assert len(problems[0].expected) < 100
    assert problems[0].expected.endswith("...")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('k = "a"', "k: expected an array of texts, found 'a'"),
        ('k = ["a", 2]', "k[1]: expected a text, found 2"),
        ('k = ["a", "a"]', "k[1]: repeats 'a'"),
        ('k = ["a", "bad"]', "k[1]: is bad"),
        ("k = []", "k: expected at least 1, found 0"),
        ("", "k: is missing; expected an array of texts"),
    ],
)
def test_texts_are_judged_one_by_one(text: str, expected: str, tmp_path: Path) -> None:
    reader, problems = table(text, tmp_path)
    reader.texts("k", lambda each: "is bad" if each == "bad" else None, least=1)
    assert said(problems) == [expected]


def test_texts_that_need_not_be_there_may_be_missing(tmp_path: Path) -> None:
    reader, problems = table("", tmp_path)
    assert reader.texts("k") == ()
    assert not problems


@pytest.mark.parametrize(("text", "value"), [("", True), ("k = true", True), ("k = false", False)])
def test_a_flag_is_true_or_false(text: str, value: bool, tmp_path: Path) -> None:
    reader, problems = table(text, tmp_path)
    assert reader.flag("k", True) is value
    assert not problems


def test_a_flag_is_no_number_and_a_number_is_no_flag(tmp_path: Path) -> None:
    reader, problems = table("flag = 1\nnumber = true", tmp_path)
    reader.flag("flag", False)
    assert reader.number("number", 5, 1, 10) == 5
    assert said(problems) == [
        "flag: expected true or false, found 1",
        "number: expected a whole number from 1 to 10, found True",
    ]


@pytest.mark.parametrize(("number", "right"), [(0, False), (1, True), (10, True), (11, False), (-1, False)])
def test_a_number_has_bounds(number: int, right: bool, tmp_path: Path) -> None:
    reader, problems = table(f"k = {number}", tmp_path)
    reader.number("k", 5, 1, 10)
    assert said(problems) == ([] if right else [f"k: expected a whole number from 1 to 10, found {number}"])


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("500ms", 500), ("60s", 60_000), ("10m", 600_000), ("12h", 43_200_000), ("1d", 86_400_000)],
)
def test_a_duration_has_a_unit(text: str, milliseconds: int, tmp_path: Path) -> None:
    reader, problems = table(f'k = "{text}"', tmp_path)
    assert reader.milliseconds("k", 1, 86_400_000) == milliseconds
    assert not problems


@pytest.mark.parametrize("text", ["60", "s", "1h30m", "-1s", "1.5h", "1 h", "1w", "", "٣s"])
def test_what_is_no_duration_is_refused(text: str, tmp_path: Path) -> None:
    reader, problems = table(f'k = "{text}"', tmp_path)
    assert reader.seconds("k", 7, 60) == 7
    assert said(problems) == [
        f'k: expected a duration such as "500ms", "60s", "10m", "12h" or "90d", found {text!r}',
    ]


@pytest.mark.parametrize("text", ["0s", "3h"])
def test_a_duration_has_bounds(text: str, tmp_path: Path) -> None:
    reader, problems = table(f'k = "{text}"', tmp_path)
    reader.seconds("k", 60, 7_200)
    assert said(problems) == [f"k: expected more than none and at most 2h, found {text!r}"]


def test_a_number_is_no_duration_since_it_has_no_unit(tmp_path: Path) -> None:
    reader, problems = table("k = 60", tmp_path)
    assert reader.seconds("k", 7, 60) == 7
    assert said(problems) == ['k: expected a duration such as "500ms", "60s", "10m", "12h" or "90d", found 60']


def test_where_seconds_count_a_part_of_one_is_refused(tmp_path: Path) -> None:
    reader, problems = table('k = "1500ms"', tmp_path)
    reader.seconds("k", 60, 60)
    assert said(problems) == ["k: expected a duration of whole seconds"]


@pytest.mark.parametrize("text", ["2026-12-31T00:00:00Z", '"2026-12-31T00:00:00Z"', "2026-12-31T01:00:00+01:00"])
def test_an_instant_has_an_offset(text: str, tmp_path: Path) -> None:
    reader, problems = table(f"k = {text}", tmp_path)
    assert reader.instant_or_none("k") == 1_798_675_200_000_000
    assert not problems


@pytest.mark.parametrize("text", ["2026-12-31T00:00:00", '"2026-12-31"', '"soon"', "2026-12-31", "12"])
def test_a_local_time_names_no_instant(text: str, tmp_path: Path) -> None:
    reader, problems = table(f"k = {text}", tmp_path)
    assert reader.instant_or_none("k") is None
    assert len(problems) == 1
    assert problems[0].expected.startswith("expected a time")


def test_an_instant_may_be_missing_but_not_blank(tmp_path: Path) -> None:
    reader, problems = table('blank = ""', tmp_path)
    assert reader.instant_or_none("k") is None
    assert not problems
    assert reader.instant_or_none("blank") is None
    assert said(problems) == ["blank: expected a time with an offset, such as 2026-12-31T00:00:00Z, found ''"]


def test_a_choice_names_what_there_is(tmp_path: Path) -> None:
    reader, problems = table('k = "red"', tmp_path)
    assert reader.choice("k", ("green", "blue")) == "green"
    reader.choice("none", ("green", "blue"))
    assert said(problems) == [
        "k: expected one of green, blue, found 'red'",
        "none: is missing; expected one of green, blue",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k = 1", "k: expected an array of tables, found 1"),
        ("k = [1]", "k[0]: expected a table, found 1"),
    ],
)
def test_an_array_of_tables_is_one(text: str, expected: str, tmp_path: Path) -> None:
    reader, problems = table(text, tmp_path)
    assert reader.tables("k") == []
    assert said(problems) == [expected]


def test_a_table_is_one(tmp_path: Path) -> None:
    reader, problems = table("k = 1", tmp_path)
    reader.table("k").text("inner")
    assert said(problems) == ["k: expected a table, found 1"]


@pytest.mark.parametrize("pair", ['["a"]', '["a", "b", "c"]', '["a", 1]', '"ab"'])
def test_a_pair_is_two_texts(pair: str, tmp_path: Path) -> None:
    reader, problems = table(f'k = [["a", "b"], {pair}]', tmp_path)
    assert reader.pairs("k") == (("a", "b"),)
    assert [problem.key for problem in problems] == ["k[1]"]


def test_keys_are_named_by_their_path_and_the_known_ones_are_listed(tmp_path: Path) -> None:
    reader, problems = table("[[feature]]\n[[feature.scopes]]\n[[feature.scopes]]\nreasons = 1\n", tmp_path)
    feature = reader.tables("feature")[0]
    scope = feature.tables("scopes")[1]
    scope.text_or_none("reason")
    scope.flag("required", True)
    scope.refuse_unknown_keys()
    assert said(problems) == ["feature[0].scopes[1].reasons: unknown key; known are reason, required"]


def test_a_key_with_a_line_break_does_not_break_the_line(tmp_path: Path) -> None:
    reader, problems = table('"a\\nb" = 1', tmp_path)
    reader.refuse_unknown_keys()
    assert problems[0].key == r"'a\nb'"
