"""What the guard costs when it says yes from memory: one check, what it adds to a read, and the ratio over HTTP.

On PostgreSQL alone: on SQLite a worker's check in the database is local already.
"""

from __future__ import annotations

import statistics
import time

from bench.broker import apps
from bench.catalogue import Database
from bench.measures.context import Bench, Invalid
from bench.measures.guarded_read import Request, call, in_process, over_http, record_added, rounds
from broker.domain.decisions import Allowed
from broker.domain.scopes import MESSAGES_READ
from broker.enforcement.guard import Guard

NAMES = ("leased.check.us", "leased.read.added_us", "leased.read.ratio")
_CHECKS_A_ROUND = 10
_NEEDED = frozenset({MESSAGES_READ})


def run(bench: Bench) -> None:
    """Measure the wanted ones of NAMES."""
    if bench.database is Database.SQLITE:
        return
    if bench.wanted & {"leased.check.us", "leased.read.added_us"}:
        bench.say("checking from memory, in process")
        guarded, unguarded, asked = in_process(bench, apps.leased)
        try:
            for request in asked:
                call(guarded, request)
            _record_check(bench, guarded.extensions["guard"], asked)
            record_added(bench, "leased.read.added_us", guarded, unguarded, asked)
        finally:
            for app in (guarded, unguarded):
                apps.close(app)
    if "leased.read.ratio" in bench.wanted:
        bench.say("reading over HTTP, checked from memory and not at all, by turns")
        over_http(bench, "leased.read.ratio", "leased")


def _record_check(bench: Bench, guard: Guard, asked: list[Request]) -> None:
    """Admit and count out, of tokens that were seen before."""
    headers = [request["HTTP_AUTHORIZATION"] for request in asked]
    number = rounds(bench) * _CHECKS_A_ROUND
    windows = [_microseconds(guard, headers, number) for _ in range(2 * bench.plan.pairs)]
    bench.record("leased.check.us", statistics.median(windows), windows=len(windows), checks_a_window=number,
                 least=min(windows), greatest=max(windows))  # fmt: skip


def _microseconds(guard: Guard, headers: list[str], number: int) -> float:
    """The mean of one window; outside a request, where who is not remembered could not be read."""
    if not isinstance(guard.admit(headers[0], _NEEDED).decision, Allowed):
        raise Invalid("a token that was seen is not admitted")
    chosen = [headers[index % len(headers)] for index in range(number)]
    admit = guard.admit
    started = time.perf_counter()
    for header in chosen:
        admit(header, _NEEDED).done()
    return (time.perf_counter() - started) / number * 1e6
