"""A client process: several visitors, each sending its next request when the last is answered, until stdin closes.

``python -m tests.faults.stage.traffic FILE`` reads its orders from the first line of stdin, and writes each call to the
file when it has returned. What was not answered counts as no yes.
"""

from __future__ import annotations

import json
import sys
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TextIO
from urllib.parse import urlencode, urlsplit

from tests.faults.stage.history import Call, now
from tests.register import secret_of

TIMEOUT_S = 60.0
THINKS_S = 0.004
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Visitor:
    """What one visitor does, again and again: ``read``, ``write``, ``refresh`` or ``consent``, at one node."""

    kind: str
    node: str
    url: str
    feature: str
    client_id: str
    person: str
    token: str = ""
    refresh_token: str = ""
    thread: str = ""

    def call(self, invoked: int, status: int, *, ok: bool, kind: str | None = None) -> Call:
        """A call of this visitor's that has just returned."""
        return Call(kind or self.kind, self.node, self.feature, invoked, now(), status, ok)

    def request(self) -> tuple[str, str, bytes | None, dict[str, str]]:
        """Method, path, body and headers of the next request."""
        path = f"/api/threads/{self.thread}/messages"
        bearer = {"Authorization": f"Bearer {self.token}"}
        if self.kind == "read":
            return "GET", path, None, bearer
        if self.kind == "write":
            return "POST", path, b'{"text": "on and on"}', {**bearer, "Content-Type": "application/json"}
        basic = b64encode(f"{self.client_id}:{secret_of(self.client_id)}".encode()).decode()
        body = urlencode({"grant_type": "refresh_token", "refresh_token": self.refresh_token}).encode()
        return "POST", "/oauth/token", body, {"Authorization": f"Basic {basic}", "Content-Type": _FORM}


class Caller:
    """One visitor's connection, opened again when it is lost."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        where = urlsplit(visitor.url)
        self._connection = HTTPConnection(where.hostname or "", where.port, timeout=TIMEOUT_S)

    def call(self) -> Call:
        """The next request."""
        visitor, invoked = self.visitor, now()
        try:
            self._connection.request(*visitor.request())
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException):
            self._connection.close()
            return visitor.call(invoked, 0, ok=False)
        ok = answer.status in (200, 201)
        call = visitor.call(invoked, answer.status, ok=ok)
        if ok and visitor.kind == "refresh":
            self.visitor = replace(visitor, refresh_token=json.loads(body)["refresh_token"])
        return call

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


Write = Callable[[Call], None]


def _calls(visitor: Visitor, ended: threading.Event, write: Write) -> None:
    caller = Caller(visitor)
    while not ended.wait(THINKS_S):
        write(caller.call())
    caller.close()


def _act(kind: str) -> Callable[[Visitor, threading.Event, Write], None]:
    """What such a visitor does until the event."""
    if kind == "consent":
        from tests.faults.stage.consenting import consents  # optional import: takes a second, and few tests need it

        return consents
    return _calls


def _writing(file: TextIO) -> Write:
    lock = threading.Lock()

    def write(call: Call) -> None:
        with lock:
            file.write(call.line())
            file.flush()

    return write


def main() -> None:
    """Send visitors until stdin closes."""
    visitors = [Visitor(**each) for each in json.loads(sys.stdin.readline())]
    ended = threading.Event()
    with Path(sys.argv[1]).open("w") as file:
        write = _writing(file)
        threads = [threading.Thread(target=_act(each.kind), args=(each, ended, write)) for each in visitors]
        for thread in threads:
            thread.start()
        sys.stdin.read()
        ended.set()
        for thread in threads:
            thread.join()


def orders(visitors: list[Visitor]) -> str:
    """The first line of stdin."""
    return json.dumps([asdict(each) for each in visitors]) + "\n"


if __name__ == "__main__":
    main()
