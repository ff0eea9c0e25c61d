"""What the guard in strict mode adds to reading a page of messages: in process, over HTTP, in statements."""

from __future__ import annotations

import os
import statistics
import time
from io import BytesIO
from typing import Any

from flask import Flask

from bench.broker import apps
from bench.broker.seed import opened, seed
from bench.broker.side import with_and_without_guard
from bench.load import Sample
from bench.measures.against_plain import latency
from bench.measures.context import Bench, Invalid
from bench.pairs import QUICK, interleave, median_ratio, spread_of_ratios
from bench.sides import Reader
from broker.store.engine.database import Transaction

NAMES = ("strict.read.added_us", "strict.read.ratio", "strict.read.statements")
_ROUNDS, _QUICK_ROUNDS = 2000, 300


def run(bench: Bench) -> None:
    """Measure the wanted ones of NAMES."""
    if bench.wanted & {"strict.read.added_us", "strict.read.statements"}:
        _in_process(bench)
    if "strict.read.ratio" in bench.wanted:
        _over_http(bench)


def _in_process(bench: Bench) -> None:
    bench.say("reading in process, with the guard and without")
    url = bench.new_database()
    readers = seed(url).readers
    os.environ["BENCH_TOKENS"] = " ".join(reader.token for reader in readers)
    running = opened(url)
    os.environ[apps.DATABASE_VARIABLE] = url
    guarded, unguarded = apps.guarded(), apps.unguarded()
    rounds = _QUICK_ROUNDS if bench.plan is QUICK else _ROUNDS
    asked = [_request(reader) for reader in readers]
    for app in (guarded, unguarded):
        _microseconds(app, asked, rounds // 4)
    pairs = interleave(
        bench.plan.pairs, lambda: _microseconds(guarded, asked, rounds), lambda: _microseconds(unguarded, asked, rounds)
    )
    added = [ours - bare for ours, bare in pairs]
    bench.record("strict.read.added_us", statistics.median(added), pairs=len(pairs), least=min(added),
                 greatest=max(added), whole_us=statistics.median(ours for ours, _ in pairs))  # fmt: skip
    counts = [_statements(app, asked[0]) for app in (guarded, unguarded)]
    bench.record("strict.read.statements", counts[0] - counts[1], guarded=counts[0], unguarded=counts[1])
    running.database.close()


def _request(reader: Reader) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": f"/api/threads/{reader.thread}/messages", "SCRIPT_NAME": "",
        "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "HTTP_HOST": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "wsgi.version": (1, 0),
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False, "wsgi.errors": BytesIO(),
        "HTTP_AUTHORIZATION": f"Bearer {reader.token}",
    }  # fmt: skip


def _call(app: Flask, request: dict[str, Any]) -> None:
    answered: list[str] = []

    def start(status: str, *_: Any) -> Any:
        answered.append(status)

    body = b"".join(app.wsgi_app({**request, "wsgi.input": BytesIO()}, start))
    if answered != ["200 OK"]:
        raise Invalid(f"{answered}: {body[:200]!r}")


def _microseconds(app: Flask, requests: list[dict[str, Any]], rounds: int) -> float:
    started = time.perf_counter()
    for number in range(rounds):
        _call(app, requests[number % len(requests)])
    return (time.perf_counter() - started) / rounds * 1e6


def _statements(app: Flask, asked: dict[str, Any]) -> int:
    """How many statements a request runs: the store runs them all in one place."""
    run, count = Transaction._execute, 0

    def counting(self: Transaction, statement: Any, values: Any) -> None:
        nonlocal count
        count += 1
        run(self, statement, values)

    Transaction._execute = counting  # type: ignore[method-assign]
    try:
        _call(app, asked)
    finally:
        Transaction._execute = run  # type: ignore[method-assign]
    return count


def _over_http(bench: Bench) -> None:
    bench.say("reading over HTTP, with the guard and without, by turns")
    with with_and_without_guard(bench) as sides:
        windows = [side.load(side.reading, bench.plan) for side in sides]
        for window in windows:
            window()
        pairs = interleave(bench.plan.pairs, *windows)
    _require_answers(pairs)
    rates = [(ours.per_s, bare.per_s) for ours, bare in pairs]
    least, greatest = spread_of_ratios(rates)
    bench.record("strict.read.ratio", median_ratio(rates), pairs=len(pairs), least=least, greatest=greatest,
                 per_s=statistics.median(ours for ours, _ in rates), **latency([ours for ours, _ in pairs]),
                 unguarded={"per_s": statistics.median(bare for _, bare in rates),
                            **latency([bare for _, bare in pairs])})  # fmt: skip


def _require_answers(pairs: list[tuple[Sample, Sample]]) -> None:
    for sample in (sample for pair in pairs for sample in pair):
        if sample.errors:
            raise Invalid(f"{sample.errors} errors: {sample.first_error}")
