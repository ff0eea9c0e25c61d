"""Whom the guard asks: the database for every request, or a leased node's memory for reads."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from broker.domain import decisions, marks
from broker.domain.decisions import Standing, decide
from broker.enforcement.memory import Seen
from broker.enforcement.node import Admission, Node
from broker.store import standing as strict
from broker.web.request_context import transaction
from broker.web.runtime import ticks


class StrictAuthority:
    """The database as the authority, in the request's own transaction: what the check saw, the data sees."""

    def admit(self, token_hash: bytes, needed: Set[str], *, for_write: bool) -> Admission:
        """One statement, in one snapshot; for a write, with everything locked that could end it."""
        read = strict.fenced if for_write else strict.read
        return Admission(decide(read(transaction(), token_hash), needed))


@dataclass(frozen=True, slots=True)
class LeasedAuthority:
    """A leased node for reads, which asks the database about tokens that it has not seen; writes are never leased."""

    node: Node
    strict: StrictAuthority = field(default_factory=StrictAuthority)

    def admit(self, token_hash: bytes, needed: Set[str], *, for_write: bool) -> Admission:
        """From memory, while the lease holds and nothing has changed that the decision hangs on."""
        if for_write:
            return self.strict.admit(token_hash, needed, for_write=True)
        return self.node.admit(token_hash, needed, lambda: read(token_hash))


def read(token_hash: bytes) -> Seen | None:
    """What this request's snapshot says of a token; None for one that is unknown.

    Its end by time is put where this clock cannot be late by 1 % of rate: then it is read again.
    """
    begun = ticks()
    found = strict.read(transaction(), token_hash)
    return None if found is None else seen(found, begun)


def seen(found: Standing, begun: int) -> Seen:
    """A standing as a node remembers it."""
    left = max(0, decisions.deadline(found, decisions.live_scopes(found)) - found.now)
    return Seen(found, marks.of_standing(found), found.generation, found.position, begun, begun + left * 99 // 100)
