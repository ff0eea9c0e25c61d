"""The guard: what it asks of an authority, and the record that it leaves of each judgement."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

import pytest

from broker.domain.access import AccessRecord, decode
from broker.domain.decisions import Denied, Reason, decide
from broker.domain.tokens import TokenKind, compose, digest
from broker.enforcement.bearer import NoToken
from broker.enforcement.guard import Guard
from broker.enforcement.node import Admission, Node
from tests.domain.test_decisions import SOUND
from tests.enforcement.test_node import Broker

TOKEN = compose(TokenKind.ACCESS, bytes(32))
HEADER = f"Bearer {TOKEN}"
WRITE, READ = frozenset({"messages:write"}), frozenset({"messages:read"})


@dataclass
class Asked:
    """An authority that knows one token, and remembers what it was asked."""

    asked: list[tuple[bytes, Set[str], bool]] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)

    def admit(self, token_hash: bytes, needed: Set[str], *, for_write: bool) -> Admission:
        self.asked.append((token_hash, needed, for_write))
        return Admission(decide(SOUND if token_hash == digest(TOKEN) else None, needed))

    @property
    def guard(self) -> Guard:
        return Guard(self, self.records.append)

    @property
    def record(self) -> AccessRecord:
        """The one record."""
        (line,) = self.records
        found = decode(line)
        assert found is not None
        return found


def test_the_authority_gets_the_hash_and_whether_it_is_for_a_write() -> None:
    authority = Asked()
    authority.guard.admit(HEADER, WRITE)
    authority.guard.admit(HEADER, WRITE, for_write=True)
    assert authority.asked == [(digest(TOKEN), WRITE, False), (digest(TOKEN), WRITE, True)]


@pytest.mark.parametrize("header", ["Bearer nonsense", f"Bearer {TOKEN}x", "Bearer ", f"Bearer {TOKEN} {TOKEN}"])
def test_what_cannot_be_a_token_is_not_asked_about(header: str) -> None:
    authority = Asked()
    admission = authority.guard.admit(header, WRITE)
    assert admission.decision == Denied(Reason.UNKNOWN_TOKEN)
    assert not admission.counted
    assert authority.asked == []


@pytest.mark.parametrize("header", [None, "", "Basic YWxpY2U6", TOKEN])
def test_without_a_bearer_token_there_is_nothing_to_judge(header: str | None) -> None:
    with pytest.raises(NoToken):
        Asked().guard.admit(header, WRITE)


@pytest.mark.parametrize(("needed", "said"), [(WRITE, "allowed"), (READ, "insufficient-scope")])
def test_each_judgement_on_a_known_token_leaves_a_record(needed: frozenset[str], said: str) -> None:
    authority = Asked()
    admission = authority.guard.admit(HEADER, needed)
    authority.guard.record(admission, "GET /api/threads", 7)
    record = authority.record
    assert (record.decision, record.request, record.thread_id) == (said, "GET /api/threads", 7)
    assert (record.at, record.grant_id) == (SOUND.now, SOUND.grant_id)


def test_an_unknown_token_leaves_none() -> None:
    authority = Asked()
    other = f"Bearer {compose(TokenKind.ACCESS, bytes([1]) * 32)}"
    authority.guard.record(authority.guard.admit(other, WRITE), "GET /api/threads")
    assert authority.records == []


def test_a_record_of_what_memory_has_admitted_is_dated_by_when_it_was() -> None:
    broker = Broker()
    node = Node(broker, lambda: broker.now)
    node.renew()
    authority = Asked()
    node.admit(b"t", WRITE, broker.seen).done()
    broker.now = 2_000
    broker.change("grant:8")
    node.renew()
    admission = node.admit(b"t", WRITE, broker.seen)
    authority.guard.record(admission, "GET /api/threads")
    assert authority.record.at == SOUND.now + 2_000
    admission.done()
