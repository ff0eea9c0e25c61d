"""The shape of secrets that travel: a kind prefix, 256 random bits, a checksum.

The prefix and checksum let secret scanners recognise a leaked token and let the broker refuse a typing error
before it asks the database. Only ``digest`` is ever stored.
"""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64encode
from enum import StrEnum
from hashlib import sha256

RANDOM_BYTES = 32
_BODY = 43  # characters of base64url for 32 bytes, without padding
_CHECK = 6  # characters of base64url for a CRC-32


class TokenKind(StrEnum):
    """The prefix says what a found string is."""

    ACCESS = "plv_at_"
    REFRESH = "plv_rt_"
    CODE = "plv_ac_"
    CLIENT_SECRET = "plv_cs_"
    OPERATOR = "plv_op_"
    SESSION = "plv_se_"
    RESOURCE_SERVER_SECRET = "plv_rs_"


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _checksum(text: str) -> str:
    return _encode(zlib.crc32(text.encode("ascii")).to_bytes(4, "big"))


def compose(kind: TokenKind, randomness: bytes) -> str:
    """Build a token of this kind from 32 random bytes."""
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"a token needs {RANDOM_BYTES} random bytes")
    text = kind.value + _encode(randomness)
    return text + _checksum(text)


def well_formed(kind: TokenKind, token: str) -> bool:
    """Whether a string could be a token of this kind: prefix, length and checksum hold."""
    prefix = kind.value
    if not token.startswith(prefix) or len(token) != len(prefix) + _BODY + _CHECK or not token.isascii():
        return False
    return _checksum(token[:-_CHECK]) == token[-_CHECK:]


def digest(token: str) -> bytes:
    """SHA-256 of a token, the only form that is stored.

    Fast on purpose: the input has 256 random bits, so a slow hash would protect nothing and cost every request.
    """
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
