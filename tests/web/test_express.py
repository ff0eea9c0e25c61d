"""The express lane gives the answers of the usual way, sooner, and leaves to it what is not ordinary."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from bench.broker import apps
from bench.broker.seed import seed
from bench.measures.strict_read import _request
from bench.sides import Credentials
from broker.web.express import Express

Answer = tuple[str, dict[str, str], bytes]


@pytest.fixture
def credentials(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Credentials:
    found = seed(database_url)
    monkeypatch.setenv(apps.DATABASE_VARIABLE, database_url)
    return found


@pytest.fixture
def app(credentials: Credentials) -> Iterable[Flask]:
    served = apps.guarded()
    yield served
    served.extensions["spool"].close()
    served.extensions["broker"].database.close()


def _asked(application: Any, environ: dict[str, Any], body: bytes = b"") -> Answer:
    told: list[Any] = []
    sent = {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body)) if body else ""}
    text = b"".join(application(sent, lambda status, headers, *_: told.extend((status, headers))))
    return told[0], {name.lower(): value for name, value in told[1]}, text


def _both(app: Flask, environ: dict[str, Any], body: bytes = b"") -> tuple[Answer, Answer]:
    """The answer as it is served, and the one of the usual way."""
    express = app.wsgi_app
    assert isinstance(express, Express)
    return _asked(express, environ, body), _asked(express._usual, environ, body)


def _introspection(credentials: Credentials) -> dict[str, Any]:
    pair = b64encode(":".join(credentials.resource_server).encode()).decode()
    return {**_request(credentials.readers[0]), "REQUEST_METHOD": "POST", "PATH_INFO": "/oauth/introspect",
            "CONTENT_TYPE": "application/x-www-form-urlencoded", "HTTP_AUTHORIZATION": f"Basic {pair}"}  # fmt: skip


def test_a_page_of_messages_is_the_same_with_the_same_headers(app: Flask, credentials: Credentials) -> None:
    sooner, usual = _both(app, _request(credentials.readers[0]))
    assert sooner == usual
    assert sooner[0] == "200 OK"


def test_an_introspection_is_the_same_for_whoever_asks(app: Flask, credentials: Credentials) -> None:
    environ = _introspection(credentials)
    body = f"token={credentials.readers[0].token}".encode()
    for changed in (environ, {**environ, "HTTP_AUTHORIZATION": "Basic bm9ib2R5Ong="}):
        sooner, usual = _both(app, changed, body)
        assert sooner == usual
        assert sooner[0] == "200 OK"


@pytest.mark.parametrize(
    "changed",
    [
        {"HTTP_AUTHORIZATION": "Bearer plv_at_unknown"},
        {"HTTP_AUTHORIZATION": "Basic x"},
        {"PATH_INFO": "/api/threads/00000000000000000000000000000000/messages"},
        {"QUERY_STRING": "cursor=none"},
        {"HTTP_HOST": "elsewhere.example"},
        {"HTTP_HOST": ""},
    ],
    ids=" ".join,
)
def test_what_is_refused_or_odd_is_answered_on_the_usual_way(
    app: Flask, credentials: Credentials, changed: dict[str, Any]
) -> None:
    sooner, usual = _both(app, {**_request(credentials.readers[0]), **changed})
    assert sooner == usual
    assert sooner[0] != "200 OK"


@pytest.mark.parametrize("body", [b"", b"nothing=1", b"token=a&token=b", b"token=%ff"])
def test_a_body_that_is_no_question_is_answered_on_the_usual_way(
    app: Flask, credentials: Credentials, body: bytes
) -> None:
    sooner, usual = _both(app, _introspection(credentials), body)
    assert sooner == usual
    assert sooner[0] == "400 BAD REQUEST"


def test_it_leaves_a_record_of_what_it_let_through_and_of_nothing_twice(app: Flask, credentials: Credentials) -> None:
    spool, reader = app.extensions["spool"], credentials.readers[0]
    _asked(app.wsgi_app, _request(reader))
    _asked(app.wsgi_app, {**_request(reader), "PATH_INFO": "/api/threads/nothing/messages"})
    lines = (app.extensions["broker"].spools / spool.name).read_bytes().splitlines()
    assert [line.rsplit(b"\t", 1)[1] for line in lines] == [b"allowed", b"not-found"]
