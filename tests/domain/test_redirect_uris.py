"""Redirect URIs: what may be registered, and what a request may name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.redirect_uris import MAX_LENGTH, matches, origin, problem_with_redirect_uri

GOOD = [
    "https://tuneloop.example/callback",
    "https://tuneloop.example",
    "https://tuneloop.example/",
    "https://tuneloop.example:8443/callback?tenant=1",
    "https://tuneloop.example?x=1",
    "https://tune-loop.co.example/a%20b",
    "http://127.0.0.1:8101/callback",
    "http://127.0.0.1/callback",
    "http://[::1]:8101/callback",
    "https://[::1]/callback",
    "https://192.0.2.7/callback",
]
BAD = {
    "": "must start with https://",
    "tuneloop.example/callback": "must start with https://",
    "/callback": "must start with https://",
    "//tuneloop.example/callback": "must start with https://",
    "https:/tuneloop.example": "must start with https://",
    "javascript:alert(1)": "must start with https://",
    "javascript://tuneloop.example/%0aalert(1)": "must start with https://",
    "data:text/html,x": "must start with https://",
    "ftp://tuneloop.example/": "must start with https://",
    "tuneloop://callback": "must start with https://",
    "HTTPS://tuneloop.example/": "must start with https://",
    "http://tuneloop.example/callback": "uses http on a host that is not a loopback address",
    "http://localhost:8101/callback": "uses http on a host that is not a loopback address",
    "http://127.0.0.1.tuneloop.example/": "uses http on a host that is not a loopback address",
    "http://127.0.0.2/": "uses http on a host that is not a loopback address",
    "http://2130706433/": "uses http on a host that is not a loopback address",
    "https://tuneloop.example/#top": "has a fragment",
    "https://tuneloop.example/callback#": "has a fragment",
    "https://palaver.example@tuneloop.example/": "has user information or an encoded host",
    "https://user:secret@tuneloop.example/": "has user information or an encoded host",
    "https://tuneloop%2eexample/": "has user information or an encoded host",
    "https://tuneloop.example\\@palaver.example/": "has a character",
    "https://tuneloop.example/\\..": "has a character",
    "https://tuneloop.example/a b": "has a character",
    "https://tuneloop.example/\tcallback": "has a character",
    "https://tuneloop.example/\0": "has a character",
    "https://tuneloop.example/\n": "has a character",
    "https://tuneloop.example/<x>": "has a character",
    "https://tuneloop.example/\x7f": "has a character",
    "https://t\u00fcneloop.example/": "has a character",
    "https://\u0442uneloop.example/": "has a character",
    "https://xn--tneloop-n2a.example/": "has a host that is not a plain lower-case ASCII name",
    "https://www.xn--tneloop-n2a.example/": "has a host that is not a plain lower-case ASCII name",
    "https://TuneLoop.example/": "has a host that is not a plain lower-case ASCII name",
    "https://*.tuneloop.example/": "has a host that is not a plain lower-case ASCII name",
    "https:///callback": "has a host that is not a plain lower-case ASCII name",
    "https://-tuneloop.example/": "has a host that is not a plain lower-case ASCII name",
    "https://tuneloop.example:/": "has a host that is not a plain lower-case ASCII name",
    "https://tuneloop.example:0x50/": "has a host or port that cannot be read",
    "https://tuneloop.example:99999/": "has a host or port that cannot be read",
    "https://[::1/": "has a host or port that cannot be read",
    "https://tuneloop.example/a/../b": "is encoded twice or has dot segments",
    "https://tuneloop.example/./b": "is encoded twice or has dot segments",
    "https://tuneloop.example/%252e": "is encoded twice or has dot segments",
    "https://tuneloop.example/" + "a" * MAX_LENGTH: "is longer than 500 characters",
}


@pytest.mark.parametrize("uri", GOOD)
def test_a_plain_uri_may_be_registered(uri: str) -> None:
    assert problem_with_redirect_uri(uri) is None


@pytest.mark.parametrize("uri", BAD)
def test_what_could_lead_elsewhere_may_not_be_registered(uri: str) -> None:
    problem = problem_with_redirect_uri(uri)
    assert problem is not None
    assert problem.startswith(BAD[uri])


@pytest.mark.parametrize("uri", GOOD)
@pytest.mark.parametrize("native", [True, False])
def test_a_registered_uri_matches_itself(uri: str, native: bool) -> None:
    assert matches(uri, (uri, "https://other.example/"), native=native)


@pytest.mark.parametrize(
    "requested",
    [
        "https://tuneloop.example/callback/",
        "https://tuneloop.example/callback?x=1",
        "https://tuneloop.example/Callback",
        "https://TUNELOOP.example/callback",
        "https://tuneloop.example:443/callback",
        "https://tuneloop.example/%63allback",
        "https://tuneloop.example/x/../callback",
        "https://tuneloop.example/callback#",
        "https://tuneloop.example/callbac",
        "http://tuneloop.example/callback",
        "https://evil.example/https://tuneloop.example/callback",
        "https://tuneloop.example.evil.example/callback",
        " https://tuneloop.example/callback",
        "",
    ],
)
@pytest.mark.parametrize("native", [True, False])
def test_anything_but_the_registered_string_is_no_match(requested: str, native: bool) -> None:
    assert not matches(requested, ("https://tuneloop.example/callback",), native=native)


@pytest.mark.parametrize(
    ("requested", "registered", "native", "matched"),
    [
        ("http://127.0.0.1:51234/callback", "http://127.0.0.1/callback", True, True),
        ("http://127.0.0.1:51234/callback", "http://127.0.0.1:8101/callback", True, True),
        ("http://[::1]:51234/callback", "http://[::1]/callback", True, True),
        ("http://127.0.0.1:51234", "http://127.0.0.1:8101", True, True),
        ("http://127.0.0.1:51234/callback", "http://127.0.0.1/callback", False, False),
        ("http://127.0.0.1:51234/other", "http://127.0.0.1/callback", True, False),
        ("http://127.0.0.1:51234/callback/", "http://127.0.0.1/callback", True, False),
        ("http://127.0.0.1:51234/callback#x", "http://127.0.0.1/callback", True, False),
        ("http://127.0.0.1:99999/callback", "http://127.0.0.1/callback", True, False),
        ("http://[::1]:51234/callback", "http://127.0.0.1/callback", True, False),
        ("http://localhost:51234/callback", "http://127.0.0.1/callback", True, False),
        ("http://127.0.0.1:51234@evil.example/callback", "http://127.0.0.1/callback", True, False),
        ("https://tuneloop.example:8443/callback", "https://tuneloop.example/callback", True, False),
        ("https://127.0.0.1:51234/callback", "https://127.0.0.1/callback", True, False),
        ("http://127.0.0.1/callback", "http://127.0.0.1:8101/callback", True, False),
    ],
)
def test_only_a_native_client_s_loopback_port_is_free(
    requested: str, registered: str, native: bool, matched: bool
) -> None:
    assert matches(requested, ("https://tuneloop.example/", registered), native=native) is matched


@given(st.text(max_size=60), st.booleans())
def test_whatever_matches_without_being_registered_is_loopback(requested: str, native: bool) -> None:
    registered = ("https://tuneloop.example/callback", "http://127.0.0.1/callback")
    if matches(requested, registered, native=native) and requested not in registered:
        assert native
        assert requested.startswith("http://127.0.0.1:")
        assert requested.endswith("/callback")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://tuneloop.example/callback?x=1", "https://tuneloop.example"),
        ("http://127.0.0.1:8101/callback", "http://127.0.0.1:8101"),
        ("http://[::1]:8101/", "http://[::1]:8101"),
    ],
)
def test_the_origin_is_scheme_host_and_port(uri: str, expected: str) -> None:
    assert origin(uri) == expected
