"""Tokens: a shape that scanners know and typing errors break, and nothing stored but a hash."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.tokens import RANDOM_BYTES, TokenKind, compose, digest, well_formed

_random = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


@given(st.sampled_from(TokenKind), _random)
def test_a_composed_token_is_well_formed_for_its_kind_alone(kind: TokenKind, randomness: bytes) -> None:
    token = compose(kind, randomness)
    assert re.fullmatch(r"plv_[a-z]{2}_[A-Za-z0-9_-]{49}", token)
    assert [each for each in TokenKind if well_formed(each, token)] == [kind]


def test_every_kind_has_a_prefix_of_its_own() -> None:
    assert len({kind.value for kind in TokenKind}) == len(TokenKind)
    assert {len(kind.value) for kind in TokenKind} == {7}


@given(_random, st.integers(0, 55), st.sampled_from("Aa0-_"))
def test_one_wrong_character_is_noticed(randomness: bytes, place: int, character: str) -> None:
    token = compose(TokenKind.ACCESS, randomness)
    changed = token[:place] + character + token[place + 1 :]
    assert well_formed(TokenKind.ACCESS, changed) == (changed == token)


@pytest.mark.parametrize("change", ["{}x", "{} ", " {}", "{}\n", "\u00e9{}", ""])
def test_nothing_around_a_token_is_ignored(change: str) -> None:
    token = compose(TokenKind.ACCESS, bytes(RANDOM_BYTES))
    assert not well_formed(TokenKind.ACCESS, change.format(token))


def test_a_token_of_the_right_length_in_other_letters_is_none() -> None:
    token = compose(TokenKind.ACCESS, bytes(RANDOM_BYTES))
    assert not well_formed(TokenKind.ACCESS, token[:-1] + "\u00e9")
    assert not well_formed(TokenKind.ACCESS, token[:-1] + "\ud800")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_token_has_256_random_bits(length: int) -> None:
    with pytest.raises(ValueError, match="needs 32 random bytes"):
        compose(TokenKind.CODE, bytes(length))


@given(st.text())
def test_a_digest_is_sha_256_of_whatever_was_sent(text: str) -> None:
    assert digest(text) == hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    assert len(digest("\ud800")) == 32
