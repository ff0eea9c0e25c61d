"""Passwords: Argon2id (RFC 9106) at 19 MiB, two passes, one lane, in PHC form; slow on purpose."""

from __future__ import annotations

import unicodedata

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from broker.domain.errors import Refused
from broker.operations.context import Randomness

MIN_LENGTH, MAX_LENGTH = 8, 128
_SALT_BYTES = 16


def _bytes(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _argon2id(salt: bytes) -> Argon2id:
    return Argon2id(salt=salt, length=32, iterations=2, lanes=1, memory_cost=19 * 1024)


def hash_password(password: str, randomness: Randomness) -> str:
    """Hash a password for storing."""
    return _argon2id(randomness(_SALT_BYTES)).derive_phc_encoded(_bytes(password))


def matches(password: str, stored: str) -> bool:
    """Whether a password is the one that was stored."""
    if len(password) > MAX_LENGTH:  # a longer one was never accepted; refusing it first keeps it from costing time
        return False
    try:
        Argon2id.verify_phc_encoded(_bytes(password), stored)
    except (InvalidKey, ValueError):
        return False
    return True


def require_decent(password: str) -> None:
    """Refuse a new password that is too short or too long to be one."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Refused(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")


# What an unknown user's password is compared with, so that the answer takes as long as for a known one.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
