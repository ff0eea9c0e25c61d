"""A closed-loop HTTP/1.1 load generator: C keep-alive connections, each sending its next request when answered.

It shares the processors with the server that it measures, so it does as little as a client can: requests are bytes
made beforehand, one thread waits for all sockets, and of an answer only the status and the length are read.
"""

from __future__ import annotations

import itertools
import re
import selectors
import socket
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

Address = tuple[str, int]

OK = frozenset({200})
CONNECTIONS = 16
PATIENCE_SECONDS = 10.0
_HEAD_END = b"\r\n\r\n"
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def http_request(method: str, path: str, headers: Mapping[str, str], form: str = "") -> bytes:
    """One request, ready to send; ``form`` is its encoded body."""
    all_headers = dict(headers)
    if form:
        all_headers |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(form))}
    head = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n{form}".encode("ascii")


@dataclass(frozen=True, slots=True)
class Sample:
    """What one window of load gave. Only accepted answers count for throughput and latency.

    ``per_s`` counts the answers that came inside the window; latencies, in milliseconds, include those that were
    still under way when it closed, since these are the slow ones. ``errors``: other answers, and connections lost.
    """

    per_s: float
    p50_ms: float
    p99_ms: float
    answers: int
    errors: int
    first_error: str = ""


@dataclass(slots=True, eq=False)
class _Client:
    """One connection and the answer it waits for."""

    connection: socket.socket
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.connection.sendall(request)

    def close(self) -> None:
        self.connection.close()

    def take_answer(self) -> tuple[int, bytes] | None:
        """Status and body once they are here; None while the answer is incomplete.

        Raises ConnectionError when the server hangs up, ValueError for an answer that does not tell its length.
        """
        chunk = self.connection.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        self.received += chunk
        head = self.received.find(_HEAD_END)
        if head < 0:
            return None
        length = _CONTENT_LENGTH.search(self.received, 0, head)
        if length is None:
            raise ValueError(f"an answer without Content-Length: {bytes(self.received[:head])!r}")
        body = head + len(_HEAD_END)
        if len(self.received) < body + int(length[1]):
            return None
        answer = int(self.received[9:12]), bytes(self.received[body:])
        self.received.clear()
        return answer


class _Window:
    """One window of load: opens the connections, keeps each of them busy until the end, then lets all finish."""

    def __init__(self, address: Address, requests: Sequence[bytes], accept: frozenset[int]) -> None:
        self._address = address
        self._next_request = itertools.cycle(requests).__next__
        self._accept = accept
        self._selector = selectors.DefaultSelector()
        self._latencies: list[float] = []
        self._errors: list[str] = []

    def run(self, seconds: float, connections: int, stop: Connection | None) -> Sample:
        if stop is not None:
            self._selector.register(stop, selectors.EVENT_READ, None)
        with self._selector, ExitStack() as open_clients:
            clients = [open_clients.enter_context(closing(_Client(self._connect()))) for _ in range(connections)]
            started = time.perf_counter()
            for client in clients:
                self._selector.register(client.connection, selectors.EVENT_READ, client)
                client.send(self._next_request())
            elapsed = self._load(started + seconds) - started
            in_time = len(self._latencies)
            self._drain(clients)
        return self._sample(in_time / elapsed)

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(self._address, timeout=PATIENCE_SECONDS)
        connection.settimeout(None)  # a timeout costs one more system call for each read
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _load(self, end: float) -> float:
        """Keep every connection busy; the time at which it ended."""
        while (now := time.perf_counter()) < end:
            for key, _ in self._selector.select(end - now):
                if key.data is None:
                    self._selector.unregister(key.fileobj)
                    return time.perf_counter()
                if self._answered(key.data):
                    key.data.send(self._next_request())
        return end

    def _drain(self, clients: Sequence[_Client]) -> None:
        waiting = set(map(id, clients))
        deadline = time.perf_counter() + PATIENCE_SECONDS
        while waiting and (now := time.perf_counter()) < deadline:
            for key, _ in self._selector.select(deadline - now):
                if key.data is not None and self._answered(key.data):
                    self._selector.unregister(key.data.connection)
                    waiting.discard(id(key.data))
        self._errors.extend("no answer" for _ in waiting)

    def _answered(self, client: _Client) -> bool:
        """Read what came; true when the client is free for its next request."""
        try:
            answer = client.take_answer()
        except ConnectionError as error:
            self._errors.append(str(error))
            self._reconnect(client)
            return True
        if answer is None:
            return False
        status, body = answer
        if status in self._accept:
            self._latencies.append(time.perf_counter() - client.sent_at)
        else:
            self._errors.append(f"{status} {body[:200].decode(errors='replace')}")
        return True

    def _reconnect(self, client: _Client) -> None:
        self._selector.unregister(client.connection)
        client.close()
        client.received.clear()
        client.connection = self._connect()
        self._selector.register(client.connection, selectors.EVENT_READ, client)

    def _sample(self, per_s: float) -> Sample:
        p50, p99 = (1000 * value for value in _percentiles(self._latencies))
        first_error = self._errors[0] if self._errors else ""
        return Sample(per_s, p50, p99, len(self._latencies), len(self._errors), first_error)


def _percentiles(latencies: Sequence[float]) -> tuple[float, float]:
    if len(latencies) < 2:
        return (latencies[0], latencies[0]) if latencies else (0.0, 0.0)
    hundredths = statistics.quantiles(latencies, n=100, method="inclusive")
    return hundredths[49], hundredths[98]


def drive(
    address: Address,
    requests: Sequence[bytes],
    *,
    seconds: float,
    connections: int = CONNECTIONS,
    accept: frozenset[int] = OK,
    stop: Connection | None = None,
) -> Sample:
    """Load a server with ``requests`` in turn for ``seconds``, or until something arrives on ``stop``."""
    return _Window(address, requests, accept).run(seconds, connections, stop)
