"""The server to compare with does the work that it is compared for."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from dataclasses import replace
from typing import Any

from bench import world
from bench.catalogue import CATALOGUE, Database
from bench.figures import Figures
from bench.measures.against_plain import plain_side
from bench.measures.context import Bench
from bench.pairs import QUICK
from bench.plain.models import connect
from bench.sides import Side


def _bench(url: str) -> Bench:
    return Bench(Database.SQLITE, lambda: url, QUICK, Figures(), frozenset(CATALOGUE), lambda _what: None)


def _call(side: Side, request: bytes) -> tuple[int, Any]:
    head, _, form = request.decode().partition("\r\n\r\n")
    (method, path, _), *headers = (line.split(" ", 2) for line in head.split("\r\n"))
    with closing(http.client.HTTPConnection(*side.server.address)) as connection:
        connection.request(method, path, form, {name.rstrip(":"): " ".join(value) for name, *value in headers})
        answer = connection.getresponse()
        body = answer.read()
    return answer.status, json.loads(body) if answer.headers.get_content_type() == "application/json" else body


def test_it_issues_introspects_and_reads(database_url: str) -> None:
    with plain_side(_bench(database_url)) as side:
        issued_status, issued = _call(side, side.issuing[0])
        introspected_status, introspected = _call(side, side.introspecting[0])
        read_status, read = _call(side, side.reading[0])
    assert (issued_status, issued["token_type"], issued["scope"]) == (200, "Bearer", "standing:read")
    assert introspected_status == 200
    assert introspected["active"] is True
    assert (introspected["scope"], introspected["username"]) == ("messages:read", "reader-1")
    assert read_status == 200
    assert len(read["messages"]) == world.PAGE
    assert read["next"] is None
    first, *_, last = read["messages"]
    assert first == {
        "id": first["id"],
        "author": "self",
        "text": next(world.messages(1)).text,
        "sent_at": "2026-11-02T09:00:00Z",
        "via": None,
    }
    assert (last["author"], last["via"]) == (2, "TuneLoop")


def test_it_is_a_guard_and_not_a_file_server(database_url: str) -> None:
    with plain_side(_bench(database_url)) as side:
        reader, other = side.credentials.readers[:2]
        elsewhere = replace(reader, thread=other.thread)
        wrong = Side(side.server, replace(side.credentials, resource_server=("archive", "wrong"), readers=(elsewhere,)))
        assert _call(side, side.reading[0].replace(reader.token.encode(), b"unknown"))[0] == 401
        assert _call(wrong, wrong.reading[0])[0] == 404
        assert _call(wrong, wrong.introspecting[0])[0] == 401


def test_it_commits_as_durably_as_the_broker(sqlite_url: str) -> None:
    engine = connect(sqlite_url)
    with engine.connect() as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    engine.dispose()
    assert settings == ["wal", 2, 1]  # 2: FULL
