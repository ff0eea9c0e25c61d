"""The guard: one check before the data, and its record after."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Protocol

from broker.domain.access import encode, record_of
from broker.domain.decisions import Decision, Denied, Reason, Standing, decide
from broker.enforcement.bearer import token_hash


class Authority(Protocol):
    """Whoever knows what a token's standing is. In strict mode: the database, in the request's own transaction."""

    def standing(self, token_hash: bytes, *, for_write: bool) -> Standing | None:
        """The standing of a token; ``for_write``: nothing that it says may change before the transaction ends.

        ``Undecided`` when it cannot be told: that is answered 503, never with yes.
        """
        ...


@dataclass(frozen=True, slots=True)
class Guard:
    """Judges requests, and appends a record of each judgement on a known token."""

    authority: Authority
    append: Callable[[bytes], None]

    def check(self, authorization: str | None, needed: Set[str], *, for_write: bool = False) -> Decision:
        """Judge a request by its Authorization header; ``NoToken`` if there is none."""
        hash = token_hash(authorization)
        if hash is None:
            return Denied(Reason.UNKNOWN_TOKEN)
        return decide(self.authority.standing(hash, for_write=for_write), needed)

    def record(
        self, decision: Decision, request: str, thread_id: int | None = None, outcome: str | None = None
    ) -> None:
        """Append the access record, before the response leaves; an unknown token leaves none."""
        if decision.standing is not None:
            self.append(encode(record_of(decision, decision.standing, request, thread_id, outcome)))
