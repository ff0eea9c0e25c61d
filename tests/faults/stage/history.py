"""What was asked and what was answered, on one clock; and the judge of it.

Times are microseconds of CLOCK_BOOTTIME, which all processes of a machine share. A request is judged by when it was
invoked, a shutdown by when its answer was there: between the two nothing is promised, after it everything is.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg

_WRITTEN = ("message", "access_token", "refresh_token", "authorization_code", "grant_")
_LATE = """
SELECT count(*) FROM {table} WHERE feature_id = %(feature)s AND feature_epoch < %(epoch)s
AND pg_xact_commit_timestamp(xmin) > to_timestamp(%(at)s)
"""


class Violation(AssertionError):
    """The promise was broken."""


def now() -> int:
    """The one clock."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


@dataclass(frozen=True, slots=True)
class Call:
    """One request and what came of it; status 0: no answer."""

    kind: str
    node: str
    feature: str
    invoked: int
    returned: int
    status: int
    ok: bool

    def line(self) -> str:
        """As it is written to a file."""
        return json.dumps(asdict(self)) + "\n"


def read(files: Iterable[Path]) -> list[Call]:
    """All calls of some files; a last line that its writer did not finish is left out."""
    lines = (line for file in files for line in file.read_text().splitlines(keepends=True))
    return [Call(**json.loads(line)) for line in lines if line.endswith("\n")]


@dataclass(frozen=True, slots=True)
class Returned:
    """A shutdown that was asked for: when it was asked, when its answer was there (also on the wall), and what it said.

    ``status`` 0: there was no answer, and so nothing was promised.
    """

    feature: str
    status: int
    receipt: dict[str, Any]
    invoked: int
    at: int
    wall: float

    def outcomes(self) -> list[str]:
        """What became of each node."""
        return [str(each["outcome"]) for each in self.receipt["nodes"]]


def judge(calls: Iterable[Call], shutdown: Returned, database_url: str, *, reopened: int | None = None) -> None:
    """``Violation`` if anything was admitted, or committed, under the feature after the shutdown had returned."""
    assert shutdown.status == 200, shutdown
    late = [
        call for call in calls
        if call.ok and call.feature == shutdown.feature and call.invoked > shutdown.at
        and (reopened is None or call.invoked < reopened)
    ]  # fmt: skip
    if late:
        worst = max(late, key=lambda call: call.invoked)
        after = (worst.invoked - shutdown.at) / 1000
        raise Violation(f"{len(late)} admitted after the return; the latest {after:.1f} ms after it: {worst}")
    _judge_commits(shutdown, database_url)
    left = shutdown.receipt.get("live_after")
    if left and set(left.values()) != {0}:
        raise Violation(f"the receipt says itself what is left: {left}")


def _judge_commits(shutdown: Returned, database_url: str) -> None:
    """What PostgreSQL itself says about when each row was committed."""
    values = {"feature": shutdown.feature, "epoch": shutdown.receipt["epoch"], "at": shutdown.wall}
    with psycopg.connect(database_url) as connection:
        counts = {table: connection.execute(_LATE.format(table=table), values).fetchone() for table in _WRITTEN}
    late = {table: row[0] for table, row in counts.items() if row is not None and row[0]}
    if late:
        raise Violation(f"committed after the return: {late}")


def judge_disclosure(held: Call, shutdown: Returned) -> None:
    """``Violation`` if a call that a node still held at the return was answered after, and each node had confirmed."""
    if held.ok and held.returned > shutdown.at and "waited_out" not in shutdown.outcomes():
        raise Violation(f"admitted before, answered after the return, by a node that had confirmed: {held}")


def require_traffic(
    calls: Iterable[Call], shutdown: Returned, *kinds: str, nodes: Iterable[str], before: int = 5, after: int = 3
) -> None:
    """The history proves something: each kind of request went through on each node before, and was tried after."""
    went, tried = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for call in calls:
        if call.feature == shutdown.feature:
            went[call.kind, call.node] += call.ok and call.returned < shutdown.invoked
            tried[call.kind, call.node] += call.status > 0 and call.invoked > shutdown.at
    for node in nodes:
        for kind in kinds:
            assert went[kind, node] >= before, f"only {went[kind, node]} times {kind} on {node} before: proves nothing"
            assert tried[kind, node] >= after, f"only {tried[kind, node]} times {kind} on {node} after: proves nothing"
