"""A partner's app on an OAuth client library that nobody here wrote, used as its documentation shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any

import httpx2
from authlib.integrations.httpx_client import OAuth2Client

from tests.register import HTTPS, secret_of
from tests.visitors.page import Page
from tests.visitors.person import Person
from tests.visitors.site import Site

Token = dict[str, Any]


@dataclass
class Partner:
    """One client, with what the server's metadata says of the server."""

    site: Site
    client_id: str
    redirect_uri: str = HTTPS
    auth: str = "client_secret_basic"
    verifier: str = field(default_factory=lambda: token_urlsafe(48))

    def __post_init__(self) -> None:
        self.http = self.site.client()
        self.metadata: dict[str, Any] = self.http.get("/.well-known/oauth-authorization-server").json()
        self.secret = None if self.auth == "none" else secret_of(self.client_id)
        self.library: Any = OAuth2Client(
            self.client_id, self.secret, token_endpoint_auth_method=self.auth, redirect_uri=self.redirect_uri,
            code_challenge_method="S256", transport=self.site.transport(),
        )  # fmt: skip

    def asks(self, scope: str | None = None, **more: str) -> str:
        """The address that the app sends a person to."""
        url, self.state = self.library.create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=self.verifier,
            **({} if scope is None else {"scope": scope}), **more,
        )  # fmt: skip
        return str(url)

    def receives(self, page: Page) -> Token:
        """Redeem the code of an authorization response; the token answer. Authlib's errors for what is none."""
        token: Token = self.library.fetch_token(
            self.metadata["token_endpoint"], authorization_response=page.answer.headers["Location"],
            state=self.state, code_verifier=self.verifier,
        )  # fmt: skip
        return token

    def connects(self, person: Person, scope: str | None = None, **answer: Any) -> Token:
        """The whole flow with a person who is logged in or logs in on the way; the token answer."""
        return self.receives(self.code_page(person, scope, **answer))

    def code_page(self, person: Person, scope: str | None = None, **answer: Any) -> Page:
        """The flow up to the authorization response."""
        page = person.open(self.asks(scope))
        if page.path == "/login":
            page = person.log_in(at=page)
        return page if "Location" in page.answer.headers else person.answer(page, **answer)

    def refreshes(self, token: Token, **more: str) -> Token:
        """Rotate a refresh token."""
        found: Token = self.library.refresh_token(
            self.metadata["token_endpoint"], refresh_token=token["refresh_token"], **more
        )
        return found

    def of_its_own(self, scope: str | None = "standing:read") -> Token:
        """A token by client_credentials."""
        asked = {} if scope is None else {"scope": scope}
        url = self.metadata["token_endpoint"]
        found: Token = self.library.fetch_token(url, grant_type="client_credentials", **asked)
        return found

    def revokes(self, token: str, hint: str | None = None) -> httpx2.Response:
        """Give a token back."""
        answer: httpx2.Response = self.library.revoke_token(
            self.metadata["revocation_endpoint"], token=token, token_type_hint=hint
        )
        return answer

    def calls(self, method: str, path: str, token: Token | str, **more: Any) -> httpx2.Response:
        """Call the API with a token."""
        bearer = token if isinstance(token, str) else token["access_token"]
        return self.http.request(method, path, headers={"Authorization": f"Bearer {bearer}"}, **more)

    def posts_form(self, path: str, **fields: str) -> httpx2.Response:
        """Post a form to an endpoint, authenticated as this client is: what the library would not send."""
        if self.auth == "client_secret_basic":
            return self.http.post(path, data=fields, auth=(self.client_id, self.secret or ""))
        body = {"client_id": self.client_id, **({"client_secret": self.secret} if self.secret else {}), **fields}
        return self.http.post(path, data=body)
