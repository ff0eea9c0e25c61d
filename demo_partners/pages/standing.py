"""The partner's own standing, as Palaver reports it, in the words and order that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from demo_partners.pages.wording import readable_instant

_STATES = {
    "draft": "Not launched yet",
    "active": "Active: people can give permission, and what they gave works",
    "suspended": "Paused: permissions are kept, and nothing works until it goes on",
    "shut_down": "Shut down: every permission given for it has ended",
}
_COUNTED = (
    ("ended", "grants", "Permissions ended"),
    ("ended", "users", "People they came from"),
    ("live_after", "grants", "Permissions left, counted afterwards"),
    ("live_after", "access_tokens", "Access tokens left, counted afterwards"),
    ("live_after", "refresh_tokens", "Refresh tokens left, counted afterwards"),
)
_MISSING = "not given"


@dataclass(frozen=True)
class Row:
    """One line of the page."""

    label: str
    value: str


def state_in_words(standing: Mapping[str, object]) -> str:
    """Say what the feature's state means; a state that is not known here stands as it is."""
    state = str(standing.get("state"))
    return _STATES.get(state, state)


def ceiling_rows(standing: Mapping[str, object]) -> list[Row]:
    """List the most that could ever be asked for: each scope, with its reason where the report has one."""
    ceiling = standing.get("ceiling")
    entries = ceiling if isinstance(ceiling, list) else []
    scopes = [entry if isinstance(entry, dict) else {"scope": entry} for entry in entries]
    return [Row(str(scope.get("scope")), str(scope.get("reason") or "")) for scope in scopes]


def receipt_rows(standing: Mapping[str, object]) -> list[Row]:
    """List what the shutdown receipt says; empty without one. What is still being counted says so."""
    receipt = standing.get("receipt")
    if not isinstance(receipt, dict):
        return []
    effective = receipt.get("effective_at")
    since = readable_instant(effective if isinstance(effective, str) else None)
    return [Row("In force since", since or _MISSING), *(_counted(receipt, *count) for count in _COUNTED)]


def _counted(receipt: Mapping[str, object], part: str, name: str, label: str) -> Row:
    counts = receipt.get(part)
    if not isinstance(counts, dict):
        return Row(label, "still counting")
    return Row(label, str(counts.get(name, _MISSING)))
