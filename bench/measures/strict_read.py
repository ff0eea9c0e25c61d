"""What the guard in strict mode adds to reading a page of messages: in process, over HTTP, in statements."""

from __future__ import annotations

from typing import Any

from flask import Flask

from bench.broker import apps
from bench.measures.context import Bench
from bench.measures.guarded_read import Request, call, in_process, over_http, record_added
from broker.store.engine.database import Transaction

NAMES = ("strict.read.added_us", "strict.read.ratio", "strict.read.statements")


def run(bench: Bench) -> None:
    """Measure the wanted ones of NAMES."""
    if bench.wanted & {"strict.read.added_us", "strict.read.statements"}:
        bench.say("reading in process, with the guard and without")
        guarded, unguarded, asked = in_process(bench, apps.guarded)
        record_added(bench, "strict.read.added_us", guarded, unguarded, asked)
        counts = [_statements(app, asked[0]) for app in (guarded, unguarded)]
        bench.record("strict.read.statements", counts[0] - counts[1], guarded=counts[0], unguarded=counts[1])
        for app in (guarded, unguarded):
            apps.close(app)
    if "strict.read.ratio" in bench.wanted:
        bench.say("reading over HTTP, with the guard and without, by turns")
        over_http(bench, "strict.read.ratio", "guarded")


def _statements(app: Flask, asked: Request) -> int:
    """How many statements a request runs: the store runs them all in one place."""
    run, count = Transaction._execute, 0

    def counting(self: Transaction, statement: Any, values: Any) -> None:
        nonlocal count
        count += 1
        run(self, statement, values)

    Transaction._execute = counting  # type: ignore[method-assign]
    try:
        call(app, asked)
    finally:
        Transaction._execute = run  # type: ignore[method-assign]
    return count
