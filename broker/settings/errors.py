"""What is wrong with a configuration: every problem found, each with its file, its key and what was expected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake; ``key`` is a dotted path such as ``feature[0].scopes[1].reason``, or empty for a whole file."""

    file: str
    key: str
    expected: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.expected) if part)


class ConfigError(ValueError):
    """A configuration that is not taken; nothing of it is in force."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        more = len(self.problems) - 1
        super().__init__(f"{self.problems[0]}{f' (and {more} more)' if more else ''}")
