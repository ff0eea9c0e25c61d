"""The express lane: the calls that are most of all traffic, answered without the framework.

Reading a page of messages, introspecting a token, and the token endpoint, when everything about the request is ordinary
and it is admitted. Whatever is not (a refusal, an odd header, a body that ended early, a database in trouble) goes the
usual way from its start, as if this were not here; so what is answered here is what would be answered there, only
sooner: the framework is half to two thirds of the time that these take. Only what a refused or failed exchange of
tokens may have done is not done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import Any

import msgspec
from flask import Flask

from broker.domain.decisions import Allowed
from broker.domain.scopes import MESSAGES_READ
from broker.network.api import page_of_messages
from broker.operations import tokens
from broker.operations.context import Runtime
from broker.operations.people import limits
from broker.operations.register import resource_servers
from broker.web import headers
from broker.web.oauth.authlib_adapter import TokenRequest, token_answer
from broker.web.oauth.parameters import credentials_of, of_encoded
from broker.web.oauth.token import FOUND
from broker.web.request_context import READ, SINGLE, serving, transaction

Environ = dict[str, Any]
StartResponse = Any

_FORM = "application/x-www-form-urlencoded"
_THREADS, _MESSAGES = "/api/threads/", "/messages"
_ROUTE = "GET /api/threads/<thread>/messages"
_NEEDED = frozenset({MESSAGES_READ})
_encode = msgspec.json.Encoder().encode


class Counted(list[bytes]):
    """A body that counts its request out when the server has taken it: closed (PEP 3333), or let go of.

    granian joins a body that is a list and closes nothing; it lets go of it once it has the whole. So does whatever
    fails after the request was admitted.
    """

    def __init__(self, done: Callable[[], None]) -> None:
        super().__init__()
        self.close = done

    def __del__(self) -> None:
        self.close()


class Express:
    """A WSGI application before the framework's own."""

    def __init__(self, app: Flask) -> None:
        self._app, self._usual = app, app.wsgi_app
        self._running: Runtime = app.extensions["broker"]
        self._limit = self._running.settings.limits.max_body_bytes
        self._forms = {"/oauth/introspect": self._introspection, "/oauth/token": self._token}
        self._headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store"),
                         *headers.for_everything(self._running.settings)]  # fmt: skip

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except Exception:  # noqa: BLE001 - a refusal or a bug: found again on the usual way, and answered or logged
            answer = None
        if answer is None:
            return self._usual(environ, start_response)
        own = [("Pragma", "no-cache")] if environ["REQUEST_METHOD"] == "POST" else []
        start_response("200 OK", [*self._headers, *own, ("Content-Length", str(len(answer[0])))])
        return answer

    def _answer(self, environ: Environ) -> Sequence[bytes] | None:
        if environ.get("QUERY_STRING") or not headers.ordinary_host(self._running.settings, environ):
            return None
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method == "GET" and path.startswith(_THREADS) and path.endswith(_MESSAGES):
            return self._messages(environ, path[len(_THREADS) : -len(_MESSAGES)])
        if method == "POST" and path in self._forms and environ.get("CONTENT_TYPE") == _FORM:
            body = self._body(environ)
            found = None if body is None else self._forms[path](environ, body)
            return None if found is None else [found]
        return None

    def _messages(self, environ: Environ, thread: str) -> Sequence[bytes] | None:
        guard = self._app.extensions["guard"]
        with serving(READ, self._running):
            admission = guard.admit(environ.get("HTTP_AUTHORIZATION"), _NEEDED)
            decision = admission.decision
            if not isinstance(decision, Allowed):
                return None
            answer = Counted(admission.done)
            key = self._running.settings.secret_key
            body, number = page_of_messages(transaction(), key, decision, thread, None)
            guard.record(admission, _ROUTE, number)
            admission.recheck()
            answer.append(body)
        return answer

    def _body(self, environ: Environ) -> bytes | None:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if not 0 < length <= self._limit:
            return None
        body: bytes = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = BytesIO(body)  # for the usual way, should it be needed
        return body if len(body) == length else None

    def _introspection(self, environ: Environ, body: bytes) -> bytes | None:
        given, parameters = credentials_of(environ.get("HTTP_AUTHORIZATION")), of_encoded(body)
        if given is None or "token" not in parameters:
            return None
        with serving(SINGLE, self._running):
            asking = resource_servers.authenticate(transaction(), *given)
            answer = tokens.introspect(transaction(), self._running.settings, asking, parameters["token"],
                                       lease=parameters.get("lease") == "true")  # fmt: skip
        return _encode(answer)

    def _token(self, environ: Environ, body: bytes) -> bytes | None:
        """Here a refusal or a failure may have had its effect: the usual way is told of it, and only answers."""
        if limits.client_must_wait(self._running, environ.get("REMOTE_ADDR", "")) is not None:
            return None
        try:
            asked = TokenRequest(self._running, of_encoded(body), credentials_of(environ.get("HTTP_AUTHORIZATION")))
            status, answer = token_answer(asked)
        except Exception as error:
            environ[FOUND] = error
            raise
        return _encode(answer) if status == 200 else None
