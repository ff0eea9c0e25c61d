"""Reading OAuth parameters strictly: once each, in UTF-8, of sane size, from where the RFC says they stand."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from urllib.parse import parse_qsl, unquote_to_bytes

from flask import Request

from broker.domain.errors import OAuthError

MAX_PARAMETER = 8192
MAX_STATE = 2048
MAX_PARAMETERS = 100

UNREADABLE = ("", "")

Parameters = dict[str, str]


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)


def _once(encoded: bytes) -> Parameters:
    """Parameters that came once; a repeated one is an error (RFC 6749 section 3.1), an empty one as if omitted.

    Decoded here and not by the framework, which lets bytes that are no UTF-8 through in their encoded form: a ``state``
    of such bytes would come back as others.
    """
    found: Parameters = {}
    for name, value in _pairs(encoded):
        if name in found:
            raise _invalid(f"a parameter is repeated: {_printable(name)}")
        if len(value) > MAX_PARAMETER:
            raise _invalid(f"a parameter is too long: {_printable(name)}")
        if "\0" in name or "\0" in value:
            raise _invalid(f"a parameter has a NUL: {_printable(name)}")
        found[name] = value
    return {name: value for name, value in found.items() if value}


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            encoded.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except UnicodeDecodeError:
        raise _invalid("a parameter is not valid UTF-8") from None
    except ValueError:
        raise _invalid(f"there are more than {MAX_PARAMETERS} parameters") from None


def _printable(name: str) -> str:
    return "".join(c for c in name[:40] if c.isascii() and (c.isalnum() or c in "_-.")) or "unnamed"


def of_query(request: Request) -> Parameters:
    """The parameters of a GET."""
    return _once(request.query_string)


def of_form(request: Request) -> Parameters:
    """The parameters of a POST: form-encoded, nothing in the query (RFC 6749 section 3.2)."""
    if request.mimetype != "application/x-www-form-urlencoded":
        raise _invalid("the body must be application/x-www-form-urlencoded")
    if request.query_string:
        raise _invalid("parameters belong into the body, not the query")
    return of_encoded(request.get_data())


def of_encoded(body: bytes) -> Parameters:
    """The parameters of a form-encoded body."""
    return _once(body)


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """Client id and secret of an HTTP Basic header (RFC 6749 section 2.3.1), None without one.

    An unreadable header is the client's mistake, and answered like wrong credentials.
    """
    return credentials_of(request.headers.get("Authorization"))


def credentials_of(header: str | None) -> tuple[str, str] | None:
    """The same of a header's value."""
    if header is None or header[:6].lower() != "basic ":
        return None
    try:
        text = b64decode(header[6:].strip(), validate=True).decode("utf-8")
        client_id, separator, secret = text.partition(":")
        found = _form_decoded(client_id), _form_decoded(secret)
    except (Base64Error, ValueError):
        return UNREADABLE
    return found if separator and "\0" not in "".join(found) else UNREADABLE


def _form_decoded(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
