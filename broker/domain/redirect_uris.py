"""Redirect URIs: which may be registered, and which requested one is a registered one.

RFC 9700 section 2.1 and 4.1: exact string comparison, and no clever parsing at the time of the request. The only
freedom is the port of a native client's loopback address (RFC 8252 section 7.3).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_LENGTH = 500
_LOOPBACK = ("127.0.0.1", "[::1]")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[::1\]")
_NATIVE = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\])):[0-9]{1,5}(/.*)?")


def problem_with_redirect_uri(uri: str) -> str | None:
    """Say why a URI may not be registered, or None; strict, because every later comparison is by string."""
    if len(uri) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    if not uri.isascii() or any(c <= " " or c in '\\"<>^`{|}\x7f' for c in uri):
        return "has a character that a URI may not have (write international names in their ASCII form)"
    if "#" in uri:
        return "has a fragment"
    if "%25" in uri.lower() or "/../" in uri or "/./" in uri:
        return "is encoded twice or has dot segments"
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in ("https", "http"):
        return "must start with https:// (http:// only on a loopback address)"
    return _problem_with_authority(scheme, rest, uri)


def _problem_with_authority(scheme: str, rest: str, uri: str) -> str | None:
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    if "@" in authority or "%" in authority:
        return "has user information or an encoded host"
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return "has a host or port that cannot be read"
    host = authority.rsplit(":", 1)[0] if port is not None else authority
    if not _HOST.fullmatch(host) or host.startswith("xn--") or ".xn--" in host:
        return "has a host that is not a plain lower-case ASCII name"
    if scheme == "http" and host not in _LOOPBACK:
        return "uses http on a host that is not a loopback address"
    return None


def matches(requested: str, registered: tuple[str, ...], *, native: bool) -> bool:
    """Whether a requested URI is a registered one: the same string, or for a native client the same but its port."""
    if requested in registered:
        return True
    found = _NATIVE.fullmatch(requested) if native and problem_with_redirect_uri(requested) is None else None
    if found is None:
        return False
    portless = found[1] + (found[2] or "")
    return any(_without_port(uri) == portless for uri in registered)


def _without_port(uri: str) -> str | None:
    """A registered loopback URI without its port; None for any other, which then matches nothing."""
    found = _NATIVE.fullmatch(uri)
    if found is not None:
        return found[1] + (found[2] or "")
    return uri if uri.startswith(("http://127.0.0.1/", "http://[::1]/")) else None


def origin(uri: str) -> str:
    """Scheme, host and port of a registered URI, as CSP's ``form-action`` wants it."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"
