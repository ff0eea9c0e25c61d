"""Reading a bearer token off a request (RFC 6750 section 2.1): the header, and nothing else."""

from __future__ import annotations

from hashlib import sha256

from broker.domain.tokens import TokenKind, well_formed

_SCHEME = "bearer "
_ACCESS = TokenKind.ACCESS


class NoToken(Exception):
    """The request carries no bearer token at all; it gets a challenge without an error (RFC 6750 section 3.1)."""


def token_hash(authorization: str | None) -> bytes | None:
    """The hash of the token in an Authorization header; None if it cannot be one of ours, so need not be looked up."""
    if authorization is None or authorization[:7].lower() != _SCHEME:
        raise NoToken
    token = authorization[7:].strip(" ")
    return sha256(token.encode("ascii")).digest() if well_formed(_ACCESS, token) else None
