"""Renewing tokens, by many threads at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest

from demo_partners.oauth_client.connection import Connection
from demo_partners.oauth_client.tokens import Tokens

STALE = Tokens("access-1", "refresh-1", "messages:write")
FRESH = Tokens("access-2", "refresh-2", "messages:write")


def test_many_threads_that_find_the_token_stale_renew_it_once() -> None:
    used: list[Tokens] = []
    meeting = Barrier(2)

    def renew(stale: Tokens) -> Tokens:
        used.append(stale)
        # A second thread in here would come to the meeting; nobody coming is what should happen.
        with suppress(BrokenBarrierError):
            meeting.wait(0.3)
        return FRESH

    connection = Connection(STALE, renew)
    with ThreadPoolExecutor(8) as pool:
        renewed = list(pool.map(connection.renewed, [STALE] * 8))
    assert used == [STALE]
    assert renewed == [FRESH] * 8


def test_a_thread_that_comes_late_with_the_stale_token_takes_the_fresh_one() -> None:
    connection = Connection(STALE, lambda _: FRESH)
    connection.renewed(STALE)
    assert connection.renewed(STALE) is FRESH
    assert connection.tokens is FRESH


def test_a_renewal_that_fails_leaves_the_tokens_and_lets_the_next_one_try() -> None:
    answers: Iterator[OSError | Tokens] = iter([OSError("no answer"), FRESH])

    def renew(_: Tokens) -> Tokens:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    connection = Connection(STALE, renew)
    with pytest.raises(OSError, match="no answer"):
        connection.renewed(STALE)
    assert connection.tokens is STALE
    assert connection.renewed(STALE) is FRESH
