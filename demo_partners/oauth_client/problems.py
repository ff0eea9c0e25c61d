"""What an error answer says, as a value: an RFC 9457 problem, or failing that the RFC 6750 challenge."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

PREFIX = "urn:palaver:problem:"
MAX_TEXT = 500
_CHALLENGE_PARAMETER = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One refusal, in the words of whoever refused; ``ended_at`` is RFC 3339 text, ``scope`` what was missing."""

    status: int
    type: str = "about:blank"
    title: str | None = None
    detail: str | None = None
    feature: str | None = None
    ended_at: str | None = None
    scope: str | None = None

    @property
    def kind(self) -> str:
        """The last part of Palaver's own types, such as ``feature-shut-down``; empty for any other type."""
        return self.type.removeprefix(PREFIX) if self.type.startswith(PREFIX) else ""

    def document(self) -> dict[str, object]:
        return {key: value for key, value in asdict(self).items() if value is not None}


def read_problem(status: int, headers: Mapping[str, str], content: bytes) -> Problem:
    """Read the problem of an error answer; whatever the body is, the result is a Problem with at least the status."""
    body = read_object(content) or {}
    challenge = dict(_CHALLENGE_PARAMETER.findall(headers.get("www-authenticate", "")))
    short_of_scope = challenge.get("error") == "insufficient_scope"
    return Problem(
        status=status,
        type=_text(body, "type") or (f"{PREFIX}insufficient-scope" if short_of_scope else "about:blank"),
        title=_text(body, "title"),
        detail=_text(body, "detail") or _text(challenge, "error_description"),
        feature=_text(body, "feature"),
        ended_at=_text(body, "ended_at"),
        scope=_text(body, "scope") or _text(challenge, "scope"),
    )


def read_object(content: bytes) -> dict[str, object] | None:
    """Read a JSON object; None when the bytes are anything else."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_retry_after(headers: Mapping[str, str], now: datetime) -> int | None:
    """Read Retry-After as whole seconds from ``now``: a number or an HTTP date (RFC 9110 section 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0, round(((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()))


def _text(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    return value[:MAX_TEXT] if isinstance(value, str) and value else None
