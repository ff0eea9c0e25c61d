"""The token endpoint: a code, a refresh token or the client's own name for an access token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

from demo_partners.oauth_client.authorization import Approval
from demo_partners.oauth_client.metadata import ServerMetadata
from demo_partners.oauth_client.settings import STANDING_SCOPE, TIMEOUT, ClientSettings


class TokenAnswerError(Exception):
    """A success answer of the token endpoint that is not a usable token."""


@dataclass(frozen=True)
class Tokens:
    """What was issued together: bearer access token, refresh token if any, and the scope that the answer named."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    scope: str


class TokenEndpoint:
    """Speaks to the token and revocation endpoints as one client.

    Each method raises Authlib's OAuthError for an OAuth error, httpx2's HTTPStatusError for 429, 503 and other answers
    that carry none, its TransportError without an answer, and TokenAnswerError for an answer that is no token.
    """

    def __init__(
        self, settings: ClientSettings, transport: httpx2.BaseTransport, metadata: Callable[[], ServerMetadata]
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._metadata = metadata

    def redeem(self, approval: Approval) -> Tokens:
        """Exchange an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""
        return self._ask(
            grant_type="authorization_code",
            code=approval.code,
            code_verifier=approval.code_verifier,
            redirect_uri=self._settings.redirect_uri,
        )

    def refresh(self, stale: Tokens) -> Tokens:
        """Exchange a refresh token; the answer's own, rotated one takes its place (RFC 6749 section 6)."""
        if stale.refresh_token is None:
            raise OAuthError("invalid_grant", "no refresh token was issued")
        # No scope is named: an omitted one means what was granted, and a ceiling that has narrowed since must not
        # turn the request into invalid_scope.
        return self._ask(grant_type="refresh_token", refresh_token=stale.refresh_token)

    def of_the_client(self) -> Tokens:
        """Get a token for the partner's own standing, without any person (RFC 6749 section 4.4)."""
        return self._ask(grant_type="client_credentials", scope=STANDING_SCOPE)

    def revoke(self, tokens: Tokens) -> httpx2.Response:
        """Give tokens back (RFC 7009); revoking the refresh token ends its access tokens with it."""
        kind = "refresh_token" if tokens.refresh_token else "access_token"
        session: Any = self._session()
        answer: httpx2.Response = session.revoke_token(
            self._metadata().revocation_endpoint,
            token=tokens.refresh_token or tokens.access_token,
            token_type_hint=kind,
        )
        return answer

    def _session(self) -> OAuth2Client:
        # One Authlib client per exchange, because it keeps the last token it saw; the connections are shared.
        session = OAuth2Client(
            self._settings.client_id,
            self._settings.client_secret,
            token_endpoint_auth_method="client_secret_basic",
            transport=self._transport,
            timeout=TIMEOUT,
        )
        for hook in ("access_token_response", "refresh_token_response"):
            session.register_compliance_hook(hook, _raise_when_limited)
        return session

    def _ask(self, *, grant_type: str, refresh_token: str | None = None, **parameters: str) -> Tokens:
        url = self._metadata().token_endpoint
        session = self._session()
        try:
            if grant_type == "refresh_token":
                answer = session.refresh_token(url, refresh_token=refresh_token)
            else:
                answer = session.fetch_token(url, grant_type=grant_type, **parameters)
        except ValueError as error:
            raise TokenAnswerError(str(error)) from error
        return _read_tokens(answer)


def _raise_when_limited(answer: httpx2.Response) -> httpx2.Response:
    """Keep Retry-After of a 429 as Authlib keeps it of a 503: its OAuthError would drop the headers."""
    if answer.status_code == 429:
        answer.raise_for_status()
    return answer


def _read_tokens(answer: dict[str, object]) -> Tokens:
    access_token, refresh_token, scope = (answer.get(key) for key in ("access_token", "refresh_token", "scope"))
    if not isinstance(access_token, str) or str(answer.get("token_type")).lower() != "bearer":
        raise TokenAnswerError("the answer has no bearer token")
    return Tokens(
        access_token=access_token,
        refresh_token=refresh_token if isinstance(refresh_token, str) else None,
        scope=scope if isinstance(scope, str) else "",
    )
