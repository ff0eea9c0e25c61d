"""An answer from memory is counted until the server has taken it, whole; what cannot be taken whole is not given."""

from __future__ import annotations

from collections.abc import Iterator, Set

import pytest
from flask import Flask, Response
from werkzeug.test import TestResponse

from broker.domain.errors import Undecided
from broker.domain.tokens import TokenKind, compose
from broker.enforcement.flask import MAX_ANSWER, guarded
from broker.enforcement.guard import Guard
from broker.enforcement.node import Admission, Node
from tests.domain.test_decisions import SOUND
from tests.enforcement.test_node import FAR, LEASE, Broker

HEADERS = {"Authorization": f"Bearer {compose(TokenKind.ACCESS, bytes(32))}"}


class Leased:
    """A node before a view; the token is sound."""

    def __init__(self) -> None:
        self.broker = Broker()
        self.node = Node(self.broker, lambda: self.broker.now)
        self.node.renew()
        self.records: list[bytes] = []
        self.app = Flask("resource-server")
        self.app.testing = True
        self.guard = Guard(self, self.records.append)

    def admit(self, token_hash: bytes, needed: Set[str], *, for_write: bool) -> Admission:
        return self.node.admit(token_hash, needed, lambda: self.broker.seen(FAR))

    def answers(self, view: object) -> TestResponse:
        assert callable(view)
        self.app.add_url_rule("/", view_func=guarded(lambda: self.guard, *SOUND.token_scopes.split())(view))
        return self.app.test_client().get("/", headers=HEADERS, buffered=False)

    @property
    def confirms(self) -> bool:
        """Whether a change is confirmed at once, because nobody is in flight."""
        self.broker.change("feature:f")
        self.node.renew()
        return self.node.has_to_tell


@pytest.fixture
def leased() -> Leased:
    return Leased()


def test_it_is_in_flight_until_the_server_closes_it(leased: Leased) -> None:
    def page() -> str:
        return "a page"

    answer = leased.answers(page)
    assert not leased.confirms
    assert answer.get_data() == b"a page"
    answer.close()
    leased.node.renew()
    assert leased.broker.confirmed[-1] == leased.broker.position
    assert len(leased.records) == 1


def test_a_view_that_fails_is_in_flight_no_more(leased: Leased) -> None:
    def failing() -> str:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        leased.answers(failing)
    assert leased.confirms


def test_a_lease_that_ends_while_the_view_works_gives_no_answer(leased: Leased) -> None:
    def slow() -> str:
        leased.broker.now = LEASE
        return "too late"

    with pytest.raises(Undecided):
        leased.answers(slow)
    leased.broker.now = 0
    assert leased.confirms


def test_what_cannot_be_taken_whole_is_not_given(leased: Leased) -> None:
    def streaming() -> Response:
        def parts() -> Iterator[bytes]:
            yield b"a part"

        return Response(parts())

    with pytest.raises(TypeError, match="does not stream"):
        leased.answers(streaming)
    assert leased.confirms


def test_what_is_too_large_is_not_given(leased: Leased) -> None:
    def large() -> bytes:
        return bytes(MAX_ANSWER + 1)

    with pytest.raises(TypeError, match="at most 1048576 bytes"):
        leased.answers(large)
    assert leased.confirms
