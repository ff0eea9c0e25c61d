"""A partner's app at its redirect URI: it keeps what it is sent, and says that it was reached."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_PAGE = b"<!doctype html><title>App</title><link rel=icon href=data:,><h1>Back at the app</h1>"


@dataclass
class Callback:
    """Where it listens, and the address that the browser last came with."""

    port: int
    received: list[str] = field(default_factory=list)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}/callback"

    @property
    def answer(self) -> dict[str, str]:
        """The parameters of the last authorization response."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.received[-1]).query).items()}


@contextmanager
def listening() -> Iterator[Callback]:
    """Listen on a free port until the test is over."""
    callback = Callback(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            callback.received.append(f"http://127.0.0.1:{callback.port}{self.path}")
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(_PAGE)))
            self.end_headers()
            self.wfile.write(_PAGE)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    callback.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield callback
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
