"""The guard: one check before the data, and its record after."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Protocol

from broker.domain.access import encode, record_of
from broker.domain.decisions import Denied, Reason
from broker.enforcement.bearer import token_hash
from broker.enforcement.node import Admission


class Authority(Protocol):
    """Whoever knows what a token's standing is: the database in the request's own transaction, or a leased node."""

    def admit(self, token_hash: bytes, needed: Set[str], *, for_write: bool) -> Admission:
        """Judge a token; ``for_write``: nothing that was judged may change before the transaction ends.

        ``Undecided`` when it cannot be told: that is answered 503, never with yes.
        """
        ...


@dataclass(frozen=True, slots=True)
class Guard:
    """Judges requests, and appends a record of each judgement on a known token."""

    authority: Authority
    append: Callable[[bytes], None]

    def admit(self, authorization: str | None, needed: Set[str], *, for_write: bool = False) -> Admission:
        """Judge a request by its Authorization header; ``NoToken`` if there is none.

        The caller says ``recheck`` before the first byte of the answer, and ``done`` when it was handed on.
        """
        hash = token_hash(authorization)
        if hash is None:
            return Admission(Denied(Reason.UNKNOWN_TOKEN))
        return self.authority.admit(hash, needed, for_write=for_write)

    def record(
        self, admission: Admission, request: str, thread_id: int | None = None, outcome: str | None = None
    ) -> None:
        """Append the access record, before the response leaves; an unknown token leaves none."""
        decision = admission.decision
        if decision.standing is not None:
            dated = (admission.at, admission.position)
            self.append(encode(record_of(decision, decision.standing, request, thread_id, outcome, dated)))
