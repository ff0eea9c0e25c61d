"""Rules for single values of a configuration. Each answers what is wrong, or None; none repeats a secret."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from broker.settings.settings import DAY

LOOPBACK = frozenset({"127.0.0.1", "[::1]", "localhost"})
MAX_GRANT_S = 366 * DAY  # twelve months, a leap year's included

DEVELOPMENT_SECRET = "dev-only-"
_SECRET_LEAST = 32
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\]")
_DATABASE = re.compile(r"sqlite:///[^?#]+|postgresql://\S+")


def problem_with_development_secret(secret: str) -> str | None:
    """Say why this may not stand as a secret in a file, or None; the prefix says that it is no secret."""
    if secret.startswith(DEVELOPMENT_SECRET) and len(secret) >= _SECRET_LEAST and secret.isascii():
        return None
    return f"must begin with {DEVELOPMENT_SECRET} and have at least {_SECRET_LEAST} ASCII characters"


def problem_with_database_url(url: str) -> str | None:
    """Say why this names no database that the broker can use, or None."""
    if _DATABASE.fullmatch(url):
        return None
    return "must be sqlite:///FILE or postgresql://..."


def problem_with_secret_key(key: str) -> str | None:
    """Say why this may not key the broker's signatures and pseudonyms, or None."""
    if len(key.encode()) >= _SECRET_LEAST:
        return None
    return f"must have at least {_SECRET_LEAST} bytes, has {len(key.encode())}"


def problem_with_issuer(uri: str) -> str | None:
    """Say why this may not be the issuer (RFC 8414 section 2), or None; an origin, since one serves everything."""
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
        origin = f"{parts.scheme}://{parts.netloc}"
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return "is not a URL"
    if origin != uri or "@" in uri or not uri.isascii():
        return "must be scheme, host and perhaps port, nothing after it, such as https://palaver.example"
    if parts.scheme == "https" or (parts.scheme == "http" and host in {each.strip("[]") for each in LOOPBACK}):
        return None
    return "must be https (http only on a loopback address)"


def problem_with_host(host: str) -> str | None:
    """Say why this may not stand in the host list, or None: a name without port, compared exactly."""
    return None if _HOST.fullmatch(host) else "must be a lower-case host name or address, without port or wildcard"
