"""The load generator counts what was answered, and says what went wrong."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bench.background import background_load
from bench.load import Address, drive, http_request

REQUEST = http_request("GET", "/", {"Host": "localhost"})
WINDOW_SECONDS = 0.2


def _answer(status: str, body: bytes = b"ok") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def _server(respond: Callable[[socket.socket, int], bool]) -> Iterator[Address]:
    """A server that gives each request of a connection, with its number, to ``respond`` until that says false."""
    with socket.create_server(("127.0.0.1", 0)) as listener, _joined() as threads:

        def serve(connection: socket.socket) -> None:
            with connection:
                number = 0
                while connection.recv(65536) and respond(connection, number):
                    number += 1

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threads.append(thread := threading.Thread(target=serve, args=(connection,)))
                thread.start()

        threads.append(acceptor := threading.Thread(target=accept))
        acceptor.start()
        yield listener.getsockname()[:2]
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def _joined() -> Iterator[list[threading.Thread]]:
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join()


def _always(answer: bytes) -> Callable[[socket.socket, int], bool]:
    def respond(connection: socket.socket, _number: int) -> bool:
        connection.sendall(answer)
        return True

    return respond


def test_every_connection_sends_again_when_it_is_answered() -> None:
    with _server(_always(_answer("200 OK"))) as address:
        sample = drive(address, [REQUEST], seconds=WINDOW_SECONDS, connections=4)
    assert sample.answers > 4
    assert sample.errors == 0
    assert sample.answers - 4 <= round(sample.per_s * WINDOW_SECONDS) <= sample.answers
    assert 0 < sample.p50_ms <= sample.p99_ms


def test_an_answer_that_comes_in_pieces_is_one_answer() -> None:
    def respond(connection: socket.socket, _number: int) -> bool:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (b"HTTP/1.1 200 OK\r\nContent-", b"Length: 4\r\n\r\n12", b"34"):
            connection.sendall(piece)
        return True

    with _server(respond) as address:
        sample = drive(address, [REQUEST], seconds=WINDOW_SECONDS, connections=2)
    assert sample.errors == 0
    assert sample.answers > 2


def test_an_answer_that_is_not_accepted_is_an_error_and_not_throughput() -> None:
    with _server(_always(_answer("503 Service Unavailable", b"later"))) as address:
        refused = drive(address, [REQUEST], seconds=WINDOW_SECONDS, connections=2)
        accepted = drive(address, [REQUEST], seconds=WINDOW_SECONDS, connections=2, accept=frozenset({503}))
    assert (refused.answers, refused.per_s, refused.first_error) == (0, 0.0, "503 later")
    assert refused.errors > 0
    assert accepted.errors == 0


def test_a_server_that_hangs_up_is_called_again() -> None:
    def respond(connection: socket.socket, number: int) -> bool:
        if number == 0:
            connection.sendall(_answer("200 OK"))
        return number == 0

    with _server(respond) as address:
        sample = drive(address, [REQUEST], seconds=WINDOW_SECONDS, connections=1)
    assert sample.answers > 1
    assert sample.errors > 1
    assert sample.first_error == "the server closed the connection"


def test_an_answer_that_is_late_counts_for_latency_but_not_for_throughput() -> None:
    asked = threading.Event()

    def respond(connection: socket.socket, _number: int) -> bool:
        asked.set()
        time.sleep(2 * WINDOW_SECONDS)  # the lateness is what is tested, and the generator reads a real clock
        connection.sendall(_answer("200 OK"))
        return True

    with _server(respond) as address:
        sample = drive(address, [REQUEST], seconds=WINDOW_SECONDS, connections=1)
    assert asked.is_set()
    assert (sample.answers, sample.per_s) == (1, 0.0)
    assert sample.p99_ms >= 2000 * WINDOW_SECONDS


def test_requests_are_sent_in_turn() -> None:
    seen: list[bytes] = []

    with socket.create_server(("127.0.0.1", 0)) as listener, _joined() as threads:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while received := connection.recv(65536):
                    seen.append(received)
                    connection.sendall(_answer("200 OK"))

        threads.append(thread := threading.Thread(target=serve))
        thread.start()
        requests = [http_request("GET", f"/{number}", {"Host": "localhost"}) for number in range(3)]
        drive(listener.getsockname()[:2], requests, seconds=WINDOW_SECONDS, connections=1)
    assert seen[:4] == [*requests, requests[0]]


def test_an_answer_without_a_length_is_refused() -> None:
    with (
        _server(_always(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")) as address,
        pytest.raises(ValueError, match="without Content-Length"),
    ):
        drive(address, [REQUEST], seconds=WINDOW_SECONDS, connections=1)


def test_a_form_tells_its_length_and_type() -> None:
    head, _, body = http_request("POST", "/oauth/token", {"Host": "localhost"}, "grant_type=x").partition(b"\r\n\r\n")
    assert head.startswith(b"POST /oauth/token HTTP/1.1\r\nHost: localhost\r\n")
    assert b"Content-Length: 12" in head
    assert b"Content-Type: application/x-www-form-urlencoded" in head
    assert body == b"grant_type=x"


def test_load_in_the_background_goes_on_until_it_is_finished() -> None:
    answered = threading.Semaphore(0)

    def respond(connection: socket.socket, _number: int) -> bool:
        connection.sendall(_answer("200 OK"))
        answered.release()
        return True

    with _server(respond) as address:
        with background_load(address, [REQUEST], connections=2) as load:
            for _ in range(100):
                assert answered.acquire(timeout=30)
            sample = load.finish()
        assert sample.answers >= 100
        assert sample.errors == 0


def test_load_in_the_background_that_breaks_off_says_why() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()[:2]
    with background_load(address, [REQUEST], connections=1) as load, pytest.raises(RuntimeError, match="refused"):
        load.finish()
