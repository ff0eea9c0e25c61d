"""What no client library would send, byte by byte to a real broker: a 4xx, never a 5xx, and it goes on."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import databases
from tests.register import secret_of
from tests.serving import Served, serve
from tests.visitors import configuration

BASIC = b"Authorization: Basic " + b64encode(f"tuneloop-share:{secret_of('tuneloop-share')}".encode())
FORM = b"Content-Type: application/x-www-form-urlencoded"
BODY = b"grant_type=client_credentials"
MULTIPART = b'--b\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n--b--\r\n'


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One real broker for all of this."""
    directory: Path = tmp_path_factory.mktemp("raw")
    with serve(databases.fresh_sqlite_database(directory), configuration.write(directory / "config")) as broker:
        yield broker


def _send(broker: Served, request: bytes, *, ends_early: bool = False) -> bytes:
    """The first bytes of the answer; nothing, where the server closes without one."""
    with socket.create_connection(("127.0.0.1", urlsplit(broker.url).port or 0), timeout=20) as connection:
        try:
            connection.sendall(request)
            if ends_early:
                connection.shutdown(socket.SHUT_WR)
            return connection.recv(65_536)
        except (ConnectionResetError, BrokenPipeError):
            return b""


def _status(broker: Served, request: bytes, *, ends_early: bool = False) -> int | None:
    answer = _send(broker, request, ends_early=ends_early)
    return int(answer.split(b" ", 2)[1]) if answer else None


def _post(path: bytes, body: bytes, *headers: bytes, length: bytes | None = None) -> bytes:
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: 127.0.0.1", *headers]
    lines.append(b"Content-Length: " + (str(len(body)).encode() if length is None else length))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _get(target: bytes, *headers: bytes, host: bytes = b"127.0.0.1") -> bytes:
    return b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: " + host, *headers]) + b"\r\n\r\n"


def test_a_request_that_is_right_is_answered(broker: Served) -> None:
    assert _status(broker, _post(b"/oauth/token", BODY, BASIC, FORM)) == 200


MALFORMED = {
    "two lengths": _post(b"/oauth/token", BODY, BASIC, FORM, b"Content-Length: 3"),
    "two different lengths, the longer first": _post(b"/oauth/token", BODY, BASIC, FORM, b"Content-Length: 4000"),
    "a negative length": _post(b"/oauth/token", BODY, BASIC, FORM, length=b"-1"),
    "a length in words": _post(b"/oauth/token", BODY, BASIC, FORM, length=b"ten"),
    "a length with a sign": _post(b"/oauth/token", BODY, BASIC, FORM, length=b"+29"),
    "a length and chunks": _post(b"/oauth/token", BODY, BASIC, FORM, b"Transfer-Encoding: chunked"),
    "a length that wraps": _post(b"/oauth/token", BODY, BASIC, FORM, length=b"18446744073709551645"),
    "a body of a megabyte": _post(b"/oauth/token", BODY + b"&x=" + b"x" * 1_000_000, BASIC, FORM),
    "a message of a megabyte": _post(b"/api/threads/x/messages", b'{"text": "' + b"x" * 1_000_000 + b'"}',
                                     b"Content-Type: application/json"),
    "a login of a megabyte": _post(b"/login", b"username=" + b"x" * 1_000_000, FORM),
    "a state of a megabyte": _get(b"/oauth/authorize?client_id=tuneloop-share&state=" + b"x" * 1_000_000),
    "a header of a megabyte": _get(b"/api/threads", b"Authorization: Bearer " + b"x" * 1_000_000),
    "a cookie of a megabyte": _get(b"/inbox", b"Cookie: palaver=" + b"x" * 1_000_000),
    "a thousand headers": _get(b"/api/threads", *(b"X-%d: x" % number for number in range(1000))),
    "JSON where a form belongs": _post(b"/oauth/token", b'{"grant_type": "client_credentials"}', BASIC,
                                       b"Content-Type: application/json"),
    "no type at all": _post(b"/oauth/token", BODY, BASIC),
    "a multipart form": _post(b"/oauth/token", MULTIPART, BASIC, b"Content-Type: multipart/form-data; boundary=b"),
    "raw bytes in a body": _post(b"/oauth/token", b"grant_type=\xff\xfe", BASIC, FORM),
    "overlong UTF-8 in a body": _post(b"/oauth/token", b"grant_type=%C0%AF", BASIC, FORM),
    "a surrogate in a body": _post(b"/oauth/token", b"grant_type=%ED%A0%80", BASIC, FORM),
    "NUL in a body": _post(b"/oauth/token", b"grant_type=%00", BASIC, FORM),
    "ten thousand parameters": _post(b"/oauth/token", b"&".join(b"a%d=1" % n for n in range(7000)), BASIC, FORM),
    "raw bytes in a query": _get(b"/oauth/authorize?client_id=\xff\xfe"),
    "NUL in a path": _get(b"/api/threads/%00/messages"),
    "raw NUL in a path": _get(b"/api/threads/\0/messages"),
    "bad UTF-8 in a path": _get(b"/api/threads/%ff%fe/messages"),
    "raw bytes in a header": _get(b"/api/threads", b"Authorization: Bearer \xff\xfe\x80"),
    "NUL in a header": _get(b"/api/threads", b"Authorization: Bearer \0"),
    "credentials that are no UTF-8": _post(b"/oauth/token", BODY, b"Authorization: Basic /zr/", FORM),
    "raw bytes as credentials": _post(b"/oauth/token", BODY, b"Authorization: Basic \xff\xff", FORM),
    "two headers of credentials": _post(b"/oauth/token", BODY, BASIC, BASIC.replace(b"Basic ", b"Basic x"), FORM),
    "no host": b"GET /login HTTP/1.1\r\n\r\n",
    "an empty host": _get(b"/login", host=b""),
    "two hosts": _get(b"/login", b"Host: evil.example"),
    "a foreign host": _get(b"/login", host=b"evil.example"),
    "a host with a path": _get(b"/login", host=b"127.0.0.1/evil.example"),
    "a host with raw bytes": _get(b"/login", host=b"127.0.0.1\xff"),
    "a whole address": _get(b"http://evil.example/login", host=b"evil.example"),
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    "an old version": b"GET /login HTTP/0.9\r\n\r\n",
    "a method of its own": _get(b"/login").replace(b"GET", b"BREW", 1),
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    "TRACE": _get(b"/login").replace(b"GET", b"TRACE", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_the_callers_mistake(broker: Served, name: str) -> None:
    status = _status(broker, MALFORMED[name])
    assert status is None or 400 <= status < 500, status
    assert _status(broker, _get(b"/readyz")) == 200


@pytest.mark.parametrize("length", [30, 500])
def test_a_body_that_ends_early_is_not_taken_for_a_whole_one(broker: Served, length: int) -> None:
    """What is missing could have been a scope, or the end of a number."""
    cut = _post(b"/oauth/token", BODY, BASIC, FORM, length=str(length).encode())
    assert _status(broker, cut, ends_early=True) in (400, None)
    login = _post(b"/login", b"username=alice", FORM, length=str(length).encode())
    assert _status(broker, login, ends_early=True) in (400, None)


def test_none_of_it_has_left_a_trace_of_an_error(broker: Served) -> None:
    assert '"event": "unexpected"' not in broker.written()
    assert "Traceback" not in broker.written()
    assert secret_of("tuneloop-share") not in broker.written()
