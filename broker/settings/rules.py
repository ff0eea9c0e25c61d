"""Rules for single values of a configuration. Each answers what is wrong, or None; none repeats a secret."""

from __future__ import annotations

import re

from broker.settings.settings import DAY

LOOPBACK = frozenset({"127.0.0.1", "[::1]", "localhost"})
MAX_GRANT_S = 366 * DAY  # twelve months, a leap year's included

DEVELOPMENT_SECRET = "dev-only-"
_SECRET_LEAST = 32
_PORT_MAX = 65_535
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\]")
_ORIGIN = re.compile(rf"(?P<scheme>https?)://(?P<host>{_HOST.pattern})(:(?P<port>[0-9]{{1,5}}))?")
_DATABASE = re.compile(r"sqlite:///[^?#\x00-\x1f]+|postgresql://\S+")


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


def secret_key_bytes(key: str) -> bytes:
    """The key as the bytes that it was in the file or the environment, whose bytes need not be UTF-8."""
    return key.encode("utf-8", "surrogateescape")


def problem_with_secret_key(key: str) -> str | None:
    """Say why this may not key the broker's signatures and pseudonyms, or None."""
    if len(secret_key_bytes(key)) >= _SECRET_LEAST:
        return None
    return f"must have at least {_SECRET_LEAST} bytes, has {len(secret_key_bytes(key))}"


def problem_with_issuer(uri: str) -> str | None:
    """Say why this may not be the issuer (RFC 8414 section 2), or None; an origin, since one serves everything."""
    found = _ORIGIN.fullmatch(uri)
    if found is None or int(found["port"] or 0) > _PORT_MAX:
        return "must be scheme, host and perhaps port in lower case, nothing after it, such as https://palaver.example"
    if found["scheme"] == "http" and found["host"] not in LOOPBACK:
        return "must be https (http only on a loopback address)"
    return None


def problem_with_path(path: str) -> str | None:
    """Say why this may not name a file beside the configuration (or a pattern of such), or None."""
    return None if path and path.isprintable() else "must be the name of a file, without control characters"


def problem_with_pattern(pattern: str) -> str | None:
    """Say why this may not be a pattern of files beside the configuration, or None."""
    if pattern.startswith("/") or "**" in pattern:
        return "must be relative to this file, without **"
    return problem_with_path(pattern)


def problem_with_host(host: str) -> str | None:
    """Say why this may not stand in the host list, or None: a name without port, compared exactly."""
    return None if _HOST.fullmatch(host) else "must be a lower-case host name or address, without port or wildcard"
