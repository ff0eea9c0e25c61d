"""Reading one TOML table: each getter checks one key, notes what is wrong and goes on, so that one run finds all.

A problem makes the value that is returned meaningless (it is of the right type, no more): whoever reads a file asks
for the problems before using anything of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from broker.domain.instants import Instant, parse_rfc3339
from broker.settings.errors import Problem

Rule = Callable[[str], str | None]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+(\[[0-9]+\])?")
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION_WORDS = 'a duration such as "500ms", "60s", "10m", "12h" or "90d"'
_FOUND_MAX = 40
_SECRET = frozenset({"secret_key", "development_secret", "password", "url"})  # their values are in no message


def read(file: Path, problems: list[Problem]) -> Table:
    """Read a TOML file; one that cannot be read is one problem, and an empty table."""
    try:
        return Table(str(file), tomllib.loads(file.read_bytes().decode("utf-8")), problems)
    except OSError as error:
        expected = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        expected = f"must be UTF-8, byte {error.start} is not"
    except ValueError as error:  # TOMLDecodeError is one, a number that is too long for Python another
        expected = f"is not TOML: {error}"
    except RecursionError:
        expected = "is nested too deeply"
    problems.append(Problem(str(file), "", expected))
    return Table(str(file), {}, problems, unread=True)


class Table:
    """A table under its dotted ``path``; the keys that were asked for are the keys that are known."""

    def __init__(
        self, file: str, data: dict[str, Any], problems: list[Problem], path: str = "", *, unread: bool = False
    ) -> None:
        self.file = file
        self._data = data
        self._problems = problems
        self._path = path
        self._known: list[str] = []
        self._unread = unread  # its problem is noted already; missing keys are no news

    def problem(self, key: str, expected: str) -> None:
        """Note a problem with a key of this table."""
        if not self._unread:
            self._problems.append(Problem(self.file, self.path(key), expected))

    def path(self, key: str) -> str:
        """The dotted path of a key."""
        shown = key if _PLAIN_KEY.fullmatch(key) else _found(key)
        return f"{self._path}.{shown}" if self._path else shown

    def has(self, key: str) -> bool:
        """Whether the file has the key."""
        return key in self._data

    def refuse_unknown_keys(self) -> None:
        """Note every key that nobody asked for; call last."""
        for key in self._data:
            if key not in self._known:
                self.problem(key, f"unknown key; known are {', '.join(self._known)}")

    def text(self, key: str, rule: Rule | None = None, default: str | None = None) -> str:
        """Read a text; required without a default."""
        value = self._get(key, str, "a text", default)
        if not isinstance(value, str):
            return ""
        problem = rule(value) if rule is not None and key in self._data else None
        if problem is not None:
            self.problem(key, problem)
        return value

    def text_or_none(self, key: str, rule: Rule | None = None) -> str | None:
        """Read a text that may be missing."""
        self._know(key)
        return self.text(key, rule) if self.has(key) else None

    def texts(self, key: str, rule: Rule | None = None, *, least: int = 0) -> tuple[str, ...]:
        """Read an array of different texts, at least so many."""
        values = self._get(key, list, "an array of texts", None if least else [])
        if not isinstance(values, list):
            return ()
        for index, value in enumerate(values):
            place = f"{key}[{index}]"
            if not isinstance(value, str):
                self.problem(place, f"expected a text, found {_found(value)}")
            elif value in values[:index]:
                self.problem(place, f"repeats {_found(value)}")
            elif rule is not None and (problem := rule(value)) is not None:
                self.problem(place, problem)
        if len(values) < least:
            self.problem(key, f"expected at least {least}, found {len(values)}")
        return tuple(value for value in values if isinstance(value, str))

    def flag(self, key: str, default: bool) -> bool:
        """Read true or false."""
        return self._get(key, bool, "true or false", default) is True

    def number(self, key: str, default: int, least: int, most: int) -> int:
        """Read a whole number within bounds."""
        value = self._get(key, int, f"a whole number from {least} to {most}", default)
        if isinstance(value, int) and not least <= value <= most:
            self.problem(key, f"expected a whole number from {least} to {most}, found {value}")
        return value if isinstance(value, int) else default

    def milliseconds(self, key: str, default: int, most: int) -> int:
        """Read a duration such as "60s", in milliseconds, more than none."""
        value = self._get(key, str, _DURATION_WORDS, "")
        if not isinstance(value, str) or (value == "" and not self.has(key)):
            return default
        found = _DURATION.fullmatch(value)
        if found is None:
            self.problem(key, f"expected {_DURATION_WORDS}, found {_found(value)}")
            return default
        length = int(found[1]) * _UNIT_MS[found[2]]
        if not 0 < length <= most:
            self.problem(key, f"expected more than none and at most {_duration(most)}, found {_found(value)}")
        return length

    def seconds(self, key: str, default_s: int, most_s: int) -> int:
        """Read a duration of whole seconds."""
        length = self.milliseconds(key, default_s * 1_000, most_s * 1_000)
        if length % 1_000:
            self.problem(key, "expected a duration of whole seconds")
        return length // 1_000

    def instant_or_none(self, key: str) -> Instant | None:
        """Read a time with an offset from UTC, TOML's own or RFC 3339 in a text."""
        value = self._get(key, (datetime, str), "a time such as 2026-12-31T00:00:00Z", "")
        if value is None or not self.has(key):
            return None
        try:
            return parse_rfc3339(value if isinstance(value, str) else value.isoformat())
        except ValueError:
            self.problem(key, f"expected a time with an offset, such as 2026-12-31T00:00:00Z, found {_found(value)}")
            return None

    def choice(self, key: str, options: Sequence[str], default: str | None = None) -> str:
        """Read one of a few words."""
        words = f"one of {', '.join(options)}"
        value = self._get(key, str, words, default)
        if isinstance(value, str) and value not in options:
            self.problem(key, f"expected {words}, found {_found(value)}")
        return value if value in options else options[0]

    def table(self, key: str) -> Table:
        """Read a table; a missing one is empty."""
        value = self._get(key, dict, "a table", {})
        inner = value if isinstance(value, dict) else {}
        return Table(self.file, inner, self._problems, self.path(key), unread=self._unread or value is None)

    def tables(self, key: str) -> list[Table]:
        """Read an array of tables; a missing one is empty."""
        values = self._get(key, list, "an array of tables", [])
        found = list[Table]()
        for index, value in enumerate(values if isinstance(values, list) else []):
            place = f"{key}[{index}]"
            if isinstance(value, dict):
                found.append(Table(self.file, value, self._problems, self.path(place)))
            else:
                self.problem(place, f"expected a table, found {_found(value)}")
        return found

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """Read an array of pairs of texts."""
        values = self._get(key, list, "an array of pairs of texts", [])
        found = list[tuple[str, str]]()
        for index, value in enumerate(values if isinstance(values, list) else []):
            match value:
                case [str() as first, str() as second]:
                    found.append((first, second))
                case _:
                    self.problem(f"{key}[{index}]", f"expected two texts, found {_found(value)}")
        return tuple(found)

    def own_keys(self) -> tuple[str, ...]:
        """Every key, for a table whose keys are names."""
        return tuple(self._data)

    def _know(self, key: str) -> None:
        if key not in self._known:
            self._known.append(key)

    def _get(self, key: str, type_: type | tuple[type, ...], expected: str, default: object) -> Any:
        """The value if it has the type, the default if it is missing, None after noting a problem."""
        self._know(key)
        if key not in self._data:
            if default is None:
                self.problem(key, f"is missing; expected {expected}")
            return default
        value = self._data[key]
        if not isinstance(value, type_) or (isinstance(value, bool) and type_ is not bool):
            self.problem(key, f"expected {expected}, found {_found(value, key)}")
            return None
        return value


def _found(value: object, key: str = "") -> str:
    text = f"{type(value).__name__} (not shown)" if key in _SECRET else repr(value)
    return text if len(text) <= _FOUND_MAX else f"{text[:_FOUND_MAX]}..."


def _duration(milliseconds: int) -> str:
    unit, size = next((unit, size) for unit, size in reversed(_UNIT_MS.items()) if milliseconds % size == 0)
    return f"{milliseconds // size}{unit}"
