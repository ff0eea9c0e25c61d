"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "unusual", "unsafe"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and the facts; ``unsafe`` means that the promise or somebody's data is at risk."""

    check: str
    status: Status
    detail: str


def judged(check: str, sound: bool, otherwise: Status, detail: str) -> Finding:
    """A finding that is in order, or else what it is then."""
    return Finding(check, "ok" if sound else otherwise, detail)
