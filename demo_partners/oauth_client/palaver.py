"""Palaver as a partner sees it: connect a person, call the messages API, look up the partner's own standing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from urllib.parse import quote

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

from demo_partners.oauth_client.attempts import attempt
from demo_partners.oauth_client.authorization import PendingAuthorization, read_response
from demo_partners.oauth_client.connection import Connection
from demo_partners.oauth_client.metadata import MetadataSource
from demo_partners.oauth_client.outcomes import Outcome, Verdict, outcome_of_answer, outcome_of_oauth_error
from demo_partners.oauth_client.settings import SCOPE, TIMEOUT, ClientSettings
from demo_partners.oauth_client.tokens import TokenEndpoint, Tokens


class Palaver:
    """One partner's client: whatever happens to a call, it returns an Outcome. ``close`` gives the sockets back."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._transport = httpx2.HTTPTransport()
        self._metadata = MetadataSource(settings.broker, self._transport)
        self._endpoint = TokenEndpoint(settings, self._transport, self._metadata)
        self._own: Connection | None = None

    @property
    def broker(self) -> str:
        """The broker's origin."""
        return self._settings.broker

    def close(self) -> None:
        self._transport.close()

    def begin(self) -> tuple[PendingAuthorization, str] | Outcome:
        """Make an authorization request; return what to remember of it, and the URL to send the person to."""

        def request() -> tuple[PendingAuthorization, str]:
            pending = PendingAuthorization(started=monotonic())
            client = OAuth2Client(
                self._settings.client_id,
                scope=SCOPE,
                redirect_uri=self._settings.redirect_uri,
                code_challenge_method="S256",
                transport=self._transport,
            )
            url, _ = client.create_authorization_url(
                self._metadata().authorization_endpoint, state=pending.state, code_verifier=pending.code_verifier
            )
            return pending, url

        return attempt(request)

    def finish(
        self, parameters: Mapping[str, Sequence[str]], pending: PendingAuthorization | None
    ) -> Connection | Outcome:
        """Turn an authorization response into a connection; raises ResponseRejected for one not to be believed."""

        def redeem() -> Connection:
            approval = read_response(parameters, pending, self._metadata(), monotonic())
            return Connection(self._endpoint.redeem(approval), self._endpoint.refresh)

        ended = attempt(redeem)
        if isinstance(ended, Outcome) and ended.oauth_error and ended.oauth_error.error == "invalid_grant":
            # The code came to nothing; whatever the person had connected before is untouched by that.
            return replace(ended, verdict=Verdict.NOT_CONNECTED)
        return ended

    def give_back(self, connection: Connection) -> Outcome:
        """Revoke the tokens of a connection."""
        return attempt(lambda: outcome_of_answer(self._endpoint.revoke(connection.tokens), datetime.now(UTC)))

    def threads(self, connection: Connection) -> Outcome:
        """List the conversations that the person chose: ``{"threads": [{"id", "title"}]}``."""
        return self._call(connection, "GET", "/api/threads")

    def post(self, connection: Connection, thread: str, text: str) -> Outcome:
        """Send a message into a conversation; the body of the outcome is the message."""
        return self._call(connection, "POST", f"/api/threads/{_segment(thread)}/messages", {"text": text})

    def read(self, connection: Connection, thread: str) -> Outcome:
        """Ask for the messages of a conversation, which this partner may not have."""
        return self._call(connection, "GET", f"/api/threads/{_segment(thread)}/messages")

    def participants(self, connection: Connection, thread: str) -> Outcome:
        """Ask who is in a conversation, which this partner may not know."""
        return self._call(connection, "GET", f"/api/threads/{_segment(thread)}/participants")

    def delete(self, connection: Connection, message: str) -> Outcome:
        """Ask to delete a message, which this partner may not do, even one that it sent."""
        return self._call(connection, "DELETE", f"/api/messages/{_segment(message)}")

    def standing(self) -> Outcome:
        """Look up this client's own feature, state, ceiling and receipt, with a token that reaches no person."""

        def look_up() -> Outcome:
            if self._own is None:
                self._own = Connection(self._endpoint.of_the_client(), lambda _: self._endpoint.of_the_client())
            return self._call(self._own, "GET", "/api/standing")

        return attempt(look_up)

    def _call(self, connection: Connection, method: str, path: str, body: Mapping[str, str] | None = None) -> Outcome:
        """Call the API; on 401 renew the access token and call once more.

        Access has ended when renewing is refused, or when the new token fares no better.
        """

        def call() -> Outcome:
            tokens = connection.tokens
            first = self._send(tokens, method, path, body)
            if first.status != 401:
                return first
            try:
                newer = connection.renewed(tokens)
            except OAuthError as error:
                return replace(
                    outcome_of_oauth_error(error.error, error.description), status=401, problem=first.problem
                )
            return self._send(newer, method, path, body)

        return attempt(call, writes=method != "GET")

    def _send(self, tokens: Tokens, method: str, path: str, body: Mapping[str, str] | None) -> Outcome:
        client = OAuth2Client(
            token={"access_token": tokens.access_token, "token_type": "Bearer"},
            transport=self._transport,
            timeout=TIMEOUT,
        )
        answer: httpx2.Response = client.request(method, self._settings.broker + path, json=body)
        return outcome_of_answer(answer, datetime.now(UTC))


def _segment(value: str) -> str:
    return quote(value, safe="")
