"""Consent pages: each is answered once."""

from __future__ import annotations

from broker.store import consents
from tests.concurrency import together
from tests.world import START, World


def _answer(world: World, nonce: bytes, at: int = START) -> bool:
    with world.database.write() as transaction:
        return consents.answered(transaction, nonce, at)


def test_a_page_is_answered_once(world: World) -> None:
    assert [_answer(world, nonce) for nonce in (b"one", b"one", b"two")] == [True, False, True]


def test_of_answers_that_come_at_once_one_counts(world: World) -> None:
    answers = together(world, *[lambda: _answer(world, b"one")] * 4)
    assert sorted(answers) == [False, False, False, True]  # type: ignore[type-var]


def test_only_answers_that_are_old_enough_are_forgotten(world: World) -> None:
    _answer(world, b"old", START)
    _answer(world, b"new", START + 1)
    with world.database.write() as transaction:
        assert consents.forget_answered(transaction, START + 1) == 1
    assert [_answer(world, nonce) for nonce in (b"old", b"new")] == [True, False]
