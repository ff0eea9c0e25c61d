"""What a guard adds to reading a page of messages: in process, and over HTTP, by turns with the guard taken out."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

from flask import Flask

from bench.broker import apps
from bench.broker.seed import seed
from bench.broker.side import with_and_without_guard
from bench.load import Sample
from bench.measures.against_plain import latency
from bench.measures.context import Bench, Invalid
from bench.pairs import QUICK, interleave, median_ratio, spread_of_ratios
from bench.sides import Reader

Request = dict[str, Any]
_ROUNDS, _QUICK_ROUNDS = 2000, 300


def rounds(bench: Bench) -> int:
    """How many calls in process make one window."""
    return _QUICK_ROUNDS if bench.plan is QUICK else _ROUNDS


def in_process(bench: Bench, guarded_app: Callable[[], Flask]) -> tuple[Flask, Flask, list[Request]]:
    """An application with its guard and one without on a new database, and a request of each reader."""
    url = bench.new_database()
    readers = seed(url).readers
    os.environ["BENCH_TOKENS"] = " ".join(reader.token for reader in readers)
    os.environ[apps.DATABASE_VARIABLE] = url
    return guarded_app(), apps.unguarded(), [request_of(reader) for reader in readers]


def record_added(bench: Bench, name: str, guarded: Flask, unguarded: Flask, asked: list[Request]) -> None:
    """Record the median over pairs of what the guard adds to one call, in microseconds."""
    number = rounds(bench)
    windows = [partial(_microseconds, app, asked, number) for app in (guarded, unguarded)]
    for window in windows:
        window()
    pairs = interleave(bench.plan.pairs, *windows)
    added = [ours - bare for ours, bare in pairs]
    bench.record(name, statistics.median(added), pairs=len(pairs), least=min(added), greatest=max(added),
                 whole_us=statistics.median(ours for ours, _ in pairs))  # fmt: skip


def over_http(bench: Bench, name: str, guarded_app: str) -> None:
    """Record guarded to unguarded reads per second; ``Invalid`` when either server answers anything but 200."""
    with with_and_without_guard(bench, guarded_app) as sides:
        windows = [side.load(side.reading, bench.plan) for side in sides]
        for window in windows:
            window()
        pairs = interleave(bench.plan.pairs, *windows)
    _require_answers(pairs)
    rates = [(ours.per_s, bare.per_s) for ours, bare in pairs]
    least, greatest = spread_of_ratios(rates)
    bench.record(name, median_ratio(rates), pairs=len(pairs), least=least, greatest=greatest,
                 per_s=statistics.median(ours for ours, _ in rates), **latency([ours for ours, _ in pairs]),
                 unguarded={"per_s": statistics.median(bare for _, bare in rates),
                            **latency([bare for _, bare in pairs])})  # fmt: skip


def call(app: Flask, request: Request) -> None:
    """One request, as a server makes it: the answer is taken whole and closed. ``Invalid`` unless it is 200."""
    answered: list[str] = []

    def start(status: str, *_: Any) -> Any:
        answered.append(status)

    body: Any = app.wsgi_app({**request, "wsgi.input": BytesIO()}, start)
    whole = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    if answered != ["200 OK"]:
        raise Invalid(f"{answered}: {whole[:200]!r}")


def request_of(reader: Reader) -> Request:
    """A page of the reader's thread, as a server hands the request on (PEP 3333)."""
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": f"/api/threads/{reader.thread}/messages", "SCRIPT_NAME": "",
        "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "HTTP_HOST": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "wsgi.version": (1, 0),
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False, "wsgi.errors": BytesIO(),
        "HTTP_AUTHORIZATION": f"Bearer {reader.token}",
    }  # fmt: skip


def _microseconds(app: Flask, requests: list[Request], number: int) -> float:
    started = time.perf_counter()
    for index in range(number):
        call(app, requests[index % len(requests)])
    return (time.perf_counter() - started) / number * 1e6


def _require_answers(pairs: list[tuple[Sample, Sample]]) -> None:
    for sample in (sample for pair in pairs for sample in pair):
        if sample.errors:
            raise Invalid(f"{sample.errors} errors: {sample.first_error}")
