"""Redirect URIs: what may be registered, and that what is asked for is the same string or nothing."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from broker.domain.errors import Refused
from broker.domain.redirect_uris import matches, problem_with_redirect_uri
from broker.operations.register import clients
from broker.store.register.clients import Client
from tests.register import HTTPS, LOOPBACK
from tests.visitors.site import Site
from tests.world import CHALLENGE, World

NATIVE = "http://127.0.0.1/callback"

REFUSED_AT_REGISTRATION = [
    "http://tuneloop.example/callback", "http://localhost/callback", "http://127.0.0.2/callback", "HTTPS://x.example/",
    "javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "com.example.app:/callback",
    "//x.example/callback", "/callback", "", "https://", "https:///callback", "https:x.example",
    "https://x.example/callback#fragment", "https://x.example/callback#", "https://user@x.example/callback",
    "https://x.example@evil.example/", "https://x.example:pw@evil.example/", "https://x.example\\@evil.example/",
    "https://x.example\\.evil.example/", "https://x.example/\tcallback", "https://x.example/\ncallback",
    "https://x.example/\0", "https://x.example/ callback", " https://x.example/callback", "https://x.example/callback ",
    "https://xn--tuneloop-9sg.example/", "https://a.xn--p1ai/", "https://tun\u0435loop.example/", "https://X.example/",
    "https://x.example/%252e%252e", "https://x.example/a/../b", "https://x.example/a/./b", "https://x%2eexample/",
    "https://*.x.example/callback", "https://x.example:99999/callback", "https://x.example:port/callback",
    "https://[::1/callback", "https://x.example/<script>", 'https://x.example/"', "https://x.example/{a}",
    "https://x.example/" + "a" * 500, "http://127.0.0.1.evil.example/callback", "http://127.0.0.1@evil.example/",
    "https://.x.example/", "https://x.example./", "http://2130706433/", "http://0x7f.1/", "http://[::ffff:127.0.0.1]/",
]  # fmt: skip


@pytest.mark.parametrize("uri", REFUSED_AT_REGISTRATION)
def test_it_cannot_be_registered(sqlite_world: World, uri: str) -> None:
    assert problem_with_redirect_uri(uri) is not None
    client = Client("tuneloop-new", "share-a-track", "TuneLoop new", "client_secret_basic", (HTTPS, uri), "active")
    with sqlite_world.write() as context, pytest.raises(Refused):
        clients.register(context, client)


@pytest.mark.parametrize(
    "uri",
    [
        HTTPS, LOOPBACK, NATIVE, "http://[::1]:8101/callback", "https://x.example", "https://x.example/",
        "https://x.example:8443/a?b=c&d=%2F", "https://a-b.x.example/~u/(c);d=e",
    ],
)  # fmt: skip
def test_it_can_be_registered(uri: str) -> None:
    assert problem_with_redirect_uri(uri) is None


OTHERS = [
    "https://tuneloop.example/callback/", "https://tuneloop.example/callback?", "https://tuneloop.example/callback?a=b",
    "https://tuneloop.example/Callback", "https://TUNELOOP.example/callback", "HTTPS://tuneloop.example/callback",
    "http://tuneloop.example/callback", "https://tuneloop.example:443/callback", "https://tuneloop.example/callback#",
    "https://tuneloop.example//callback", "https://tuneloop.example/./callback", "https://tuneloop.example/%63allback",
    "https://tuneloop.example/callback%00", "https://tuneloop.example/callback%20", "https://tuneloop.example",
    "https://tuneloop.example/callback/../callback", "https://sub.tuneloop.example/callback",
    "https://tuneloop.example.evil.example/callback", "https://evil.example/https://tuneloop.example/callback",
    "https://user@tuneloop.example/callback", " https://tuneloop.example/callback", "https://tuneloop.example/call",
    "https://tuneloop.example\\@evil.example/callback", "http://127.0.0.1:8102/callback", "http://127.0.0.1/callback",
    "http://localhost:8101/callback", "http://127.0.0.1:8101/callback/", "http://127.0.0.1:08101/callback",
]  # fmt: skip


@pytest.mark.parametrize("uri", OTHERS)
def test_another_string_is_another_address(site: Site, uri: str) -> None:
    """For a client that keeps a secret the port of a loopback address is fixed too."""
    query = urlencode({
        "client_id": "tuneloop-share", "redirect_uri": uri, "response_type": "code", "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    })  # fmt: skip
    answer = site.client().get(f"/oauth/authorize?{query}")
    assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    ("uri", "right"),
    [
        ("http://127.0.0.1:1/callback", True), ("http://127.0.0.1:65535/callback", True), (NATIVE, True),
        ("http://127.0.0.1:65536/callback", False), ("http://127.0.0.1:0x50/callback", False),
        ("http://127.0.0.1:/callback", False), ("http://127.0.0.1:80:80/callback", False),
        ("http://[::1]:5000/callback", False), ("http://localhost:5000/callback", False),
        ("http://127.0.0.1:5000/callback/", False), ("http://127.0.0.1:5000/callback?a=b", False),
        ("http://127.0.0.1:5000/Callback", False), ("http://127.0.0.1:5000", False),
        ("http://127.0.0.1:5000@evil.example/callback", False), ("http://127.0.0.1:5000\\@evil.example/", False),
        ("http://127.0.0.2:5000/callback", False), ("https://127.0.0.1:5000/callback", False),
        ("http://127.0.0.1:5000/callback#", False), ("http://127.0.0.1:5000/callback\n", False),
        ("http://127.0.0.1:\u0661\u0662/callback", False), ("http://evil.example:5000/callback", False),
    ],
)  # fmt: skip
def test_only_the_port_of_a_native_clients_loopback_address_is_free(uri: str, right: bool) -> None:
    assert matches(uri, (NATIVE,), native=True) is right
    assert matches(uri, (NATIVE,), native=False) is (uri == NATIVE)


def test_the_freedom_of_the_port_is_for_loopback_alone() -> None:
    assert not matches("https://x.example:5000/callback", ("https://x.example/callback",), native=True)
    assert matches("http://[::1]:5000/callback", ("http://[::1]/callback",), native=True)
