"""The authorization request: what is an error page, what goes back to the client, and what never leaves."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from tests.register import HTTPS
from tests.visitors.person import Person
from tests.visitors.site import Site
from tests.world import CHALLENGE

REQUEST = {
    "client_id": "tuneloop-share", "redirect_uri": HTTPS, "response_type": "code", "state": "xyz",
    "code_challenge": CHALLENGE, "code_challenge_method": "S256",
}  # fmt: skip


def _ask(site: Site, **changes: str | None) -> httpx2.Response:
    """Ask with some parameters changed, or (None) left out."""
    parameters = {name: value for name, value in {**REQUEST, **changes}.items() if value is not None}
    return site.client().get("/oauth/authorize", params=parameters)


def _is_error_page(answer: httpx2.Response) -> bool:
    return (
        answer.status_code == 400
        and "Location" not in answer.headers
        and answer.headers["Content-Type"].startswith("text/html")
    )


def _sent_back(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 303
    target = urlsplit(answer.headers["Location"])
    assert target._replace(query="").geturl() == HTTPS
    found = parse_qs(target.query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


# --- before the redirect URI is proven: an error page ----------------------------------------------------------------


@pytest.mark.parametrize(
    "unproven",
    [
        {"client_id": "nobody-here"}, {"client_id": None}, {"client_id": ""}, {"client_id": "tuneloop-share "},
        {"client_id": "TUNELOOP-SHARE"}, {"redirect_uri": None}, {"redirect_uri": ""},
        {"redirect_uri": "https://evil.example/callback"},
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "more",
    [
        {}, {"response_type": "token"}, {"scope": "contacts:read"}, {"response_type": None}, {"code_challenge": None},
        {"request": "x"},
    ],
)  # fmt: skip
def test_an_unproven_client_or_address_gets_a_page_whatever_else_is_wrong(
    site: Site, unproven: dict[str, str | None], more: dict[str, str | None]
) -> None:
    assert _is_error_page(_ask(site, **{**more, **unproven}))


@pytest.mark.parametrize("name", [*REQUEST, "scope", "unknown"])
def test_a_repeated_parameter_is_refused_and_nobody_is_sent_anywhere(site: Site, name: str) -> None:
    repeated = f"{urlencode(REQUEST)}&{urlencode({name: REQUEST.get(name, 'a')})}"
    if name not in REQUEST:
        repeated += f"&{name}=b"
    assert _is_error_page(site.client().get(f"/oauth/authorize?{repeated}"))


def test_a_first_empty_and_then_another_client_id_is_repeated_too(site: Site) -> None:
    assert _is_error_page(site.client().get(f"/oauth/authorize?client_id=&{urlencode(REQUEST)}"))


def test_an_unknown_parameter_is_ignored(site: Site) -> None:
    answer = _ask(site, prompt="none", resource="https://x.example", login_hint="alice")
    assert answer.headers["Location"].startswith("/login?")


# --- after that: back to the client, with state and issuer -----------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_type": "c\u00f6de"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/request"}, "request_uri_not_supported"),
        ({"scope": "contacts:read"}, "invalid_scope"),
        ({"scope": "operate"}, "invalid_scope"),
        ({"scope": " ".join(f"scope{number}" for number in range(500))}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "="}, "invalid_request"),
        ({"code_challenge": "+" + CHALLENGE[1:]}, "invalid_request"),
    ],
)
def test_what_else_is_wrong_goes_back_with_state_and_issuer(
    site: Site, change: dict[str, str | None], error: str
) -> None:
    given = _sent_back(_ask(site, **change))
    assert given == {"error": error, "error_description": given["error_description"], "state": "xyz", "iss": site.url}
    assert all(" " <= character <= "~" and character not in '"\\' for character in given["error_description"])


@pytest.mark.parametrize("client_id", ["tuneloop-share", "tuneloop-app"])
def test_pkce_is_asked_of_every_client(site: Site, client_id: str) -> None:
    address = HTTPS if client_id == "tuneloop-share" else "http://127.0.0.1:50000/callback"
    answer = _ask(site, client_id=client_id, redirect_uri=address, code_challenge=None, code_challenge_method=None)
    assert "error=invalid_request" in answer.headers["Location"]


@pytest.mark.parametrize(
    "state",
    [
        "a b+c%&=?#/",
        "\u00e9\u4e2d\U0001f642",
        "\"'<script>",
        "x" * 2048,
        "%FF",
        "a\r\nSet-Cookie: x=y",
        "\ufffd",
        " x ",
        "\n",
    ],
)
def test_state_comes_back_byte_for_byte(site: Site, state: str) -> None:
    answer = _ask(site, state=state, scope="contacts:read")
    assert _sent_back(answer)["state"] == state
    assert "x=y" not in answer.headers.get("Set-Cookie", "")


def test_without_a_state_none_comes_back(site: Site) -> None:
    assert "state" not in _sent_back(_ask(site, state=None, scope="contacts:read"))
    assert "state" not in _sent_back(_ask(site, state="", scope="contacts:read"))


@pytest.mark.parametrize("state", ["x" * 2049, "x" * 9000, "x" * 60_000])
def test_a_state_that_is_too_long_is_refused(site: Site, state: str) -> None:
    assert _is_error_page(_ask(site, state=state))


@pytest.mark.parametrize("raw", ["%FF", "%C0%80", "%ED%A0%80", "%00", "%F4%90%80%80"])
def test_a_state_that_is_no_text_is_refused_and_not_returned_as_another(site: Site, raw: str) -> None:
    query = urlencode({name: value for name, value in REQUEST.items() if name != "state"})
    assert _is_error_page(site.client().get(f"/oauth/authorize?{query}&state={raw}"))


# --- what the endpoint never does ------------------------------------------------------------------------------------


def test_head_asks_for_nothing(site: Site, alice: Person) -> None:
    answer = alice.http.head(f"/oauth/authorize?{urlencode(REQUEST)}")
    assert (answer.status_code, "Location" in answer.headers) == (405, False)


def test_no_origin_is_let_in_by_cors(site: Site) -> None:
    http = site.client()
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for method, path in (
        ("OPTIONS", "/oauth/authorize"), ("GET", f"/oauth/authorize?{urlencode(REQUEST)}"), ("OPTIONS", "/oauth/token"),
        ("GET", "/login"), ("OPTIONS", "/api/threads"), ("GET", "/api/threads"),
    ):  # fmt: skip
        answer = http.request(method, path, headers=headers)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")], path


def test_there_is_no_implicit_and_no_password_grant(site: Site) -> None:
    metadata = site.client().get("/.well-known/oauth-authorization-server").json()
    assert metadata["response_types_supported"] == ["code"]
    assert set(metadata["grant_types_supported"]) == {"authorization_code", "refresh_token", "client_credentials"}
    assert metadata["code_challenge_methods_supported"] == ["S256"]


def test_redirects_of_the_framework_are_off(site: Site) -> None:
    """A path with two slashes would be answered 308, which repeats a POST with its body elsewhere."""
    for path in (
        "//oauth/authorize",
        "/oauth//authorize",
        "/oauth/authorize/",
        "//evil.example/login",
        "/oauth/token/",
    ):
        answer = site.client().get(f"{site.url}{path}")
        assert (answer.status_code in (400, 404), "Location" in answer.headers) == (True, False), path
