"""An access record: one decision of the guard, as the worker's spool and the database hold it."""

from __future__ import annotations

from typing import NamedTuple

from broker.domain.decisions import Allowed, Decision, Standing
from broker.domain.instants import Instant

ALLOWED = "allowed"


class AccessRecord(NamedTuple):
    """Who, through which client, feature and grant, with which scope, on which thread, decided how, and when.

    ``position`` is the audit log's in the decision's own snapshot. In the spool a record is one line, its fields in
    this order, separated by tabs; an absent value is empty.
    """

    at: Instant
    position: int
    client_id: str
    feature_id: str
    feature_epoch: int
    grant_id: int | None
    account_id: int | None
    scope: str
    thread_id: int | None
    request: str
    decision: str


def record_of(
    decision: Decision, standing: Standing, request: str, thread_id: int | None, outcome: str | None = None,
    dated: tuple[Instant, int] | None = None,
) -> AccessRecord:  # fmt: skip
    """The record of a decision on a known token; ``request`` is method and route, never what the user typed.

    ``outcome`` names why an admitted request came to nothing (not-found, bad-request): that is not a use. ``dated``:
    instant and position of a decision from memory, whose standing was read before.
    """
    if isinstance(decision, Allowed):
        scope, word = decision.scope, outcome or ALLOWED
    else:
        scope, word = " ".join(sorted(decision.needed)), decision.reason.value
    at, position = dated or (standing.now, standing.position)
    return AccessRecord(
        at, position, standing.client_id, standing.feature_id, standing.token_epoch,
        standing.grant_id, standing.account_id, scope, thread_id, request,
        word,
    )  # fmt: skip


def encode(record: AccessRecord) -> bytes:
    """One line of a spool."""
    at, position, client, feature, epoch, grant, account, scope, thread, request, decision = record
    return (  # field by field, since each request writes one
        f"{at}\t{position}\t{client}\t{feature}\t{epoch}\t{_text(grant)}\t{_text(account)}\t{scope}"
        f"\t{_text(thread)}\t{request}\t{decision}\n"
    ).encode("ascii")


def decode(line: bytes) -> AccessRecord | None:
    """Read a line back; None for one that a full disk or a crash has cut, or filled with zeros."""
    text = line.decode("ascii", "replace").rstrip("\n")
    if "\0" in text or "\ufffd" in text:
        return None
    fields = text.split("\t")
    try:
        at, position, client, feature, epoch, grant, account, scope, thread, request, decision = fields
        return AccessRecord(
            _number(at), _number(position), client, feature, _number(epoch), _number_or_none(grant),
            _number_or_none(account), scope, _number_or_none(thread), request, decision,
        )  # fmt: skip
    except ValueError:
        return None


def _text(number: int | None) -> int | str:
    return "" if number is None else number


def _number(text: str) -> int:
    number = int(text)
    if not 0 <= number < 1 << 63:
        raise ValueError(f"{text} is no number of ours")
    return number


def _number_or_none(text: str) -> int | None:
    return _number(text) if text else None
