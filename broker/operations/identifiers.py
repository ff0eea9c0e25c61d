"""Identifiers that leave the broker: keyed, so that two who hold some cannot join them.

One AES block (tag, context, number) under a key derived for the one who receives it. A block decrypts to itself only
under the right key and tag, so an identifier made up, or meant for another, is unknown without a look at the database.
Written in digits and consonants: no words appear by chance.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_TO_TEXT = str.maketrans("abcdef", "bcdfgh")
_FROM_TEXT = str.maketrans("bcdfgh", "abcdef")
_ALPHABET = frozenset("0123456789bcdfgh")

THREAD, MESSAGE, PERSON, SUBJECT, GRANT, POST, CONTACT = 1, 2, 3, 4, 5, 6, 7


class Identifiers:
    """The identifiers for one receiver: a client, a partner, a resource server, or the operators."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - single blocks, each different

    def write(self, tag: int, number: int, context: int = 0) -> str:
        """The identifier of a number."""
        block = ((tag << 56 | context) << 64 | number).to_bytes(16, "big")
        return self._cipher.encryptor().update(block).hex().translate(_TO_TEXT)

    def read(self, tag: int, text: str, context: int = 0) -> int | None:
        """The number behind an identifier, or None if it is not one of this receiver's and this kind."""
        if len(text) != 32 or not _ALPHABET.issuperset(text):
            return None
        block = self._cipher.decryptor().update(bytes.fromhex(text.translate(_FROM_TEXT)))
        head, number = int.from_bytes(block[:8], "big"), int.from_bytes(block[8:], "big")
        return number if head == tag << 56 | context and number < 1 << 63 else None

    def write_many(self, tag: int, numbers: list[int], context: int = 0) -> list[str]:
        """Identifiers of many numbers at the cost of few."""
        head = (tag << 56 | context).to_bytes(8, "big")
        blocks = b"".join([head + number.to_bytes(8, "big") for number in numbers])
        text = self._cipher.encryptor().update(blocks).hex().translate(_TO_TEXT)
        return [text[place : place + 32] for place in range(0, len(text), 32)]


@lru_cache(maxsize=1024)
def identifiers(secret_key: bytes, receiver: str) -> Identifiers:
    """The identifiers for a receiver: ``client:ID``, ``partner:ID``, ``resource-server:ID`` or ``operators``."""
    return Identifiers(hmac.digest(secret_key, b"identifiers " + receiver.encode(), hashlib.sha256)[:16])


@lru_cache(maxsize=4096)
def grant_id(secret_key: bytes, number: int) -> str:
    """A grant's identifier; the same for everybody, since a grant has one client only."""
    return identifiers(secret_key, "operators").write(GRANT, number)


@lru_cache(maxsize=4096)
def subject(secret_key: bytes, receiver: str, account_id: int) -> str:
    """The pairwise ``sub`` of a person towards a partner or a resource server."""
    return identifiers(secret_key, receiver).write(SUBJECT, account_id)


@lru_cache(maxsize=1024)
def _mark_key(secret_key: bytes, receiver: str) -> bytes:
    return hmac.digest(secret_key, b"marks " + receiver.encode(), hashlib.sha256)


@lru_cache(maxsize=4096)
def mark(secret_key: bytes, receiver: str, subject: str) -> str:
    """What a receiver knows an audit entry's subject by: equal if it is the same, and otherwise telling nothing."""
    whole = hmac.digest(_mark_key(secret_key, receiver), subject.encode(), hashlib.sha256)
    return urlsafe_b64encode(whole[:16]).rstrip(b"=").decode()


def generation(secret_key: bytes, receiver: str, number: int) -> int:
    """The database's generation as a receiver of marks knows it: another one too when the key of its marks is.

    Else it would wait for marks that nobody sends any more. Below 2**53, so that every reader of JSON holds it.
    """
    return number << 28 | int.from_bytes(_mark_key(secret_key, receiver)[:4], "big") >> 4
