"""A TCP proxy between a broker and its PostgreSQL, which is slow, loses answers or goes away when it is told to.

Connections are told apart by what they have sent: a node's renewals are those in which ``RENEWAL`` was seen.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

RENEWAL = b"renewed_at="
SHUTDOWN = b"INSERT INTO shutdown"
BEGUN, COMMITTED = b"BEGIN\0", b"COMMIT\0"
"""The server's words that a transaction is begun, and committed, as PostgreSQL's protocol has them."""

_KNOWN = (RENEWAL, SHUTDOWN)
_MOST = 65536
_LONGEST = max(map(len, _KNOWN)) - 1


@dataclass(eq=False)
class Rule:
    """What becomes of answers that contain ``answer``, on connections that had sent ``after``.

    ``loses``: the connection is cut in place of the answer, once. Else answers are held: those that are, until
    ``let_through``; all, until ``end``.
    """

    after: bytes = b""
    answer: bytes = b""
    loses: bool = False
    caught: threading.Event = field(default_factory=threading.Event)
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _round: int = 0
    _ended: bool = False

    def meant(self, connection: _Connection, data: bytes) -> bool:
        """Whether it is about this answer."""
        return not self._ended and (not self.after or self.after in connection.seen) and self.answer in data

    def hold(self) -> None:
        """Wait until this answer may go on."""
        with self._turn:
            held_in = self._round
            self.caught.set()
            self._turn.wait_for(lambda: self._ended or self._round > held_in)

    def let_through(self) -> None:
        """What is held goes on; what comes now is held."""
        with self._turn:
            self.caught.clear()
            self._round += 1
            self._turn.notify_all()

    def end(self) -> None:
        """All goes on."""
        with self._turn:
            self._ended = True
            self._turn.notify_all()


@dataclass(eq=False)
class _Connection:
    client: socket.socket
    server: socket.socket
    seen: set[bytes] = field(default_factory=set)
    _tail: bytes = b""

    def note(self, data: bytes) -> None:
        """Remember which known words were sent, also across the seams of what is received."""
        text = self._tail + data
        self.seen.update(word for word in _KNOWN if word in text)
        self._tail = text[-_LONGEST:]

    def close(self) -> None:
        """Hang up to both sides."""
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def pump(self, ways: Sequence[Callable[[_Connection], None]]) -> None:
        """Pass on both ways, until one has ended."""
        threads = [threading.Thread(target=way, args=(self,), daemon=True) for way in ways]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.client.close()
        self.server.close()


class Proxy:
    """Listens on loopback and passes everything on to a port of this machine, unless it is told otherwise."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._rules: list[Rule] = []
        self._open: set[_Connection] = set()
        self._vanished = False
        self.delay_s = 0.0
        """How late each answer comes."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def holding(self, *, after: bytes = b"", answer: bytes = b"") -> Iterator[Rule]:
        """Hold such answers, until the end of the block."""
        rule = Rule(after, answer)
        self._rules.append(rule)
        try:
            yield rule
        finally:
            self._rules.remove(rule)
            rule.end()

    def losing(self, *, after: bytes, answer: bytes) -> Rule:
        """Lose the next such answer, and its connection with it."""
        rule = Rule(after, answer, loses=True)
        self._rules.append(rule)
        return rule

    def vanish(self) -> None:
        """Cut every connection, and let nobody in."""
        self._vanished = True
        for connection in list(self._open):
            connection.close()

    def come_back(self) -> None:
        """Let everybody in again."""
        self._vanished = False

    def close(self) -> None:
        """End; what is held is let go."""
        for rule in self._rules:
            rule.end()
        self.vanish()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._vanished:
                    raise ConnectionRefusedError
                connection = _Connection(client, socket.create_connection(("127.0.0.1", self._target)))
            except OSError:
                client.close()
                continue
            self._open.add(connection)
            threading.Thread(target=connection.pump, args=((self._up, self._down),), daemon=True).start()

    def _up(self, connection: _Connection) -> None:
        with suppress(OSError):
            while data := connection.client.recv(_MOST):
                connection.note(data)
                connection.server.sendall(data)
        connection.close()

    def _down(self, connection: _Connection) -> None:
        with suppress(OSError):
            while data := connection.server.recv(_MOST):
                if self.delay_s:
                    time.sleep(self.delay_s)
                if not self._passes(connection, data):
                    break
                connection.client.sendall(data)
        connection.close()  # before the sockets are: a thread that still reads would keep them open
        self._open.discard(connection)

    def _passes(self, connection: _Connection, data: bytes) -> bool:
        for rule in list(self._rules):
            if not rule.meant(connection, data):
                continue
            if rule.loses:
                self._rules.remove(rule)
                rule.caught.set()
                return False
            rule.hold()
        return True
