"""Reading parameters and credentials strictly."""

from __future__ import annotations

from base64 import b64encode

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from broker.domain.errors import OAuthError
from broker.web.oauth import parameters

FORM = "application/x-www-form-urlencoded"


def _form(body: bytes, *, kind: str = FORM, query: str = "") -> dict[str, str]:
    builder = EnvironBuilder(method="POST", query_string=query, data=body, content_type=kind)
    return parameters.of_form(builder.get_request(Request))  # type: ignore[arg-type]


def _credentials(header: str | None) -> tuple[str, str] | None:
    headers = {} if header is None else {"Authorization": header}
    return parameters.basic_credentials(EnvironBuilder(headers=headers).get_request(Request))  # type: ignore[arg-type]


def _basic(text: bytes) -> tuple[str, str] | None:
    return _credentials("Basic " + b64encode(text).decode())


def test_parameters_are_decoded_and_empty_ones_are_as_if_left_out() -> None:
    assert _form(b"a=1&b=&c=%C3%A9+x&=y&d") == {"a": "1", "c": "\u00e9 x", "": "y"}
    assert _form(b"") == {}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"a=1&a=2", "repeated: a"), (b"a=&a=1", "repeated: a"), (b"a=%FF", "UTF-8"), (b"a=\xff", "UTF-8"),
        (b"%C0%80=1", "UTF-8"), (b"a=%ED%A0%80", "UTF-8"), (b"a=%00", "NUL: a"), (b"%00=1", "NUL: unnamed"),
        (b"a=" + b"x" * 8193, "too long: a"), (b"&".join(b"a%d=" % n for n in range(101)), "more than 100"),
        (b"%0a%0d<script>=" + b"x" * 8193, "too long: script"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_refused_and_named(body: bytes, why: str) -> None:
    with pytest.raises(OAuthError, match=why) as refused:
        _form(body)
    assert refused.value.code == "invalid_request"


def test_a_form_is_a_form_and_has_no_query() -> None:
    for more in ({"kind": "application/json"}, {"kind": "text/plain"}, {"kind": ""}, {"query": "a=1"}):
        with pytest.raises(OAuthError):
            _form(b"a=1", **more)
    assert _form(b"a=1", kind=f"{FORM}; charset=utf-8") == {"a": "1"}


def test_credentials_are_form_decoded() -> None:
    assert _basic(b"client:secret") == ("client", "secret")
    assert _basic(b"a%2Db:c+d:e%3A") == ("a-b", "c d:e:")
    assert _credentials("bAsIc " + b64encode(b"a:b").decode()) == ("a", "b")
    assert _credentials(None) is None
    assert _credentials("Bearer x") is None


@pytest.mark.parametrize("text", [b"no colon", b"\xff:x", b"a:%FF", b"a%00:b", b"%C0%80:x", b"", b"a:%ED%A0%80"])
def test_credentials_that_cannot_be_read_are_nobodys(text: bytes) -> None:
    assert _basic(text) == parameters.UNREADABLE
