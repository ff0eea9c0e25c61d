"""Reading OAuth parameters strictly: once each, in UTF-8, of sane size, from where the RFC says they stand."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from urllib.parse import unquote_plus

from flask import Request

from broker.domain.errors import OAuthError

MAX_PARAMETER = 8192
MAX_STATE = 2048

Parameters = dict[str, str]


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)


def _once(pairs: list[tuple[str, str]]) -> Parameters:
    """Parameters that came once; a repeated one is an error (RFC 6749 section 3.1), an empty one as if omitted."""
    found: Parameters = {}
    for name, value in pairs:
        if name in found:
            raise _invalid(f"a parameter is repeated: {_printable(name)}")
        if len(value) > MAX_PARAMETER:
            raise _invalid(f"a parameter is too long: {_printable(name)}")
        if any(c in "\0\ufffd" or "\ud800" <= c <= "\udfff" for c in name + value):
            raise _invalid(f"a parameter is not valid UTF-8 text: {_printable(name)}")
        found[name] = value
    return {name: value for name, value in found.items() if value}


def _printable(name: str) -> str:
    return "".join(c for c in name[:40] if c.isascii() and (c.isalnum() or c in "_-.")) or "unnamed"


def of_query(request: Request) -> Parameters:
    """The parameters of a GET."""
    return _once(list(request.args.items(multi=True)))


def of_form(request: Request) -> Parameters:
    """The parameters of a POST: form-encoded, nothing in the query (RFC 6749 section 3.2)."""
    if request.mimetype != "application/x-www-form-urlencoded":
        raise _invalid("the body must be application/x-www-form-urlencoded")
    if request.query_string:
        raise _invalid("parameters belong into the body, not the query")
    return _once(list(request.form.items(multi=True)))


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """Client id and secret of an HTTP Basic header (RFC 6749 section 2.3.1), None without one.

    An unreadable header is the client's mistake, and answered like wrong credentials.
    """
    header = request.headers.get("Authorization")
    if header is None or header[:6].lower() != "basic ":
        return None
    try:
        text = b64decode(header[6:].strip(), validate=True).decode("utf-8")
    except (Base64Error, ValueError):
        return "", ""
    client_id, separator, secret = text.partition(":")
    return (unquote_plus(client_id), unquote_plus(secret)) if separator else ("", "")
