"""The express lane gives the answers of the usual way, sooner, and leaves to it what is not ordinary."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from bench.broker import apps
from bench.broker.seed import seed
from bench.measures.guarded_read import request_of
from bench.sides import Credentials
from broker.domain.errors import Undecided
from broker.operations.context import Context, Runtime
from broker.web.express import Express
from tests.register import secret_of
from tests.visitors.site import in_process
from tests.world import World

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
    return {**request_of(credentials.readers[0]), "REQUEST_METHOD": "POST", "PATH_INFO": "/oauth/introspect",
            "CONTENT_TYPE": "application/x-www-form-urlencoded", "HTTP_AUTHORIZATION": f"Basic {pair}"}  # fmt: skip


def _token(credentials: Credentials) -> dict[str, Any]:
    pair = b64encode(":".join(credentials.client).encode()).decode()
    return {**_introspection(credentials), "PATH_INFO": "/oauth/token", "HTTP_AUTHORIZATION": f"Basic {pair}"}


def test_a_page_of_messages_is_the_same_with_the_same_headers(app: Flask, credentials: Credentials) -> None:
    sooner, usual = _both(app, request_of(credentials.readers[0]))
    assert sooner == usual
    assert sooner[0] == "200 OK"


def test_an_introspection_is_the_same_for_whoever_asks(app: Flask, credentials: Credentials) -> None:
    environ = _introspection(credentials)
    body = f"token={credentials.readers[0].token}".encode()
    for changed in (environ, {**environ, "HTTP_AUTHORIZATION": "Basic bm9ib2R5Ong="}):
        sooner, usual = _both(app, changed, body)
        assert sooner == usual
        assert sooner[0] == "200 OK"
    sooner, usual = _both(app, environ, body + b"&lease=true")
    answers = [json.loads(each[2]) for each in (sooner, usual)]
    left = [each["lease"].pop("ends_in_us") for each in answers]
    assert left[0] > left[1], "it was asked sooner"
    assert answers[0] == answers[1]
    assert len(answers[0]["lease"]["marks"]) == 5


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
    sooner, usual = _both(app, {**request_of(credentials.readers[0]), **changed})
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
    _asked(app.wsgi_app, request_of(reader))
    _asked(app.wsgi_app, {**request_of(reader), "PATH_INFO": "/api/threads/nothing/messages"})
    lines = (app.extensions["broker"].spools / spool.name).read_bytes().splitlines()
    assert [line.rsplit(b"\t", 1)[1] for line in lines] == [b"allowed", b"not-found"]


def test_a_token_comes_with_the_same_words_and_headers(app: Flask, credentials: Credentials) -> None:
    sooner, usual = _both(app, _token(credentials), b"grant_type=client_credentials")
    assert sooner[:2] == usual[:2]
    assert sooner[0] == "200 OK"
    mine, other = json.loads(sooner[2]), json.loads(usual[2])
    assert mine.pop("access_token") != other.pop("access_token")
    assert mine == other


@pytest.mark.parametrize(
    "body",
    [b"", b"scope=x", b"grant_type=password", b"grant_type=client_credentials&scope=messages:read", b"grant_type=%ff",
     b"grant_type=refresh_token&refresh_token=none", b"grant_type=client_credentials&client_id=another"],
)  # fmt: skip
@pytest.mark.parametrize("header", [None, "Basic bm9ib2R5Ong=", "Basic !"])
def test_a_token_that_is_refused_is_refused_on_the_usual_way(
    app: Flask, credentials: Credentials, body: bytes, header: str | None
) -> None:
    environ = _token(credentials)
    sooner, usual = _both(app, environ if header is None else {**environ, "HTTP_AUTHORIZATION": header}, body)
    assert sooner == usual
    assert sooner[0] in ("400 BAD REQUEST", "401 UNAUTHORIZED")


class _Deaf(Runtime):
    """A runtime that does not hear the reply to a commit for a client."""

    @contextmanager
    def write(self, actor: str, *, settles: bool = True) -> Iterator[Context]:
        with super().write(actor, settles=settles) as context:
            yield context
        if actor.startswith("client:"):
            raise Undecided("the reply to the commit was lost")


def test_an_exchange_whose_commit_nobody_answered_is_not_done_again(world: World) -> None:
    """Done again, the refresh token that the first has claimed would count as stolen, and everything would end."""
    alice, running = world.connect("alice", "tuneloop-share"), world.runtime
    deaf = _Deaf(*(getattr(running, name) for name in Runtime.__slots__))
    with in_process(deaf) as site:
        form = {"grant_type": "refresh_token", "refresh_token": alice.refresh}
        answer = site.client().post(
            "/oauth/token", content=urlencode(form), auth=(alice.client_id, secret_of(alice.client_id)),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
    assert answer.status_code == 503
    assert "token_family.ended" not in world.log()
