"""An HTTP server that answers as it is told: it plays authorization servers that err, lie, rush or hang up.

The broker itself does none of that, and a client has to stand it. What a partner does with the real broker is tested
with the real broker.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, Thread

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

METADATA = "/.well-known/oauth-authorization-server"


@dataclass(frozen=True)
class Answer:
    """One answer: a body (an object becomes JSON), a status, headers; or hanging up without any."""

    body: object = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False

    def response(self) -> Response:
        raw = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return Response(raw, self.status, headers=self.headers, content_type="application/json")


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    authorization: str
    form: dict[str, str]
    body: bytes


class ScriptedServer:
    """Answers by method and path: the answers in turn, the last one again and again; 404 for what is not scripted."""

    def __init__(self) -> None:
        self.origin = ""
        self.received: list[Received] = []
        self._script: dict[tuple[str, str], list[Answer]] = {}
        self._lock = Lock()

    def script(self, method: str, path: str, *answers: Answer) -> None:
        self._script[method, path] = list(answers)

    def requests(self, method: str, path: str) -> list[Received]:
        return [request for request in self.received if (request.method, request.path) == (method, path)]

    def play_an_honest_server(self) -> None:
        """Script metadata that are right, and tokens that are always given."""
        self.script("GET", METADATA, Answer(self.metadata()))
        self.script("POST", "/oauth/token", Answer(token("1")))

    def metadata(self) -> dict[str, object]:
        return {
            "issuer": self.origin,
            "authorization_endpoint": f"{self.origin}/oauth/authorize",
            "token_endpoint": f"{self.origin}/oauth/token",
            "revocation_endpoint": f"{self.origin}/oauth/revoke",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def answer(self, request: Request) -> Response:
        received = Received(
            method=request.method,
            path=request.path,
            authorization=request.headers.get("Authorization", ""),
            form=request.form.to_dict(),
            body=request.get_data(),
        )
        with self._lock:
            self.received.append(received)
            script = self._script.get((request.method, request.path), [Answer(status=404)])
            answer = script.pop(0) if len(script) > 1 else script[0]
        if answer.hang_up:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return answer.response()


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing; a test that fails says what it received."""


@contextmanager
def serving() -> Iterator[ScriptedServer]:
    """Serve on a free loopback port."""
    scripted = ScriptedServer()
    server = make_server("127.0.0.1", 0, Request.application(scripted.answer), threaded=True, request_handler=_Silent)
    scripted.origin = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        thread.join()


def token(number: str) -> dict[str, object]:
    """A token answer whose secrets can be told from those of another number."""
    return {
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "messages:write",
    }


def problem(status: int, kind: str, **more: object) -> Answer:
    """A refusal of the messages API."""
    return Answer({"type": f"urn:palaver:problem:{kind}", "title": kind, "status": status, **more}, status)
